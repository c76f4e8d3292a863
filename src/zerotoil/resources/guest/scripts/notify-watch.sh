#!/bin/sh
# Tells when a filesystem fills up: more than 90 % of its space or of its inodes.
set -u
limit=90
notify=${ZEROTOIL_ROOT:-}/var/mnt/data/zerotoil/bin/notify.sh
df --output=target,pcent,ipcent,avail --human-readable /var/mnt/data /var | sed 1d | sort -u |
  while read -r target space inodes left; do
    for part in "space ${space%%%}" "inodes ${inodes%%%}"; do
      used=${part##* }
      case $used in *[!0-9]* | '') continue ;; esac
      [ "$used" -gt "$limit" ] || continue
      printf '%s %% of the %s of %s is used; %s are free.\nLook: sudo du -xhd1 %s | sort -h; docker system df\n' \
        "$used" "${part% *}" "$target" "$left" "$target" | /bin/sh "$notify" disk-filling "$target"
      break
    done
  done
