#!/bin/sh
# Prints what is observed in a guest as one JSON object. Reads only. Few programs: each costs time in a small guest.
set -eu
work=$(mktemp -d /run/zerotoil-observe.XXXXXX)
trap 'rm -rf "$work"' EXIT
: >"$work/sums" && : >"$work/modes" && : >"$work/notes"
units=
mount=$(findmnt --json -o SOURCE,FSTYPE,LABEL,UUID --mountpoint /var/mnt/data) || mount=null
# What else is mounted right below /var/mnt, and what the OS means to mount there: without volumes beside the data, no program.
mounts=null
for folder in "${ZEROTOIL_MOUNTS:-/var/mnt}"/*/; do
  case $folder in */data/ | */restore/ | */\*/) ;; *) mounts=yes ;; esac
done
[ "$mounts" = null ] || mounts=$(findmnt --json --list --types ext4,xfs -o TARGET,SOURCE,FSTYPE,LABEL,UUID) || mounts=null
for unit in "${ZEROTOIL_SYSTEM:-/etc/systemd/system}"/var-mnt-*.mount; do
  [ ! -f "$unit" ] || printf '%s\n' "${unit##*/}"
done >"$work/mount_units"
if [ "$mount" != null ]; then
  cd "${ZEROTOIL_DATA:-/var/mnt/data}"
  for tree in zerotoil zerotoil/k3s zerotoil/tailscale zerotoil/os apps/*; do
    [ -f "$tree/.zerotoil/files" ] || continue
    sed "s|^[0-7]* [0-9a-f]* |$tree/|" "$tree/.zerotoil/files"
    case $tree in apps/*) echo "${tree#apps/}" >>"$work/apps" ;; esac
  done | tr '\n' '\0' >"$work/paths"
  if [ -s "$work/paths" ]; then # what was removed by hand is missing in both lists
    xargs -0 sha256sum <"$work/paths" >"$work/sums" 2>/dev/null || true
    xargs -0 stat -c '%a %n' <"$work/paths" >"$work/modes" 2>/dev/null || true
    grep -s '' zerotoil/.zerotoil/files zerotoil/*/.zerotoil/files apps/*/.zerotoil/files apps/*/.zerotoil/hashes \
      apps/*/.zerotoil/pins apps/*/.zerotoil/stopped zerotoil/.zerotoil/secret zerotoil/k3s/.zerotoil/secret \
      apps/*/.zerotoil/secret >"$work/notes" || true
  fi
  cd /
  [ ! -f "$work/apps" ] || units=$(sed 's/.*/zerotoil-app@&.service/' "$work/apps")
fi
# shellcheck disable=SC2086
systemctl show --property=Id,ActiveState,UnitFileState docker.service $units >"$work/units"
sed '/^$/q' "$work/units" >"$work/docker"
api() { # Docker's own API: the answer is that of `docker inspect`, and curl starts ten times as fast in a small guest
  curl --silent --show-error --fail --fail-early --max-time 60 --unix-socket /run/docker.sock "$1"
}
inspect() {
  api 'http://docker/containers/json?all=1' >"$work/list" || return 1
  ids=$(jq -r 'map(.Id) | join(",")' "$work/list")
  [ -z "$ids" ] || api "http://docker/containers/{$ids}/json"
}
: >"$work/containers"
if grep -q '^ActiveState=active' "$work/docker"; then
  inspect >"$work/containers" || inspect >"$work/containers" # one may vanish between the two questions
fi
echo '{}' >"$work/podman"
[ ! -f /var/mnt/data/zerotoil/bin/podman.sh ] || sh /var/mnt/data/zerotoil/bin/podman.sh observe >"$work/podman"
echo '{}' >"$work/k3s"
[ ! -f /var/mnt/data/zerotoil/k3s/k3s.sh ] || sh /var/mnt/data/zerotoil/k3s/k3s.sh observe >"$work/k3s"
echo '{}' >"$work/tailnet"
[ ! -f /var/mnt/data/zerotoil/tailscale/tailscale.sh ] || sh /var/mnt/data/zerotoil/tailscale/tailscale.sh observe >"$work/tailnet"
echo '{}' >"$work/os_updates"
[ ! -f /var/mnt/data/zerotoil/os/os.sh ] || sh /var/mnt/data/zerotoil/os/os.sh observe >"$work/os_updates"
notify=/var/lib/zerotoil/watchtower/notify-url
sha=
[ ! -f "$notify" ] || sha=$(sha256sum "$notify")
# shellcheck source=/dev/null
. /etc/os-release
read -r boot </proc/sys/kernel/random/boot_id
jq -s \
  --argjson mount "$mount" \
  --argjson mounts "$mounts" \
  --rawfile mount_units "$work/mount_units" \
  --rawfile units "$work/units" \
  --rawfile sums "$work/sums" \
  --rawfile modes "$work/modes" \
  --rawfile notes "$work/notes" \
  --slurpfile podman "$work/podman" \
  --slurpfile k3s "$work/k3s" \
  --slurpfile tailnet "$work/tailnet" \
  --slurpfile os_updates "$work/os_updates" \
  --arg notify_sha256 "${sha%% *}" \
  --arg os "${OSTREE_VERSION:-${IMAGE_VERSION:-$VERSION_ID}}" \
  --arg boot "$boot" '
  def filesystem: {source, type: .fstype, label: (.label // ""), uuid: (.uuid // "")};
  {
    data: (if $mount then $mount.filesystems[0] | filesystem else null end),
    mounts: (($mounts.filesystems // []) | map(select(.target | test("^/var/mnt/[^/]+$")) | {key: .target, value: filesystem})
      | from_entries),
    mount_units: ($mount_units | split("\n") | map(select(length > 0))),
    units: ($units | split("\n\n") | map(split("\n") | map(split("=") | select(length > 1) | {key: .[0], value: .[1]})
      | from_entries | select(.Id) | {key: .Id, value: {active: .ActiveState, enabled: .UnitFileState}}) | from_entries),
    containers: map(
      if .Name == "/watchtower" then .
      else {
        Name, Image,
        State: (.State | {Status, ExitCode, Health: .Health.Status}),
        HostConfig: {RestartPolicy: .HostConfig.RestartPolicy},
        Config: {Image: .Config.Image, Labels: .Config.Labels}
      } end),
    podman: $podman[0], k3s: $k3s[0], tailnet: $tailnet[0], os_updates: $os_updates[0], $sums, $modes, $notes, $notify_sha256, $os, $boot
  }' "$work/containers"
