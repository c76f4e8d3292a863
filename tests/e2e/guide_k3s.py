"""The guide docs/guides/roll-a-cluster-back.md, written from the walk of test_runs_k3s through the embedded lab."""

from tests.e2e.guide_plan_and_drift import HOST, block
from tests.e2e.guide_time_machine import constant

PAGE = """# Roll a cluster back

An upgrade of k3s changes its datastore, and an older k3s cannot read what a newer one has written. The binary and the datastore
go back together, or not at all. Both lie on the node's data disk, so `zerotoil undo` takes them back as it does with
[any host](undo.md). The output here is real, but k3s is [a stand-in](../fidelity.md): a script that keeps a datastore, and
refuses one of a newer release as k3s does. No cluster that somebody needs was rolled back this way yet.

This is for a cluster with one server; for several, see below.

## What would go back?

The upgrade's Plan runs after the night's snapshot, and the ledger on the data disk says which release each snapshot
belongs to. Without more words it is the newest one with which another release ran.

{shown}

## Go back

{undone}

k3s was stopped, with its pods, before the disk was taken away. `/var/mnt/data/k3s` is now as it was that night: the datastore,
the certificates, the volumes of the pods. The binary in `/usr/local/bin` was replaced by the one that lies on that disk, before
k3s started.

    $ zerotoil ssh {host} -- sudo k3s kubectl get configmaps -o name
    {objects}

What came later is not lost: it is on the volume that was kept.

## Stay there

The Plan is still in the cluster, as it was at that time, and will upgrade it again in its next window. Before that, declare
the release that you want and deploy:

    "upgrades_version": "v1.36.3+k3s1",

## Return

{returned}

## Where an undo is more than you want

- **One release of a chart or an app**: `zerotoil k3s status` says what Keel asks; a declared image or a chart's `version` is
  enough, and a deploy. Data of one app alone: look at it [beside today's](restore.md) and copy it.
- **Only the datastore**: before each upgrade the Plan copies it to `/var/mnt/data/zerotoil/k3s/before-upgrade`. These copies
  are for the day on which you have nothing else.

## Several servers

One member of etcd that forgets what it has agreed to would break the others, so an undo of one of several servers is refused.
Before each upgrade of a server its Plan leaves a snapshot of etcd on the data disk, in
`/var/mnt/data/zerotoil/k3s/before-upgrade`, with the token and the release. From there the way is by hand, and by k3s's own
documentation (docs.k3s.io/cli/etcd-snapshot); it was not run:

1. A snapshot of each data volume: `zerotoil snapshot k3s1`, and so on. Take the Plans out of the way: `upgrades_enabled = False`,
   deploy.
2. Stop k3s on all servers: `sudo systemctl stop k3s`.
3. On each, put the binary of that release back; `/var/mnt/data/zerotoil/k3s/bin/previous` is the one before:
   `sudo cp /var/mnt/data/zerotoil/k3s/bin/previous /usr/local/bin/k3s`. Look at it: `/usr/local/bin/k3s --version`.
4. On the first: `sudo k3s server --cluster-reset --cluster-reset-restore-path=…/before-upgrade/…/FILE`, then
   `sudo systemctl start k3s`. It is a cluster of one now.
5. On the others: move `/var/lib/rancher/k3s/server/db` away, and `sudo systemctl start k3s`. They join anew.
6. `zerotoil k3s status k3s1`, then `zerotoil plan inventory/lab.py`: what was declared since then is drift now.
"""


def roll_a_cluster_back(shown: str, undone: str, objects: str, returned: str) -> str:
    """The page, from what was printed on the way."""
    return PAGE.format(
        host=HOST,
        shown=block(f"zerotoil undo {HOST} --dry-run", constant(shown)),
        undone=block(f"zerotoil undo {HOST} --yes", constant(undone)),
        objects=objects.strip().replace("\n", "\n    "),
        returned=block(f"zerotoil undo {HOST} --return --yes", constant(returned)),
    )
