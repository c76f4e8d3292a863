#!/bin/sh
# The apps of a guest with podman, as quadlets:
#
#   podman.sh up NAME        what is declared for the app is installed and runs; only what has changed is restarted
#   podman.sh stop NAME      stops it until the next up, or the next boot
#   podman.sh remove NAME    stops it and takes its units away; its folder and its volumes are kept
#   podman.sh settle         the update timer, and up for every app: after each boot, since the OS disk may be a new one
#   podman.sh update         podman's own update of all that updates itself, and what came of it is told
#   podman.sh observe        what is there, as JSON
#
# Quadlets are copied to /etc, not linked: generators run before the data disk is mounted, and would find nothing.
set -eu
root=${ZEROTOIL_ROOT:-}
apps=$root/var/mnt/data/apps
data=$root/var/mnt/data/zerotoil
declared=$data/quadlets
installed=$root/etc/containers/systemd
system=$root/etc/systemd/system
REGISTRY_AUTH_FILE=$data/containers/auth.json # need not exist
export REGISTRY_AUTH_FILE
changed=

fail() {
  printf '%s\n' "podman.sh: $1" >&2
  exit 1
}

# A value of a quadlet: value FILE KEY
value() {
  sed -n "s/^$2=//p" "$1" | head -n 1
}

# The service that podman makes of a quadlet file.
service() {
  name=${1##*/}
  case $name in
    *.container) printf '%s\n' "${name%.container}.service" ;;
    *) printf '%s\n' "${name%.*}-${name##*.}.service" ;;
  esac
}

# The label of an object that says from which unit it was made; empty when there is no such object.
made_from() {
  timeout 60 podman "$1" inspect --format "{{index $2 \"zerotoil.unit\"}}" "$3" 2>/dev/null || true
}

unit_label() {
  sed -n 's/^Label=zerotoil\.unit=//p' "$1"
}

# Services of the system that a quadlet would replace without a word.
check_vendor() {
  for file in "$1"/*; do
    unit=$(service "$file")
    for folder in "$system" "$root/usr/lib/systemd/system" "$root/lib/systemd/system"; do
      [ ! -e "$folder/$unit" ] || fail "$unit is a service of the system ($folder); rename the app or the service"
    done
  done
}

# The folder with the quadlets that an app gets: those that are declared, where nothing is held. A held service has its image by
# digest and is left alone by podman's updates.
held() {
  own=$apps/$1/.zerotoil
  if [ ! -s "$own/pins" ]; then
    printf '%s\n' "$declared/$1"
    return
  fi
  made=$data/.held
  rm -rf "$made"
  cp -R "$declared/$1" "$made"
  while read -r service image; do
    file=$made/$1-$service.container
    [ -f "$file" ] || continue
    number=$(printf '%s' "${image##*:}" | cut -c 1-12)
    sed -e "s|^Image=.*|Image=$image|" -e '/^AutoUpdate=/d' -e "s|^Label=zerotoil\.unit=.*|&-held-$number|" "$file" >"$made/.new"
    mv "$made/.new" "$file"
  done <"$own/pins"
  printf '%s\n' "$made"
}

# Images are pulled before a unit starts: there a pull ends with the time that a start may take. `zerotoil release` asks for the
# newest: where the registry does not answer, the image that is here will do.
pull() {
  newest=$apps/$2/.zerotoil/pull
  for file in "$1"/*.container; do
    image=$(value "$file" Image)
    if [ -e "$newest" ] && timeout 3600 podman pull --quiet "$image" >&2; then continue; fi
    timeout 60 podman image exists "$image" || timeout 3600 podman pull --quiet "$image" >&2
  done
  rm -f "$newest"
}

# A unit that systemd does not know cannot be stopped, and need not be: what counts is that it does not run.
stop_units() {
  for unit in $1; do
    timeout 1800 systemctl stop "$unit" 2>/dev/null || true
    if systemctl is-active --quiet "$unit"; then fail "$unit does not stop; see journalctl -u $unit"; fi
  done
}

# The services of the quadlets of one kind in a folder.
services() {
  for file in "$1"/*."$2"; do
    if [ -e "$file" ]; then service "$file"; fi
  done
}

remove_network() {
  network=$(value "$1" NetworkName)
  stop_units "$(service "$1")"
  ! timeout 60 podman network exists "$network" || timeout 60 podman network rm "$network" >&2
}

# What was installed and is declared no more goes, with what was made of it; volumes stay.
drop() {
  for file in "$2"/*.container "$2"/*.network "$2"/*.volume; do
    if [ ! -e "$file" ] || [ -e "$1/${file##*/}" ]; then continue; fi
    case $file in
      *.network) remove_network "$file" ;;
      *) stop_units "$(service "$file")" ;;
    esac
    rm "$file"
    changed=yes
  done
}

