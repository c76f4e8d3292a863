#!/bin/bash
# Turns a plain Debian tree into the stand-in for Fedora CoreOS. Runs as mmdebstrap's customize hook
# (so /proc, /sys and /dev are mounted in the tree):   customize.sh FILES IGNITION RELEASE TREE
# shellcheck disable=SC2016  # dpkg-query's and dracut's own variables
set -euo pipefail
files=$1 ignition=$2 release=$3 tree=$4
kernel=$(ls "$tree/usr/lib/modules")

cp -rT --preserve=mode "$files" "$tree"
chmod 0440 "$tree/etc/sudoers.d/standin"
chmod 0755 "$tree/usr/libexec/standin-growfs"
install -m755 "$ignition" "$tree/usr/lib/dracut/modules.d/30ignition/ignition"

# Accounts as Fedora CoreOS has them; Ignition creates `core` (base config 00-core.ign) at the first boot.
chroot "$tree" groupadd --system --force wheel
sed -i -e 's|^#* *HOME=.*|HOME=/var/home|' -e 's|^SHELL=.*|SHELL=/bin/bash|' "$tree/etc/default/useradd"

# Everything that may change lives in /var.
chmod 0700 "$tree/root"
for pair in home:home root:roothome opt:opt srv:srv mnt:mnt; do
  from=$tree/${pair%%:*} to=$tree/var/${pair##*:}
  mkdir -p "$to"
  cp -aT "$from" "$to"
  rm -rf "$from"
  ln -s "var/${pair##*:}" "$from"
done
mv "$tree/usr/local" "$tree/var/usrlocal"
ln -s ../var/usrlocal "$tree/usr/local"
rm -rf "${tree:?}/media" "$tree"/initrd.img* "$tree"/vmlinuz*
ln -s run/media "$tree/media"

# Fedora CoreOS has no Python; here it came with xfsprogs' scrubbing timer only.
chroot "$tree" dpkg-query -W -f '${Package}\n' '*python3*' | xargs chroot "$tree" dpkg --purge --force-depends

printf 'LABEL=root / ext4 defaults 0 0\nLABEL=boot /boot ext4 defaults,nofail 0 0\n' > "$tree/etc/fstab"
printf 'IMAGE_ID=zerotoil-standin\nIMAGE_VERSION=%s\nVARIANT="Stand-in for Fedora CoreOS"\n' "$release" >> "$tree/usr/lib/os-release"
rm -f "$tree"/etc/ssh/ssh_host_*
chroot "$tree" systemctl --quiet preset-all
chroot "$tree" systemctl --quiet mask systemd-firstboot.service selinux-autorelabel-mark.service \
  modprobe@drm.service modprobe@configfs.service sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount
mkdir -p "$tree/etc/systemd/system-generators"   # every program counts under emulation, at each daemon-reload too
for generator in gpt-auto hibernate-resume rc-local ssh sysv tpm2; do
  ln -s /dev/null "$tree/etc/systemd/system-generators/systemd-$generator-generator"
done
ln -s /dev/null "$tree/etc/systemd/system-generators/selinux-autorelabel-generator.sh"
printf 'blacklist ahci\n' > "$tree/etc/modprobe.d/standin.conf"   # q35's unused SATA ports: 2 s of probing

# Network is not needed in the initramfs: the config comes through fw_cfg.
sed -i -e 's/echo qemu systemd url-lib network/echo systemd/' \
  -e '/ignition-kargs-helper.sh/i inst_simple "$moddir/00-core.ign" /usr/lib/ignition/base.d/00-core.ign' \
  "$tree/usr/lib/dracut/modules.d/30ignition/module-setup.sh"
chroot "$tree" dracut --quiet --force --no-hostonly --reproducible --zstd \
  --modules "bash systemd systemd-initrd systemd-journald systemd-udevd systemd-tmpfiles systemd-modules-load \
             ignition kernel-modules rootfs-block fs-lib udev-rules usrmount base dracut-systemd shutdown" \
  --drivers "virtio_blk virtio_scsi virtio_pci sd_mod qemu_fw_cfg ext4 xfs" \
  --kver "$kernel" "/boot/initrd.img-$kernel"

chroot "$tree" setfiles -F -e /proc -e /sys -e /dev -e /run /etc/selinux/default/contexts/files/file_contexts /
