#!/bin/sh
# Prints the containers of a guest with what is known of their images there, as one JSON list. Reads only; few programs.
# $engine is docker or podman, which print the same but for names of fields.
set -eu
engine=${engine:-docker}
ids=$("$engine" ps --all --quiet --no-trunc)
if [ -z "$ids" ]; then
  printf '[]\n'
  exit 0
fi
inspect() {
  # shellcheck disable=SC2046
  "$engine" container inspect $("$engine" ps --all --quiet --no-trunc)
}
containers=$(inspect) || containers=$(inspect) # one may vanish between the two commands
# An image may be gone though its container runs: the others are printed all the same.
# shellcheck disable=SC2046
images=$("$engine" image inspect $(printf '%s' "$containers" | jq -r 'map(.Image) | unique[]') 2>/dev/null) || :
printf '%s\n%s\n' "$containers" "${images:-[]}" | jq -cs '
  def id: ltrimstr("sha256:");
  def part($app): rtrimstr(".service") | ltrimstr($app + "-"); # a quadlet makes the unit APP-SERVICE
  (.[1] | map({key: (.Id | id), value: .}) | from_entries) as $images
  | .[0]
  | map(
      (.Config.Labels // {}) as $labels
      | ($images[.Image | id] // {}) as $image
      | ($labels["com.docker.compose.project"] // $labels["zerotoil.app"] // "") as $app
      | select($labels["com.docker.compose.oneoff"] != "True")
      | {
          container: (.Name | ltrimstr("/")),
          $app,
          service: ($labels["com.docker.compose.service"] // ($labels["PODMAN_SYSTEMD_UNIT"] // "" | part($app))),
          state: .State.Status,
          image: (.ImageName // .Config.Image),
          repo_digests: ($image.RepoDigests // []),
          created: ($image.Created // ""),
          version: (($image.Config.Labels // $image.Labels // {})["org.opencontainers.image.version"] // ""),
          labels: ($labels | with_entries(select(.key | test("^(zerotoil\\.|com\\.centurylinklabs\\.watchtower\\.|io\\.containers\\.autoupdate)"))))
        })'
