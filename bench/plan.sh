#!/bin/bash
# How long a plan that finds nothing to change takes: 50 hosts beside Ansible and kcli at the same job, then 1,000 hosts.
# Without guests: libvirt's test driver and the TrueNAS simulator. Prints figures and ratios; asserts nothing.
# The peers are installed from PyPI once, beside the other caches.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
bin=$PWD/.venv/bin
peers=${ZEROTOIL_CACHE:-$HOME/.cache/zerotoil}/peers
work=$(mktemp -d)
many=()
trap 'kill "${many[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

if [[ ! -x $peers/bin/kcli ]]; then
  /usr/bin/python3 -m venv "$peers"
  "$peers/bin/pip" install --quiet "ansible==12.3.0" lxml libvirt-python kcli
fi

lab() { # COUNT: a converged pretend lab in $work/COUNT
  "$bin/python" bench/lab_of_many.py "$1" "$work/$1" >"$work/$1.log" 2>&1 &
  many+=($!)
  until [[ -e $work/$1/ready ]]; do
    kill -0 "${many[-1]}" || { cat "$work/$1.log" >&2; exit 1; }
    sleep 1
  done
}
seconds() { # COMMAND...: seconds of the fastest of three, its output to $work/out
  for _ in 1 2 3; do
    start=$(date +%s.%N)
    "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
    awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.2f\n", b - a }'
  done | sort -n | head -n 1
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'; }
plan() { (cd "$work/$1" && "$bin/zerotoil" plan lab.py --layer NAS --layer hypervisor); }

lab 50
plan 50 >/dev/null # Butane's output is kept by content
ours=$(seconds plan 50)
echo "zerotoil plan, 50 hosts, nothing to change: $ours s"

nas=$(sed -n "s/.*'nas_url': 'wss\(:[^']*\)'.*/https\1/p" "$work/50/lab.py")
ansible() {
  ANSIBLE_LOCALHOST_WARNING=False "$peers/bin/ansible-playbook" "$root/bench/peers/plan.yml" \
    -e "count=50 libvirt=test://$work/50/node.xml nas=$nas folder=$work/50 template=$root/bench/peers/config.bu.j2" \
    -e "ansible_python_interpreter=$peers/bin/python"
}
theirs=$(seconds ansible)
echo "Ansible, the same: $theirs s, $(ratio "$theirs" "$ours") times as long"

real_home=$HOME
export KCLI_HOME=$work/kcli HOME=$work/kcli
mkdir -p "$HOME/.kcli"
printf 'default: {client: bench}\nbench: {type: kvm, url: "test://%s/node.xml", pool: default}\n' "$work/50" >"$HOME/.kcli/config.yml"
for number in $(seq 0 49); do printf 'vm%s: {}\n' "$number"; done >"$work/kcli/plan.yml"
kcli() { "$peers/bin/kcli" create plan -f "$work/kcli/plan.yml" bench; }
check=$(seconds kcli)
echo "kcli, which only looks whether the VMs exist: $check s; zerotoil takes $(ratio "$ours" "$check") times as long"

lab 1000
plan 1000 >/dev/null
thousand=$(seconds plan 1000)
echo "zerotoil plan, 1,000 hosts: $thousand s; per host $(ratio "$(awk -v t="$thousand" 'BEGIN { print t / 1000 }')" "$(awk -v t="$ours" 'BEGIN { print t / 50 }')") times that of 50"
(cd "$work/1000" && "$bin/python" -c '
import resource, subprocess, sys
subprocess.run([sys.argv[1], "plan", "lab.py", "--layer", "NAS", "--layer", "hypervisor"], check=True, capture_output=True)
print(f"its peak memory: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")' "$bin/zerotoil")

export HOME=$real_home
check_lab() { "$bin/zerotoil" check inventory/lab.py; }
echo "zerotoil check inventory/lab.py: $(seconds check_lab) s"
