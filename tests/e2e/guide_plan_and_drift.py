"""The guide docs/guides/plan-and-drift.md, written from a real walk through the embedded lab (number 1).

    python -m tests.e2e.guide_plan_and_drift      on a fresh, deployed lab 1: prints the page

The end-to-end test makes the same walk and holds the page against it, so the page cannot go stale.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LAB = {**os.environ, "ZEROTOIL_LAB_NUMBER": "1", "COLUMNS": "120"}
HOST, URI = "demo2", "qemu:///system"
NIGHTLY = {"minute": "0", "hour": "2", "dom": "*", "month": "*", "dow": "*", "begin": "00:00", "end": "23:59"}
EDIT = """
import json, sys
from zerotoil.clients.truenas import Nas
from zerotoil.minilab import layout
from zerotoil.model.secret import Secret
kind, change = sys.argv[1], json.loads(sys.argv[2])
key = Secret(source=f"file:{layout.NAS_KEY_FILE}")
nas = Nas.connect(f"wss://{layout.ADDRESS}:{layout.NAS_PORT}", layout.NAS_USER, key, ca=layout.CA_CERT)
if kind == "service":
    nas.write("service.update", "iscsitarget", change)
else:
    (entry,) = nas.query(kind)
    nas.write(f"{kind}.update", entry["id"], change)
"""


def run(*line: str, seconds: int = 900, codes: tuple[int, ...] = (0,), folder: Path = ROOT) -> str:
    """Run a command against lab 1; its output. Raises AssertionError for another exit code."""
    done = subprocess.run(line, cwd=folder, env=LAB, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    assert done.returncode in codes, f"{line}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def on_the_nas(kind: str, change: dict[str, object]) -> None:
    """Change the one object of a kind, as a person would in the NAS's own pages."""
    run(sys.executable, "-c", EDIT, kind, json.dumps(change), seconds=60)


def in_guest(command: str) -> str:
    """Run a command in the guest."""
    return run(str(BIN / "zerotoil"), "ssh", "-i", "inventory/demo.py", HOST, "--", command, seconds=120)


def virsh(*line: str) -> str:
    """Run virsh."""
    return run("virsh", "-c", URI, *line, seconds=60)


def break_it() -> Iterator[str]:
    """Change ten things by hand; says each."""
    on_the_nas("pool.snapshottask", {"schedule": {**NIGHTLY, "hour": "5"}, "lifetime_value": 3})
    yield "on the NAS, the snapshot task runs at 05:00 and keeps 3 days"
    on_the_nas("iscsi.extent", {"comment": "mine now"})
    yield "the extent has another comment"
    on_the_nas("iscsi.initiator", {"initiators": ["iqn.2026-01.lab.zerotoil:zerotoil-lab1", "iqn.2026-01.lab.zerotoil:stranger"]})
    yield "a stranger may log in to the target"
    on_the_nas("service", {"enable": False})
    yield "the iSCSI service does not start at boot"
    virsh("setmaxmem", HOST, "1G", "--config")
    yield "the VM's definition has 1 GiB of memory"
    virsh("setvcpus", HOST, "1", "--config")
    virsh("setvcpus", HOST, "1", "--config", "--maximum")
    yield "and one CPU"
    virsh("autostart", HOST, "--disable")
    yield "the VM does not start with the hypervisor"
    network = virsh("net-dumpxml", "zerotoil-lab1")
    reservation = re.search(r"<host mac='[^']+' name='demo2' ip='[^']+'/>", network)
    assert reservation, network
    virsh("net-update", "zerotoil-lab1", "delete", "ip-dhcp-host", reservation[0], "--live", "--config")
    yield "its DHCP reservation is gone"
    in_guest("sudo systemctl disable docker.service")
    yield "Docker does not start at boot"
    in_guest("sudo docker update --restart=no watchtower")
    yield "and Watchtower would stay down after a reboot"


