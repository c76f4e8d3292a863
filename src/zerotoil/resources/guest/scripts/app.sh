#!/bin/sh
# app.sh up|stop|down|check|images|missing NAME: an app of this host by Docker Compose. `up` returns 0 when its containers run and are healthy.
set -eu
verb=$1 name=$2
root=${ZEROTOIL_DATA:-/var/mnt/data}/apps/$name
own=$root/.zerotoil
login=${ZEROTOIL_DATA:-/var/mnt/data}/zerotoil/docker
[ ! -f "$login/config.json" ] || export DOCKER_CONFIG="$login"
cd "$root"
compose() {
  if [ -s "$own/pins" ]; then
    docker compose --project-name "$name" --file compose.yaml --file "$own/override.yaml" --file "$own/pins.json" "$@"
  else
    docker compose --project-name "$name" --file compose.yaml --file "$own/override.yaml" "$@"
  fi
}
pins() { # images held back, as a Compose file (lines of service, image by digest); Watchtower leaves such services alone
  [ -s "$own/pins" ] || { rm -f "$own/pins.json" && return; }
  jq -R -n '{services: [inputs | split(" ") | {key: .[0], value: {image: .[1],
    labels: {"com.centurylinklabs.watchtower.enable": "false"}}}] | from_entries}' <"$own/pins" >"$own/pins.json.new"
  mv "$own/pins.json.new" "$own/pins.json"
}
# Docker is asked by its API: the answer is that of `docker inspect`, and curl starts ten times as fast in a small guest.
api() { curl --silent --show-error --fail --fail-early --max-time 60 --unix-socket /run/docker.sock "$@"; }
look() { # the app's containers as JSON, into $own/now.json
  api --get "http://docker/containers/json?all=1" \
    --data-urlencode "filters={\"label\":[\"com.docker.compose.project=$name\"]}" >"$own/answer" || return 1
  ids=$(jq -r 'map(.Id) | join(",")' "$own/answer")
  : >"$own/answer"
  [ -z "$ids" ] || api "http://docker/containers/{$ids}/json" >"$own/answer" || return 1
  jq -s '
    map({service: .Config.Labels["com.docker.compose.service"], hash: .Config.Labels["com.docker.compose.config-hash"],
      image: .Image, state: .State.Status, code: .State.ExitCode, health: .State.Health.Status,
      once: (.HostConfig.RestartPolicy.Name | . == "no" or . == "")})' "$own/answer" >"$own/now.json"
}
ask() { jq -r "$1" "$own/now.json"; }
bad() { # what is not well, a line per service; a container that runs once may have ended well
  ask '.[] | select(.state == "restarting" or .state == "dead" or .health == "unhealthy"
      or (.state == "exited" and (.once and .code == 0 | not)))
    | "\(.service) is \(if .health == "unhealthy" then .health else .state end)"'
}
healthy() { # wait until nothing is starting; say what is not well
  left=${ZEROTOIL_HEALTH_SECONDS:-300}
  settle=${ZEROTOIL_SETTLE_SECONDS:-3} # a container that exits at once is not up
  while look && [ "$(ask 'any(.[]; .health == "starting" or .state == "created")')" = true ] && [ "$left" -gt 0 ]; do
    sleep 5
    left=$((left - 5)) settle=0
  done
  if [ "$settle" != 0 ]; then sleep "$settle" && look; fi
  found=$(bad)
  [ -z "$found" ] || { echo "$found" >&2 && return 1; }
}
images() { # what runs: a line per service: service, image id, image by digest
  ids=$(ask 'map(.image) | unique | join(",")')
  : >"$own/answer"
  [ -z "$ids" ] || api "http://docker/images/{$ids}/json" >"$own/answer" || return 1
  jq -s 'map({key: .Id, value: (.RepoDigests[0] // "-")}) | from_entries' "$own/answer" >"$own/digests.json"
  jq -r --slurpfile digest "$own/digests.json" 'sort_by(.service)[] | "\(.service) \(.image) \($digest[0][.image] // "-")"' \
    "$own/now.json"
}
start() { # Compose fetches every image before it touches a container: a registry that is down leaves the old ones running
  compose up --detach --quiet-pull "$@" 2>"$own/up.log" || { tail -n 3 "$own/up.log" >&2 && exit 1; }
}
case $verb in
  up | stop | down) # a boot, a deploy and the night may meet
    exec 8>"$own/lock"
    flock -w 1800 8 || { echo "another run for $name does not end" >&2 && exit 1; }
    ;;
esac
case $verb in
  up)
    pins
    if [ -e "$own/pull" ]; then # asked for: the newest image of each tag
      compose pull --quiet 2>"$own/up.log" || true
      rm -f "$own/pull"
    fi
    compose config --hash '*' | tr -s ' ' | sort >"$own/hashes.new"
    look
    # Only what is declared otherwise is made again. The image behind a tag may have moved on this host: whether that is
    # taken is the updater's to decide, not a reboot's.
    if [ "$(ask length)" = 0 ]; then
      start --remove-orphans
    else
      changed=$(ask '.[] | "\(.service) \(.hash)"' | sort -u | comm -13 - "$own/hashes.new" | cut -d' ' -f1)
      # shellcheck disable=SC2086
      [ -z "$changed" ] || start --no-deps $changed
      others=$(ask '.[].service' | sort -u | join -v 1 - "$own/hashes.new")
      if [ -n "$others" ] || [ "$(ask 'any(.[]; .state != "running")')" = true ]; then start --no-recreate --remove-orphans; fi
    fi
    if [ -s "$own/restart" ]; then # services whose mounted files were changed
      # shellcheck disable=SC2046
      compose restart $(cat "$own/restart") 2>>"$own/up.log"
      rm -f "$own/restart"
    fi
    mv "$own/hashes.new" "$own/hashes"
    healthy
    images >"$own/images.new"
    mv "$own/images.new" "$own/images"
    ledger=${ZEROTOIL_DATA:-/var/mnt/data}/zerotoil/bin/ledger.sh
    [ ! -f "$ledger" ] || sh "$ledger" deploy || true
    ;;
  stop) compose stop ;;
  down) compose down --remove-orphans ;; # never with --volumes
  check) healthy ;;
  images) look && images ;;
  missing) look && ask '.[].service' | sort -u | join -v 2 - "$own/hashes" | cut -d' ' -f1 ;; # declared services without a container
  *) echo "usage: app.sh up|stop|down|check|images|missing NAME" >&2 && exit 2 ;;
esac
