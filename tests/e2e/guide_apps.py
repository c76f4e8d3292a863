"""The guides on apps, written from a real walk through the embedded lab (number 1).

    python -m tests.e2e.guide_apps FOLDER      on a deployed lab 1: writes the pages into FOLDER

The end-to-end test makes the same walk and holds the pages against it, so they cannot go stale. Digests, times and ids are
replaced by fixed ones.
"""

import sys
from pathlib import Path

from tests.e2e.guide_plan_and_drift import HOST, block, in_guest, summary
from tests.e2e.project import WEB, ZEROTOIL, Project, rows, still, wait_for
from zerotoil.render.notify_webhooks import SERVICES


def add_an_app(project: Project) -> str:
    """Page 1: an app is added, looked at, broken by hand and mended."""
    image = f"{project.lab['registry']}/web:1"
    project.push("web:1", "1")
    project.declare(apps=["web"])
    project.app("web", WEB.format(updates="auto", image=image))
    check = project.run(ZEROTOIL, "check", "inventory/lab.py")
    plan = project.run(ZEROTOIL, "plan", "inventory/lab.py", "--layer", "apps", codes=(2,))
    applied = summary(project.deploy())
    assert project.answers() == "1"
    again = project.plan(code=0)
    in_guest("sudo docker rm --force web-web-1 && sudo sed -i s/8080:8080/8081:8080/ /var/mnt/data/apps/web/compose.yaml")
    drift = project.plan()
    mended = summary(project.deploy())
    assert project.answers() == "1"
    project.app("web", WEB.format(updates="auto", image=image).replace(":Z", "").replace("8080:8080", "99999:8080"))
    wrong = project.run(ZEROTOIL, "check", "inventory/lab.py", codes=(1,))
    project.app("web", WEB.format(updates="auto", image=image))
    return ADD.format(
        compose=indented(WEB.format(updates="auto", image=image)),
        check=block("zerotoil check inventory/lab.py", check),
        plan=block("zerotoil plan inventory/lab.py --layer apps; echo $?", plan + "2"),
        applied=block("pyinfra -y inventory/lab.py deploys/full.py", f"…\n{applied}"),
        again=block("zerotoil plan inventory/lab.py; echo $?", again + "0"),
        drift=block("zerotoil plan inventory/lab.py; echo $?", drift + "2"),
        mended=block("pyinfra -y inventory/lab.py deploys/full.py", f"…\n{mended}"),
        wrong=block("zerotoil check inventory/lab.py; echo $?", wrong + "1"),
    )


def indented(text: str) -> str:
    """A file as the pages show it."""
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


ADD = """# Add an app

An app is a folder of the project with a Compose file: `apps/NAME/compose.yaml`. Its output here is real: the end-to-end
test takes the same steps on the embedded lab and compares. `demo2` is the demo's host in the tests' own lab.

{compose}

A host runs it when its name is in `apps`:

    docker = [("@vm/demo2", {{..., "apps": ["web"]}})]

`zerotoil check` reads every app without a lab in reach: Compose's own schema, and the rules below.

{check}

The plan shows each file and container that would be made:

{plan}

{applied}

The files are in `/var/mnt/data/apps/web`, and so is the app's data. A unit, `zerotoil-app@web.service`, starts the app once
the data disk is mounted: after a reboot, and on a new OS disk (`zerotoil rebuild`), without a deploy.

{again}

## Drift

Now somebody removes the container and edits the file in the guest. Files are compared by their content, containers by
Compose's own config hash, so a container that was stopped, or made by hand with other options, is seen as well:

{drift}

{mended}

A changed file is written anew, and the services that mount it are restarted: the plan says *with a restart* behind it. A
file that zerotoil did not write is never overwritten, and one of ours that holds something else by now is copied to
`.zerotoil/kept` in the app's folder first. The app's data is never looked at.

## Values and secrets

A file whose name ends in `.template` is filled in with Jinja: `server.toml.template` becomes `server.toml`. It sees `host` and
what `apps_values` has for the app:

    "apps_values": {{"web": {{"title": "Home", "db_password": "file:~/.config/zerotoil/db-password"}}}}

`file:` and `env:` are secrets. They travel over SSH, are shown as asterisks, and may not go into a container's environment:
an `.env` with one is refused. Mount the file instead. The app's folder lets nobody but root in; a container sees what it mounts.

## What is refused

Everything at once, before anything is touched:

{wrong}

The rules: data is mounted with `:Z` (or `:z` where two containers share it), or SELinux would keep the container from it.
Host paths are never relabelled. Mounts outside the app's folder, of `/`, `/etc` or the Docker socket want a reason, in the
file itself:

    x-zerotoil:
      allow: {{docker-socket: "it shows the containers of this host"}}

Images name their registry. A password in the open is refused. Two apps of a host cannot publish one port.

## Take it off

Take the name out of `apps`: its containers are removed, its folder with all data stays where it is, and the plan says so.
Named volumes stay too, but they are on the OS disk: keep data in the app's folder.

`examples/apps` in the project has five apps to copy: atuin, synapse with a bridge, a registry, Signal's REST service, Mailrise.
"""


