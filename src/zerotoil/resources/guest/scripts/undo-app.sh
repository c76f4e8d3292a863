#!/bin/sh
# One app's folder back to how a snapshot has it, and forth again. The folder of today is kept on the data disk, by a name.
#   prepare APP SOURCE   copies the folder from a mounted snapshot, with the images that ran then: a line SERVICE IMAGE each
#   exchange APP STAMP   stops the app, puts the prepared folder in its place, starts it
#   back APP STAMP       the same with the folder that was kept last; prints its name
#   settle APP           its containers start by themselves again, as they did before
# At any moment the app's folder is one or the other with its own images, or not there, and from `exchange` to `settle` no
# container starts by itself: never data of one with images of both.
set -eu
data=${ZEROTOIL_DATA:-/var/mnt/data}
verb=$1 app=$2
folder=$data/apps/$app
aside=$data/zerotoil/undone
new=$aside/.$app.new
returning=$aside/.$app.back # with the name that it had behind a dot
containers=$aside/.$app.containers
unit=zerotoil-app@$app.service

prepare() {
  source=$1
  [ -f "$source/apps/$app/.zerotoil/files" ] || { echo "the snapshot has no app $app" >&2 && exit 1; }
  [ -d "$aside" ] || mkdir -m 0700 "$aside"
  rm -rf "$new" "$new.draft"
  need=$(du -sk "$source/apps/$app" | cut -f1)
  room=$(df -Pk "$data" | awk 'NR == 2 { print $4 }')
  [ "$need" -lt "$room" ] || { echo "the data disk has room for $room KiB, the app's folder needs $need" >&2 && exit 1; }
  cp -a "$source/apps/$app" "$new.draft" || { rm -rf "$new.draft" && exit 1; }
  then=$(newest "$source/zerotoil/ledger")
  : >"$aside/.$app.moved"
  [ -z "$then" ] || moved "$then" "$(newest "$data/zerotoil/ledger")" "$app" >"$aside/.$app.moved"
  while read -r _ service image; do
    hold_at "$new.draft" "$service" "$image"
    echo "$service $image"
  done <"$aside/.$app.moved"
  rm -f "$aside/.$app.moved"
  sync
  mv "$new.draft" "$new"
}

replace() { # WITH STAMP
  systemctl stop "$unit" || :
  # shellcheck disable=SC2046
  [ -s "$containers" ] || policies $(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$app") >"$containers"
  no_restart "$containers"
  [ ! -d "$folder" ] || mv "$folder" "$aside/$app.$2"
  mv "$1" "$folder"
  sync
  systemctl start --no-block "$unit"
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
  [ ! -s "$containers" ] || restart_again "$containers"
  rm -f "$containers"
}

shift 2
case $verb in
  prepare | exchange | back | settle) "$verb" "$@" ;;
  *) echo 'usage: undo-app.sh prepare|exchange|back|settle APP ...' >&2 && exit 2 ;;
esac
