#!/bin/sh
# Brings what zerotoil declares about registries from the data disk to /etc, and has Docker take it over without a restart.
# Runs at boot and after each change; a run that finds all in place writes nothing. In daemon.json only registry-mirrors is
# ours: the rest stays as it is, and a list that somebody else wrote stays when nothing is declared.
set -eu
from=${ZEROTOIL_DATA:-/var/mnt/data/zerotoil}/etc
to=${ZEROTOIL_ETC:-/etc}

fail() {
  printf '%s\n' "registries.sh: $1" >&2
  exit 1
}

# The mirrors that the running Docker uses, without the slash that it puts behind each.
in_use() {
  docker info --format '{{json .RegistryConfig.Mirrors}}' 2>/dev/null | jq -c '[.[]? | rtrimstr("/")]'
}

take_over() {
  if ! systemctl is-active --quiet docker.service || [ "$(in_use)" = "$1" ]; then return 0; fi
  systemctl reload docker.service
  tries=0
  until [ "$(in_use)" = "$1" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || fail "docker did not take over registry-mirrors $1; see journalctl -u docker.service"
    sleep 0.5
  done
}

docker_daemon() {
  ours=$from/docker/daemon.json
  file=$to/docker/daemon.json
  last=$to/docker/zerotoil-mirrors.json # what was written by us: only that may be taken back
  [ -f "$ours" ] || [ -f "$last" ] || return 0
  want=null
  [ ! -f "$ours" ] || want=$(jq -c '.["registry-mirrors"]' "$ours")
  before='{}'
  if [ -s "$file" ]; then
    before=$(jq -cS 'if type == "object" then . else error("no object") end' "$file") ||
      fail "$file is no JSON object, so it was left as it is; mend or remove it"
  fi
  written=null
  [ ! -f "$last" ] || written=$(cat "$last")
  after=$(printf '%s' "$before" | jq -cS --argjson want "$want" --argjson written "$written" '
    if $want then .["registry-mirrors"] = $want
    elif .["registry-mirrors"] == $written then del(.["registry-mirrors"])
    else . end')
  mkdir -p "$to/docker"
  if [ "$after" != "$before" ]; then
    printf '%s' "$after" | jq . >"$file.new"
    chmod 644 "$file.new"
    mv "$file.new" "$file"
  fi
  # Also where the file was right already: an earlier reload may have failed. A list that is not ours is left alone.
  if [ "$after" != "$before" ] || [ "$want" != null ]; then
    take_over "$(printf '%s' "$after" | jq -c '.["registry-mirrors"] // [] | map(rtrimstr("/"))')"
  fi
  if [ "$want" = null ]; then rm -f "$last"; else printf '%s\n' "$want" >"$last"; fi
}

podman_registries() {
  name=containers/registries.conf.d/50-zerotoil.conf
  if [ ! -f "$from/$name" ]; then
    rm -f "$to/$name"
  elif ! cmp -s "$from/$name" "$to/$name"; then
    mkdir -p "$to/containers/registries.conf.d"
    cp "$from/$name" "$to/$name.new"
    chmod 644 "$to/$name.new"
    mv "$to/$name.new" "$to/$name"
  fi
}

docker_daemon
podman_registries
