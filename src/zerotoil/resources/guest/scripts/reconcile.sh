#!/bin/sh
# Compares what is declared with what runs, after the updater's hour: brings back what is missing, tells what was updated,
# and, where an app is declared so, puts an image back whose update turned a health check red. Never touches data.
set -u
data=${ZEROTOIL_DATA:-/var/mnt/data}
bin=$data/zerotoil/bin
watchtower=${ZEROTOIL_WATCHTOWER_URL:-/var/lib/zerotoil/watchtower/notify-url}
tell() { # EVENT SUBJECT TEXT
  echo "$1 $2: $3"
  [ ! -f "$bin/notify.sh" ] || printf '%s\n' "$3" | sh "$bin/notify.sh" "$1" "$2" || true
}
app() { sh "$bin/app.sh" "$@"; }
short() { echo "$1" | sed 's/.*@//; s/\(sha256:............\).*/\1/'; }
moved() { # a line per service whose image is another one than noted: service, old and new image by digest
  join -j 1 "$own/images" "$own/images.now" | awk '$2 != $4 { print $1, $3, $5 }'
}
revert() { # pin the moved services to their old images
  while read -r service old new; do
    [ "$old" = - ] && continue
    { grep -v "^$service " "$own/pins" 2>/dev/null; echo "$service $old"; } >"$own/pins.new"
    mv "$own/pins.new" "$own/pins"
    echo "$service back to $(short "$old"), from $(short "$new")"
  done
}
one() {
  name=$1 own=$data/apps/$1/.zerotoil
  [ -s "$own/hashes" ] && [ ! -e "$own/stopped" ] || return 0
  gone=$(app missing "$name") || return 1
  if [ -n "$gone" ]; then
    if said=$(app up "$name" 2>&1); then
      tell missing "$name" "$(echo "$gone" | tr '\n' ' ')had disappeared and runs again"
    else
      tell missing "$name" "$(echo "$gone" | tr '\n' ' ')has disappeared and does not come up: $said"
    fi
    return 0
  fi
  app images "$name" >"$own/images.now" || return 0
  changed=$(moved)
  if said=$(app check "$name" 2>&1); then
    # Watchtower tells of its updates itself where it has a place to.
    [ -z "$changed" ] || [ -s "$watchtower" ] || tell updated "$name" "$(echo "$changed" | while read -r service old new; do
      echo "$service: $(short "$old") -> $(short "$new")"; done)"
    mv "$own/images.now" "$own/images"
  elif [ -n "$changed" ] && [ -f "$own/revert" ] && back=$(echo "$changed" | revert) && [ -n "$back" ]; then
    if again=$(app up "$name" 2>&1); then
      tell rolled-back "$name" "$said after an update. $back. It stays there until: zerotoil release $(uname -n) $name"
    else
      tell update-failed "$name" "$said after an update. $back, and that does not help: $again"
    fi
  elif [ -n "$changed" ]; then
    tell update-failed "$name" "$said after an update ($(echo "$changed" | while read -r service old new; do
      echo "$service: $(short "$old") -> $(short "$new")"; done)). Its data is untouched; the old image can be declared by digest"
  else
    tell unhealthy "$name" "$said"
  fi
  rm -f "$own/images.now"
}
updater=$(curl --silent --fail --max-time 60 --unix-socket /run/docker.sock http://docker/containers/watchtower/json |
  jq -r '.State.Status // empty')
[ "$updater" = running ] || tell stale watchtower "Watchtower is ${updater:-not there}: nothing is updated; the next deploy mends it"
status=0
for folder in "$data"/apps/*; do
  [ -f "$folder/.zerotoil/files" ] || continue
  one "${folder##*/}" || status=1
done
[ ! -f "$bin/ledger.sh" ] || sh "$bin/ledger.sh" after-updates || true
exit $status
