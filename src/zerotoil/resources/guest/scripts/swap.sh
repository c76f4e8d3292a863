#!/bin/sh
# The guest's side of a change of data disks. Nothing of it lies on the data disk: it is another one afterwards.
#   release   stops all that uses the data disk and unmounts it; undone by `resume` when it stays busy
#   take      mounts the disk that is there now
#   pins      holds the apps at the images that the ledger on this disk recorded, where others run now: APP SERVICE IMAGE
#   resume    starts again what `release` stopped
# The last line that `release` prints is "released", or "busy" and who keeps the disk.
# From `release` to `resume` no app starts, not even after a power cut: an image of today must not meet data of yesterday. What
# that rests on is looked at, and the script fails where it does not hold.
# podman's apps are services that its generator makes of copies on the OS disk (podman.sh). Those of today do not start meanwhile,
# and are taken away before `resume` lets anything start: only then are they copied anew, from the data that is there.
set -u
root=${ZEROTOIL_ROOT:-}
proc=$root/proc
data=$root/var/mnt/data
keep=$root/var/lib/zerotoil/swap # on the OS disk
system=$root/etc/systemd/system
mount=var-mnt-data.mount
quadlets=$root/etc/containers/systemd
blocked='zerotoil-app@.service zerotoil-reconcile.service zerotoil-podman.service podman-auto-update.service k3s.service
  k3s-agent.service'

fail() {
  echo "$1" >&2
  exit 1
}

hold() {
  # What a resume that was cut off has not started yet is started by the next one.
  [ -d "$keep" ] || [ ! -d "$keep.done" ] || { mv "$keep.done" "$keep" && rm -f "$keep/now.json"; }
  mkdir -p "$keep"
  rm -f "$root/var/lib/zerotoil/k3s-binary" # the binary that is on the next disk belongs to the datastore there (k3s.sh)
  generated >"$keep/generated"
  by_podman >"$keep/by-podman" || fail 'podman does not answer, so its containers cannot be held back'
  touch "$keep/blocked"
  # shellcheck disable=SC2086
  printf '%s\n' $blocked | sort -u - "$keep/generated" "$keep/by-podman" "$keep/blocked" >"$keep/blocked.new"
  mv "$keep/blocked.new" "$keep/blocked"
  # shellcheck disable=SC2013
  for unit in $(cat "$keep/blocked"); do
    mkdir -p "$system/$unit.d"
    printf '[Unit]\n# An undo is at work.\nConditionPathExists=!%s\n' "$keep" >"$system/$unit.d/zerotoil-swap.conf" ||
      fail "no unit can be held back: $system cannot be written to"
  done
  sync "$keep" "$system"
  systemctl daemon-reload || fail 'systemd does not reload its units'
}

active() { systemctl list-units --state=active,activating,reloading --plain --no-legend --full "$@" | cut -d' ' -f1; }

generated() { # the services that podman makes of the apps' quadlets
  for file in "$quadlets"/zerotoil-*/*.container "$quadlets"/zerotoil-*/*.network "$quadlets"/zerotoil-*/*.volume; do
    [ -e "$file" ] || continue
    name=${file##*/}
    case $name in *.container) echo "${name%.container}.service" ;; *) echo "${name%.*}-${name##*.}.service" ;; esac
  done
}

by_podman() { # the services whose containers see the data disk, whoever made them
  has_podman || return 0
  all=$(podman ps --all --quiet --no-trunc) || return 1
  [ -n "$all" ] || return 0
  # shellcheck disable=SC2086
  found=$(podman inspect $all) || return 1
  printf '%s' "$found" | jq -r '.[] | select(any(.Mounts[]?; .Source // "" | startswith("/var/mnt/data")))
    | .Config.Labels.PODMAN_SYSTEMD_UNIT? // empty'
}

has_podman() { # where it was never used it has no containers
  command -v podman >/dev/null && [ -d "$root/var/lib/containers/storage" ]
}