def choose_updates(project: Project) -> str:
    """Page 2: an update is taken, another one turns the health check red and is put back, and is released."""
    image = f"{project.lab['registry']}/web:1"
    project.app("web", WEB.format(updates="auto+revert", image=image))
    project.deploy()
    project.push("web:1", "2")
    outdated = project.run(ZEROTOIL, "updates", "-i", "inventory/lab.py", HOST, codes=(2,))
    in_guest("sudo docker exec watchtower /watchtower --run-once")
    wait_for(lambda: project.answers() == "2")
    assert project.plan(code=0)
    in_guest("sudo systemctl start zerotoil-reconcile.service")
    project.push("web:1", "3", "--broken")
    in_guest("sudo docker exec watchtower /watchtower --run-once")
    wait_for(lambda: project.answers() == "3")
    in_guest("sudo systemctl start zerotoil-reconcile.service")
    wait_for(lambda: project.answers() == "2")
    said = in_guest("sudo journalctl --unit=zerotoil-reconcile.service --output=cat --no-pager | grep rolled-back | tail -n 1")
    held = project.plan(code=0)
    project.push("web:1", "4")
    released = project.run(ZEROTOIL, "release", "-i", "inventory/lab.py", HOST, "web")
    wait_for(lambda: project.answers() == "4")
    in_guest("sudo docker rm --force web-web-1")
    in_guest("sudo systemctl start zerotoil-reconcile.service")
    wait_for(lambda: project.answers() == "4")
    missing = in_guest("sudo journalctl --unit=zerotoil-reconcile.service --output=cat --no-pager | grep ^missing | tail -n 1")
    assert project.plan(code=0)
    return UPDATES.format(
        outdated=block(f"zerotoil updates {HOST}; echo $?", rows(outdated) + "2"),
        said=indented(still(said)),
        held=block("zerotoil plan inventory/lab.py", still(held)),
        released=block(f"zerotoil release {HOST} web", still(released)),
        missing=indented(missing),
    )


UPDATES = """# Choose how it updates

Each app says how its images move, in its own file; without it `apps_updates` of the host holds. The output here is real: the
end-to-end test takes the same steps on the embedded lab and compares.

    x-zerotoil:
      updates: auto+revert    # auto | notify | off | auto+revert
      min_age: 3 days         # buffer against poisoned releases; default: watchtower_cooldown
      tags: {{web: "~1.4"}}     # which new tags may be proposed

| updates | what happens when the tag gets a newer image |
|---|---|
| `auto` | Watchtower replaces the container at `watchtower_schedule` |
| `notify` | Watchtower only tells; the image is taken when you say so (`docker compose up` in the guest) |
| `off` | nothing |
| `auto+revert` | as `auto`, and an image that turns a health check red is put back by itself |

A label on a service, `zerotoil.updates: "off"`, goes before the app's policy. A new *tag* is never taken by itself:
`zerotoil updates --write` sets the newest that `tags` allows in your compose.yaml, and you deploy it.

## What is outdated?

{outdated}

Exit code 2 says that something is. *Why* is the reason it has not moved yet.

## The night

It has an order, and an inventory that breaks it is refused: the NAS snapshots (`data_snapshot_schedule`), 10 minutes to 12
hours later Watchtower updates (`watchtower_schedule`), and `apps_reconcile` after that the guest compares what is declared with
what runs. The NAS counts in its own time zone, Watchtower in `watchtower_timezone`: give both the same.

Watchtower's best-known failure is a container that it removed and never made again. The comparison brings it back and tells:

{missing}

## An update that breaks

With `auto+revert` the image goes back to the one before, by digest. Your data is never touched. The guest says:

{said}

The plan shows it as held back. That is no drift:

{held}

When a good release is there, let it go. The newest image of the tag is fetched first:

{released}

With `auto` the same update is only reported, with what changed and what to do.

## With podman

`container_backend = "podman"` runs the same apps as quadlets, updated by podman itself at the same hour, with podman's own
rollback. It knows no minimum age: an app with `min_age` is refused there. [reference/podman.md](../reference/podman.md) says
what else differs.
"""


