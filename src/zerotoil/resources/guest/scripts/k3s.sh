#!/bin/sh
# k3s on this host. All that it is given lies on the data disk, beside this script, and so does its state, /var/mnt/data/k3s.
#
#   k3s.sh install    units to /etc, k3s enabled and started: after each boot, since the OS disk may be a new one
#   k3s.sh up         the same after a deploy: k3s is started anew where it runs with other files than these
#   k3s.sh prepare    before each start: binary, images, files in /etc, labels
#   k3s.sh end-pods   ends what k3s has started, once k3s itself has stopped
#   k3s.sh remove     stops k3s and takes its units away; its state is kept
#   k3s.sh ready      waits a moment: "ready", or what the service and its node say
#   k3s.sh observe    what is there, as JSON
#
# Binary and datastore belong together. Whatever has come to /usr/local/bin since the last start (the upgrade controller's new
# release) is copied to the data disk, and the one before it kept as `previous`. But where the data disk holds another binary
# than it did at the last start, it is another disk, or an earlier state of it: then its binary is the one that runs.
set -eu
root=${ZEROTOIL_ROOT:-}
own=$root/var/mnt/data/zerotoil/k3s
state=$root/var/mnt/data/k3s
place=$root/var/lib/rancher
system=$root/etc/systemd/system
etc=$root/etc/rancher
binary=$root/usr/local/bin/k3s
taken=$root/var/lib/zerotoil/k3s-binary # on the OS disk: the binary that the data disk held at the last start
started=$root/run/zerotoil-k3s          # the files with which k3s was started
proc=$root/proc
mark='# Installed by zerotoil from the data disk.'
# shellcheck disable=SC2034 # part-units.sh
units='var-lib-rancher.mount k3s-pods.service k3s.service k3s-agent.service'
service=k3s.service
[ ! -f "$own/units/k3s-agent.service" ] || service=k3s-agent.service

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

put() { # SOURCE TARGET MODE: in one step, where it differs
  if cmp -s "$1" "$2"; then return 0; fi
  mkdir -p "${2%/*}"
  cp "$1" "$2.zerotoil-new"
  chmod "$3" "$2.zerotoil-new"
  sync "$2.zerotoil-new"
  mv -f "$2.zerotoil-new" "$2"
  sync "${2%/*}"
}

note() { # FILE: stdin, in one step
  cat >"$1.new"
  sync "$1.new"
  mv "$1.new" "$1"
}

sum() { # FILE: its hash; nothing where there is no file
  [ ! -f "$1" ] || sha256sum <"$1" | cut -d' ' -f1
}

selinux() { command -v selinuxenabled >/dev/null && selinuxenabled; }

enforcing() { [ "$(cat "$root/sys/fs/selinux/enforce" 2>/dev/null)" = 1 ]; }

policy() { # of k3s: without it containers are denied what they need, or are not confined at all
  { command -v rpm >/dev/null && rpm -q k3s-selinux >/dev/null 2>&1; } ||
    { command -v semodule >/dev/null && semodule -l 2>/dev/null | grep -q '^k3s\b'; }
}

# --- units

differing_files() { # the same of what k3s reads
  cmp -s "$own/config.yaml" "$etc/k3s/config.yaml" || echo config.yaml
  [ ! -f "$own/registries.yaml" ] || cmp -s "$own/registries.yaml" "$etc/k3s/registries.yaml" || echo registries.yaml
}

put_units() {
  changed=$(differing_units)
  [ -n "$changed" ] || return 0
  mkdir -p "$system"
  for unit in $changed; do put_unit "$unit"; done
  systemd daemon-reload
}

settle() { # all but the start
  if ! mountpoint -q "$place" && [ -n "$(ls -A "$place" 2>/dev/null)" ]; then
    fail "/var/lib/rancher holds what another k3s has left, and the data disk would hide it: move it away"
  fi
  mkdir -p "$state"
  put_units
  systemd is-enabled --quiet "$service" || systemd enable "$service" >&2
}

install() {
  settle
  systemd is-active --quiet "$service" || systemd start --no-block "$service"
}

up() {
  by_hand=$(differing_units && differing_files)
  [ ! -s "$own/bin/k3s" ] || as_noted || by_hand=binary
  settle
  # One that still waits, for a server that is not there, starts anew too: it has read the files before.
  if [ -n "$by_hand" ] || [ "$(cat "$started" 2>/dev/null)" != "$(given)" ]; then
    systemd restart --no-block "$service"
  else
    systemd is-active --quiet "$service" || systemd start --no-block "$service"
  fi
}

ours() { # FILE MARK: does its first line begin with it?
  head -n 1 "$1" 2>/dev/null | grep -q "^$2"
}

