#!/bin/sh
# Judges the deployment that runs, after each boot, and goes back by itself from one that does not become healthy within the grace.
# One that was judged good is not judged again: what fails later is no fault of an update. It needs no data disk.
# It never goes round in circles: an automatic way back is counted on the OS disk before it begins, there is one from each deployment,
# and it only leads to the one that was good last. One that a power cut has ended is finished.
# shellcheck disable=SC2034,SC2154 # its parts
set -u
umask 022
root=${ZEROTOIL_ROOT:-}
backend=$(jq -r '.backend // "rpm-ostree"' "$root/var/lib/zerotoil/os/declared.json" 2>/dev/null) || exit 0 # nothing is set up

of() { # FILTER: of the deployments; the state is $s
  say "$status" | jq -r --argjson s "$(known)" "$refused $called $1"
}

# --- checks: a line for each that fails

engine_works() {
  case $(declared .engine) in
    docker) timeout -k 5 70 curl --silent --fail --max-time 60 --unix-socket "$root/run/docker.sock" http://docker/_ping >/dev/null || echo 'Docker does not answer' ;;
    podman) timeout -k 5 60 podman ps --quiet >/dev/null 2>&1 || echo 'podman does not answer' ;;
  esac
}

app_by_docker() { # NAME
  [ ! -e "$data/apps/$1/.zerotoil/stopped" ] || return 0
  gone=$(timeout -k 5 120 sh "$data/zerotoil/bin/app.sh" missing "$1" 2>/dev/null | tr '\n' ' ') || gone=
  [ -z "$gone" ] || echo "app $1: ${gone% } does not run"
  said=$(ZEROTOIL_HEALTH_SECONDS=120 timeout -k 5 180 sh "$data/zerotoil/bin/app.sh" check "$1" 2>&1) || echo "app $1: $(say "$said" | brief)"
}

app_by_podman() { # NAME
  found=$(timeout -k 5 60 podman ps --all --filter "label=zerotoil.app=$1" --format json) ||
    { echo "app $1: podman does not answer" && return; }
  say "$found" | jq -r --arg app "$1" '
    if length == 0 then "app \($app): no container runs"
    else .[] | (.Names[0] // .Id[0:12]) as $name
      | if .State == "exited" and .ExitCode == 0 then empty elif .State != "running" then "app \($app): \($name) is \(.State)"
        elif (.Status // "") | test("unhealthy|starting") then "app \($app): \($name) is not healthy" else empty end end' ||
    echo "app $1: podman does not say how it is"
}

apps_work() {
  for app in $(declared '.apps[]?'); do "app_by_$(declared .engine)" "$app"; done
}

node_is_ready() {
  [ "$(declared '.k3s // false')" = true ] || return 0
  said=$(ZEROTOIL_TRIES=1 timeout -k 5 120 sh "$data/zerotoil/k3s/k3s.sh" ready 2>&1 | tail -n 1)
  [ "$said" = ready ] || echo "k3s: ${said:-no word}"
}

network_works() {
  [ -n "$(timeout 10 ip route show default)$(timeout 10 ip -6 route show default)" ] || echo 'there is no default route'
  name=$(declared '.reference // "" | sub("^.*(docker://|registry:)"; "") | sub("/.*"; "") | sub(":[0-9]+$"; "")')
  case $name in
    '') name=quay.io ;;
    *[!0-9.]*) ;;
    *) return 0 ;; # an address
  esac
  timeout -k 5 30 getent hosts "$name" >/dev/null || echo "DNS does not know $name"
}

owners_checks() {
  for file in "$root"/usr/lib/zerotoil/health.d/* "$root"/etc/zerotoil/health.d/*; do
    if [ ! -f "$file" ] || [ ! -x "$file" ]; then continue; fi
    said=$(timeout -k 5 120 "$file" 2>&1 </dev/null) || echo "${file##*/}: $(say "$said" | tail -n 1 | cut -c 1-200)"
  done
}

checks() {
  if mountpoint -q "$data"; then
    engine_works
    apps_work
    node_is_ready
  else
    echo '/var/mnt/data is not mounted'
  fi
  network_works
  owners_checks
}

within_grace() { # COMMAND: again and again until it succeeds. Not by the clock, which may be set meanwhile
  read -r since _ </proc/uptime
  grace=$(declared '.grace // 600')
  until "$1"; do
    read -r at _ </proc/uptime
    [ $((${at%.*} - ${since%.*})) -lt "$grace" ] || return 1
    sleep "${ZEROTOIL_PAUSE:-10}"
  done
}

well() { # $failing is what is not
  failing=$(checks 2>/dev/null)
  [ -z "$failing" ]
}

lets_go() { # k3s may still be starting
  said=$(let_go)
}

# --- what comes of it

settle() { # the deployment that runs is good
  if [ "$(of '.first | refused($s)')" = true ]; then
    said=$(put_back "$(of .booted.checksum)") || trouble "the deployment that runs cannot be made the lasting one: $said"
  else
    disarm
  fi
  within_grace lets_go || say "$said" >&2
}