# A network is made anew when its unit changed, which needs all its containers stopped.
renew_networks() {
  for file in "$1"/*.network; do
    [ -e "$file" ] || continue
    have=$(made_from network .Labels "$(value "$file" NetworkName)")
    if [ -n "$have" ] && [ "$have" != "$(unit_label "$file")" ]; then
      stop_units "$(services "$2" container)"
      remove_network "$file"
    fi
  done
}

copy() {
  mkdir -p "$2"
  for file in "$1"/*; do
    if cmp -s "$file" "$2/${file##*/}"; then continue; fi
    cp "$file" "$2/.new"
    chmod 644 "$2/.new"
    mv "$2/.new" "$2/${file##*/}"
    changed=yes
  done
}

# Services whose container runs from an older unit, or from older files.
stale() {
  for file in "$1"/*.container; do
    have=$(made_from container .Config.Labels "$(value "$file" ContainerName)")
    if [ -n "$have" ] && [ "$have" != "$(unit_label "$file")" ]; then service "$file"; fi
  done
}

start_units() {
  outdated=$(stale "$1")
  # shellcheck disable=SC2086
  [ -z "$outdated" ] || timeout 3600 systemctl restart $outdated || true
  # shellcheck disable=SC2046
  timeout 3600 systemctl start $(services "$1" container) || failed "$1"
}

failed() {
  for unit in $(services "$1" container); do
    if systemctl is-active --quiet "$unit"; then continue; fi
    printf '%s\n' "$unit does not run; its last lines:" >&2
    timeout 60 journalctl --unit="$unit" --lines=10 --no-pager --output=cat >&2 || true
  done
  fail "not all services of ${1##*/zerotoil-} run"
}

up() {
  to=$installed/zerotoil-$1
  [ -d "$declared/$1" ] || fail "no app $1 in $declared"
  [ ! -e "$data/undone/.$1.halted" ] || fail "an undo of $1 was cut off: zerotoil undo $(uname -n) --app $1 again"
  [ ! -d "$root/var/lib/zerotoil/swap" ] || fail "an undo is at work, or was cut off: zerotoil undo $(uname -n) --continue"
  from=$(held "$1")
  check_vendor "$from"
  pull "$from" "$1"
  [ ! -d "$to" ] || drop "$from" "$to"
  renew_networks "$from" "$to"
  copy "$from" "$to"
  [ -z "$changed" ] || timeout 120 systemctl daemon-reload
  start_units "$to"
  note deploy
}

stop() {
  stop_units "$(services "$installed/zerotoil-$1" container)"
}