remove() { # what is ours; a unit, a file or a k3s that somebody else put there stays
  for unit in k3s.service k3s-agent.service k3s-pods.service var-lib-rancher.mount; do
    ours "$system/$unit" "$mark" || continue
    systemd stop "$unit" || true
    ! systemd is-active --quiet "$unit" || fail "$unit cannot be stopped: what k3s was given stays"
    take_away "$unit"
  done
  systemd daemon-reload
  for file in config.yaml registries.yaml; do
    ! ours "$etc/k3s/$file" '# Written by zerotoil' || rm -f "$etc/k3s/$file"
  done
  ! cmp -s "$own/bin/k3s" "$binary" || rm -f "$binary"
  rm -f "$taken" "$started"
}

# --- before each start

given() { # what k3s is started with, in one line
  cat "$own/units/$service" "$own/config.yaml" "$own/registries.yaml" "$own/token" "$own/images" 2>/dev/null | sha256sum | cut -d' ' -f1
}

fetch() { # URL SHA256 TARGET: nothing is put there that is not proven
  mkdir -p "${3%/*}"
  curl --fail --location --silent --show-error --retry 3 --connect-timeout 20 --speed-limit 1000 --speed-time 60 \
    --max-time 3600 --output "$3.part" "$1" || fail "$1 cannot be fetched"
  found=$(sum "$3.part")
  if [ "$found" != "$2" ]; then
    rm -f "$3.part"
    fail "$1 has the SHA-256 $found, expected is $2: it was removed"
  fi
  chmod "${4:-0644}" "$3.part"
  sync "$3.part"
  mv "$3.part" "$3"
  sync "${3%/*}"
}

upstream() { # RELEASE: where its publisher has it, in $from, and how the binary is called there, in $program
  program=k3s arch=amd64
  case $(uname -m) in aarch64) program=k3s-arm64 arch=arm64 ;; esac
  from=$url/$(printf '%s' "$1" | sed 's/+/%2B/g')
}

published() { # RELEASE SECONDS: the hash that its publisher names, in $sha256
  upstream "$1"
  sums=$(curl --fail --location --silent --show-error --retry 3 --connect-timeout 20 --max-time "$2" "$from/sha256sum-$arch.txt") || return 1
  sha256=$(printf '%s\n' "$sums" | awk -v name="$program" '$2 == name || $2 == "*" name { print $1 }')
}

get_binary() { # RELEASE [SHA256]: to the data disk
  sha256=${2:-}
  if [ -z "$sha256" ]; then
    published "$1" 120 || fail "$from/sha256sum-$arch.txt cannot be fetched"
    [ -n "$sha256" ] || fail "$from/sha256sum-$arch.txt does not name $program"
  fi
  upstream "$1"
  fetch "$from/$program" "$sha256" "$own/bin/k3s" 0755
}

release_of() { # FILE: what it says that it is; nothing of one that cannot say it
  timeout 60 "$1" --version 2>/dev/null | sed -n '1s/^k3s version \([^ ]*\).*/\1/p'
}

whole() { # FILE SHA256: no copy that a power cut ended? It says its release, and is what the publisher names, if that can be asked
  found=$(release_of "$1")
  if [ -z "$found" ] && [ "$1" != "$binary" ]; then # programs may not be allowed to run from there
    mkdir -p "${binary%/*}" && cp "$1" "$binary.zerotoil-new" && chmod 0755 "$binary.zerotoil-new"
    found=$(release_of "$binary.zerotoil-new")
    rm -f "$binary.zerotoil-new"
  fi
  [ -n "$found" ] || return 1
  sha256=
  if [ -z "$url" ] || ! published "$found" 20 2>/dev/null || [ -z "$sha256" ]; then return 0; fi
  [ "$sha256" = "$2" ]
}

proven() { # what there is, once; a binary that is not whole is as good as none
  url='' version='' pinned=''
  if [ -s "$own/release" ]; then read -r version url pinned <"$own/release" || true; fi
  noted='' noted_release=''
  if [ -s "$own/bin/version" ]; then read -r noted noted_release <"$own/bin/version" || true; fi
  on_data=$(sum "$own/bin/k3s") here=$(sum "$binary")
  if [ -n "$here" ] && [ "$here" != "$on_data" ] && [ "$here" != "$noted" ] && ! whole "$binary" "$here"; then
    echo "$binary is not whole: it is not taken" >&2
    here=
  fi
  if [ -n "$on_data" ] && [ "$on_data" != "$noted" ] && ! whole "$own/bin/k3s" "$on_data"; then
    echo "$own/bin/k3s is not whole: it is not taken" >&2
    on_data=
  fi
}

as_noted() { # does the data disk hold the binary that it held at the last start?
  read -r noted _ 2>/dev/null <"$own/bin/version" || noted=
  [ -z "$noted" ] || [ "$(sum "$own/bin/k3s")" = "$noted" ]
}

