# shellcheck shell=sh
# Boot counting: GRUB tries a new deployment twice, and takes the one before it when nobody has called it good by then. A part of
# os.sh and health.sh. The counter, `boot_counter` in GRUB's environment, is counted down by grub.cfg itself: 2, 1 and 0 boot the first
# entry, and at 0 it boots the second one and leaves -1. Fedora CoreOS's own grub.cfg knows nothing of it today: then it is not there.
# shellcheck disable=SC2154

counting() { # sets $editenv and $grubenv
  for grub in grub2 grub; do
    grep -qs boot_counter "$root/boot/$grub/grub.cfg" || continue
    for editenv in grub2-editenv grub-editenv; do
      ! command -v "$editenv" >/dev/null || { grubenv=$root/boot/$grub/grubenv && return 0; }
    done
  done
  return 1
}

edit() { timeout -k 5 60 "$editenv" "$grubenv" "$@"; }

counter() { # what it stands at; nothing where it is not set
  ! counting || edit list 2>/dev/null | sed -n 's/^boot_counter=//p'
}

arm() { # the next boots are counted
  ! counting || { edit set boot_counter=2 boot_success=0 && sync "$grubenv"; }
}

disarm() {
  counting && [ -n "$(counter)" ] || return 0
  edit set boot_success=1 && edit unset boot_counter && sync "$grubenv"
}

# The order of the entries and what the counter means change together, and a power cut may come between. So the counter is wound up
# first: whichever entry is first then, GRUB ends at the one that works.
put_back() { # CHECKSUM: it is what the next boots take; nothing is staged. Prints why where it is not
  if [ "$(os_status | jq -r .first.checksum)" != "$1" ]; then
    [ -z "$(counter)" ] || arm
    said=$(os_back 2>&1) || { printf '%s\n' "$said" | brief && return 1; }
    [ "$(os_status | jq -r .first.checksum)" = "$1" ] || { echo 'the order of the deployments has not changed' && return 1; }
  fi
  disarm
}

# --- what a restart has taken hold of

held() { # lock | drained: noted before it is taken hold of
  [ "$(ask ".held.$1 // false")" = true ]
}

fleet() { # pre-reboot | steady-state: asks the lock server. Its protocol: https://coreos.github.io/zincati/development/fleetlock/protocol
  url=$(declared '.fleet_lock // ""')
  machine=$(sha256sum <"$root/etc/machine-id" | cut -c 1-32)
  # The address may hold a password: it travels on stdin.
  code=$(printf 'url = "%s/v1/%s"\n' "${url%/}" "$1" | curl --max-time 60 --config - --silent --show-error --output "$base/fleet.answer" \
    --write-out '%{http_code}' --header 'fleet-lock-protocol: true' --header 'content-type: application/json' \
    --data "{\"client_params\":{\"id\":\"$machine\",\"group\":\"default\"}}" 2>&1) || { echo "the lock server does not answer" && return 1; }
  case $code in
    2??) rm -f "$base/fleet.answer" ;;
    *) echo "the lock server says no: $(jq -r '.value // .kind // empty' "$base/fleet.answer" 2>/dev/null || true) (HTTP $code)" && return 1 ;;
  esac
}

k3s() { # SECONDS ARGUMENT...: kubectl with the rights that this node has
  most=$1 config=$root/etc/rancher/k3s/k3s.yaml
  shift
  [ ! -f "$data/zerotoil/k3s/units/k3s-agent.service" ] || config=$root/var/lib/rancher/k3s/agent/kubelet.kubeconfig
  timeout -k 5 "$most" "$root/usr/local/bin/k3s" kubectl --kubeconfig "$config" "$@"
}

node() { sed -n 's/^node-name: *//p' "$root/etc/rancher/k3s/config.yaml" | tr -d "'\""; }

evict() { # an agent may ask its own pods to go, and may not read whose they are: `kubectl drain` is not for it
  k3s 60 get pods --all-namespaces --field-selector "spec.nodeName=$(node)" -o json | jq -c '
    def moves: (any(.metadata.ownerReferences[]?; .kind == "DaemonSet" or .kind == "Node") | not) and (.status.phase | . != "Succeeded" and . != "Failed");
    .items[] | select(moves) | .metadata | {namespace, name}' >"$base/pods" || return 1
  while read -r pod; do
    path=$(say "$pod" | jq -r '"/api/v1/namespaces/\(.namespace)/pods/\(.name)/eviction"')
    say "$pod" | jq -c '{apiVersion: "policy/v1", kind: "Eviction", metadata: .}' | k3s 60 create --raw "$path" -f - >/dev/null || return 1
  done <"$base/pods"
  rm -f "$base/pods"
}

drain() {
  if [ -f "$data/zerotoil/k3s/units/k3s-agent.service" ]; then
    k3s 60 cordon "$(node)" && evict
  else
    k3s 660 drain "$(node)" --ignore-daemonsets --delete-emptydir-data --timeout=600s
  fi
}

uncordon() { # prints why where that fails
  held drained || return 0
  said=$(k3s 60 uncordon "$(node)" 2>&1) || { echo "the node cannot be uncordoned: $(printf '%s' "$said" | brief)" && return 1; }
  change 'del(.held.drained)'
}

let_go() { # what a restart took hold of. Prints why where that fails: it is tried again at the next run
  uncordon || return 1
  held lock || return 0
  said=$(fleet steady-state) || { say "$said" && return 1; }
  change 'del(.held.lock)'
}
