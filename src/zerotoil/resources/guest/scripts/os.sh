#!/bin/sh
# This host's OS: new deployments of the declared image, when it restarts into them, and the way back. What is declared and the state
# are on the OS disk (part-os-state.sh), and so is the copy of this script that units run; the one on the data disk brings it there.
#
#   os.sh install            after each boot and each deploy: scripts, units, signatures, Zincati
#   os.sh remove             takes them away
#   os.sh rebase             the declared image is staged where the OS is another one; exit code 1: to be tried again
#   os.sh update             asks for a newer image and stages it; with os_strategy immediate it restarts, too
#   os.sh reboot [--now]     restarts into what is staged, when it may
#   os.sh rollback gate|owner [--no-reboot]   back to the deployment before, which is held
#   os.sh pin / unpin [--forget]   nothing newer is taken; --forget: what was refused may come again
#   os.sh apply-live         what is staged, into the running system
#   os.sh packages           layers what is declared, on a stream
#   os.sh observe            what is there, as JSON
# What changes something ends with one line: ok, nothing new, staged WHAT, refused WHAT, pinned, waits WHY, rebooting or failed WHY.
# shellcheck disable=SC2034,SC2154 # its parts
set -u
umask 022
root=${ZEROTOIL_ROOT:-}
mark='# Installed by os.sh from the data disk.'
units='zerotoil-os-rebase.service zerotoil-os-update.service zerotoil-os-update.timer zerotoil-os-reboot.service zerotoil-os-reboot.timer
  zerotoil-os-health.service'
backend=$(jq -r '.backend // "rpm-ostree"' "$root/var/lib/zerotoil/os/declared.json" 2>/dev/null) || backend=rpm-ostree

look() { # sets $status and $reference; ends where the deployments cannot be read
  status=$(os_status 2>"$base/error") || status=
  [ -n "$status" ] || give_up "the deployments cannot be read: $(brief <"$base/error")"
  reference=$(declared '.reference // ""')
}

of() { # FILTER [ARGUMENT...]: of the deployments; the state is $s
  filter=$1
  shift
  say "$status" | jq -r --argjson s "$(known)" --arg reference "$reference" "$@" "$refused $called $filter"
}

end() { # WHAT: the last line
  say "$1"
  exit 0
}

give_up() { # WHY: it is told once, and tried again at the next run
  trouble "$1"
  end "failed $1"
}

take_lock() { # SECONDS
  lock "$1" || end 'waits another run of os.sh is at work'
  deliver 120
  settle_zincati
}

judged() { # is it known of the running deployment whether it is good?
  [ "$(of '$s.good.checksum == .booted.checksum or ($s.gate.checksum == .booted.checksum and $s.gate.result != "waiting")')" = true ]
}

drop_refused() { # a deployment that was bad once, and whatever is staged while nothing may be
  [ "$(of '(.staged | refused($s)) or (.staged != null and $s.pin != null)')" = true ] || return 1
  what=$(of '.staged | called')
  said=$(os_drop_staged 2>&1) || give_up "$what cannot be dropped: $(printf '%s' "$said" | brief)"
}

# --- restarts

waits() { # WHY: nothing stays taken hold of
  let_go >&2 || true
  end "waits $1"
}

may_now() { # sets $why
  [ "$forced" = no ] || return 0
  why=$(closed) || why='what is declared cannot be read'
  [ -z "$why" ]
}

restart() { # into what is staged. $forced: outside the window, too
  [ "$(of '.staged != null')" = true ] || end 'nothing is staged'
  ! drop_refused || end "refused $what"
  why=$(busy)
  [ -z "$why" ] || end "waits $why"
  if [ "$forced" = no ]; then
    judged || end 'waits the running deployment is not judged yet'
  fi
  if [ "$(declared '.fleet_lock // ""')" != "" ]; then
    change '.held.lock = true' || end 'failed the state cannot be written'
    said=$(fleet pre-reboot) || waits "$said"
  fi
  if [ "$(declared '.k3s // false')" = true ]; then
    change '.held.drained = true' || end 'failed the state cannot be written'
    said=$(drain 2>&1) || { trouble "the node cannot be drained: $(printf '%s' "$said" | brief)" && waits 'the node cannot be drained'; }
  fi
  may_now || waits "$why" # draining takes its time
  arm || waits 'the boot counter cannot be set'
  change '.gate = {checksum: $checksum, boots: 0, result: "waiting", failing: [], from: $boot}' \
    --arg checksum "$(of .staged.checksum)" --arg boot "$(boot_id)" ||
    waits 'the state cannot be written'
  systemd reboot >&2 || { disarm && change '.gate = null' && waits 'systemd does not restart this host'; }
  end rebooting
}

reboot() {
  forced=no
  [ "${1:-}" != --now ] || forced=yes
  may_now || end "waits $why" # first: it costs least, every ten minutes
  take_lock 0
  look
  [ "$(ask '.pin != null')" = false ] || { drop_refused || true; end pinned; }
  restart
}