choose_binary() { # which one runs, see above
  mkdir -p "$own/bin" "${taken%/*}"
  proven
  if [ -z "$on_data$here" ]; then
    if [ -n "$noted_release" ] && [ -n "$url" ]; then # the same again: its datastore may be of no older release
      get_binary "$noted_release" "$noted"
    else
      [ -n "$version" ] || fail 'no k3s is there, and none is declared: run the deploy'
      get_binary "$version" "$pinned"
    fi
    on_data=$(sum "$own/bin/k3s")
  fi
  if [ -z "$on_data" ] || { [ -n "$here" ] && [ "$on_data" != "$here" ] && [ "$on_data" = "$(cat "$taken" 2>/dev/null)" ]; }; then
    [ -z "$on_data" ] || put "$own/bin/k3s" "$own/bin/previous" 0755
    put "$binary" "$own/bin/k3s" 0755
    on_data=$here
    [ ! -f "$system/zerotoil-ledger@.service" ] || systemd start --no-block zerotoil-ledger@after-updates.service || true
  else
    put "$own/bin/k3s" "$binary" 0755
    ! selinux || restorecon "$binary"
  fi
  echo "$on_data" | note "$taken"
  if [ "$noted" != "$on_data" ]; then echo "$on_data $(release_of "$binary")" | note "$own/bin/version"; fi
}