remove() {
  to=$installed/zerotoil-$1
  if [ -d "$to" ]; then
    stop "$1"
    for file in "$to"/*.network; do
      if [ -e "$file" ]; then remove_network "$file"; fi
    done
    rm -r "$to"
    timeout 120 systemctl daemon-reload
  fi
  if [ -d "$declared/$1" ]; then rm -r "${declared:?}/$1"; fi
  printf '%s\n' "$1 is stopped; its data in /var/mnt/data/apps/$1 and its volumes are kept"
}

settle() {
  timeout 120 systemctl enable podman-auto-update.timer >&2
  timeout 120 systemctl restart podman-auto-update.timer # with our window
  bad=
  for folder in "$declared"/*/; do
    [ -d "$folder" ] || continue
    name=${folder%/}
    name=${name##*/}
    /bin/sh "$0" up "$name" || bad="$bad $name"
  done
  [ -z "$bad" ] || fail "not up:$bad"
}

# Tells the owner: tell EVENT SUBJECT TEXT
tell() {
  if [ -f "$data/bin/notify.sh" ]; then
    printf '%s\n' "$3" | /bin/sh "$data/bin/notify.sh" "$1" "$2" || true
  fi
}

# Writes down what runs now: note WHY
note() {
  [ ! -f "$data/bin/ledger.sh" ] || ZEROTOIL_DATA=${data%/*} /bin/sh "$data/bin/ledger.sh" "$1" || true
}

tell_updates() {
  printf '%s\n' "$1" | jq -r '.[] | select(.Updated != "false") | [.Updated, .ContainerName, .Image, .Unit] | join("\t")' |
    while IFS='	' read -r result container image unit; do
      case $result in
        true) tell updated "$container" "$container runs a new image of $image." ;;
        "rolled back") tell rolled-back "$container" "The new image of $image did not start in $unit. The old one is back." ;;
        *) tell update-failed "$container" "$image could not be updated in $unit ($result). See: journalctl -u $unit" ;;
      esac
    done
}

# Whatever an update left stopped is started again, and told.
bring_back() {
  for folder in "$installed"/zerotoil-*/; do
    [ -d "$folder" ] || continue
    for unit in $(services "${folder%/}" container); do
      state=$(timeout 60 systemctl show --property=ActiveState --value "$unit")
      case $state in active | activating | reloading) continue ;; esac
      if timeout 1800 systemctl start "$unit"; then now="It runs again"; else now="It could not be started; see: journalctl -u $unit"; fi
      tell missing "${unit%.service}" "After the updates $unit was $state. $now."
    done
  done
}

update() {
  said=$(mktemp)
  code=0
  report=$(timeout 14400 podman auto-update --format json 2>"$said") || code=$?
  cat "$said" >&2
  [ -z "$report" ] || tell_updates "$report"
  [ "$code" = 0 ] || [ -n "$report" ] || tell update-failed podman "podman auto-update failed: $(tail -n 3 "$said")"
  rm -f "$said"
  bring_back
  note after-updates
  return "$code"
}

observe() {
  set -- "$installed"/zerotoil-*/*.container "$installed"/zerotoil-*/*.network "$installed"/zerotoil-*/*.volume
  quadlets='{}' units=
  for file in "$@"; do
    shift
    if [ -e "$file" ]; then set -- "$@" "$file"; fi
  done
  if [ $# -gt 0 ]; then
    quadlets=$(jq -Rn '
      reduce inputs as $line ({}; (input_filename | split("/")) as $path
        | .[$path[-2] | ltrimstr("zerotoil-")][$path[-1]] += $line + "\n")' "$@")
    # shellcheck disable=SC2046
    units=$(timeout 60 systemctl show --property=Id,LoadState,ActiveState,SubState,Result,NeedDaemonReload \
      $(for file in "$@"; do service "$file"; done))
  fi
  containers=$(timeout 120 podman ps --all --format json)
  printf '%s\n' "${containers:-[]}" | jq -c --argjson quadlets "$quadlets" --arg units "$units" '{
    $quadlets, $units, containers: map({Id, Names, State, Status, Image, ImageID, Created, Labels})}'
}

case ${1:-} in
  up | stop | remove)
    case ${2:-} in '' | *[!a-z0-9-]* | -*) fail "$1 needs the name of an app" ;; esac
    exec 8>"$data/.podman.lock" # the boot's `settle` and a deploy may meet
    flock -w 1800 8 || fail "another run of this script does not end"
    "$1" "$2"
    ;;
  settle | update | observe) "$1" ;;
  *) fail "up NAME, stop NAME, remove NAME, settle, update or observe" ;;
esac
