#!/bin/bash
# Makes a bootable BIOS disk of 8 GiB without loop devices or mounts:   disk.sh BOOT_SIZE BOOT ROOT WORK IMAGE.qcow2
# The folders BOOT and ROOT become its filesystems; WORK holds GRUB's boot.img and core.img, and gets what lies between.
set -euo pipefail
boot_size=$1 boot=$2 root=$3 work=$4 image=$5

disk=$work/disk.raw
truncate -s 8G "$disk"
sgdisk -n1:2048:4095 -t1:ef02 -n2:4096:"+$boot_size" -t2:8300 -c2:boot -n3:0:0 -t3:8304 -c3:root "$disk" > /dev/null
first() { sgdisk -i"$1" "$disk" | awk '/First sector/{print $3}'; }
last() { sgdisk -i"$1" "$disk" | awk '/Last sector/{print $3}'; }
filesystem() {   # NUMBER LABEL FOLDER: ext4 in that partition, filled from the folder
  mke2fs -q -F -t ext4 -m 1 -L "$2" -d "$3" -O ^metadata_csum_seed,^orphan_file \
    -E "offset=$(($(first "$1") * 512)),lazy_itable_init=0,lazy_journal_init=0,nodiscard" \
    "$disk" "$((($(last "$1") - $(first "$1") + 1) / 2))k"
}
filesystem 2 boot "$boot"
filesystem 3 root "$root"

python3 - "$disk" "$work/boot.img" "$work/core.img" <<'P'
# GRUB's two stages, placed by hand: boot code in the MBR, core.img in the BIOS boot partition (sector 2048).
import struct, sys
from pathlib import Path
disk, boot, core = Path(sys.argv[1]), bytearray(Path(sys.argv[2]).read_bytes()), bytearray(Path(sys.argv[3]).read_bytes())
boot[0x5C:0x64] = struct.pack("<Q", 2048)       # where core.img starts
boot[0x66:0x68] = b"\x90\x90"                   # skip the floppy check
sectors = (len(core) - 512 + 511) // 512
core[0x1F4:0x1FC] = struct.pack("<Q", 2049)     # block list of the rest of core.img
core[0x1FC:0x1FE] = struct.pack("<H", sectors)
core[0x1FE:0x200] = struct.pack("<H", 0x820)
with disk.open("r+b") as image:
    image.write(boot[:440])
    image.seek(2048 * 512)
    image.write(core)
P
qemu-img convert -c -o compression_type=zstd -O qcow2 "$disk" "$image"
