#!/bin/sh
# The guest's side of a change of data disks. Nothing of it lies on the data disk: it is another one afterwards.
#   release   stops all that uses the data disk and unmounts it; undone by `resume` when it stays busy
#   take      mounts the disk that is there now
#   pins      holds the apps at the images that the ledger on this disk recorded, where others run now: APP SERVICE IMAGE
#   resume    starts again what `release` stopped
# The last line that `release` prints is "released", or "busy" and who keeps the disk.
# From `release` to `resume` no app starts, not even after a power cut: an image of today must not meet data of yesterday.
set -u
root=${ZEROTOIL_ROOT:-}
data=$root/var/mnt/data
keep=$root/var/lib/zerotoil/swap # on the OS disk
system=$root/etc/systemd/system
mount=var-mnt-data.mount
blocked='zerotoil-app@.service zerotoil-reconcile.service'

hold() {
  mkdir -p "$keep"
  for unit in $blocked; do
    mkdir -p "$system/$unit.d"
    printf '[Unit]\n# An undo or a restore is at work.\nConditionPathExists=!%s\n' "$keep" >"$system/$unit.d/zerotoil-swap.conf"
  done
  sync "$keep" "$system"
  systemctl daemon-reload
}

active() { systemctl list-units --state=active,activating,reloading --plain --no-legend --full "$@" | cut -d' ' -f1; }

dependents() { # what needs the mount and runs. Docker itself stays: its containers are dealt with one by one
  for unit in $(systemctl show --property=RequiredBy --value "$mount"); do
    case $unit in docker.* | zerotoil-install.service) continue ;; esac
    ! systemctl is-active --quiet "$unit" || echo "$unit"
  done
}

on_data() { # containers that see the data disk, and the updater: a line each of id, Compose project, policy, state
  all=$(docker ps --all --quiet --no-trunc) || return 0
  # shellcheck disable=SC2086
  [ -z "$all" ] || docker inspect $all |
    jq -r '.[] | select(.Name == "/watchtower" or any(.Mounts[]?; .Source // "" | startswith("/var/mnt/data")))
      | .HostConfig.RestartPolicy as $policy
      | [.Id, .Config.Labels["com.docker.compose.project"]? // "-",
          (if $policy.Name == "on-failure" then "on-failure:\($policy.MaximumRetryCount)"
           elif $policy.Name == "" then "no" else $policy.Name end),
          .State.Status] | join(" ")'
}

numbers() { # of the mounted filesystem, as the kernel writes them in mountinfo
  awk -v at="$data" '$5 == at { print $3 }' "$root/proc/self/mountinfo" | tail -n 1
}

users() { # NUMBERS: processes that have a file of the disk open, or it mounted in a namespace of their own
  for process in "$root"/proc/[0-9]*; do
    [ "${process##*/}" != $$ ] || continue
    if find "$process/fd" "$process/cwd" -maxdepth 1 -lname "$data*" 2>/dev/null | grep -q . ||
      awk -v numbers="$1" '$3 == numbers { found = 1 } END { exit !found }' "$process/mountinfo" 2>/dev/null; then
      echo "$(cat "$process/comm" 2>/dev/null) (${process##*/})"
    fi
  done | sort -u | head -n 5 | tr '\n' ' '
}

remember() { # what runs now, and the ledger: the story goes on with the other disk
  [ ! -f "$data/zerotoil/bin/ledger.sh" ] || sh "$data/zerotoil/bin/ledger.sh" deploy >/dev/null || true
  rm -rf "$keep/ledger"
  [ ! -d "$data/zerotoil/ledger" ] || cp -R "$data/zerotoil/ledger" "$keep/ledger"
  last=$(newest "$keep/ledger")
  [ -z "$last" ] || [ -s "$keep/now.json" ] || jq -c '.containers // []' "$last" >"$keep/now.json"
}

newest() { # FOLDER: its last entry that tells something
  last=
  for file in "$1"/2*Z.json; do case $file in *.same.json) ;; *) [ ! -e "$file" ] || last=$file ;; esac done
  echo "$last"
}