images() { # k3s's own, as a tarball
  [ -s "$own/images" ] || return 0
  read -r url sha256 <"$own/images"
  folder=$place/k3s/agent/images
  file=$folder/zerotoil-${url##*/}
  if [ "$(cat "$own/bin/images" 2>/dev/null)" = "$sha256" ] && [ -f "$file" ]; then return 0; fi
  fetch "$url" "$sha256" "$file"
  echo "$sha256" >"$own/bin/images"
  for old in "$folder"/zerotoil-*; do [ "$old" = "$file" ] || rm -f "$old"; done
}

node_password() { # the cluster knows the node by it: it has to outlive the OS disk. 16 bytes in hex, as k3s makes it
  file=$etc/node/password kept=$state/node-password
  if [ ! -s "$kept" ]; then
    (
      umask 077
      if [ -s "$file" ]; then cat "$file"; else od -An -N16 -tx1 /dev/urandom | tr -d ' \n' && echo; fi >"$kept.new"
    )
    sync "$kept.new"
    mv "$kept.new" "$kept"
  fi
  put "$kept" "$file" 0600
}

labels() { # given once, children first, so that one that was cut off begins again
  selinux || return 0
  [ -n "$(restorecon -nv "$place" 2>/dev/null)" ] || return 0
  for path in "$place"/* "$place"/.[!.]*; do [ ! -e "$path" ] || restorecon -R "$path"; done
  restorecon "$place"
}

prepare() {
  mountpoint -q "$place" || fail '/var/lib/rancher is not on the data disk'
  ! enforcing || policy || fail 'SELinux is enforcing and the package k3s-selinux is not in this OS: put it into the image'
  labels
  put "$own/config.yaml" "$etc/k3s/config.yaml" 0600
  if [ -f "$own/registries.yaml" ]; then
    put "$own/registries.yaml" "$etc/k3s/registries.yaml" 0600
  elif head -n 1 "$etc/k3s/registries.yaml" 2>/dev/null | grep -q '^# Written by zerotoil'; then
    rm "$etc/k3s/registries.yaml"
  fi
  node_password
  choose_binary
  images
  given >"$started"
}

# --- after it

shims() { # ids of the processes that hold the pods
  find "$proc"/[0-9]*/exe -maxdepth 0 -lname '*/k3s/data/*/bin/containerd-shim*' 2>/dev/null | sed -n "s|^$proc/\([0-9]*\)/.*|\1|p"
}

below() { # PIDS: all processes that they have started
  for pid in "$@"; do
    # shellcheck disable=SC2046
    set -- $(cat "$proc/$pid"/task/*/children 2>/dev/null)
    [ $# = 0 ] || { echo "$@" && below "$@"; }
  done
}

living() { # PIDS: those that still live
  for pid in "$@"; do [ ! -d "$proc/$pid" ] || grep -q '^State:.Z' "$proc/$pid/status" 2>/dev/null || echo "$pid"; done
}

end() { # PIDS: asked, and after 20 seconds ended
  [ $# != 0 ] || return 0
  kill -TERM "$@" 2>/dev/null || true
  waited=0
  while [ -n "$(living "$@")" ] && [ "$waited" -lt "${ZEROTOIL_PATIENCE:-40}" ]; do
    waited=$((waited + 1))
    sleep 0.5
  done
  # shellcheck disable=SC2046
  kill -KILL $(living "$@") 2>/dev/null || true
}

end_pods() { # nothing is deleted below what was mounted: a mount of a mount would give away data
  holders=$(shims)
  # Stopped, they start nothing in the place of what ends.
  # shellcheck disable=SC2086
  [ -z "$holders" ] || kill -STOP $holders 2>/dev/null || true
  # shellcheck disable=SC2086
  held=$(below $holders)
  # shellcheck disable=SC2086
  end $held
  # shellcheck disable=SC2086
  [ -z "$holders" ] || kill -KILL $holders 2>/dev/null || true
  awk '$2 ~ "^(/run/k3s|/var/lib/kubelet/(pods|plugins)|/run/netns/cni-|/var/lib/rancher/.)" { print $2 }' "$proc/self/mounts" | sort -r |
    while read -r path; do umount "$(printf '%b' "$path")" || true; done # never lazily: who still writes there would not be seen
  if command -v ip >/dev/null; then
    for link in cni0 flannel.1 flannel-v6.1 flannel-wg flannel-wg-v6; do ip link delete "$link" 2>/dev/null || true; done
  fi
  rm -rf "$root/var/lib/cni" # the addresses of the pods that are gone
}

# --- what is there

node() { # the node's own word, as JSON
  name=$(sed -n 's/^node-name: *//p' "$etc/k3s/config.yaml" | tr -d "'")
  config=$etc/k3s/k3s.yaml
  [ "$service" = k3s.service ] || config=$place/k3s/agent/kubelet.kubeconfig
  timeout 20 "$binary" kubectl --kubeconfig "$config" get node "$name" -o json
}

ready() {
  left=${ZEROTOIL_TRIES:-8}
  while :; do
    shown=$(systemd show --property=ActiveState,SubState,NRestarts "$service" | tr '\n' ' ')
    case $shown in
      *ActiveState=active*)
        if said=$(node 2>&1); then
          word=$(printf '%s' "$said" | jq -r '[.status.conditions[]? | select(.type == "Ready")][0]
            | if .status == "True" then "ready" else "the node is not ready: \(.message // "no word")" end')
          [ "$word" != ready ] || { echo ready && return; }
        else
          word="the node cannot be asked: $(printf '%s' "$said" | tail -n 1)"
        fi
        ;;
      *) word="the service is not up" ;;
    esac
    left=$((left - 1))
    [ "$left" -gt 0 ] || break
    sleep 2
  done
  echo "$shown$word"
}

observe() {
  version=
  [ ! -s "$own/bin/version" ] || read -r _ version <"$own/bin/version"
  there=no
  if [ -s "$own/bin/k3s" ]; then
    ! as_noted || there=yes
  elif [ -s "$binary" ]; then
    there=yes
  fi
  datastore=
  if [ -d "$state/k3s/server/db/etcd" ]; then datastore=etcd; elif [ -f "$state/k3s/server/db/state.db" ]; then datastore=sqlite; fi
  token=
  [ ! -s "$state/k3s/server/token" ] || token=$(sed 's/.*://' "$state/k3s/server/token" | tr -d '\n' | sha256sum | cut -d' ' -f1)
  in_image=no
  [ ! -e "$root/usr/bin/k3s" ] || in_image=yes
  policy=off
  if enforcing; then
    policy=missing
    ! policy || policy=there
  fi
  same=yes
  [ "$(cat "$started" 2>/dev/null)" = "$(given)" ] || same=no
  in_etc=$({ differing_units && differing_files; } | tr '\n' ' ')
  # The token's hash goes first on stdin: arguments are seen by all.
  { echo "$token" && systemd show --property=Id,ActiveState,SubState,UnitFileState k3s.service k3s-agent.service var-lib-rancher.mount; } |
    jq -Rsc --arg version "$version" --arg binary "$there" --arg datastore "$datastore" --arg policy "$policy" --arg in_image "$in_image" \
      --arg same "$same" --arg in_etc "$in_etc" '(split("\n")[0]) as $token_sha256 | {
        units: (split("\n\n") | map(split("\n") | map(split("=") | select(length > 1) | {key: .[0], value: .[1]}) | from_entries
          | select(.Id) | {key: .Id, value: .}) | from_entries),
        $version, binary: ($binary == "yes"), $datastore, $token_sha256, $policy, in_image: ($in_image == "yes"), started_with: ($same == "yes"),
        in_etc: ($in_etc | split(" ") | map(select(. != "")))}'
}

case ${1:-} in
  install | up | remove | prepare | ready | observe) "$1" ;;
  end-pods) end_pods ;;
  *) echo 'usage: k3s.sh install|up|prepare|end-pods|remove|ready|observe' >&2 && exit 2 ;;
esac
