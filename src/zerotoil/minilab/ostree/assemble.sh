#!/bin/bash
# Makes of a tree: an ostree deployment on a bootable BIOS disk, and the same tree as a layer of a container image.
#   assemble.sh WORK OUT RELEASE
# WORK/tree is the tree, and is used up; what lies between is made beside it. OUT gets disk.qcow2, layer.tar.gz and
# layer.json (digest, diff_id and size of the layer). ostree itself runs from the tree, so this machine needs none.
set -euo pipefail
work=$1 out=$2 release=$3 here=$(dirname "$(readlink -f "$0")")
tree=$work/tree
kernel=$(ls "$tree/usr/lib/modules")
name=standin branch=standin/x86_64/ostree

inside() {   # a command of the tree's, with WORK at /sysroot: /sysroot/tree shows the tree without these mounts
  # shellcheck disable=SC2016  # the inner shell's own
  unshare --mount --propagation private -- bash -euc '
    tree=$1; shift
    mount --bind "$1" "$tree/sysroot"; shift
    mount --bind /dev "$tree/dev"
    mount -t proc proc "$tree/proc"
    exec chroot "$tree" "$@"' inside "$tree" "$work" "$@"
}

# --- The tree: kernel beside its modules, nothing in /var and /boot, state by links and systemd-tmpfiles.
rm -f "$tree/etc/hostname" "$tree/etc/resolv.conf" "$tree"/etc/{passwd,group,shadow,gshadow,subuid,subgid}- "$tree/etc/.pwd.lock"
echo uninitialized > "$tree/etc/machine-id"            # the first boot applies presets; Ignition's `enabled: true` is one
touch "$tree/etc/.updated"
mv "$tree/boot/vmlinuz-$kernel" "$tree/usr/lib/modules/$kernel/vmlinuz"
mv "$tree/boot/initrd.img-$kernel" "$tree/usr/lib/modules/$kernel/initramfs.img"
mkdir -p "$tree/usr/lib/sysimage"
mv "$tree/var/lib/dpkg" "$tree/usr/lib/sysimage/dpkg"
ln -s ../../usr/lib/sysimage/dpkg "$tree/var/lib/dpkg"
rm -rf "$tree/var/lib/apt" "$tree"/var/lib/systemd/deb-* "$tree"/var/cache/* "$tree"/var/log/* "$tree/var/lib/selinux"
mkdir -p "$tree/var/log/journal"
{
  # As rpm-ostree does for packages that bring folders in /var.
  echo '# Folders and links that the packages have in /var, which is empty in an ostree tree.'
  find "$tree/var" -mindepth 1 -type d -printf 'd "/var/%P" %#m %U %G -\n' -o -type l -printf 'L "/var/%P" - - - - %l\n'
  echo 'd /run/media 0755 root root -'
} > "$tree/usr/lib/tmpfiles.d/standin-var.conf"
for folder in boot dev proc run sys tmp var sysroot; do
  rm -rf "${tree:?}/$folder"
  mkdir "$tree/$folder"
done
chmod 1777 "$tree/tmp"
ln -s sysroot/ostree "$tree/ostree"
cp "$tree/usr/lib/grub/i386-pc/boot.img" "$work/"
inside grub-mkimage -O i386-pc -p '(hd0,gpt2)/grub' biosdisk part_gpt ext2 normal linux search search_label configfile test echo \
  loadenv sleep reboot > "$work/core.img"

# --- The layer. As in ostree's own container images /etc is at its usual place there, so that programs run in it.
mkdir -p "$out"
mkfifo "$work/plain"
sha256sum < "$work/plain" > "$work/diff_id" & counting=$!
# Neither xattrs nor file capabilities: the way through a registry would lose some of them, and give another commit.
tar -C "$tree" --sort=name --mtime=@0 --numeric-owner --format=gnu -cf - . | tee "$work/plain" | gzip -1 -n > "$out/layer.tar.gz"
wait "$counting"
rm "$work/plain"
digest=$(sha256sum < "$out/layer.tar.gz")
digest=${digest%% *}
diff_id=$(cut -d' ' -f1 "$work/diff_id")
printf '{"digest": "sha256:%s", "diff_id": "sha256:%s", "size": %s}\n' \
  "$digest" "$diff_id" "$(stat -c %s "$out/layer.tar.gz")" > "$out/layer.json"

# --- The deployment: the tree committed once as that layer (so that a client knows it), once as what is booted.
mv "$tree/etc" "$tree/usr/etc"
mkdir -p "$work/root/boot"
root=/sysroot/root
ostree() { inside ostree "$@"; }
repo() { ostree --repo=$root/ostree/repo "$@"; }
ostree admin init-fs --modern $root
ostree admin os-init --sysroot=$root $name
repo config set sysroot.readonly true
repo config set sysroot.bootloader none        # for the first deployment: no GRUB to call here
repo config set core.fsync false               # for this build
repo remote add --no-gpg-verify --no-sign-verify $name http://localhost/none $branch
commit() { repo commit --no-bindings --no-xattrs --timestamp=2026-08-02T00:00:00Z "$@"; }
commit --branch="ostree/container/blob/sha256_3A_$digest" --tree=dir=/sysroot/tree > "$work/commit"
deployed=$(commit --orphan --tree=ref="$(cat "$work/commit")" --bootable --add-metadata-string=version="$release")
repo refs --create="$name:$branch" "$deployed"
arguments=(root=LABEL=root rw console=tty0 "console=ttyS0,115200n8" 8250.nr_uarts=1 ignition.platform.id=qemu
  "\$ignition_firstboot" loglevel=4 panic=5 rd.shell=0 rd.emergency=reboot)   # GRUB fills in $ignition_firstboot
ostree admin deploy --sysroot=$root --os=$name "${arguments[@]/#/--karg-append=}" "$name:$branch"
repo config set sysroot.bootloader grub2
repo config unset core.fsync

boot=$work/boot
mv "$work/root/boot" "$boot"
mkdir "$work/root/boot" "$boot/grub"
version=$(readlink "$boot/loader" | tr -dc 01)
_OSTREE_GRUB2_BOOTVERSION=$version STANDIN_BOOT=$boot "$tree/usr/sbin/grub-mkconfig" -o "$boot/loader/grub.cfg"
cp "$here/grub.cfg" "$boot/grub/grub.cfg"
{ printf '# GRUB Environment Block\n'; head -c 999 /dev/zero | tr '\0' '#'; } > "$boot/grub/grubenv"   # 1024 bytes, as GRUB writes it
touch "$boot/ignition.firstboot"   # removed by ignition-firstboot-complete.service
"$here/../guest/disk.sh" 512M "$boot" "$work/root" "$work" "$out/disk.qcow2"