dependents() { # what needs the mount and runs. Docker itself stays: its containers are dealt with one by one
  for unit in $(systemctl show --property=RequiredBy --value "$mount"); do
    case $unit in docker.* | zerotoil-install.service) continue ;; esac
    case $(systemctl is-active "$unit") in inactive | failed | deactivating) ;; *) echo "$unit" ;; esac # one may be starting
  done
}

on_data() { # the engine's containers that see the data disk, and the updater
  [ ! -f "$data/zerotoil/k3s/k3s.sh" ] || return 0 # the question would start Docker
  if [ "$engine" = podman ]; then has_podman || return 0; else command -v docker >/dev/null || return 0; fi
  if ! all=$("$engine" ps --all --quiet --no-trunc); then
    [ "$engine" = docker ] && ! systemctl is-enabled --quiet docker.service
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
  {
    active 'zerotoil-*.timer' 'zerotoil-*.path' podman-auto-update.timer 'zerotoil-up-*.service'
    while read -r unit; do ! systemctl is-active --quiet "$unit" || echo "$unit"; done <"$keep/by-podman"
    cat "$keep/units" 2>/dev/null # of a run that was cut off
  } >>"$keep/found"
  # podman's apps come back by their copies, and no update is made up for.
  sort -u "$keep/found" | grep -vxFf "$keep/generated" | grep -v -e '^zerotoil-up-' -e '^podman-auto-update.service$' >"$keep/units"
  # What starts others goes first.
  # shellcheck disable=SC2046
  systemctl stop $(grep -e '\.timer$' -e '\.path$' -e '^zerotoil-up-' "$keep/found") 2>/dev/null
  # Those that are not loaded any more cannot be stopped and need not be.
  # shellcheck disable=SC2046
  [ ! -s "$keep/generated" ] || systemctl stop podman-auto-update.service $(cat "$keep/generated") 2>/dev/null
  # shellcheck disable=SC2046
  [ ! -s "$keep/units" ] || systemctl stop $(cat "$keep/units")
}

stop_containers() { # ENGINE FILE, and the engine's name in words
  engine=$1
  on_data >"$keep/found" || fail "$3 does not answer, so its containers cannot be held back"
  cat "$keep/$2" "$keep/found" 2>/dev/null | awk '!seen[$1]++' >"$keep/$2.new" # the first look counts
  mv "$keep/$2.new" "$keep/$2"
  no_restart "$keep/found" || fail 'a container on the data disk could not be kept from starting by itself'
  # shellcheck disable=SC2046
  [ ! -s "$keep/found" ] || "$engine" stop -t 30 $(cut -d' ' -f1 "$keep/found") >/dev/null
}

still_mounted() { # NUMBERS: where, and by whom it is used; or who has it in a namespace of its own
  where=$(awk -v numbers="$1" -v at="$data" '$3 == numbers && $5 != at { print $5 }' "$proc/self/mountinfo" | tail -n 1)
  if [ -n "$where" ]; then
    by=$(users "$where" | named)
    echo "$where${by:+, which is used by $by}"
  else
    holders "$1" | named
  fi
}

release() {
  hold
  if mountpoint -q "$data"; then
    remember
    awk -v at="$data" '$5 == at { print $3 }' "$proc/self/mountinfo" | tail -n 1 >"$keep/numbers"
    stop_units
    stop_containers docker containers Docker
    stop_containers podman podman podman
    sync
    # Here every process of the host sees the mount: only those with an open file, and those of other namespaces, tell something.
    umount "$data" || { echo "busy $({ users "$data"; holders "$(cat "$keep/numbers")" | elsewhere; } | named)" && return; }
  fi
  # Gone here is not gone everywhere: a container may have it in a namespace of its own, or somebody mounted it twice. A disk that
  # is taken away under them loses what they write.
  numbers=$(cat "$keep/numbers" 2>/dev/null)
  left=$([ -z "$numbers" ] || still_mounted "$numbers")
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
  [ ! -f "$data/zerotoil/bin/podman.sh" ] || knows_pins
  moved "$then" "$now" >"$keep/moved" || fail "the entry ${then##*/} of the ledger cannot be read: no app was started"
  while read -r app service image id; do
    [ -f "$data/apps/$app/.zerotoil/files" ] || continue
    service=$(called "$data/zerotoil/quadlets/$app" "$app" "$service")
    [ -n "$service" ] || continue
    hold_at "$data/apps/$app" "$service" "$image" "$id" </dev/null || fail "$app $service could not be held at $image: no app was started"
    echo "$app $service $image"
  done <"$keep/moved"
  sync
}

