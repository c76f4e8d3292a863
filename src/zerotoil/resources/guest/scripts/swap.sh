#!/bin/sh
# The guest's side of a change of data disks. Nothing of it lies on the data disk: it is another one afterwards.
#   release   stops all that uses the data disk and unmounts it; undone by `resume` when it stays busy
#   take      mounts the disk that is there now
#   pins      holds the apps at the images that the ledger on this disk recorded, where others run now: APP SERVICE IMAGE
#   resume    starts again what `release` stopped
# The last line that `release` prints is "released", or "busy" and who keeps the disk.
# From `release` to `resume` no app starts, not even after a power cut: an image of today must not meet data of yesterday. What
# that rests on is looked at, and the script fails where it does not hold.
set -u
root=${ZEROTOIL_ROOT:-}
proc=$root/proc
data=$root/var/mnt/data
keep=$root/var/lib/zerotoil/swap # on the OS disk
system=$root/etc/systemd/system
mount=var-mnt-data.mount
blocked='zerotoil-app@.service zerotoil-reconcile.service'

fail() {
  echo "$1" >&2
  exit 1
}

hold() {
  # What a resume that was cut off has not started yet is started by the next one.
  [ -d "$keep" ] || [ ! -d "$keep.done" ] || { mv "$keep.done" "$keep" && rm -f "$keep/now.json"; }
  mkdir -p "$keep"
  for unit in $blocked; do
    mkdir -p "$system/$unit.d"
    printf '[Unit]\n# An undo is at work.\nConditionPathExists=!%s\n' "$keep" >"$system/$unit.d/zerotoil-swap.conf" ||
      fail "no unit can be held back: $system cannot be written to"
  done
  sync "$keep" "$system"
  systemctl daemon-reload || fail 'systemd does not reload its units'
}

active() { systemctl list-units --state=active,activating,reloading --plain --no-legend --full "$@" | cut -d' ' -f1; }

dependents() { # what needs the mount and runs. Docker itself stays: its containers are dealt with one by one
  for unit in $(systemctl show --property=RequiredBy --value "$mount"); do
    case $unit in docker.* | zerotoil-install.service) continue ;; esac
    ! systemctl is-active --quiet "$unit" || echo "$unit"
  done
}

on_data() { # the containers that see the data disk, and the updater
  command -v docker >/dev/null || return 0
  if ! all=$(docker ps --all --quiet --no-trunc); then
    ! systemctl is-enabled --quiet docker.service
    return
  fi
  # shellcheck disable=SC2086
  found=$(policies $all) && echo "$found" | sed -n 's/ true$//p'
}

remember() { # what runs now, and the ledger: the story goes on with the other disk
  [ ! -f "$data/zerotoil/bin/ledger.sh" ] || sh "$data/zerotoil/bin/ledger.sh" deploy >/dev/null || true
  rm -rf "$keep/ledger"
  [ ! -d "$data/zerotoil/ledger" ] || cp -R "$data/zerotoil/ledger" "$keep/ledger"
  last=$(newest "$keep/ledger")
  [ -z "$last" ] || [ -s "$keep/now.json" ] || cp "$last" "$keep/now.json"
}

stop_units() {
  dependents >"$keep/found"
  active 'zerotoil-*.timer' 'zerotoil-*.path' >>"$keep/found"
  cat "$keep/units" 2>/dev/null >>"$keep/found" # of a run that was cut off
  sort -u "$keep/found" >"$keep/units"
  # What starts others goes first.
  # shellcheck disable=SC2046
  systemctl stop $(grep -e '\.timer$' -e '\.path$' "$keep/units") 2>/dev/null
  # shellcheck disable=SC2046
  [ ! -s "$keep/units" ] || systemctl stop $(cat "$keep/units")
}

stop_containers() {
  on_data >"$keep/found" || fail 'Docker does not answer, so its containers cannot be held back'
  cat "$keep/containers" "$keep/found" 2>/dev/null | awk '!seen[$1]++' >"$keep/containers.new" # the first look counts
  mv "$keep/containers.new" "$keep/containers"
  no_restart "$keep/found" || fail 'a container on the data disk could not be kept from starting by itself'
  # shellcheck disable=SC2046
  [ ! -s "$keep/found" ] || docker stop -t 30 $(cut -d' ' -f1 "$keep/found") >/dev/null
}

