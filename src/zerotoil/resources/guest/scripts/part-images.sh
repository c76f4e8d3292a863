# shellcheck shell=sh
# Which images belong to data of another day, and that no container of today starts on it by itself. A part of scripts that are
# sent (packaged.sent). $engine is docker or podman, which say the same but for few words.
engine=docker

newest() { # LEDGER: its last entry that tells something
  last=
  for file in "$1"/2*Z.json; do case $file in *.same.json) ;; *) [ ! -e "$file" ] || last=$file ;; esac done
  echo "$last"
}

moved() { # THEN NOW [APP]: "APP SERVICE IMAGE ID" of what ran by one entry and is another image by the other; "-": in no registry
  jq -r --arg app "${3:-}" --slurpfile now "${2:-/dev/null}" '
    ([$now[].containers[]? | {key: "\(.app) \(.service)", value: .id}] | from_entries) as $runs
    | [.containers[]? | select(.app != "" and ($app == "" or .app == $app))] | unique_by(.app, .service)[]
    | select($runs["\(.app) \(.service)"] != .id) | "\(.app) \(.service) \(.digest // "-") \(.id)"' "$1"
}

# What the app calls the service of a ledger's entry: older entries of podman have the container's name. Prints nothing where the
# app has no such service, which therefore starts no container.
called() { # QUADLETS APP SERVICE
  if [ "$engine" != podman ] || [ -f "$1/$2-$3.container" ]; then
    echo "$3"
  else
    file=$(grep -lxF "ContainerName=$3" "$1"/*.container 2>/dev/null | head -n 1)
    file=${file##*/} file=${file%.container}
    echo "${file#"$2-"}"
  fi
}

hold_at() { # FOLDER SERVICE IMAGE ID: the app in the folder holds the service at the image
  [ "$3" != - ] || return 0 # built on the host: no registry has it
  [ "$engine" != podman ] || name_again "$3" "$4"
  held=$1/.zerotoil/pins
  { grep -v "^$2 " "$held" 2>/dev/null || :; echo "$2 $3"; } >"$held.new" && mv "$held.new" "$held" && grep -qxF "$2 $3" "$held"
}

# An image whose tag went to a newer one has no name any more, and podman finds it by its digest only under a name of the same
# repository. Where that does not work, or the image is gone, it is pulled by its digest.
name_again() { # IMAGE ID
  ! podman image exists "$2" || podman tag "$2" "${1%@*}:zerotoil-held-$(echo "${1##*:}" | cut -c 1-12)" >&2 || :
}

policies() { # IDS: a line each of id, Compose project, restart policy, state, whether it sees the data disk or is the updater
  [ $# -gt 0 ] || return 0
  inspected=$("$engine" inspect "$@") || return 1
  printf '%s' "$inspected" | jq -r '.[] | .HostConfig.RestartPolicy as $policy
    | [.Id, .Config.Labels["com.docker.compose.project"]? // "-",
        (if $policy.Name == "on-failure" then "on-failure:\($policy.MaximumRetryCount)"
         elif $policy.Name == "" then "no" else $policy.Name end),
        .State.Status,
        (.Name == "/watchtower" or any(.Mounts[]?; .Source // "" | startswith("/var/mnt/data")))] | join(" ")'
}

# Docker starts again what has the policy `always` whenever it starts itself, even what was stopped by name.
no_restart() { # FILE of such lines: none of them starts by itself any more; fails where one would
  ids=$(cut -d' ' -f1 "$1")
  [ -n "$ids" ] || return 0
  # shellcheck disable=SC2086
  update_restart no $ids >/dev/null && left=$(policies $ids) && ! echo "$left" | cut -d' ' -f3 | grep -qvx no
}

update_restart() { # POLICY IDS: podman takes one at a time
  policy=$1
  shift
  if [ "$engine" = docker ]; then
    docker update "--restart=$policy" "$@"
  else
    for id; do podman update "--restart=$policy" "$id" || return 1; done
  fi
}

restart_again() { # FILE: each has its policy back. One that was made again with another image is gone
  while read -r id _ policy _; do
    update_restart "$policy" "$id" </dev/null >/dev/null 2>&1 || :
  done <"$1"
}