fallback() { # GRUB has taken the good one, though another one was to be tried: that one never came up
  [ "$(of '.booted.checksum == $s.good.checksum')" = true ] || return 0
  other=
  if [ "$(counter)" = -1 ]; then
    other=$(of '[(.first, .rollback) | select(. and .checksum != $s.good.checksum)][0].checksum // $s.gate.checksum // ""')
  elif [ "$(ask '.gate.result == "waiting" and .gate.from != $boot' --arg boot "$(boot_id)")" = true ]; then
    other=$(of '. as $d | $s.gate.checksum | select(. != $s.good.checksum)')
    if [ -n "$other" ] && [ "$(of '.all | index($s.gate.checksum) != null')" = false ]; then
      lost "$other"
      return
    fi
  fi
  [ -z "$other" ] || blame "$other" 'it did not come up'
}

lost() { # CHECKSUM: staged, and not there after the restart: the power was cut, or it could not be put in place. Once is no proof
  change '.lost = {checksum: $checksum, times: ((if .lost.checksum == $checksum then .lost.times else 0 end) + 1)} | .gate = null' --arg checksum "$1"
  [ "$(ask .lost.times)" -lt 2 ] || blame "$1" 'it was staged, and twice it was not there after the restart (journalctl -b -1 -u ostree-finalize-staged)'
}

blame() { # CHECKSUM WHY
  change "$tells $called"' . as $s
    | ([$d.booted, $d.staged, $d.rollback, $d.first | select(. and .checksum == $checksum)][0] // {checksum: $checksum, digest: null, version: ""}) as $it
    | if any(.bad[]; .checksum == $checksum) then . else
        .bad += [$it | {checksum, digest, version, why: $why, time: $now}]
        | .pin = {by: "gate", time: $now, digest: $d.booted.digest} | .gate = {checksum: $checksum, boots: 0, result: "red", failing: [$why]}
        | tell("rolled-back"; $it | called; "\($it | called): \($why). \($d.booted | called), which was good, runs again.\n"
            + "Nothing newer is taken until: zerotoil os unpin \($host)") end' \
    --argjson d "$status" --arg checksum "$1" --arg why "$2" --arg host "$host"
}

green() {
  change "$tells $called"' . as $s | .good = ($d.booted | {checksum, version, digest}) | .updated = $now | .lost = null
    | .gate = {checksum: $d.booted.checksum, boots: ($s.gate.boots // 1), result: "green", failing: []}
    | .bad |= map(select(.checksum != $d.booted.checksum))
    | if $s.good then tell("updated"; $d.booted | called; "\($d.booted | called) runs and is healthy\($s.good | ", it was \(called) before")") else . end' \
    --argjson d "$status" || fail 'the state cannot be written'
  fallback # GRUB may have come here, and nobody had judged it before
  settle
  ledger=$data/zerotoil/bin/ledger.sh
  if mountpoint -q "$data" && [ -f "$ledger" ]; then timeout -k 5 300 sh "$ledger" boot >&2 || true; fi
}

may_go_back() { # to the one that was good last, once
  [ "$(of '.rollback != null and .rollback.checksum == $s.good.checksum and (.rollback | refused($s) | not)
    and ($s.rollbacks[.booted.checksum] // 0) < 1')" = true ]
}

red() {
  again=no
  if may_go_back; then again=yes; fi
  change "$tells $called"' ($failing | split("\n")) as $failing | .gate as $was
    | .gate += {checksum: $d.booted.checksum, result: "red", $failing}
    | if $again == "yes" then .rollbacks[$d.booted.checksum] = 1 | .gate.back = "begun"
      elif .gate.told then .
      else .gate.told = true | tell("unhealthy"; $d.booted | called; "\($d.booted | called) runs and is not healthy: \($failing | join("; ")).\n"
        + "There is no deployment to go back to by itself. Look: zerotoil os status \($host)") end' \
    --argjson d "$status" --arg failing "$failing" --arg again "$again" --arg host "$host" || fail 'the state cannot be written: nothing is changed'
  if [ "$again" = yes ]; then go_back; fi
  said=$(uncordon) || say "$said" >&2 # as well as it can
}

go_back() {
  sh "$base/os.sh" rollback gate
  deliver 120
  exit 1
}

mend
status=$(os_status) || status=
if [ -z "$status" ]; then
  trouble 'the deployments cannot be read after the boot'
  exit 1
fi
deliver 120
fallback
if [ "$(of '.booted.checksum == $s.good.checksum')" = true ]; then
  settle
  deliver 120
  exit 0
fi
# One that a power cut has ended: the deployment that was left is running again.
[ "$(of '$s.gate.checksum == .booted.checksum and $s.gate.back == "begun" and $s.pin.by != "owner"')" = false ] || go_back
change '.gate = ((if .gate.checksum == $checksum then .gate else {checksum: $checksum, boots: 0} end)
  | .boots += 1 | .result = "waiting" | .failing = [])' --arg checksum "$(of .booted.checksum)" || fail 'the state cannot be written'
if within_grace well; then green; else red; fi
deliver 120
[ "$(of '.booted.checksum == $s.good.checksum')" = true ]