release() {
  hold
  if mountpoint -q "$data"; then
    remember
    awk -v at="$data" '$5 == at { print $3 }' "$proc/self/mountinfo" | tail -n 1 >"$keep/numbers"
    stop_units
    stop_containers
    sync
    # Here every process of the host sees the mount: only those with an open file, and those of other namespaces, tell something.
    umount "$data" || { echo "busy $({ users "$data"; holders "$(cat "$keep/numbers")" | elsewhere; } | named)" && return; }
  fi
  # Gone here is not gone everywhere: a container may have it in a namespace of its own, or somebody mounted it twice. A disk that
  # is taken away under them loses what they write.
  numbers=$(cat "$keep/numbers" 2>/dev/null)
  left=$([ -z "$numbers" ] || holders "$numbers" | named)
  if [ -n "$left" ]; then
    systemctl start "$mount"
    echo "busy $left"
  else
    echo released
  fi
}

take() {
  device=$(systemctl show --property=What --value "$mount")
  left=60
  while [ ! -e "$root$device" ] && [ "$left" -gt 0 ]; do sleep 0.5 && left=$((left - 1)); done
  [ -e "$root$device" ] || fail "$device does not appear"
  if ! mountpoint -q "$data"; then
    systemctl reset-failed "$mount" 2>/dev/null
    systemctl start "$mount"
  fi
  mountpoint -q "$data" || fail "$(systemctl status --no-pager --lines=3 "$mount" 2>&1)"
}

pins() {
  [ -d "$keep" ] || return 0 # resumed already, by a run that was cut off
  then=$(newest "$data/zerotoil/ledger")
  [ -n "$then" ] || return 0
  now=$keep/now.json
  [ -s "$now" ] || now=
  moved "$then" "$now" >"$keep/moved" || fail "the entry ${then##*/} of the ledger cannot be read: no app was started"
  while read -r app service image; do
    [ -f "$data/apps/$app/.zerotoil/files" ] || continue
    hold_at "$data/apps/$app" "$service" "$image" || fail "$app $service could not be held at $image: no app was started"
    echo "$app $service $image"
  done <"$keep/moved"
  sync
}

resume() {
  for file in "$keep"/ledger/2*.json; do
    name=$data/zerotoil/ledger/${file##*/}
    [ ! -f "$file" ] || [ -e "$name" ] || [ ! -d "${name%/*}" ] || cp "$file" "$name"
  done
  if [ -d "$keep" ]; then mv "$keep" "$keep.done" || fail "$keep cannot be taken away: no app was started"; fi # now apps may start
  [ -d "$keep.done" ] || return 0
  for unit in $blocked; do
    rm -f "$system/$unit.d/zerotoil-swap.conf"
    rmdir "$system/$unit.d" 2>/dev/null
  done
  systemctl daemon-reload
  [ ! -f "$data/zerotoil/bin/install.sh" ] || sh "$data/zerotoil/bin/install.sh" >/dev/null 2>&1
  touch "$keep.done/containers" "$keep.done/units"
  restart_again "$keep.done/containers"
  while read -r id project _ state; do
    # An app's own unit starts its containers.
    [ -f "$data/apps/$project/.zerotoil/files" ] || [ "$state" != running ] || docker start "$id" </dev/null >/dev/null 2>&1
  done <"$keep.done/containers"
  while read -r unit; do
    case $unit in
      zerotoil-app@*)
        app=${unit#zerotoil-app@}
        [ -f "$data/apps/${app%.service}/.zerotoil/files" ] || continue # it came later than this data
        ;;
    esac
    systemctl start --no-block "$unit" 2>/dev/null && echo "$unit"
  done <"$keep.done/units"
  rm -rf "$keep.done"
}

case ${1:-} in
  release | take | pins | resume) "$1" ;;
  *) echo 'usage: swap.sh release|take|pins|resume' >&2 && exit 2 ;;
esac
