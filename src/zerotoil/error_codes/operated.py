"""What the codes of a running lab mean: guest, data volume, workflows, embedded lab. Texts only."""

from __future__ import annotations

from zerotoil.error_codes import Code

TEXTS: dict[Code, tuple[str, str, str]] = {
    Code.NO_ADDRESS: (
        "VM has no address",
        "Neither the inventory, nor DHCP, nor the hypervisor knows an address of the VM.",
        "See whether the VM runs, and whether DHCP answers on its network.",
    ),
    Code.SSH_REFUSED: (
        "SSH does not answer",
        "The VM runs, and nothing answers at its SSH port.",
        "Look at its console (virsh console); a firewall or another ssh_port?",
    ),
    Code.SSH_NOT_ACCEPTED: (
        "SSH login not accepted",
        "SSH answers, and does not take the user or the key.",
        "Check ssh_user, ssh_key and ssh_authorized_keys.",
    ),
    Code.HOST_KEY_CHANGED: (
        "another SSH host key than the pinned one",
        "The guest's key is kept on its data disk: that is not mounted, or somebody else answers.",
        "Look before you remove the pin in .zerotoil/known_hosts.",
    ),
    Code.BOOT_TIMEOUT: (
        "guest did not come up",
        "The VM was started, and SSH did not let us in within vm_boot_timeout.",
        "Look at its console: virsh console HOST.",
    ),
    Code.GUEST_SILENT: (
        "guest stopped answering",
        "A command was sent over SSH, and no answer came in time.",
        "Run again when the guest is up; is it overloaded?",
    ),
    Code.GUEST_COMMAND_FAILED: (
        "command in the guest failed",
        "ssh or a script in the guest failed, or answered something that cannot be read.",
        "zerotoil ssh HOST, and look there.",
    ),
    Code.CONTAINER_NOT_OURS: (
        "container is not ours",
        "A container of that name runs in the guest without our label. Nothing was touched.",
        "Remove or rename it.",
    ),
    Code.NOTIFY_NOT_THERE: (
        "host cannot notify yet",
        "The script that sends a host's messages is not in the guest.",
        "Run the deploy.",
    ),
    Code.SINK_NOT_FROM_GUEST: (
        "sink did not take a host's message",
        "The host sent a test message to a sink, and nothing answers there or it was refused.",
        "See whether the service runs and is reached from the host, and whether its numbers and tokens are right.",
    ),
    Code.APP_NOT_UP: (
        "app did not come up",
        "A container of the app stopped, keeps restarting or is unhealthy. Its data is untouched.",
        "The message has its last words; `journalctl -u zerotoil-app@NAME` and `docker logs` in the guest have the rest.",
    ),
    Code.NOTHING_HELD: (
        "nothing is held back",
        "The app has no image that was put back after an update.",
        "`zerotoil plan` shows what is held back, as a notice.",
    ),
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
        "/var/mnt/data is not mounted in the guest, so nothing is changed there.",
        "zerotoil ssh HOST -- systemctl status var-mnt-data.mount",
    ),
    Code.DATA_DIFFERS: (
        "guest has other data than recorded",
        "The filesystem at /var/mnt/data is not the declared or the recorded one. Nothing was changed.",
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
    Code.UNDO_WITH_PODMAN: (
        "undo with podman",
        "An undo holds the apps at the images that ran with the data, which it cannot do with podman's units yet.",
        "Look at the old data with zerotoil restore HOST SNAPSHOT --beside, and copy what you need.",
    ),
    Code.CLONE_NEEDED: (
        "another clone depends on it",
        "A volume that is to go has a snapshot of which another clone was made. Nothing was deleted.",
        "The message names that clone; remove it first, or leave both.",
    ),
    Code.NO_SUCH_VOLUME: (
        "no such volume of this host",
        "The NAS has no volume of that name, or it does not carry this host's mark. Nothing was deleted.",
        "Write the full name, such as tank/lab/HOST/data.",
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
    Code.CHANGE_NOT_MADE: (
        "change was accepted and not made",
        "A server said yes to a change, and read back it differs all the same.",
        "Look at the server's own log, then run again.",
    ),
    Code.NEEDS_ANOTHER_FIRST: (
        "something else comes first",
        "What this step stands on is not there yet: an earlier one failed or was left out.",
        "Run the whole deploy.",
    ),
    Code.ANOTHER_RUN: (
        "another run is at it",
        "Another process fetches or uploads the same image.",
        "Wait for it, then run again; look for a run that hangs.",
    ),
    Code.NOT_THERE_TO_ADOPT: (
        "not there to be adopted",
        "The VM, or something that serves it, does not exist; with vm_adopt nothing of the kind is made.",
        "Check its name; for a new VM take vm_adopt out.",
    ),
    Code.NOTHING_ADOPTED: (
        "nothing can be adopted",
        "zerotoil adopt found no VM that it can declare, and wrote no inventory.",
        "The reasons are above, one per VM.",
    ),
    Code.VM_UNFIT_TO_ADOPT: (
        "VM cannot be adopted",
        "The VM's disks, cards or name cannot be declared, or it is ours already.",
        "Change the VM, or leave it as it is.",
    ),
    Code.VOLUME_UNFIT_TO_ADOPT: (
        "volume cannot be adopted",
        "The target, extent or volume behind the VM's disk cannot be declared as one volume of one host.",
        "Change it on the NAS, or leave the VM as it is.",
    ),
    Code.REBUILD_OF_ADOPTED: (
        "adopted VM is not rebuilt",
        "The OS disk of an adopted VM was not made by zerotoil.",
        "zerotoil migrate HOST gives it one that is, and can go back.",
    ),
    Code.REBUILD_UNHEALTHY: (
        "new OS disk is not healthy",
        "The VM started from its new OS disk and did not become healthy within vm_boot_timeout. The old disk is kept.",
        "Look at its console: virsh console HOST.",
    ),
    Code.FLAGS_MISSING: (
        "answers are missing",
        "zerotoil init was run without a terminal and without all flags.",
        "Give the flags that are named, or run it in a terminal, which asks.",
    ),
    Code.NO_EARLIER_OS: (
        "no OS disk to go back to",
        "No OS disk that ran before is left in the pool together with its Ignition config.",
        "os_keep says how many old OS disks stay after a migration.",
    ),
    Code.MIGRATION_UNDONE: (
        "migration was undone",
        "The new OS disk did not come up healthy with the same data, so the VM runs from the one before again.",
        "The message says what failed. The data volume is as it was; a snapshot was taken before.",
    ),
    Code.MIGRATION_STUCK: (
        "migration stopped half-way",
        "The new OS disk is not healthy, and going back did not work either. Nothing was deleted.",
        "zerotoil migrate HOST --back goes on from there.",
    ),
    Code.DEFINITION_HAS_SECRET: (
        "definition of the VM holds a password",
        "The definition of an adopted VM is kept as text to go back to, and text holds no secret.",
        "virsh edit HOST, take passwd out of <graphics>, and migrate again.",
    ),
    Code.DESTROY_OF_ADOPTED: (
        "adopted VM is not destroyed",
        "The VM's disks were not made by zerotoil, which deletes only its own.",
        "Remove it by hand; the message has the commands.",
    ),
    Code.LAB_NEEDS_ROOT: ("embedded lab needs root", "It runs libvirt, ZFS and iSCSI of its own.", "Repeat with sudo."),
    Code.LAB_PART_MISSING: (
        "part of the embedded lab is missing",
        "A package, tool, module or disk space that the embedded lab needs is not there.",
        "The message names the command.",
    ),
    Code.LAB_STEP_FAILED: (
        "step of the embedded lab failed",
        "A command or daemon of the embedded lab failed or did not answer.",
        "zerotoil lab down, then up; the message has its words.",
    ),
    Code.LAB_STATE: (
        "something else is in the embedded lab's place",
        "A folder, pool, network or lock that the embedded lab would use belongs to something else.",
        "Set ZEROTOIL_LAB_STATE to another folder, or remove the other yourself.",
    ),
    Code.LAB_NO_SUCH_CHOICE: (
        "embedded lab does not know this",
        "A version or tool that the embedded lab was asked for does not exist.",
        "Choose one of those that are named.",
    ),
    Code.INTERNAL: (
        "defect of zerotoil",
        "Something happened that should not, whatever you declared.",
        "Run again with --debug and report what it prints.",
    ),
}
