#!/bin/sh
# Prints what is observed in a guest as one JSON object. Reads only.
set -eu
data=null
if mountpoint -q /var/mnt/data; then
  source=$(findmnt -n -o SOURCE --mountpoint /var/mnt/data)
  tag() { blkid -o value -s "$1" "$source" || true; }
  data=$(jq -n --arg source "$source" --arg type "$(tag TYPE)" --arg label "$(tag LABEL)" --arg uuid "$(tag UUID)" '$ARGS.named')
fi
containers='[]'
engine=$(systemctl is-active docker.service || true)
if [ "$engine" = active ]; then
  ids=$(docker ps --all --quiet --no-trunc --filter name='^/?watchtower$')
  [ -z "$ids" ] || containers=$(docker inspect "$ids")
fi
notify=/var/lib/zerotoil/watchtower/notify-url
sha=
[ ! -f "$notify" ] || sha=$(sha256sum "$notify" | cut -d' ' -f1)
# shellcheck source=/dev/null
jq -n \
  --argjson data "$data" \
  --arg docker_active "$engine" \
  --arg docker_enabled "$(systemctl is-enabled docker.service 2>/dev/null || true)" \
  --argjson containers "$containers" \
  --arg notify_sha256 "$sha" \
  --arg os "$(. /etc/os-release && echo "${OSTREE_VERSION:-${IMAGE_VERSION:-$VERSION_ID}}")" \
  --arg boot "$(cat /proc/sys/kernel/random/boot_id)" \
  '$ARGS.named'
