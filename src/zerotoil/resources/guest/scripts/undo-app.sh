#!/bin/sh
# One app's folder back to how a snapshot has it, and forth again. The folder of today is kept on the data disk, by a name.
#   prepare APP SOURCE   copies the folder from a mounted snapshot, with the images that ran then: a line SERVICE IMAGE each
#   exchange APP STAMP   stops the app, puts the prepared folder in its place, starts it
#   back APP STAMP       the same with the folder that was kept last; prints its name
#   settle APP           its containers start by themselves again, as they did before
# At any moment the app's folder is one or the other with its own images, or not there, and from `exchange` to `settle` no
# container starts by itself: never data of one with images of both. With podman the app's units are taken away meanwhile, and
# podman.sh makes none while $halted is there. What is declared of the app, its quadlets, goes with its folder.
set -eu
data=${ZEROTOIL_DATA:-/var/mnt/data}
verb=$1 app=$2
folder=$data/apps/$app
aside=$data/zerotoil/undone
new=$aside/.$app.new
returning=$aside/.$app.back # with the name that it had behind a dot
containers=$aside/.$app.containers
unit=zerotoil-app@$app.service
podman=$data/zerotoil/bin/podman.sh
halted=$aside/.$app.halted
declared=$data/zerotoil/quadlets/$app
[ ! -f "$podman" ] || engine=podman unit=zerotoil-up-$app.service

prepare() {
  source=$1
  [ -f "$source/apps/$app/.zerotoil/files" ] || { echo "the snapshot has no app $app" >&2 && exit 1; }
  [ "$engine" = docker ] || [ -d "$source/zerotoil/quadlets/$app" ] ||
    { echo "in the snapshot $app does not run with podman" >&2 && exit 1; }
  [ -d "$aside" ] || mkdir -m 0700 "$aside"
  rm -rf "$new" "$new.draft"
  need=$(du -sk "$source/apps/$app" | cut -f1)
  room=$(df -Pk "$data" | awk 'NR == 2 { print $4 }')
  [ "$need" -lt "$room" ] || { echo "the data disk has room for $room KiB, the app's folder needs $need" >&2 && exit 1; }
  cp -a "$source/apps/$app" "$new.draft" || { rm -rf "$new.draft" && exit 1; }
  [ "$engine" = docker ] || {
    rm -rf "$new.draft/.zerotoil/quadlets"
    cp -a "$source/zerotoil/quadlets/$app" "$new.draft/.zerotoil/quadlets"
  }
  then=$(newest "$source/zerotoil/ledger")
  : >"$aside/.$app.moved"
  [ -z "$then" ] || moved "$then" "$(newest "$data/zerotoil/ledger")" "$app" >"$aside/.$app.moved"
  while read -r _ service image id; do
    service=$(called "$new.draft/.zerotoil/quadlets" "$app" "$service")
    [ -n "$service" ] || continue
    hold_at "$new.draft" "$service" "$image" "$id" </dev/null
    echo "$service $image"
  done <"$aside/.$app.moved"
  rm -f "$aside/.$app.moved"
  sync
  mv "$new.draft" "$new"
}

replace() { # WITH STAMP
  "halt_$engine"
  [ ! -d "$folder" ] || mv "$folder" "$aside/$app.$2"
  mv "$1" "$folder"
  sync
  "start_$engine"
}

halt_docker() {
  systemctl stop "$unit" || :
  # shellcheck disable=SC2046
  [ -s "$containers" ] || policies $(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$app") >"$containers"
  no_restart "$containers"
}

start_docker() { systemctl start --no-block "$unit"; }

halt_podman() { # the quadlets of today go with the folder of today; those that a folder brings are not declared yet
  : >"$halted"
  sync "$halted"
  systemctl stop "$unit" 2>/dev/null || :
  sh "$podman" stop "$app" || { rm -f "$halted" && exit 1; }
  rm -rf "${ZEROTOIL_ROOT:-}/etc/containers/systemd/zerotoil-$app"
  systemctl daemon-reload
  carried=$folder/.zerotoil/quadlets
  if [ -d "$folder" ] && [ -d "$declared" ] && [ ! -d "$carried" ]; then
    rm -rf "$carried.new"
    cp -a "$declared" "$carried.new"
    mv "$carried.new" "$carried"
  fi
  sync
}

start_podman() {
  if [ -d "$folder/.zerotoil/quadlets" ]; then
    rm -rf "$declared"
    mv "$folder/.zerotoil/quadlets" "$declared"
    written
  fi
  sync
  rm -f "$halted"
  systemctl reset-failed "$unit" 2>/dev/null || :
  systemd-run --quiet --no-block --unit="$unit" --property=Type=oneshot --property=RemainAfterExit=yes \
    /bin/sh "$podman" up "$app" </dev/null >&2
}

written() { # the deploy's list of what it wrote: with these quadlets, so that what is declared no more goes
  list=$data/zerotoil/.zerotoil/files
  [ -f "$list" ] || return 0
  {
    grep -v " quadlets/$app/" "$list" || :
    for file in "$declared"/*; do echo "0644 $(sha256sum <"$file" | cut -d' ' -f1) quadlets/$app/${file##*/}"; done
  } >"$list.undo"
  mv "$list.undo" "$list"
}

exchange() {
  [ -d "$new" ] || { echo "nothing is prepared for $app" >&2 && exit 1; }
  replace "$new" "$1"
}

back() {
  for kept in "$returning".*; do [ -d "$kept" ] || kept=; done # of a run that was cut off
  if [ -z "$kept" ]; then
    for last in "$aside/$app".*; do [ ! -d "$last" ] || kept=$last; done
    [ -n "$kept" ] || { echo "no folder of $app is kept" >&2 && exit 1; }
    mv "$kept" "$returning.${kept##*/}"
    kept=$returning.${kept##*/}
  fi
  replace "$kept" "$1"
  echo "${kept#"$returning."}"
}

settle() {
  [ "$engine" = docker ] || systemctl stop "$unit" 2>/dev/null || :
  [ ! -s "$containers" ] || restart_again "$containers"
  rm -f "$containers"
}

shift 2
case $verb in
  prepare | exchange | back | settle) "$verb" "$@" ;;
  *) echo 'usage: undo-app.sh prepare|exchange|back|settle APP ...' >&2 && exit 2 ;;
esac
