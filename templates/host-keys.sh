#!/bin/sh
# The SSH host key lives on the data disk, so that a swapped OS disk raises no alarm on the controller.
# Without the data disk the OS disk's own key is used, and the controller's pin says so.
set -eu
keys=/var/mnt/data/.zerotoil/ssh
name=ssh_host_ed25519_key
if ! mountpoint -q /var/mnt/data; then
  echo "the data disk is not mounted; keeping the host key of the OS disk" >&2
  exit 0
fi
if [ ! -s "$keys/$name" ]; then
  mkdir -p "$keys"
  chmod 0700 "$keys"
  rm -f "$keys/new" "$keys/new.pub"
  ssh-keygen -q -t ed25519 -N '' -C "$(cat /etc/hostname)" -f "$keys/new"
  sync
  mv "$keys/new.pub" "$keys/$name.pub"
  mv "$keys/new" "$keys/$name"
fi
install -m 0600 "$keys/$name" "/etc/ssh/$name.zerotoil"
ssh-keygen -y -f "/etc/ssh/$name.zerotoil" >"/etc/ssh/$name.pub"
mv "/etc/ssh/$name.zerotoil" "/etc/ssh/$name"
if command -v restorecon >/dev/null 2>&1; then
  restorecon "/etc/ssh/$name" "/etc/ssh/$name.pub"
fi
