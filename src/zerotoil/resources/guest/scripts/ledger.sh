#!/bin/sh
# ledger.sh before-snapshot|after-updates|deploy|boot: writes down what runs, on the data disk itself, so that every
# snapshot carries the versions that belong to its data.
#
# An entry is a file TIME.json (UTC). Where all is as in the last one, TIME.same.json only names that one. A file is written
# beside, synced and renamed, so that a power cut leaves no half entry. Nothing outside the ledger's folder is written.
set -eu
umask 077
LC_ALL=C
export LC_ALL
root=${ZEROTOIL_ROOT:-}
data=${ZEROTOIL_DATA:-$root/var/mnt/data}
tree=$data/zerotoil
most=400 # entries that are kept, and days
why=${1:-}
case $why in
  before-snapshot | after-updates | deploy | boot) ;;
  *) echo 'usage: ledger.sh before-snapshot|after-updates|deploy|boot' >&2 && exit 2 ;;
esac
engine=docker
[ ! -f "$tree/bin/podman.sh" ] || engine=podman
[ ! -f "$tree/k3s/k3s.sh" ] || engine=k3s # a question would start Docker, whose firewall cuts pods off

stamp() { date -u -d "@$1" +%Y-%m-%dT%H-%M-%SZ; }
present() {
  for file in "$@"; do [ ! -e "$file" ] || echo "$file"; done
}
full() { present 2*Z.json; } # oldest first
same() { present 2*Z.same.json; }
remove() {
  while read -r file; do rm -f "./$file"; done
}
sum() { # the hash of what comes on stdin
  hash=$(sha256sum)
  echo "${hash%% *}"
}

# Docker is asked by its API: the answer is that of `docker inspect`, and curl starts ten times as fast in a small guest.
api() { curl --silent --fail ${early:+--fail-early} --max-time 60 --unix-socket /run/docker.sock "$@"; }

ids() { # of all containers, a line each
  if [ "$engine" = podman ]; then
    timeout 60 podman ps --all --quiet --no-trunc
  else
    answer=$(api 'http://docker/containers/json?all=1') && printf '%s' "$answer" | jq -r '.[].Id'
  fi
}

inspect() { # containers|images ID...
  kind=$1
  shift
  if [ "$engine" = podman ]; then
    timeout 60 podman "${kind%s}" inspect "$@"
  else
    IFS=,
    api "http://docker/$kind/{$*}/json"
  fi
}