rollback() { # WHO [--no-reboot]
  lock 7500 || end 'waits another run of os.sh is at work' # a download may take two hours
  look
  [ "$(of '.rollback != null')" = true ] || end 'failed there is no deployment to go back to'
  [ "$(of '.rollback | refused($s)')" = false ] || end 'failed the deployment before was bad here'
  [ "$1" = owner ] || [ "$(of '.rollback.checksum == $s.good.checksum')" = true ] ||
    end 'failed the deployment before is not the last one that was good'
  to=$(of .rollback.checksum)
  change "$tells $called $refused"' . as $s
    | (if $d.booted | refused($s) then . else .bad += [$d.booted | {checksum, digest, version, time: $now,
        why: (if $who == "owner" then "the owner went back" else $s.gate.failing | join("; ") end)}] end)
    | .pin = {by: $who, time: $now, digest: $d.rollback.digest}
    | if $who == "owner" then .good = null | .gate = null
      elif .gate.told then .
      else .gate.told = true | tell("rolled-back"; $d.booted | called; "\($d.booted | called) did not become healthy: \($s.gate.failing | join("; ")).\n"
        + "Back to \($d.rollback | called), which was good. Nothing newer is taken until: zerotoil os unpin \($host)") end' \
    --argjson d "$status" --arg who "$1" --arg host "$host" || end 'failed the state cannot be written: nothing was changed'
  if [ "$(of '.staged != null')" = true ]; then
    said=$(os_drop_staged 2>&1) || give_up "what is staged cannot be dropped, so there is no way back: $(printf '%s' "$said" | brief)"
  fi
  said=$(put_back "$to") || give_up "the way back to $(of '.rollback | called') fails: $said"
  change 'if .gate.back then .gate.back = "done" else . end'
  deliver 20
  [ "${2:-}" != --no-reboot ] || end ok
  systemd reboot >&2 || give_up 'systemd does not restart this host'
  end rebooting
}

pin() {
  change 'if .pin then . else .pin = {by: "owner", time: $now, digest: $digest} end' --arg digest "$(os_status | jq -r '.booted.digest // ""')" ||
    end 'failed the state cannot be written'
  take_lock 0
  look
  drop_refused || true
  end ok
}

unpin() { # what was bad is refused all the same, until it is forgotten
  change '.pin = null | if $forget == "--forget" then .bad = [] | .rollbacks = {} | .seen = null else . end' --arg forget "${1:-}" ||
    end 'failed the state cannot be written'
  settle_zincati
  end ok
}

# --- what is there

observe() {
  backend=$(jq -r '.backend // "rpm-ostree"' "$own/declared.json" 2>/dev/null) || backend=rpm-ostree
  program=false boots=false dog=false masked=false config=
  status='{"booted":null,"staged":null,"rollback":null,"packages":[]}'
  if os_program; then
    program=true
    found=$(os_status 2>/dev/null) && [ -n "$found" ] && status=$found
  fi
  ! counting || boots=true
  [ ! -e "$root/dev/watchdog" ] || [ ! -e "$watchdog" ] || dog=true
  [ "$(readlink "$system/zincati.service")" != /dev/null ] || masked=true
  [ ! -f "$zincati" ] || config=$zincati
  # shellcheck disable=SC2086
  systemd show --property=Id,ActiveState,UnitFileState,NRestarts $units | jq -Rsc --argjson d "$status" --argjson s "$(known)" --arg backend "$backend" \
    --arg in_etc "$(differing | tr '\n' ' ')" --argjson boots "$boots" --argjson dog "$dog" --argjson masked "$masked" \
    --argjson program "$program" --rawfile config "${config:-/dev/null}" --arg has "$config" '{
      $backend, reference: ($d.booted.image // null), booted: $d.booted, staged: $d.staged, rollback: $d.rollback, state: $s,
      in_etc: ($in_etc | split(" ") | map(select(. != ""))),
      units: (split("\n\n") | map(split("\n") | map(split("=") | select(length > 1) | {key: .[0], value: .[1]}) | from_entries
        | select(.Id) | {key: .Id, value: {ActiveState, UnitFileState, NRestarts}}) | from_entries),
      boot_counting: $boots, watchdog: $dog, zincati: {$masked, config: (if $has == "" then null else $config end)},
      packages: $d.packages, $program}'
}

forced=no
mend
verb=${1:-}
[ $# = 0 ] || shift
case $verb in
  install | remove | observe) "$verb" ;;
  rebase | update | reboot | pin | unpin | packages)
    [ -f "$base/declared.json" ] || fail 'OS updates are not set up on this host: zerotoil apply'
    "$verb" "$@"
    ;;
  apply-live)
    [ -f "$base/declared.json" ] || fail 'OS updates are not set up on this host: zerotoil apply'
    take_lock 0
    live
    ;;
  rollback)
    case ${1:-} in gate | owner) ;; *) fail 'rollback gate or rollback owner' ;; esac
    [ -f "$base/declared.json" ] || fail 'OS updates are not set up on this host: zerotoil apply'
    rollback "$@"
    ;;
  *) echo 'usage: os.sh install|remove|observe|rebase|update|reboot|rollback|pin|unpin|apply-live|packages' >&2 && exit 2 ;;
esac
