"""What the codes of data mean: its volume, the guard in front of it, and going back. Texts only."""

from __future__ import annotations

from zerotoil.error_codes import Code

TEXTS: dict[Code, tuple[str, str, str]] = {
    Code.VOLUME_SHRINKS: (
        "volume would shrink",
        "data_size is less than the volume has; a volume is never shrunk.",
        "Declare at least what it has.",
    ),
    Code.VOLUME_DOES_NOT_FIT: (
        "volume does not fit the pool",
        "The pool has no room for data_size; TrueNAS refuses more than 80 % of what is free.",
        "Declare less, or free space on the NAS.",
    ),
    Code.VOLUME_GONE: (
        "volume is gone",
        "A VM ran with the volume, or an extent still serves it, and it does not exist any more. No empty one is made.",
        "Bring it back on the NAS under its name: the message says where remains were found.",
    ),
    Code.VOLUME_NOT_OURS: (
        "volume is not ours",
        "A volume of that name exists without this host's mark. Nothing was touched.",
        "Declare another nas_dataset or lab_name, or adopt it (docs/guides/adopt.md).",
    ),
    Code.VOLUME_USED_TWICE: (
        "volume is used by another",
        "Another extent, target or VM already has the volume; two writers destroy it. Nothing was touched.",
        "Remove the other one, or mend the host's name.",
    ),
    Code.VM_READS_OTHER_VOLUME: (
        "adopted VM reads another volume",
        "The VM's iSCSI disk is another than the inventory declares. Nothing was touched.",
        "Declare iscsi_target and iscsi_lun as they are.",
    ),
    Code.MARK_NOT_KEPT: (
        "NAS did not keep the mark",
        "The record of the data volume was written to its user properties and is not there when read back.",
        "Look at them on the NAS: zfs get all VOLUME.",
    ),
    Code.DATA_NOT_MOUNTED: (
        "data disk is not mounted",
        "/var/mnt/data, or the place of another volume, is not mounted in the guest, so nothing is changed there.",
        "zerotoil ssh HOST -- systemctl status var-mnt-data.mount; for an OS older than the volume: zerotoil rebuild HOST",
    ),
    Code.DATA_DIFFERS: (
        "guest has other data than recorded",
        "The filesystem of a volume is not the declared or the recorded one. Nothing was changed.",
        "Look which disk is attached; declare what is there.",
    ),
    Code.NEVER_HEALTHY: (
        "data volume was never seen healthy",
        "No healthy guest was ever seen with the volume mounted, so a rebuild could not prove it afterwards.",
        "Run the deploy until it is, then rebuild.",
    ),
    Code.GUARD_NO_MARK: (
        "guard: volume without our mark",
        "A first boot was stopped: the volume is not marked as this host's. Nothing was written.",
        "Declare another volume, or adopt this one (docs/guides/adopt.md).",
    ),
    Code.GUARD_UNREADABLE: (
        "guard: volume cannot be read",
        "A first boot was stopped: what is on the volume cannot be known, and it may hold data. Nothing was written.",
        "Make it readable on the hypervisor (qemu-utils, qemu-block-extra or open-iscsi), then run again.",
    ),
    Code.GUARD_FOREIGN_FILESYSTEM: (
        "guard: foreign filesystem",
        "A first boot was stopped: the filesystem is another than declared or recorded. Nothing was written.",
        "Declare what is there; is it another volume?",
    ),
    Code.GUARD_PARTITION_TABLE: (
        "guard: partition table",
        "A first boot was stopped: the volume has a partition table and Ignition could reformat it. Nothing was written.",
        "Look at it before you go on; data_partlabel declares a partition that you made.",
    ),
    Code.GUARD_OTHER_CONTENT: (
        "guard: other content",
        "A first boot was stopped: the volume holds something that is no filesystem of ours. Nothing was written.",
        "Look at it before you go on.",
    ),
    Code.GUARD_EMPTY_NOW: (
        "guard: volume is empty now",
        "A first boot was stopped: the volume held data, and nothing is found on it. Nothing was written.",
        "Restore a snapshot first.",
    ),
    Code.GUARD_PARTITION: (
        "guard: partition is not as expected",
        "data_partlabel is set, and the partition is not there, was never seen mounted, or holds something else.",
        "zerotoil never partitions: make it by hand, or take data_partlabel out.",
    ),
    Code.DISK_NOT_ATTACHED: (
        "disk not attached as expected",
        "The running VM has no disk of that serial, or another one under it. Nothing was changed on a disk.",
        "Look at virsh domblklist HOST --details; a restart of the VM attaches what is declared.",
    ),
    Code.DISK_NOT_RELEASED: (
        "guest keeps the disk",
        "The hypervisor asked the guest to give a disk up, and the guest did not. The disk is still attached.",
        "See what uses it (zerotoil ssh HOST -- findmnt), then run again.",
    ),
    Code.NO_SUCH_SNAPSHOT: (
        "no such snapshot",
        "The data volume has no snapshot of that name or time.",
        "zerotoil snapshots HOST lists them.",
    ),
    Code.CLONE_DIFFERS: (
        "clone of another snapshot",
        "Something of the wanted name exists on the NAS and is not a clone of the wanted snapshot. It was not touched.",
        "Choose another name, or look at it on the NAS.",
    ),
    Code.NO_SUCH_RESTORE: (
        "no such restore",
        "Nothing of that name is attached beside the host's data.",
        "zerotoil restore HOST --list shows what is there.",
    ),
    Code.DATA_IN_USE: (
        "data disk in use",
        "Something in the guest keeps a mounted disk busy, so that it cannot be unmounted. Nothing was taken away.",
        "The message names the processes; stop them, then run again.",
    ),
    Code.SWAP_UNFINISHED: (
        "undo interrupted",
        "A host's data was being swapped for another volume and the run ended half-way. Both volumes are whole.",
        "zerotoil undo HOST --continue finishes it; until then the deploy leaves the host alone.",
    ),
    Code.NOTHING_TO_UNDO: (
        "nothing to undo, or to return from",
        "The host's data is as it would be afterwards.",
        "zerotoil timeline HOST tells what happened.",
    ),
    Code.UNDO_UNHEALTHY: (
        "app not healthy after an undo",
        "The data and the image went back, and an app does not come up with them. The present is kept.",
        "Go back with zerotoil undo HOST --return, or further with another snapshot.",
    ),
    Code.UNDO_OTHER_ENGINE: (
        "undo to a time of the other engine",
        "With that snapshot the apps ran under Docker and run under podman now, or the other way. Nothing was touched.",
        "Look at the old data with zerotoil restore HOST SNAPSHOT --beside, and copy what you need.",
    ),
    Code.CLONE_NEEDED: (
        "another clone depends on it",
        "A volume that is to go has a snapshot of which another clone was made. Nothing was deleted.",
        "The message names that clone; remove it first, or leave both.",
    ),
    Code.UNDO_OF_A_MEMBER: (
        "one member of a cluster cannot go back alone",
        "The servers of a k3s cluster share one datastore, etcd. One that forgets what it has agreed to breaks it for all.",
        "Restore the whole cluster from a snapshot of etcd: https://docs.k3s.io/cli/etcd-snapshot.",
    ),
    Code.NO_SUCH_VOLUME: (
        "no such volume of this host",
        "There is no volume of that name, or it does not carry this host's mark. Nothing was changed.",
        "Write the full name, such as tank/lab/HOST/data; with --volume, its name in data_more.",
    ),
    Code.VOLUME_ATTACHED: (
        "volume is still attached",
        "A VM is defined with the volume, or an initiator is logged in to its target. Nothing was deleted.",
        "zerotoil destroy HOST first, or log out what uses it.",
    ),
    Code.VOLUME_HAS_CLONES: (
        "clones depend on the volume",
        "Clones were made from snapshots of the volume; they would lose their origin. Nothing was deleted.",
        "Drop the clones that are named first.",
    ),
}
