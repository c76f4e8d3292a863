#!/bin/sh
# What zerotoil costs a guest that has nothing to do: bench/guest_cost.sh [-i INVENTORY] HOST. Reads only; asserts nothing.
#   memory: of its units that run now, and the most that one of them ever took since it was loaded;
#   wake-ups: of its active timers within the next 24 hours, as an average of an hour; a timer of a boot counts nothing;
#   disk: the ledger and the queue of messages.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 [-i INVENTORY] HOST" >&2 && exit 2; }
"${ZEROTOIL:-$(dirname "$0")/../.venv/bin/zerotoil}" ssh "$@" -- sudo -n sh -s <<'GUEST'
set -eu
export LC_ALL=C TZ=UTC
systemctl show --property=Id,MemoryCurrent,MemoryPeak 'zerotoil-*' | awk -F= '
  $1 == "Id" { id = $2 }
  $2 !~ /^[0-9]+$/ || $2 > 2 ^ 62 { next } # of what does not run
  $1 == "MemoryCurrent" { now += $2 }
  $1 == "MemoryPeak" && $2 > peak { peak = $2; who = id }
  END { printf "memory now: %.1f MiB\nmost at any time: %.1f MiB (%s)\n", now / 2 ^ 20, peak / 2 ^ 20, who ? who : "nothing known" }'
until=$(date -d '+1 day' '+%Y-%m-%d %H:%M:%S')
for timer in $(systemctl list-units --type=timer --state=active --no-legend --plain 'zerotoil-*' | cut -d' ' -f1); do
  systemctl show --property=TimersCalendar "$timer" | sed -n 's/^TimersCalendar={ OnCalendar=\(.*\) ; next_elapse=.*/\1/p' |
    while read -r times; do systemd-analyze calendar --iterations=1441 "$times"; done |
    awk -v until="$until" -v timer="$timer" '
      /Next elapse:|Iteration #|Iter\. #/ && match($0, /[0-9]+-[0-9]+-[0-9]+ [0-9:]+/) { n += substr($0, RSTART, RLENGTH) <= until }
      END { print timer, n + 0 }'
done | awk '{ printf "%s: %d a day\n", $1, $2; n += $2 } END { printf "wake-ups: %.2f an hour\n", n / 24 }'
du -sh /var/mnt/data/zerotoil/ledger /var/mnt/data/zerotoil/notify 2>/dev/null || :
GUEST
