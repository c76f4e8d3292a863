#!/bin/bash
# How long the product takes, side by side with the bare work, in one run on the embedded lab (root).
#   1. bootstrap: `pyinfra …` until Watchtower runs, against the bare time of the same image from start to SSH plus the
#      container's own start;
#   2. the run that changes nothing, its peak memory, and `zerotoil --help`.
# Prints figures; asserts nothing. Uses lab number 2, beside whatever runs.
set -euo pipefail
cd "$(dirname "$0")/.."
export ZEROTOIL_LAB_NUMBER=2
host=demo3 uri=qemu:///system bin=.venv/bin
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }
guest() { $bin/zerotoil ssh -i inventory/demo.py $host -- "$@" </dev/null 2>/dev/null; }
trap '$bin/zerotoil lab reset --yes >/dev/null' EXIT

$bin/zerotoil lab reset --yes >/dev/null
$bin/zerotoil lab up >/dev/null
rm -f .zerotoil/known_hosts
start=$(now)
$bin/pyinfra -y inventory/demo.py deploys/full.py >/dev/null 2>&1
full=$(since "$start")
echo "bootstrap, from nothing until Watchtower runs: $full s"

# The same image, config and disks once more, with nothing but virsh and ssh around them.
virsh -q -c $uri destroy $host
guest_os=$(virsh -c $uri domblklist $host | awk '$1 == "vda" { print $2 }')
pool=zerotoil-lab2
backing=$(virsh -c $uri vol-dumpxml --pool $pool "$(basename "$guest_os")" | sed -n '/<backingStore>/,/<\/backingStore>/s/.*<path>\(.*\)<\/path>.*/\1/p')
size=$(virsh -c $uri vol-info --pool $pool --bytes "$(basename "$guest_os")" | awk '/Capacity/ { print $2 }')
virsh -q -c $uri vol-delete --pool $pool "$(basename "$guest_os")"
virsh -q -c $uri vol-create-as $pool "$(basename "$guest_os")" "$size" --format qcow2 --backing-vol "$backing" --backing-vol-format qcow2
start=$(now)
virsh -q -c $uri start $host
until guest true; do sleep 1; done
boot=$(since "$start")
image=$($bin/python -c 'from zerotoil.minilab import layout; print(layout.WATCHTOWER_IMAGE)')
start=$(now)
guest "sudo docker run -d --name bare -v /var/run/docker.sock:/var/run/docker.sock --security-opt label=disable $image" >/dev/null
container=$(since "$start")
awk -v f="$full" -v b="$boot" -v c="$container" 'BEGIN {
  printf "bare: start to SSH %.1f s, container %.1f s\nratio bootstrap / bare: %.2f\n", b, c, f / (b + c) }'

guest "sudo docker rm -f bare" >/dev/null
$bin/pyinfra -y inventory/demo.py deploys/full.py >/dev/null 2>&1
for _ in 1 2 3; do
  $bin/python - <<'P'
import resource, subprocess, time
start = time.monotonic()
subprocess.run([".venv/bin/pyinfra", "-y", "inventory/demo.py", "deploys/full.py"], check=True, capture_output=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"no-change run: {time.monotonic() - start:.1f} s, peak memory {usage.ru_maxrss / 1024:.0f} MB")
P
done
start=$(now)
$bin/zerotoil --help >/dev/null
echo "zerotoil --help: $(since "$start") s"
