#!/bin/bash
# What the plain guest's customize.sh makes of a Debian tree, and what ostree's root needs on top. mmdebstrap's customize
# hook (so /proc, /sys and /dev are mounted in the tree):   customize.sh FILES GUEST IGNITION RELEASE TREE
# FILES is this folder's files/, GUEST the plain guest's folder.
set -euo pipefail
files=$1 guest=$2 ignition=$3 release=$4 tree=$5

cp -rT --preserve=mode "$files" "$tree"   # before: presets, dracut's module and its configuration are read there
"$guest/customize.sh" "$guest/files" "$ignition" "$release" "$tree"

sed -i 's/^IMAGE_ID=.*/IMAGE_ID=zerotoil-standin-ostree/' "$tree/usr/lib/os-release"
printf 'OSTREE_VERSION=%s\n' "$release" >> "$tree/usr/lib/os-release"
printf 'LABEL=boot /boot ext4 defaults,nofail 0 0\n' > "$tree/etc/fstab"   # the root's comes from ostree
# With this file there, libostree rebuilds the policy at each deployment, and Debian's policy store is in /var.
rm -f "$tree/etc/selinux/config"
