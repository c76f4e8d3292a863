"""The guide docs/guides/undo.md, written from a real walk through the embedded lab (number 1).

The end-to-end test makes the same walk and holds the pages against it. A real PostgreSQL loses a column to an update.
"""

import base64
import re

from tests.e2e.guide_plan_and_drift import HOST, block, in_guest
from tests.e2e.project import ZEROTOIL, Project, rows, still, wait_for

DB = """services:
  db:
    image: {image}
    restart: always
    volumes:
      - ./data:/data:Z
"""
AS_POSTGRES = "setpriv --reuid=postgres --regid=postgres --clear-groups"
PSQL = f"sudo docker exec -i notes-db-1 {AS_POSTGRES} sh -c '/usr/lib/postgresql/*/bin/psql -At'"
INVENTORY = ("-i", "inventory/lab.py", HOST)


def sql(statement: str) -> str:
    """What PostgreSQL answers, or why it does not."""
    text = base64.b64encode(statement.encode()).decode()
    return in_guest(f"echo {text} | base64 -d | {PSQL} 2>&1 || true").strip()


def constant(text: str) -> str:
    """The output with what differs from walk to walk replaced, sizes and names by time too."""
    text = re.sub(r"(manual|undo)-20[\d_-]+\d", r"\1-…", text)
    text = still(re.sub(r"(undone/notes)\.20[\d-]+\d", r"\1.…", text))
    text = re.sub(r"…, \d+ (minute|hour)s? ago", "…", text)
    return re.sub(r"\b\d+(\.\d+)? (B|KiB|MiB|GiB)\b", "…", text)


def top(story: str) -> str:
    """The two newest events of a timeline, its table in plain lines."""
    lines = [line for line in rows(story).splitlines() if line.startswith(("time", "…"))]
    return "\n".join(re.sub(r"\b[0-9a-f]{12}\b|\bnow\b", "…", constant(line)) for line in lines[:3])


def answers_with(wanted: str) -> None:
    wait_for(lambda: wanted in sql("SELECT * FROM notes"), seconds=240)


def undo_a_bad_update(project: Project) -> str:
    """Page 1: an update drops a column; data and version go back, and forth. What `--app` says was seen once, by hand."""
    image = f"{project.lab['registry']}/notes:17"
    project.push("notes:17", "1", "--postgres")
    project.declare(apps=["notes"])
    project.app("notes", DB.format(image=image))
    project.deploy()
    wait_for(lambda: sql("INSERT INTO notes (text) VALUES ('milk, bread')") == "INSERT 0 1", seconds=240)
    project.run(ZEROTOIL, "snapshot", *INVENTORY, "--note", "the night before")
    project.push("notes:17", "2", "--postgres")
    in_guest("sudo docker exec watchtower /watchtower --run-once")
    in_guest("sudo systemctl start zerotoil-reconcile.service")
    wait_for(lambda: sql("SELECT * FROM notes") == "1", seconds=240)
    broken = sql("SELECT text FROM notes")
    story = project.run(ZEROTOIL, "timeline", *INVENTORY)
    shown = project.run(ZEROTOIL, "undo", *INVENTORY, "--dry-run")
    undone = project.run(ZEROTOIL, "undo", *INVENTORY, "--yes")
    answers_with("1|milk, bread")
    held = project.plan(code=0)
    returned = project.run(ZEROTOIL, "undo", *INVENTORY, "--return", "--yes")
    wait_for(lambda: sql("SELECT * FROM notes") == "1", seconds=240)
    after = project.run(ZEROTOIL, "timeline", *INVENTORY)
    assert "went back" in after
    return UNDO.format(
        broken=block('docker exec … psql -c "SELECT text FROM notes"', broken),
        story=block(f"zerotoil timeline {HOST}", f"{top(story)}\n…"),
        shown=block(f"zerotoil undo {HOST} --dry-run", constant(shown)),
        undone=block(f"zerotoil undo {HOST} --yes", constant(undone)),
        held=block("zerotoil plan inventory/lab.py", constant(held)),
        returned=block(f"zerotoil undo {HOST} --return --yes", constant(returned)),
    )