def get_told(project: Project) -> str:
    """Page 3: a sink is declared, proven, and gets what happens."""
    sink = project.folder / "secrets/signal"
    sink.parent.mkdir(exist_ok=True)
    sink.touch(mode=0o600)
    sink.write_text(f"signal://{project.lab['signal']}/+4915100000001/+4915100000002?disabletls=yes\n")
    project.declare(apps=["web"], notify_sinks=["file:secrets/signal"])
    applied = summary(project.deploy())
    tested = project.run(ZEROTOIL, "notify", "test", "-i", "inventory/lab.py", HOST)
    in_guest("sudo docker rm --force web-web-1")
    in_guest("sudo systemctl start zerotoil-reconcile.service")
    wait_for(lambda: any("disappeared" in message for message in project.messages()))
    messages = project.run(ZEROTOIL, "lab", "messages")
    assert project.plan(code=0)
    shown = in_guest("sudo docker inspect watchtower; sudo systemctl cat zerotoil-notify-flush.service; ps -ef")
    assert "4915100000002" not in shown  # the sink is no one's argument and in nobody's environment
    return TOLD.format(
        forms="\n".join(f"    {service.form}" for service in dict.fromkeys(SERVICES.values())),
        applied=block("pyinfra -y inventory/lab.py deploys/full.py", f"…\n{applied}"),
        tested=block(f"zerotoil notify test {HOST}", tested),
        messages=block("zerotoil lab messages", still(messages)),
    )


TOLD = """# Get told on Signal

One list says where messages go, `notify_sinks`; hosts, Watchtower and the controller use it. Each entry is a secret, a URL of
Shoutrrr's form. The output here is real: the end-to-end test takes the same steps on the embedded lab, where a stand-in takes
the place of Signal's REST service.

1. Run Signal's REST service as an app: copy `examples/apps/signal` and link it to your phone once, as its README says.
2. Put the URL into a file of mode 0600:

       signal://signal.lan:8080/+491510000001/+491510000002?disabletls=yes

3. Declare it, for all hosts, and deploy:

       "notify_sinks": ["file:~/.config/zerotoil/signal"]

{applied}

## Prove it

{tested}

Each path is tried: from this machine (through Apprise), from the host (a small script with `curl`), from the NAS. What cannot
be tried is named. Exit code 1 says that one failed.

Now a container disappears at night:

{messages}

## What is told

| event | when |
|---|---|
| `updated`, `update-failed`, `rolled-back` | an update was made, went wrong, or was taken back |
| `missing`, `unhealthy` | something declared does not run, or a unit failed |
| `disk-filling` | more than 90 % of the space or inodes of `/var` or `/var/mnt/data` is used; looked at every hour |
| `stale` | Watchtower does not run |
| `snapshot-missing` | a data volume has had no snapshot for twice the time in which its schedule makes one |
| `expiring` | a certificate (an app's, a registry's, the NAS's) or Tailscale's key ends: told 21, 7 and 1 days before, and then |
| `finished`, `unchanged` | a deploy or `zerotoil apply` is over: it changed or failed something, or found all as declared |
| `backup-failed` | yours to send: zerotoil makes no backups |

`notify_events` chooses, by default all but `finished` and `unchanged`: who starts a run by hand is there when it ends. Add
`finished` where runs start by themselves. A host sends what happens there. What only this machine can see comes from it, once
a run and for all hosts together: the end of the run, the snapshots, the NAS's certificate. Missing snapshots and that
certificate are told again by the first run after `notify_repeat`. What it cannot deliver is a line of the run's summary and
fails nothing.

The same event of the same thing is told once within `notify_repeat`; the next message says how often it came again. Above
`notify_burst` messages an hour the rest is summed up in one. Your own script joins in:

    echo "the mirror is out of sync" | sudo sh /var/mnt/data/zerotoil/bin/notify.sh stale mirror

and your own backup by `OnFailure=zerotoil-notify@backup-failed:%n.service` in its unit. Replication, cloud sync and rsync tasks
of the NAS are its own to tell, by the mail below.

A message waits in a queue on the data disk until every sink has taken it: through a restart, a power cut, and a sink that is
away. It is tried at once, then every minute. After a week it is given up, and the next message says so.

The forms of a sink:

{forms}

Everything else goes through an Apprise API or Mailrise.

## The NAS

TrueNAS can mail and cannot write to Signal. Mailrise takes its mail and passes it on: copy `examples/apps/mailrise`, and
declare where it runs. `signal@mailrise.xyz` is the entry `signal` of its file.

    "nas_mail_server": "docker1.lan", "nas_mail_port": 8025, "nas_mail_from": "nas@home.lan",
    "nas_alert_mail": "signal@mailrise.xyz",

The deploy sets the NAS's mail server and makes an alert service `zerotoil LAB`. All hosts of a lab declare these keys alike.
What you do not declare stays. A login at Gmail or Outlook is never overwritten. Where the NAS masks its mail password, a
changed one is not seen.
"""


