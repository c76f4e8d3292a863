# shellcheck shell=sh
# What is remembered of the OS's updates: a file on the OS disk, replaced in one step, since an undo of the data must not bring back
# an older one and a power cut may come at any moment. A part of os.sh and health.sh, which say what $root is.
# shellcheck disable=SC2034,SC2154
own=$root/var/mnt/data/zerotoil/os # the tree on the data disk
system=$root/etc/systemd/system
base=$root/var/lib/zerotoil/os
data=$root/var/mnt/data
state=$base/state.json
nothing='{"checked":null,"updated":null,"good":null,"bad":[],"pin":null,"gate":null,"rollbacks":{},"problem":null,"tell":[]}'
host=$(uname -n)

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

say() { printf '%s\n' "$1"; } # not echo, which makes lines of what JSON has written as \n

now() { echo "${ZEROTOIL_NOW:-$(date +%s)}"; }

boot_id() { echo "${ZEROTOIL_BOOT:-$(cat /proc/sys/kernel/random/boot_id)}"; }

note() { # FILE: stdin, in one step
  cat >"$1.new" && sync "$1.new" && mv "$1.new" "$1" && sync "${1%/*}"
}

declared() { # FILTER: of what is declared, as the OS disk has it
  jq -r "$1" "$base/declared.json"
}

known() { # the state, as a line of JSON
  cat "$state" 2>/dev/null || say "$nothing"
}

mend() { # a state that no program can read counts as none, and is kept to be looked at
  jq -e '.bad and .tell and .rollbacks' "$state" >/dev/null 2>&1 || [ ! -e "$state" ] || mv "$state" "$state.broken"
}

ask() { # FILTER [ARGUMENT...]: of the state
  filter=$1
  shift
  known | jq -r "$@" "$filter"
}

change() { # FILTER [ARGUMENT...]: the state; nothing is written where it stays the same. $now is the time
  filter=$1
  shift
  mkdir -p "$base"
  (
    exec 7>"$base/state.lock"
    flock -w 60 7 || fail 'another process holds the state of the OS updates'
    before=$(known)
    after=$(printf '%s' "$before" | jq -c --argjson now "$(now)" "$@" "$filter | .bad |= .[-10:] | .tell |= .[-20:]") || exit 1
    if [ "$before" != "$after" ] || [ ! -e "$state" ]; then say "$after" | note "$state"; fi
  )
}

lock() { # SECONDS: one run changes deployments at a time
  mkdir -p "$base"
  exec 9>"$base/lock"
  flock -w "$1" 9
}

# jq: is this deployment one that is refused? A registry may call it otherwise than its deployment does: `names`.
refused='def refused($s): . as $d | ($d != null) and ([$s.bad[] | select((.checksum != "" and .checksum == $d.checksum) or
  (.digest != null and (.digest == $d.digest or ($s.names[.digest] // "") == $d.digest)))] | length > 0);'

# jq: how a deployment is called; images of one base may have the same version
called='def called: if . == null then "nothing" else "\(if .version == "" then "" else "\(.version) " end)(\(.digest // .checksum | ltrimstr("sha256:")[0:12]))" end;'

# --- what the owner is told

# In the same step as what it tells of. The same event of one subject is told once within a time, so the deployment is part of it.
tells='def tell($event; $of; $text): .tell += [{event: $event, subject: "OS \($of)", $text}];'

deliver() { # SECONDS: what waits, oldest first. Where the data disk is not mounted it waits on
  [ "$(ask '.tell | length')" != 0 ] || return 0
  mountpoint -q "$data" || return 0
  notify=$data/zerotoil/bin/notify.sh
  while message=$(ask '.tell[0] // empty | tojson') && [ -n "$message" ]; do
    say "$message" | jq -r '"\(.event) \(.subject): \(.text)"' >&2
    if [ -f "$notify" ]; then
      # Queued before it is sent: one that takes too long is sent later, by its own timer.
      say "$message" | jq -r .text | timeout -k 5 "$1" sh "$notify" "$(say "$message" | jq -r .event)" "$(say "$message" | jq -r .subject)" >&2
      case $? in 0 | 64 | 124 | 137) ;; *) return 0 ;; esac
    fi
    change '.tell |= map(select(. != $message))' --argjson message "$message" || return 0
  done
}

trouble() { # WHAT: the last check or download has failed; told once, until one succeeds
  change "$tells"'if .problem == null then
      .problem = {$what, since: $now} | tell("update-failed"; "update"; "\($what)\nIt is tried again. Look: zerotoil os status \($host)")
    else .problem.what = $what end' --arg what "$1" --arg host "$host"
  deliver 120
}

brief() { # stdin: its last words in one line
  tail -n 3 | tr -s '\n\t' '  ' | sed 's/^ *//; s/ *$//' | cut -c 1-400
}
