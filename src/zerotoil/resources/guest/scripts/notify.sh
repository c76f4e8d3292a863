#!/bin/sh
# Tells the owner what happened.
#   notify.sh EVENT SUBJECT <TEXT    queue a message and try to deliver it at once; a dead sink is no error
#   notify.sh test [SUBJECT] <TEXT   send to every sink now: a line "ok SINK" or "failed SINK REASON" each, exit 1 if one failed
#   notify.sh failed UNIT            the message of a failed unit, for OnFailure=; UNIT may begin with an event and a colon
#   notify.sh flush                  deliver what waits
# A message is a file in the queue until every sink has taken it. It names those that have, so that none gets it twice,
# but for one that took it in the moment in which the power went. sinks.json holds the secrets: curl reads them from stdin.
set -u
umask 077
events='updated update-failed rolled-back missing unhealthy stale disk-filling snapshot-missing backup-failed expiring finished unchanged test'
root=${ZEROTOIL_ROOT:-}
here=$root/var/mnt/data/zerotoil
base=$here/notify
queue=$base/queue
sinks=$base/sinks.json
most=100                # messages that wait at most
old=$((7 * 24 * 3600))  # seconds after which a message that no sink takes is given up
refusals=3              # messages that a sink may refuse before it is left alone until the next time

say() { echo "notify: $*" >&2; }
is_event() { case " $events " in *" $1 "*) ;; *) return 1 ;; esac }
clock() {
  stamp=$(date +%s.%N)
  now=${stamp%.*}
}

keep() { # FILE TARGET: replace TARGET, whole or not at all whatever the power does
  draft=$(mktemp "$base/.draft.XXXXXX") || return 1
  # shellcheck disable=SC2015 # either failure ends here
  cat "$1" >"$draft" && sync "$draft" && mv "$draft" "$2" && sync "${2%/*}" && return 0
  rm -f "$draft"
  return 1
}

waiting() { # the messages of the queue, oldest first
  for file in "$queue"/[0-9]*.json; do
    [ -e "$file" ] && echo "$file"
  done
}

decide() { # EVENT SUBJECT, text in $work/text; sets $what $why $drop, writes $work/message and $work/state
  clock
  for file in "$base/state.json" "$queue/summary.json"; do
    cat "$file" >"$work/${file##*/}" 2>/dev/null # there may be none
  done
  jq -Rsr --arg event "$1" --arg subject "$2" --arg id "$stamp" --argjson now "$now" --argjson most "$most" \
    --argjson waiting "$(waiting | wc -l)" --slurpfile config "$base/config.json" --rawfile state "$work/state.json" \
    --rawfile summary "$work/summary.json" -f "$here/bin/notify.jq" "$work/text" >"$work/decision" || return 1
  { read -r what && read -r why && read -r drop; } <"$work/decision"
  sed -n 4p "$work/decision" >"$work/message"
  sed -n 5p "$work/decision" >"$work/state"
}

enqueue() { # EVENT SUBJECT, text in $work/text; the file is $message afterwards, if there is one
  message=
  exec 9>"$base/lock"
  flock -w 30 9 || say "another process holds $base/lock; going on"
  if decide "$1" "$2"; then
    case $what in
      send)
        waiting | head -n "$drop" | while read -r file; do rm -f "$file"; done
        message=$queue/$stamp.json
        keep "$work/message" "$message" || message=$work/message # the disk is full: it is sent now or never
        ;;
      hold) keep "$work/message" "$queue/summary.json" ;;
    esac
    keep "$work/state" "$base/state.json" || say "the state cannot be written"
    [ "$what" = send ] || say "$1 $2: $why"
  fi
  exec 9>&-
}

look_up() { # the sinks that are declared, and how each makes its body; the secrets stay where they are
  jq -r '.[] | "\(.id) \(.filter)"' "$sinks" >"$work/sinks" 2>/dev/null && return 0
  say "$sinks cannot be read; nothing is sent"
  return 1
}

post() { # SINK FILE: send one message to one sink; $said is what went wrong
  sed -n "s/^$1 //p" "$work/sinks" >"$work/filter"
  if ! jq -c -f "$work/filter" "$2" >"$work/body"; then
    said='no message could be made'
    return 1
  fi
  code=$(jq -r --arg id "$1" '.[] | select(.id == $id) | .curl' "$sinks" |
    curl -q --config - --data-binary "@$work/body" --output /dev/null --write-out '%{http_code}')
  case $?:$code in
    0:2??) return 0 ;;
    0:*) said="HTTP $code" && return 1 ;;
    5:* | 6:*) said='its name is not known' ;;
    7:*) said='nothing answers there' ;;
    28:*) said='no answer in time' ;;
    35:* | 51:* | 58:* | 60:* | 77:*) said='its certificate or TLS is not accepted' ;;
    *) said='the connection failed' ;;
  esac
  return 2
}

took() { # SINK FILE: note that the sink has it
  jq -c --arg id "$1" '.done += [$id]' "$2" >"$work/after"
  keep "$work/after" "$2" || say "$1 has ${2##*/}, which cannot be noted"
}

