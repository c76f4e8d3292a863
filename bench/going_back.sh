#!/bin/bash
# What going back costs, side by side in one run on the embedded lab (root): an undo and a restore beside the data with 20 MB and
# with 2 GB of data, and the downtime of a migration beside a bare shutdown and a bare boot of the same image.
# Prints figures; asserts nothing. `bench/going_back.sh downtime` takes only the migration. Uses lab number 2, beside whatever runs.
set -euo pipefail
cd "$(dirname "$0")/.."
export ZEROTOIL_LAB_NUMBER=2
bin=.venv/bin
trap '$bin/zerotoil lab reset --yes >/dev/null' EXIT
$bin/zerotoil lab reset --yes >/dev/null
$bin/zerotoil lab up >/dev/null
[ ! -f .zerotoil/known_hosts ] || ssh-keygen -q -R demo3 -f .zerotoil/known_hosts
$bin/pyinfra -y inventory/demo.py deploys/full.py --data data_size='6 GiB' >/dev/null 2>&1
$bin/python bench/going_back.py demo3 inventory/demo.py "$@"