containers() { # as a JSON list; null where the engine does not answer, which is not the same as none
  [ "$engine" != k3s ] || { echo '[]' && return; } # Kubernetes keeps that itself, in its datastore
  early=yes
  known=$(ids) || { echo null && return; }
  [ -n "$known" ] || { echo '[]' && return; }
  # One may vanish between the two questions.
  # shellcheck disable=SC2046,SC2086
  found=$(inspect containers $known) || found=$(inspect containers $(ids)) || { echo null && return; }
  early= # an image may be gone though its container runs: the others are told all the same
  # shellcheck disable=SC2046
  images=$(inspect images $(printf '%s' "$found" | jq -rs 'flatten(1) | map(.Image) | unique[]') 2>/dev/null) || :
  { printf '%s' "$found" | jq -cs 'flatten(1)' && printf '%s' "$images" | jq -cs 'flatten(1)'; } | jq -cs '
    def id: "sha256:" + ltrimstr("sha256:");
    def part($app): rtrimstr(".service") | ltrimstr($app + "-"); # a quadlet makes the unit APP-SERVICE
    (.[1] | map({key: (.Id | id), value: (.RepoDigests // [] | sort)}) | from_entries) as $digests
    | .[0]
    | map(
        (.Config.Labels // {}) as $labels
        | (.ImageName // .Config.Image // "") as $image
        | (.Name | ltrimstr("/")) as $name
        | ($image | sub("@.*$"; "") | sub(":[^:/]*$"; "")) as $repo
        | ($digests[.Image | id] // []) as $known
        | ($labels["com.docker.compose.project"] // $labels["zerotoil.app"] // "") as $app
        | select($labels["com.docker.compose.oneoff"] != "True")
        | {
            $app,
            service: ($labels["com.docker.compose.service"] // ($labels["PODMAN_SYSTEMD_UNIT"] // $name | part($app))),
            container: $name, $image, id: (.Image | id),
            digest: ([($known[] | select(startswith($repo + "@"))), $known[]] | first // null)
          }
        | select(.app != "" or $labels["zerotoil.owner"])
      )
    | sort_by(.app, .service, .container)'
}

apps() { # as a JSON object: what is declared of each app, and which images are held back
  if [ "$engine" = podman ]; then
    for folder in "$tree"/quadlets/*/; do
      [ -d "$folder" ] || continue
      name=$(basename "$folder") own=$data/apps/$(basename "$folder")/.zerotoil
      echo "$name quadlets $(cat "$folder"* | sum)"
      [ ! -f "$own/pins" ] || sed "s|^|$name pin |" "$own/pins"
    done
  else
    for folder in "$data"/apps/*; do
      own=$folder/.zerotoil
      if [ ! -f "$own/files" ] || [ -e "$own/stopped" ]; then continue; fi
      name=${folder##*/}
      [ ! -f "$folder/compose.yaml" ] || echo "$name compose $(sum <"$folder/compose.yaml")"
      [ ! -f "$own/override.yaml" ] || echo "$name override $(sum <"$own/override.yaml")"
      [ ! -f "$own/pins" ] || sed "s|^|$name pin |" "$own/pins"
    done
  fi | jq -Rnc 'reduce (inputs | split(" ")) as [$app, $kind, $value, $image] ({};
    .[$app] //= {compose: null, override: null, quadlets: null, pins: {}}
    | if $kind == "pin" then .[$app].pins[$value] = $image else .[$app][$kind] = $value end)'
}

deployment() { # it changes by a reboot only, and its daemon is slow to start: asked once per boot
  known=$(jq -c --arg boot "$boot" 'select(.boot == $boot) | .os.deployment // empty' "$last" 2>/dev/null) || known=
  if [ -z "$known" ] && command -v rpm-ostree >/dev/null; then
    known=$(timeout 60 rpm-ostree status --json | jq -c '.deployments | map(select(.booted)) | first // null
      | if . then {version: (.version // null), checksum: (.checksum // null), origin: (.origin // null),
          image: (."container-image-reference" // null), digest: (."container-image-reference-digest" // null)} else . end') || known=
  fi
  echo "${known:-null}"
}

entry() { # what runs, as a line of JSON
  # shellcheck source=/dev/null
  os=$(. "$root/etc/os-release" && printf '%s\n%s' "${ID:-}" "${OSTREE_VERSION:-${IMAGE_VERSION:-${VERSION_ID:-}}}")
  binary=$root/usr/local/bin/k3s k3s=
  # At the first boot of an OS disk it is about to come from the data disk.
  [ -x "$binary" ] || [ "$engine" != k3s ] || binary=$tree/k3s/bin/k3s
  [ ! -x "$binary" ] || k3s=$(timeout 30 "$binary" --version | sed -n '1s/^k3s version \([^ ]*\).*/\1/p') || :
  jq -nc --arg time "$time" --arg why "$why" --arg boot "$boot" --arg kernel "$(uname -r)" --arg os "$os" --arg k3s "$k3s" \
    --argjson deployment "$(deployment)" --argjson apps "$(apps)" --argjson containers "$(containers)" '
    ($os | split("\n")) as [$id, $version]
    | {version: 1, $time, $why, $boot, $kernel, os: {$id, $version, $deployment},
       k3s: (if $k3s == "" then null else $k3s end), $apps, $containers}'
}

is_same() { # FILE LAST: but for when and why?
  [ -n "$2" ] && jq -en --slurpfile new "$1" --slurpfile last "$2" '[$new[0], $last[0]] | map(del(.time, .why)) | .[0] == .[1]' \
    >/dev/null 2>&1
}

publish() { # DRAFT NAME
  sync "$1"
  mv "$1" "$2"
  sync .
}

prune() { # those that only name another one go first
  oldest=$(stamp $((now - most * 86400)))
  same | awk -v oldest="$oldest" '$0 < oldest' | remove
  full | awk -v oldest="$oldest" '$0 < oldest' | sed '$d' | remove # the newest of them tells what ran at that time
  over=$(($(full | wc -l) + $(same | wc -l) - most))
  [ "$over" -le 0 ] || same | head -n "$over" | remove
  over=$(($(full | wc -l) - most))
  [ "$over" -le 0 ] || full | head -n "$over" | remove
}

# The folder above is there, or the data disk is not: it is not made here.
[ -d "$tree/ledger" ] || mkdir "$tree/ledger"
cd "$tree/ledger"
exec 9>.lock
flock -w 120 9 || { echo 'another process holds the ledger' >&2 && exit 1; }
rm -f .draft.* # of a power cut
read -r boot <"$root/proc/sys/kernel/random/boot_id"
last=$(full | tail -n 1)
# Apps are brought up at boot by the same script as by a deploy.
[ "$why" != deploy ] || [ "$(systemctl is-system-running 2>/dev/null)" != starting ] || why=boot
now=$(date +%s)
time=$(stamp "$now")
while [ -e "$time.json" ] || [ -e "$time.same.json" ]; do
  now=$((now + 1))
  time=$(stamp "$now")
done
draft=$(mktemp .draft.XXXXXX)
entry >"$draft"
if is_same "$draft" "$last"; then
  jq -nc --arg time "$time" --arg why "$why" --arg same "${last%.json}" '{$time, $why, $same}' >"$draft"
  publish "$draft" "$time.same.json"
else
  publish "$draft" "$time.json"
fi
prune
