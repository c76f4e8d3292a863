# shellcheck shell=sh
# When this host may restart for its OS. A part of os.sh.
# shellcheck disable=SC2154

opens() { # DAY START: the window's beginning, in the declared zone; an hour that the clock leaves out begins as much after midnight
  TZ=$zone date -d "$1 $2" +%s 2>/dev/null || {
    midnight=$(TZ=$zone date -d "$1" +%s)
    hours=${2%:*} minutes_=${2#*:}
    echo $((midnight + ${hours#0} * 3600 + ${minutes_#0} * 60))
  }
}

in_windows() { # TIME ZONE OFFSET: reads windows, a line each: start, minutes, days with commas between, or - for every day
  zone=$2
  today=$(TZ=$zone date -d "@$1" +%Y-%m-%d)
  while read -r start minutes days; do
    [ -n "$start" ] || continue
    for back in 0 1; do # one that began yesterday may still be open
      day=$(date -u -d "$today -$back day" +%Y-%m-%d)
      case ,$days, in ,-, | *,"$(LC_ALL=C date -u -d "$day" +%a)",*) ;; *) continue ;; esac
      from=$(opens "$day" "$start")
      [ "$1" -lt $((from + $3)) ] || [ "$1" -ge $((from + minutes * 60)) ] || return 0
    done
  done
  return 1
}

closed() { # prints why this host may not restart now; nothing where it may
  strategy=$(declared .strategy) zone=$(declared '.timezone // "UTC"')
  windows=$(declared '.windows[]? | "\(.start) \(.minutes) \(.days // [] | if . == [] then "-" else join(",") end)"')
  case $strategy in
    immediate) return 0 ;;
    off) echo 'os_strategy is off' && return 0 ;;
    fleet-lock) [ -n "$windows" ] || return 0 ;;
  esac
  if [ "$zone" != UTC ] && [ ! -e "${ZEROTOIL_ZONES:-$root/usr/share/zoneinfo}/$zone" ]; then
    echo "this OS does not know the time zone $zone"
  elif ! printf '%s\n' "$windows" | in_windows "$(now)" "$zone" "$(declared '.offset // 0')"; then
    echo 'it is outside the window'
  fi
}

busy() { # prints who must not be disturbed; nothing where nobody is at work
  # Who was cut off does not take its note away: after two hours it says nothing any more.
  file=$(find "$root/run/zerotoil-busy" -type f -mmin -120 2>/dev/null | head -n 1)
  [ -z "$file" ] || { head -n 1 "$file" && return; }
  for folder in "$root/var/lib/zerotoil/swap" "$root/var/lib/zerotoil/swap.done"; do
    [ ! -d "$folder" ] || { echo 'an undo of the data disk is at work' && return; }
  done
  for file in "$data"/zerotoil/undone/.*.halted "$data"/zerotoil/undone/.*.containers "$data"/zerotoil/undone/.*.new \
    "$data"/zerotoil/undone/.*.back; do
    [ ! -e "$file" ] || { echo "an undo of the app $(basename "$file" | sed 's/^\.\(.*\)\.[a-z]*$/\1/') is at work" && return; }
  done
  if job=$(readlink "${ZEROTOIL_HELD:-$root/run/zerotoil-frozen}") && kill -0 "$job" 2>/dev/null; then
    echo 'a snapshot is being taken' && return
  fi
  ! awk '$5 ~ "^/var/mnt/restore" { found = 1 } END { exit !found }' "${ZEROTOIL_PROC:-/proc}/self/mountinfo" ||
    { echo 'a snapshot is mounted for a restore' && return; }
  units=$(systemd list-units --state=activating --plain --no-legend --full zerotoil-reconcile.service zerotoil-podman.service \
    podman-auto-update.service 'zerotoil-up-*.service' 'zerotoil-app@*.service' | cut -d' ' -f1 | head -n 1)
  [ -z "$units" ] || echo "$units is at work"
}