knows_pins() { # the podman.sh of this data may be from a day when it held no images: then it would start those of today
  engine=podman
  script=$data/zerotoil/bin/podman.sh
  ! grep -q '^held()' "$script" || return 0
  if ! current_podman >"$script.new" || ! grep -q '^held()' "$script.new" || ! chmod 0755 "$script.new" ||
    ! mv "$script.new" "$script"; then
    fail "$script cannot be brought up to date: no app was started"
  fi
}

forget_quadlets() { # those of today; what is declared on this disk is copied anew
  rm -rf "$quadlets"/zerotoil-* || fail "$quadlets cannot be written to: no app was started"
  [ ! -d "$quadlets" ] || sync "$quadlets"
}

podman_apps() { # each by a unit of its own, as by a deploy; their names
  [ -f "$data/zerotoil/bin/podman.sh" ] || return 0
  for folder in "$data"/zerotoil/quadlets/*/; do
    [ -d "$folder" ] || continue
    app=$(basename "$folder")
    unit=zerotoil-up-$app.service
    systemctl stop "$unit" 2>/dev/null
    systemctl reset-failed "$unit" 2>/dev/null
    systemd-run --quiet --no-block --unit="$unit" --property=Type=oneshot --property=RemainAfterExit=yes \
      /bin/sh "$data/zerotoil/bin/podman.sh" up "$app" </dev/null >&2 && echo "$unit"
  done
}

start_containers() { # ENGINE FILE: as they were before
  engine=$1 file=$keep.done/$2
  touch "$file"
  restart_again "$file"
  while read -r id project _ state; do
    # An app's own unit starts its containers.
    [ -f "$data/apps/$project/.zerotoil/files" ] || [ "$state" != running ] || "$engine" start "$id" </dev/null >/dev/null 2>&1
  done <"$file"
}

resume() {
  for file in "$keep"/ledger/2*.json; do
    name=$data/zerotoil/ledger/${file##*/}
    [ ! -f "$file" ] || [ -e "$name" ] || [ ! -d "${name%/*}" ] || cp "$file" "$name"
  done
  if [ -d "$keep" ]; then
    forget_quadlets
    mv "$keep" "$keep.done" || fail "$keep cannot be taken away: no app was started"
  fi # now apps may start
  [ -d "$keep.done" ] || return 0
  # shellcheck disable=SC2013,SC2086
  for unit in $(cat "$keep.done/blocked" 2>/dev/null || echo $blocked); do
    rm -f "$system/$unit.d/zerotoil-swap.conf"
    rmdir "$system/$unit.d" 2>/dev/null
  done
  systemctl daemon-reload
  [ ! -f "$data/zerotoil/bin/install.sh" ] || sh "$data/zerotoil/bin/install.sh" >/dev/null 2>&1
  touch "$keep.done/units"
  start_containers docker containers
  start_containers podman podman
  while read -r unit; do
    case $unit in
      zerotoil-app@*)
        app=${unit#zerotoil-app@}
        [ -f "$data/apps/${app%.service}/.zerotoil/files" ] || continue # it came later than this data
        ;;
      k3s*.service) [ -f "$data/zerotoil/k3s/k3s.sh" ] || continue ;;
    esac
    systemctl start --no-block "$unit" 2>/dev/null && echo "$unit"
  done <"$keep.done/units"
  podman_apps
  rm -rf "$keep.done"
}

case ${1:-} in
  release | take | pins | resume) "$1" ;;
  *) echo 'usage: swap.sh release|take|pins|resume' >&2 && exit 2 ;;
esac
