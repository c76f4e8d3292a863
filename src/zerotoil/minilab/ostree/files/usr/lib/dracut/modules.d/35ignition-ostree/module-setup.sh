#!/bin/bash
# Ignition on ostree: ostree mounts /var in the real root only, and Ignition writes there in the initramfs.
# shellcheck disable=SC2154  # moddir, initdir and systemdsystemunitdir are dracut's
check() { return 255; }
depends() { echo ignition ostree; }
install() {
  local unit=ignition-ostree-mount-var.service wants=$initdir/$systemdsystemunitdir/ignition-complete.target.requires
  inst_multiple mkdir mount umount cat grep
  inst_script "$moddir/ignition-ostree-mount-var" /usr/sbin/ignition-ostree-mount-var
  inst_simple "$moddir/$unit" "$systemdsystemunitdir/$unit"
  mkdir -p "$wants"
  ln_r "../$unit" "$systemdsystemunitdir/ignition-complete.target.requires/$unit"
}