release() {
  hold
  mountpoint -q "$data" || { echo released && return; }
  remember
  numbers >"$keep/numbers"
  dependents >"$keep/found"
  active 'zerotoil-*.timer' 'zerotoil-*.path' >>"$keep/found"
  cat "$keep/units" 2>/dev/null >>"$keep/found" # of a run that was cut off
  sort -u "$keep/found" >"$keep/units"
  # What starts others goes first, then the apps, then the rest.
  # shellcheck disable=SC2046
  systemctl stop $(grep -e '\.timer$' -e '\.path$' "$keep/units") 2>/dev/null
  # shellcheck disable=SC2046
  [ ! -s "$keep/units" ] || systemctl stop $(cat "$keep/units")
  # Docker starts again what has the policy `always` whenever it starts itself, even what was stopped by name.
  { cat "$keep/containers" 2>/dev/null || :; on_data; } | awk '!seen[$1]++' >"$keep/found"
  mv "$keep/found" "$keep/containers"
  if [ -s "$keep/containers" ]; then
    # shellcheck disable=SC2046
    docker update --restart=no $(cut -d' ' -f1 "$keep/containers") >/dev/null
    # shellcheck disable=SC2046
    docker stop --time 30 $(cut -d' ' -f1 "$keep/containers") >/dev/null
  fi
  sync
  umount "$data" || { echo "busy $(users "$(cat "$keep/numbers")")" && return; }
  # Gone here is not gone everywhere: a container may have it in a namespace of its own, and a disk that is taken away
  # under it loses what it writes.
  left=$(users "$(cat "$keep/numbers")")
  [ -z "$left" ] || { systemctl start "$mount" && echo "busy $left" && return; }
  echo released
}

take() {
  device=$(systemctl show --property=What --value "$mount")
  left=60
  while [ ! -e "$root$device" ] && [ "$left" -gt 0 ]; do sleep 0.5 && left=$((left - 1)); done
  [ -e "$root$device" ] || { echo "$device does not appear" >&2 && exit 1; }
  mountpoint -q "$data" || { systemctl reset-failed "$mount" 2>/dev/null && systemctl start "$mount"; }
  mountpoint -q "$data" || { systemctl status --no-pager --lines=3 "$mount" >&2 && exit 1; }
}

pins() {
  [ -d "$keep" ] || return 0 # resumed already, by a run that was cut off
  last=$(newest "$data/zerotoil/ledger")
  [ -n "$last" ] || return 0
  now='[]'
  [ ! -s "$keep/now.json" ] || now=$(cat "$keep/now.json")
  jq -r --argjson now "$now" '
    ($now | map({key: "\(.app) \(.service)", value: .id}) | from_entries) as $runs
    | [.containers[]? | select(.app != "")] | unique_by(.app, .service)[]
    | select($runs["\(.app) \(.service)"] != .id) | "\(.app) \(.service) \(.digest // "-")"' "$last" |
    while read -r app service image; do
      own=$data/apps/$app/.zerotoil
      [ -f "$own/files" ] || continue
      echo "$app $service $image"
      [ "$image" != - ] || continue # built on the host: no registry has it
      { grep -v "^$service " "$own/pins" 2>/dev/null; echo "$service $image"; } >"$own/pins.new"
      mv "$own/pins.new" "$own/pins"
    done
}

resume() {
  for file in "$keep"/ledger/2*.json; do
    name=$data/zerotoil/ledger/${file##*/}
    [ ! -f "$file" ] || [ -e "$name" ] || [ ! -d "${name%/*}" ] || cp "$file" "$name"
  done
  mv "$keep" "$keep.done" 2>/dev/null || [ -d "$keep.done" ] || return 0 # from here on apps may start
  for unit in $blocked; do
    rm -f "$system/$unit.d/zerotoil-swap.conf"
    rmdir "$system/$unit.d" 2>/dev/null
  done
  systemctl daemon-reload
  [ ! -f "$data/zerotoil/bin/install.sh" ] || sh "$data/zerotoil/bin/install.sh" >/dev/null 2>&1
  while read -r id project policy state; do # one that is made again with another image is gone by then, or soon
    docker update "--restart=$policy" "$id" >/dev/null 2>&1
    # An app's own unit starts its containers.
    [ -f "$data/apps/$project/.zerotoil/files" ] || [ "$state" != running ] || docker start "$id" >/dev/null 2>&1
  done 2>/dev/null <"$keep.done/containers"
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
