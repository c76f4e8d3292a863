#!/bin/bash
# Makes a bootable BIOS disk of a tree, without loop devices or mounts:   assemble.sh TREE WORK IMAGE.qcow2
# WORK is an empty folder for what lies between; TREE loses its /boot.
set -euo pipefail
tree=$1 work=$2 image=$3
here=$(dirname "$(readlink -f "$0")")
kernel=$(ls "$tree/usr/lib/modules")

# mmdebstrap's own cleaning comes after its hooks, so what it touches is settled here.
rm -f "$tree/etc/hostname" "$tree/etc/resolv.conf"
echo uninitialized > "$tree/etc/machine-id"            # the first boot applies presets; Ignition's `enabled: true` is one
touch "$tree/etc/.updated" "$tree/var/.updated"        # nothing to update after a fresh build

mkdir -p "$work/boot/grub"
mv "$tree/boot/vmlinuz-$kernel" "$tree/boot/initrd.img-$kernel" "$work/boot/"
rm -rf "${tree:?}/boot"
mkdir "$tree/boot"
touch "$work/boot/ignition.firstboot"   # removed by ignition-firstboot-complete.service
cat > "$work/boot/grub/grub.cfg" <<G
search --no-floppy --label boot --set=root
set ignition=""
if [ -f /ignition.firstboot ]; then set ignition="ignition.firstboot"; fi
linux /vmlinuz-$kernel root=LABEL=root rw console=tty0 console=ttyS0,115200n8 8250.nr_uarts=1 ignition.platform.id=qemu \$ignition security=selinux selinux=1 enforcing=0 loglevel=4
initrd /initrd.img-$kernel
boot
G
cp "$tree/usr/lib/grub/i386-pc/boot.img" "$work/"
chroot "$tree" grub-mkimage -O i386-pc -p '(hd0,gpt2)/grub' biosdisk part_gpt ext2 normal linux search search_label test > "$work/core.img"

"$here/disk.sh" 384M "$work/boot" "$tree" "$work" "$image"