UNDO = """# Roll back a bad update

An app's new release migrates its database and loses something. Going back to the old image is not enough, and going back to
old data alone is not either: the two belong together. `zerotoil undo` takes both back. The output here is real: the end-to-end
test takes the same steps on the embedded lab, with a real PostgreSQL, and compares.

{broken}

What happened?

{story}

## What would go back?

Without more words it is the newest snapshot with which other images ran than run now. `--to SNAPSHOT` and `--before TIME` say
another; `zerotoil snapshots` lists them.

{shown}

## Go back

{undone}

What it did: a snapshot of now. A clone of the old snapshot: it shares every block with it, so its size does not matter. The
apps were stopped, the data disk was unmounted in the guest and unplugged, the NAS serves the clone now, the disk was plugged
in and mounted again. No reboot. Only then did the apps start, at the images that ran when the snapshot was taken: the guest
writes those down before each snapshot, on the data disk itself.

Nothing is lost. Today's volume stays on the NAS under its name, with every snapshot. The volume that serves is written in ZFS
user properties of the declared one (`zerotoil:present`); deploys, snapshots and the timeline follow it.

The images stay where they are until you release them, so the updater does not break it again tonight. That is no drift:

{held}

## Return

{returned}

The volume that was replaced serves again, as it was. And once more `--return` goes forth again.

## One app only

`--app` takes back the folder and the images of one app. The snapshot is mounted beside the data for it, and the folder is
copied. What was there is kept on the data disk, in `/var/mnt/data/zerotoil/undone`. The test does not repeat this part; it was
seen once:

    $ zerotoil undo demo2 --app notes --yes
    demo2: /var/mnt/data/apps/notes goes back to manual-… (…, …)
      notes db: sha256:… -> sha256:…
    demo2: taking a snapshot of the present
    demo2: let the guest's links by UUID and label stay with the data disk
    demo2: clone tank1/lab/demo2/data-restore-undo-notes of tank1/lab/demo2/data@manual-…
    demo2: extent demo2-restore-undo-notes
    demo2: target demo2-restore-undo-notes
    demo2: mapping demo2-restore-undo-notes / demo2-restore-undo-notes
    demo2: disk zr-06e4166c94cd plugged into the running VM
    demo2: read-only mount at /var/mnt/restore/undo-notes
    demo2: copying the folder of notes from the snapshot
    demo2: putting it in place of today's and starting notes
    demo2: unmount /var/mnt/restore/undo-notes
    demo2: take the disk zr-06e4166c94cd out
    demo2: log out of the target (demo2-data-restore-undo-notes)
    demo2: delete mapping demo2-restore-undo-notes / demo2-restore-undo-notes
    demo2: delete target demo2-restore-undo-notes
    demo2: delete extent demo2-restore-undo-notes
    demo2: delete clone tank1/lab/demo2/data-restore-undo-notes and its snapshots
      notes db is held at 192.168.178.1:5443/notes@sha256:…
      what was there is kept as /var/mnt/data/zerotoil/undone/notes.…
      return: zerotoil undo demo2 --app notes --return
      follow the updates again: zerotoil release demo2 notes

## When it cannot

- A process that does not let go of the data disk is named, and the VM is shut down for the change instead. So it is where the
  hypervisor's kernel is logged in to the NAS (`data_attach = "block"`).
- Interrupted anywhere, `zerotoil undo HOST --continue` finishes it. Until then a deploy leaves the host alone, and no app
  starts, not even after a power cut. With `--app`, run the same command again.
- Where it cannot be made sure that no container starts by itself meanwhile (Docker does not answer, say), or what ran then
  cannot be read, no app is started and the command says so.
- An image that was built on the host is in no registry and cannot be held: that is said.
- With a snapshot of a time when the apps ran under Docker, a host that runs them with podman now is refused, and the other way
  round. All else is the same with podman.
"""
PAGES = {"undo.md": undo_a_bad_update}
