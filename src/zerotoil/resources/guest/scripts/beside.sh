#!/bin/sh
# A snapshot's disk in the guest, beside the data: `ready`, `mount SERIAL FOLDER TYPE MODE PARTLABEL`, `unmount SERIAL FOLDER`,
# `list FOLDER`. Prints one line (list: one each): what came of it.
# The filesystem has the UUID and the label of the data disk, for it is the same one as it was. So it is only ever found by the
# serial of its disk, and `ready` lets the links by UUID, label and partition label stay with the data disk, also at a reboot.
set -u
action=$1
disks=${ZEROTOIL_DISKS:-/dev/disk/by-id}
rules=${ZEROTOIL_RULES:-/etc/udev/rules.d}/90-zerotoil-restore.rules
proc=${ZEROTOIL_PROC:-/proc}
seconds=30 # until udev has made the link of a disk that was plugged in
rule='SUBSYSTEM=="block", ENV{ID_SERIAL}=="zr-*", OPTIONS+="link_priority=-100"'

ready() {
  [ "$(cat "$rules" 2>/dev/null)" != "$rule" ] || { echo ready && return; }
  { mkdir -p "${rules%/*}" && echo "$rule" >"$rules.new" && mv "$rules.new" "$rules"; } || { echo "unready $rules" && return; }
  udevadm control --reload >/dev/null 2>&1 || { rm -f "$rules" && echo "unready udevadm" && return; }
  echo ready
}

number() { # major:minor of a device, as mountinfo has it
  numbers=$(stat -L -c '%t %T' "$1" 2>/dev/null) || return
  echo "$((0x${numbers% *})):$((0x${numbers#* }))"
}

mounted() { # prints "MAJOR:MINOR OPTIONS" of what is mounted at a folder, the topmost last
  while read -r _ _ device _ where options _; do
    [ "$where" != "$1" ] || found="$device $options"
  done <"$proc/self/mountinfo"
  [ -z "${found:-}" ] || echo "$found"
}

filesystem() { # the partition of a label, or the whole disk
  [ -n "$1" ] || { echo "$disks/virtio-$serial" && return; }
  for part in "$disks/virtio-$serial"-part*; do
    [ "$(blkid -p -o value -s PART_ENTRY_NAME "$part" 2>/dev/null)" != "$1" ] || { echo "$part" && return; }
  done
}

mount_it() {
  folder=$1 type=$2 mode=$3 partlabel=$4
  waited=0
  until device=$(filesystem "$partlabel") && [ -n "$device" ] && [ -e "$device" ]; do
    if [ "$waited" -ge "$seconds" ]; then
      if [ -n "$partlabel" ] && [ -e "$disks/virtio-$serial" ]; then echo nopart; else echo absent; fi
      return
    fi
    waited=$((waited + 1)) && sleep 1
  done
  there=$(mounted "$folder")
  if [ -n "$there" ]; then
    [ "${there%% *}" = "$(number "$device")" ] || { echo "taken" && return; }
    said=$(mount -o "remount,$mode" "$folder" 2>&1) || { echo "failed $said" && return; }
    echo mounted && return
  fi
  found=$(blkid -p -o value -s TYPE "$device" 2>/dev/null)
  [ "$found" = "$type" ] || { echo "other ${found:-nothing}" && return; }
  options=$mode,nosuid,nodev
  [ "$type" != xfs ] || options=$options,nouuid
  mkdir -p "$folder" || { echo "failed no folder $folder" && return; }
  if said=$(mount -t "$type" -o "$options" "$device" "$folder" 2>&1); then
    echo mounted
  else
    rmdir "$folder" 2>/dev/null
    echo "failed $said"
  fi
}

others() { # who has one of these devices mounted anywhere: a container with a mount of its own, or somebody who mounted it himself
  for device in "$disks/virtio-$serial" "$disks/virtio-$serial"-part*; do
    [ ! -e "$device" ] || holders "$(number "$device")"
  done
}

unmount_it() {
  folder=$1
  while [ -n "$(mounted "$folder")" ]; do # as often as it was mounted there
    if ! said=$(umount "$folder" 2>&1); then
      used=$(users "$folder" | named)
      echo "busy ${used:-$said}" && return
    fi
  done
  held=$(others | named)
  [ -z "$held" ] || { echo "busy $held" && return; }
  rmdir "$folder" 2>/dev/null
  echo unmounted
}

list() {
  while read -r _ _ _ _ where options _; do
    case $where in "$1"/*) echo "${where#"$1"/} ${options%%,*}" ;; esac
  done <"$proc/self/mountinfo"
}

case $action in
  ready) ready ;;
  mount) serial=$2 && mount_it "$3" "$4" "$5" "${6:-}" ;;
  unmount) serial=$2 && unmount_it "$3" ;;
  list) list "$2" ;;
esac