deliver() { # FILE: to every sink that has not taken it yet, but for those that are left alone ($work/dead)
  file=$1
  if ! todo=$(jq -nr --slurpfile sinks "$sinks" 'input | ($sinks[0] | map(.id)) - .done | .[]' "$file" 2>/dev/null); then
    say "${file##*/} cannot be read; it is removed"
    todo=
  fi
  left=
  # shellcheck disable=SC2086 # one word per sink
  set -- $todo
  while [ $# -gt 0 ]; do
    sink=$1
    shift
    grep -qxF "$sink" "$work/dead" && left=$left. && continue
    if post "$sink" "$file"; then
      [ -z "$left$*" ] || took "$sink" "$file" # else the file goes
      continue
    fi
    left=$left.
    say "$sink: $said"
    echo "$sink" >>"$work/refused"
    case $said in HTTP* | no\ message*) [ "$(grep -cxF "$sink" "$work/refused")" -ge "$refusals" ] || continue ;; esac
    echo "$sink" >>"$work/dead"
  done
  [ -n "$left" ] || rm -f "$file"
}

change() { # FILTER: the state, where there is one
  jq -c "$1" "$base/state.json" >"$work/state" 2>/dev/null && [ -s "$work/state" ] && keep "$work/state" "$base/state.json"
}

due() { # the summary becomes a message when the hour has room for it
  [ -e "$queue/summary.json" ] || return 0
  exec 9>"$base/lock"
  flock -w 30 9
  clock
  if [ "$(jq -ne input.not_before "$queue/summary.json" 2>/dev/null || echo 0)" -le "$now" ]; then
    mv "$queue/summary.json" "$queue/$stamp.json"
    change ".sent += [$now]"
  fi
  exec 9>&-
}

give_up() { # what no sink took for a week; the next message says how many
  clock
  waiting | while read -r file; do
    made=${file##*/}
    [ "${made%%.*}" -lt $((now - old)) ] && rm -f "$file" && echo .
  done >"$work/given-up"
  [ -s "$work/given-up" ] || return 0
  say "$(wc -l <"$work/given-up") messages are given up"
  change ".lost += $(wc -l <"$work/given-up")"
}

flush() { # [FILE]: deliver what waits, and FILE if it could not be put there
  : >"$work/dead"
  : >"$work/refused"
  look_up || return 0
  due
  give_up
  waiting | while read -r file; do deliver "$file"; done
  case ${1:-} in "$work"/*) deliver "$1" ;; esac
  find "$base" "$root/run" -maxdepth 1 \( -name '.draft.*' -o -name 'zerotoil-notify.*' \) -mmin +60 -exec rm -rf {} +
}

alone() { # one delivery at a time
  exec 8>"$base/delivery.lock"
  flock -w 120 8 || say 'another delivery takes long; going on'
}

try() { # SUBJECT: every sink now, one line each
  [ -s "$work/text" ] || echo 'A test: messages of this host arrive here.' >"$work/text"
  alone
  enqueue test "$1"
  [ -n "$message" ] && look_up || return 1
  bad=0
  while read -r sink _; do
    if post "$sink" "$message"; then
      echo "ok $sink"
    else
      bad=1
      echo "failed $sink $said"
    fi
  done <"$work/sinks"
  rm -f "$message"
  return $bad
}

failed() { # UNIT or EVENT:UNIT
  event=unhealthy
  unit=$1
  if is_event "${1%%:*}" && [ "${1#*:}" != "$1" ]; then
    event=${1%%:*}
    unit=${1#*:}
  fi
  {
    systemctl show --property=Result,ExecMainStatus "$unit" | tr '\n' ' '
    echo
    if [ -n "${MONITOR_INVOCATION_ID:-}" ]; then
      journalctl --quiet --no-pager --output=cat --lines=15 "_SYSTEMD_INVOCATION_ID=$MONITOR_INVOCATION_ID"
    else
      journalctl --quiet --no-pager --output=cat --lines=15 --unit="$unit"
    fi
  } >"$work/text" 2>&1
  tell "$event" "$unit"
}

tell() { # EVENT SUBJECT, text in $work/text
  enqueue "$1" "$2"
  [ -z "$message" ] && return
  alone
  flush "$message"
  [ -e "$message" ] && say "$1 $2: waits for a sink"
}

[ $# -ge 1 ] || { say 'which event?' && exit 64; }
if [ ! -e "$sinks" ] || [ ! -e "$base/config.json" ]; then
  say 'no sink is declared'
  exit 0
fi
mkdir -p "$queue" "$root/run"
work=$(mktemp -d "$root/run/zerotoil-notify.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
: >"$work/text"
case $1 in
  flush)
    alone
    flush
    # Nothing wakes the machine while nothing waits: the path unit starts the timer again.
    [ -n "$(ls "$queue")" ] || systemctl stop --no-block zerotoil-notify-flush.timer
    ;;
  failed)
    failed "${2:?which unit?}"
    exit 0
    ;;
  *)
    is_event "$1" || { say "$1 is no event; the events are $events" && exit 64; }
    [ -t 0 ] || head -c 65536 >"$work/text" 2>/dev/null
    if [ "$1" = test ]; then
      try "${2:-}"
    else
      tell "$1" "${2:-}"
      exit 0
    fi
    ;;
esac
