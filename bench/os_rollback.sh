#!/bin/bash
# How long a host is away when an OS update is bad: from its health checks turning red until the old deployment serves the app again,
# beside a bare boot of the same machine (root, about 40 minutes where it is emulated). Prints the figures; asserts none.
# It is a part of the walk through OS updates, on the embedded lab number 1.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/pytest -q --capture=no tests/e2e/test_os_updates.py \
  -k 'taken_to_the_image or staged_and_taken or docker_does_not_start' | grep --line-buffered -E 'red to serving|passed|failed'
