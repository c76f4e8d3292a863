#!/bin/sh
# app.sh up|stop|down|pull|check|images NAME: an app of this host by Docker Compose. `up` returns 0 when its containers run and are healthy.
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
containers() { docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$name"; }
states() { # a line per container: service, state, health, exit code, restart policy
  ids=$(containers)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker container inspect $ids | jq -r '.[] | [.Config.Labels["com.docker.compose.service"], .State.Status,
    (.State.Health.Status // "-"), .State.ExitCode, .HostConfig.RestartPolicy.Name] | map(tostring) | join(" ")'
}
bad() { awk '{ once = ($5 == "no" && $4 == 0)
  if ($2 == "restarting" || $2 == "dead" || $3 == "unhealthy" || ($2 == "exited" && !once)) print $1 " is " ($3 == "unhealthy" ? $3 : $2) }'; }
healthy() { # wait until nothing is starting; say what is not well
  left=${ZEROTOIL_HEALTH_SECONDS:-300}
  while states | awk '$3 == "starting" || $2 == "created" { found = 1 } END { exit !found }' && [ "$left" -gt 0 ]; do
    sleep 2
    left=$((left - 2))
  done
  sleep "${ZEROTOIL_SETTLE_SECONDS:-3}" # a container that exits at once is not up
  found=$(states | bad)
  [ -z "$found" ] || { echo "$found" >&2 && return 1; }
}
images() { # what runs: a line per service: service, image id, image by digest
  ids=$(containers)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker container inspect $ids | jq -r '.[] | [.Config.Labels["com.docker.compose.service"], .Image] | join(" ")' |
    sort | while read -r service image; do
      digest=$(docker image inspect "$image" 2>/dev/null | jq -r '.[0].RepoDigests[0] // "-"') || digest=-
      echo "$service $image ${digest:--}"
    done
}
carried() { # the config hash that each container was made with: service and hash
  docker ps --all --filter "label=com.docker.compose.project=$name" \
    --format '{{.Label "com.docker.compose.service"}} {{.Label "com.docker.compose.config-hash"}}' | sort -u
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
    compose config --hash '*' | tr -s ' ' | sort >"$own/hashes.new"
    # Only what is declared otherwise is made again. The image behind a tag may have moved on this host: whether that is
    # taken is the updater's to decide, not a reboot's.
    start --no-recreate --remove-orphans
    changed=$(carried | comm -13 - "$own/hashes.new" | cut -d' ' -f1)
    # shellcheck disable=SC2086
    [ -z "$changed" ] || start --no-deps $changed
    if [ -s "$own/restart" ]; then # services whose mounted files were changed
      # shellcheck disable=SC2046
      compose restart $(cat "$own/restart") 2>>"$own/up.log"
      rm -f "$own/restart"
    fi
    mv "$own/hashes.new" "$own/hashes"
    healthy
    images >"$own/images.new"
    mv "$own/images.new" "$own/images"
    ;;
  stop) compose stop ;;
  down) compose down --remove-orphans ;; # never with --volumes
  pull) compose pull --quiet ;;
  check) healthy ;;
  images) images ;;
  *) echo "usage: app.sh up|stop|down|pull|check|images NAME" >&2 && exit 2 ;;
esac
