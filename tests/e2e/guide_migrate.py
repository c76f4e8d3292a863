"""The guide docs/guides/migrate.md, written from a real walk through the embedded lab: to another image, back, and to one that
cannot boot.
"""

import re
import tempfile
from pathlib import Path

from tests.e2e.guide_plan_and_drift import HOST, block, in_guest
from tests.e2e.guide_time_machine import INVENTORY, constant
from tests.e2e.other_os import another_release, unbootable
from tests.e2e.project import ZEROTOIL, Project

DATA = "cat /var/mnt/data/keep"


def plain(output: str) -> str:
    """The output without what depends on the machine: progress, UUIDs, how an address was not reached."""
    lines = [line for line in constant(output).splitlines() if not re.search(r"\d+ of \d+ MiB", line)]
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", "\n".join(lines))
    return re.sub(r"SSH to [\d.]+ failed \([^)]*\)", "SSH to … failed (…)", text)


def swap_the_os(project: Project) -> str:
    """Page 2. The data is looked at after each change."""
    project.declare(vm_boot_timeout="5 minutes")
    project.deploy()
    in_guest("echo milk, bread | sudo tee /var/mnt/data/keep")
    with tempfile.TemporaryDirectory() as folder:
        other, broken = another_release(Path(folder)), unbootable(Path(folder))
        shown = project.run(ZEROTOIL, "migrate", *INVENTORY, *_options(other), "--dry-run")
        done = project.run(ZEROTOIL, "migrate", *INVENTORY, *_options(other), "--yes")
        assert in_guest(DATA) == "milk, bread\n"
        back = project.run(ZEROTOIL, "migrate", *INVENTORY, "--back", "--yes")
        assert in_guest(DATA) == "milk, bread\n"
        failed = project.run(ZEROTOIL, "migrate", *INVENTORY, *_options(broken), "--yes", codes=(1,))
        assert in_guest(DATA) == "milk, bread\n"
    return PAGE.format(
        shown=block(f"zerotoil migrate {HOST} --dry-run --os-image other-release.qcow2 --os-image-sha256 …", plain(shown)),
        done=block(f"zerotoil migrate {HOST} --os-image other-release.qcow2 --os-image-sha256 … --yes", plain(done)),
        broken=block(f"zerotoil migrate {HOST} --os-image broken.qcow2 --os-image-sha256 … --yes", plain(failed)),
        back=block(f"zerotoil migrate {HOST} --back --yes", plain(back)),
    )


def _options(image: list[str]) -> list[str]:
    path, sha256 = image
    return ["--os-image", path, "--os-image-sha256", sha256]


PAGE = """# Swap the OS and keep the data

A host's OS disk can be thrown away; its data is on another one. `zerotoil migrate` gives the VM another OS under the same data:
from one Fedora CoreOS stream or version to another, from an adopted VM with any OS to Fedora CoreOS, and back.

    zerotoil migrate matrix                                       # the image that is declared
    zerotoil migrate matrix --os-stream testing                   # the newest of this stream
    zerotoil migrate matrix --os-image fcos.qcow2 --os-image-sha256 …
    zerotoil migrate matrix --back                                # the OS disk before

or, as the same thing, with pyinfra:

    pyinfra inventory/lab.py deploys/migrate.py --limit matrix --data os_stream=testing
    pyinfra inventory/lab.py deploys/migrate.py --limit matrix --data back=yes

Without `--limit` that is every host, at the same time.

`--dry-run` checks all that can be checked without a change, and says what would happen. The output here is real: an end-to-end
test takes the same steps on the embedded lab and compares.

{shown}

Then the same without `--dry-run`:

{done}

An image that is asked for on the command line is not declared by that: write `os_stream` or `os_image` into the inventory when
you keep it. A host that runs from just this image and config already is left alone; `zerotoil rebuild` makes a fresh disk of it.

## What it does, in this order

| step | what happens |
|---|---|
| check | the volume was seen healthy and has the label that the new OS mounts; the guest has it mounted; the guard reads it |
| prepare | the image is fetched, verified and uploaded; the new OS disk and its config are made beside the old ones |
| note | into the VM's definition: where from, where to, and which services of the apps are well now |
| snapshot | of the data, with the filesystem frozen where the guest does that |
| shut down | gracefully. The plug is pulled only with `--force-off` |
| switch | the definition names the new OS disk. MAC, addresses, UUID and data disk stay; the SSH host key is on the data disk |
| start | the guard reads the data volume once more, then the VM starts |
| wait | until the guest answers with its data mounted, at most `vm_boot_timeout` |
| prove | the same filesystem by its UUID, Docker and Watchtower where they are declared, and every service that was well before |
| settle | the note goes; from here on nothing goes back by itself |
| clear | OS disks older than `os_keep` are deleted |

Everything up to the snapshot happens while the old OS runs: the downtime is a shutdown, a boot, and the look of the guard.

## When the new OS does not hold

From the shutdown on, whatever fails leads back: the new OS is shut down, the definition names the old OS disk and its config
again, and the VM is started and looked at. The command then fails with what went wrong, and with the name of the snapshot
(`ZT841`). If the new OS does not hear the power button, the plug is pulled only when it never had the data mounted, and that is
said. An OS that has the data mounted and will not shut down is left running (`ZT842`); mend it, then
`zerotoil migrate HOST --back`.

So it looks with an image that holds nothing to boot from:

{broken}

A run that is cut off (Ctrl-C, a crash, a dead network) leaves the note in the definition. Run `zerotoil migrate`
again and it goes on from there, or `--back` to call it off. `zerotoil migrate` goes by SSH itself; with pyinfra, a VM that runs
and does not answer stops the run before it begins, so use the command for that.

## Back

`--back` returns to the newest older OS disk that is still there with its config, by the same steps and proofs. The OS disk that
it leaves is kept too. What the newer OS wrote to the data disk stays: this swaps the OS, not the data.

{back}

## From an adopted VM

A VM that you adopted (`vm_adopt`) runs an OS that somebody installed. Let a deploy record its data disk first. Then

    zerotoil migrate matrix

puts an OS disk of zerotoil's into the place of the disk that the VM boots from. The old disk is not touched and stays where it
is, only no more part of the VM. The VM keeps its UUID, its cards, and source and login of its data disk; that disk gets the
declared serial, and virtio where it was on another bus, since the new OS finds it so. All other disks stay.

The whole old definition is kept in the new one (`virsh dumpxml`, `<zerotoil:former>`), so `--back` brings back exactly that VM,
also after several migrations. A definition that holds a VNC or SPICE password is refused (`ZT843`): it would become readable.

The guard must have read the volume: what cannot be read is refused. The filesystem has to carry the label that is declared
(`data_label`). Only apps of the inventory are carried over: containers that somebody started by hand are named, and stay behind.

## When it is refused

| said | code |
|---|---|
| the data volume was never seen healthy | `ZT512` |
| it is recorded under another label, or the guest has another filesystem mounted | `ZT511` |
| the VM is off (`zerotoil rebuild` takes it all the same) | `ZT328` |
| the guest did not shut down | `ZT322` |
| no such image or stream | `ZT601`, `ZT602`, `ZT603` |
| the pool on the hypervisor is too full | `ZT311` |
| there is no earlier OS disk | `ZT840` |

Nothing was changed then, and the old OS runs on. Each step was killed in turn on the embedded lab's real VM, on the way there and
while it was called off, and gone on with; the data's checksum was the same after it.
"""
PAGES = {"migrate.md": swap_the_os}
