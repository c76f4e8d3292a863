"""The guide docs/guides/restore.md, written from a real walk through the embedded lab."""

import json
import re

from tests.e2e.guide_plan_and_drift import HOST, block, in_guest
from tests.e2e.guide_time_machine import INVENTORY, constant
from tests.e2e.project import ZEROTOIL, Project, rows


def plain(output: str) -> str:
    """The output without the disk's serial, which is made from the lab's name."""
    return re.sub(r"\bzr-[0-9a-f]{12}\b", "zr-…", constant(output))


def yesterdays_data_beside_todays(project: Project) -> str:
    """Page 3: what is of before is looked at, nothing else changes."""
    project.declare()
    project.deploy()
    in_guest("echo before | sudo tee /var/mnt/data/note")
    project.run(ZEROTOIL, "snapshot", *INVENTORY)
    in_guest("echo today | sudo tee /var/mnt/data/note")
    links = "ls -l /dev/disk/by-label/data /dev/disk/by-uuid | grep vdb"
    before = in_guest(links)
    mounted = project.run(ZEROTOIL, "restore", *INVENTORY, "latest", "--beside", "--as", "before")
    assert in_guest("sudo cat /var/mnt/restore/before/note /var/mnt/data/note") == "before\ntoday\n"
    assert in_guest("sudo touch /var/mnt/restore/before/x 2>/dev/null || echo read-only") == "read-only\n"
    assert in_guest(links) == before, "the data disk keeps its links: both filesystems have one UUID and label"
    (one,) = json.loads(project.run(ZEROTOIL, "restore", *INVENTORY, "--list", "--json"))["restores"]
    assert (one["name"], one["mount"], one["lacks"]) == ("before", "ro", [])
    project.plan(code=0)
    listed = project.run(ZEROTOIL, "restore", *INVENTORY, "--list")
    dropped = project.run(ZEROTOIL, "restore", *INVENTORY, "--drop", "before")
    assert json.loads(project.run(ZEROTOIL, "restore", *INVENTORY, "--list", "--json"))["restores"] == []
    assert in_guest("cat /var/mnt/data/note; test -e /dev/vdc || echo gone") == "today\ngone\n"
    return PAGE.format(
        mounted=block(f"zerotoil restore {HOST} latest --beside --as before", plain(mounted)),
        listed=block(f"zerotoil restore {HOST} --list", plain(rows(listed))),
        dropped=block(f"zerotoil restore {HOST} --drop before", plain(dropped)),
    )


PAGE = """# Look at yesterday's data beside today's

A snapshot of a host's data can be looked at while the host runs: a clone of it is plugged into the running VM as a disk of its
own and mounted at `/var/mnt/restore/NAME`. Nothing is stopped, nothing is rolled back, and the data itself is not touched. A
clone shares all blocks with the snapshot, so this takes as long for a terabyte as for a megabyte, and no space until something
is written.

## Mount it

{mounted}

`latest` is the newest snapshot; otherwise write the name that `zerotoil snapshots matrix` lists. Without `--as` it is called
like the snapshot. `--dry-run` says what would be made.

It is mounted read-only. Copy what you need:

    zerotoil ssh matrix -- sudo cp -a /var/mnt/restore/before/apps/wiki/pages /var/mnt/data/apps/wiki/

For an app that only starts on a disk it can write to (a database, say), add `--writable`. What is written there is on the clone
alone, and goes with it.

The VM must run, and its guest must answer. A VM that was made by hand needs a free PCIe port (VMs of zerotoil have four).

## See what is there

{listed}

It shows every one with its snapshot, its age, what is written on it, and where it is mounted. `left behind` is what an
interrupted run began, or a restart of the VM unplugged; under the table are the commands that finish it or take it apart.
`--json` gives the same to programs. Exit code 1: the hypervisor or the guest could not be looked at, the rest is shown.

## Take it apart

{dropped}

It unmounts it, takes the disk out, and removes mapping, target, extent and clone, in this order. The snapshot stays. When
something in the guest still uses it, the processes are named and nothing is taken apart.

Only a clone that bears this restore's own marks (`zerotoil:owner` and `zerotoil:restore`, ZFS user properties of the clone
itself) is ever deleted. It is refused when it is no clone of the host's data, when the host runs with it, when something else
is served from it, or when another clone was made of it. The NAS's user needs the roles `DATASET_DELETE` and `SNAPSHOT_DELETE`
for this: a recursive snapshot task takes snapshots of the clone too, which go with it.

## When something fails half-way

Run the same command again: it goes on where the other one ended. Or drop it: what there is goes. A snapshot that holds no
filesystem of the declared kind (it may be older than the filesystem) is taken apart at once.

## What is made for it

| where | what | why so |
|---|---|---|
| NAS | clone `VOLUME-restore-NAME` | without a mark of a data volume, so that no deploy takes it for one |
| NAS | extent, target and mapping `…-restore-NAME` | a LUN added to the host's own target would restart that one's connections |
| hypervisor | a disk of the running VM | it is not in the VM's definition: after the next start it is gone |
| hypervisor, `data_attach = "block"` | an iSCSI pool | it logs in; it is not started with the hypervisor |
| guest | `/etc/udev/rules.d/90-zerotoil-restore.rules`, which stays | see below |

The filesystem has the UUID and the label of your data disk, because it is that filesystem as it was. It is mounted by the
serial of its disk, and xfs is told that the UUID may be there twice. The udev rule gives such a disk the last place wherever
two disks claim one link in `/dev/disk/by-uuid`, `by-label` or `by-partlabel`: a guest that restarts still mounts your data at
`/var/mnt/data`. And what is mounted anywhere else than at its own place is never dropped.
"""
PAGES = {"restore.md": yesterdays_data_beside_todays}