def block(command: str, output: str) -> str:
    """A command and its output as the page shows them."""
    lines = [line.rstrip() for line in output.rstrip().splitlines()]
    return "\n".join([f"    $ {command}", *(f"    {line}".rstrip() for line in lines)])


def summary(output: str) -> str:
    """The closing summary of a deploy."""
    return output[output.index("--> What happened:") :]


def page() -> str:
    """Make the walk and write the page. Leaves the lab converged."""
    zerotoil = str(BIN / "zerotoil")
    clean = run(zerotoil, "plan", "inventory/demo.py")
    broken = "\n".join(f"- {what}" for what in break_it())
    plan = run(zerotoil, "plan", "inventory/demo.py", codes=(2,))
    applied = summary(run(zerotoil, "apply", "inventory/demo.py", "--yes"))
    after = run(zerotoil, "plan", "inventory/demo.py")
    more = run(zerotoil, "plan", "inventory/demo.py", "--data", "vm_memory=1536 MiB", "--data", "vm_cpus=1", codes=(2,))
    done = summary(run(zerotoil, "apply", "inventory/demo.py", "--data", "vm_cpus=1", "--yes"))
    run(zerotoil, "apply", "inventory/demo.py", "--yes")
    key = run(zerotoil, "plan", "inventory/demo.py", "--data", "ssh_user=operator", "--layer", "NAS")
    return PAGE.format(
        clean=block("zerotoil plan inventory/demo.py; echo $?", clean + "0"),
        broken=broken,
        plan=block("zerotoil plan inventory/demo.py; echo $?", plan + "2"),
        applied=block("zerotoil apply inventory/demo.py --yes", f"…\n{applied}"),
        after=block("zerotoil plan inventory/demo.py; echo $?", after + "0"),
        more=block("zerotoil plan inventory/demo.py --data vm_memory='1536 MiB' --data vm_cpus=1; echo $?", more + "2"),
        deferred=block("zerotoil apply inventory/demo.py --data vm_cpus=1 --yes", f"…\n{done}"),
        reprovision=block("zerotoil plan inventory/demo.py --layer NAS --data ssh_user=operator; echo $?", key + "0"),
    )


PAGE = """# Plan, drift, and what it does not touch

This page is a walk through the embedded lab. Its output is real: the end-to-end test makes the same walk and compares.
`demo2` is the demo's host in the tests' own lab.

A converged lab has nothing to change, and says so with exit code 0:

{clean}

Now ten things are changed by hand:

{broken}

The plan names each of them, and nothing else. Exit code 2 says that a deploy would change something:

{plan}

Read it from the left: host, layer, thing, field. What was found comes before the arrow, what is declared after it. *At the
next start* says that the VM runs on as it is: a deploy mends its definition and never restarts it.

`zerotoil apply` shows the same plan, asks once (here `--yes` answers), and is otherwise the same run as
`pyinfra inventory/demo.py deploys/full.py`:

{applied}

And all is as before:

{after}

## A change of your own

Change the inventory (or try it with `--data`, which wins over the inventory):

{more}

After a deploy the definition has it and the running VM does not: that is *deferred*, in the summary and in later plans.
`--data restart=now` makes a deploy restart the VM, gracefully.

{deferred}

## What is no drift

A changed Ignition config cannot be applied to a machine that has booted: it runs once. The plan says so, names the command,
and with `--verbose` shows the difference. No deploy acts on it, so the exit code stays 0:

{reprovision}

In the same way a newer image on the OS stream is *update available*. Fields that libvirt or TrueNAS add by themselves, and
what you added by hand (a sound card, another target), are no difference at all.

## What stops instead

A data volume that is gone although its VM ran with it is never made anew, empty. That host stops, and the plan says which
snapshots, clones or volumes with its mark exist. So does a volume or a VM of the declared name that is not ours.
"""

if __name__ == "__main__":
    print(page(), end="")