def private_registry(project: Project) -> str:
    """Page 4: an image from a registry that wants a login, and what an airgap refuses."""
    registry = project.lab["private"]
    image = f"{registry}/web:1"
    project.push("web:1", "5", "--private")
    project.app("web", WEB.format(updates="auto", image=image))
    data = {"apps": ["web"], "notify_sinks": ["file:secrets/signal"]}
    login = {registry: {"user": "lab", "password": f"file:{project.lab['password']}"}}
    project.declare(**data, registry_logins=login)
    applied = summary(project.deploy())
    wait_for(lambda: project.answers() == "5")
    assert project.plan(code=0)
    project.app("web", WEB.format(updates="auto", image="ghcr.io/me/web:1"))
    own = {registry: registry, project.lab["registry"]: project.lab["registry"]}
    project.declare(**data, registry_logins=login, registry_airgapped=True, registry_mirrors=own)
    refused = project.run(ZEROTOIL, "check", "inventory/lab.py", codes=(1,))
    project.declare(**data, registry_logins=login)
    project.app("web", WEB.format(updates="auto", image=image))
    return REGISTRY.format(
        registry=registry,
        applied=block("pyinfra -y inventory/lab.py deploys/full.py", f"…\n{applied}"),
        refused=block("zerotoil check inventory/lab.py; echo $?", refused + "1"),
    )


REGISTRY = """# Private registry and airgap

The output here is real: the end-to-end test takes the same steps on the embedded lab, which has a registry with a login.

## Logins

    "registry_logins": {{"{registry}": {{"user": "lab", "password": "file:~/.config/zerotoil/registry"}}}}

The login goes to the host over SSH, into one file of mode 0600 on the data disk that Compose and Watchtower read. It is in no
Ignition config, argument or environment.

{applied}

A registry with a certificate of your own: give the guest the CA by `os_butane`
(`/etc/docker/certs.d/REGISTRY/ca.crt`), and name the same CA as `registry_ca`: for this machine, and for Watchtower, which asks
registries from inside its own container (it sees the CA's certificates by `SSL_CERT_DIR`, beside the public ones).

## Mirrors

    "registry_mirrors": {{"docker.io": "mirror.lan:5000", "ghcr.io": "mirror.lan:5000/ghcr"}}

Docker itself knows a mirror of docker.io only; for every other registry the image is named by its mirror in the override file
beside your compose.yaml. Podman is told of all.

## Airgap

`registry_airgapped = True` refuses every image that comes from anywhere else than a mirror of yours, Watchtower's own included.
A registry of your own is its own mirror: `"registry_mirrors": {{"registry.lan": "registry.lan"}}`.

{refused}
"""


PAGES = {
    "apps.md": add_an_app,
    "updates.md": choose_updates,
    "notify.md": get_told,
    "registries.md": private_registry,
}

if __name__ == "__main__":
    target = Path(sys.argv[1])
    walk = Project(target / "project")
    for page, make in PAGES.items():
        (target / page).write_text(make(walk))
