#!/bin/sh
# One app's folder back to how a snapshot has it, and forth again. The folder of today is kept on the data disk, by a name.
#   prepare APP SOURCE   copies the folder from a mounted snapshot, with the images that ran then: a line SERVICE IMAGE each
#   exchange APP STAMP   stops the app, puts the prepared folder in its place, starts it
#   back APP STAMP       the same with the folder that was kept last; prints its name
# At any moment the app's folder is one or the other with its own images, or not there: never data of one with images of both.
set -eu
data=${ZEROTOIL_DATA:-/var/mnt/data}
verb=$1 app=$2
folder=$data/apps/$app
aside=$data/zerotoil/undone
new=$aside/.$app.new
unit=zerotoil-app@$app.service

newest() { # FOLDER: the last entry of its ledger that tells something
  last=
  for file in "$1"/zerotoil/ledger/2*Z.json; do case $file in *.same.json) ;; *) [ ! -e "$file" ] || last=$file ;; esac done
  echo "$last"
}

pins() { # SOURCE: the images that ran with its data, where others run now
  then=$(newest "$1")
  [ -n "$then" ] || return 0
  now=$(newest "$data")
  jq -r --arg app "$app" --slurpfile now "${now:-/dev/null}" '
    ([$now[].containers[]? | select(.app == $app) | {key: .service, value: .id}] | from_entries) as $runs
    | [.containers[]? | select(.app == $app)] | unique_by(.service)[]
    | select($runs[.service] != .id) | "\(.service) \(.digest // "-")"' "$then"
}

prepare() {
  source=$1
  [ -f "$source/apps/$app/.zerotoil/files" ] || { echo "the snapshot has no app $app" >&2 && exit 1; }
  [ -d "$aside" ] || mkdir -m 0700 "$aside"
  rm -rf "$new"
  need=$(du -sk "$source/apps/$app" | cut -f1)
  room=$(df -Pk "$data" | awk 'NR == 2 { print $4 }')
  [ "$need" -lt "$room" ] || { echo "the data disk has room for $room KiB, the app's folder needs $need" >&2 && exit 1; }
  cp -a "$source/apps/$app" "$new" || { rm -rf "$new" && exit 1; }
  pins "$source" | while read -r service image; do
    echo "$service $image"
    [ "$image" != - ] || continue # built on the host: no registry has it
    { grep -v "^$service " "$new/.zerotoil/pins" 2>/dev/null || :; echo "$service $image"; } >"$new/.zerotoil/pins.new"
    mv "$new/.zerotoil/pins.new" "$new/.zerotoil/pins"
  done
  sync
}

replace() { # WITH STAMP
  systemctl stop "$unit" || :
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
  last=
  for kept in "$aside/$app".*; do [ ! -d "$kept" ] || last=$kept; done
  [ -n "$last" ] || { echo "no folder of $app is kept" >&2 && exit 1; }
  replace "$last" "$1"
  echo "${last##*/}"
}

shift 2
case $verb in
  prepare | exchange | back) "$verb" "$@" ;;
  *) echo 'usage: undo-app.sh prepare|exchange|back APP ...' >&2 && exit 2 ;;
esac
