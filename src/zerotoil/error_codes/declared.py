"""What the codes of a declaration mean: inventory, image and config, files of this machine. Texts only."""

from __future__ import annotations

from zerotoil.error_codes import Code

TEXTS: dict[Code, tuple[str, str, str]] = {
    Code.UNKNOWN_KEY: (
        "unknown key",
        "The inventory, or a dict in it such as a card, has a key that does not exist.",
        "Take the name that is proposed, or one of docs/reference/keys.md; names that start with `_` are yours.",
    ),
    Code.MISSING_KEY: (
        "missing key",
        "A key without a default is not set for this host.",
        "Set it as host data, or as group data for several hosts.",
    ),
    Code.WRONG_VALUE: (
        "wrong value",
        "A key has a value that cannot be right: another type, outside its range, or unfit for what it is used for.",
        "The message says what would be right; docs/reference/keys.md says what the key means.",
    ),
    Code.KEYS_CONTRADICT: (
        "keys contradict each other",
        "Each value is right by itself, and together they cannot be: a gateway outside the network, say.",
        "Change one of the keys that are named.",
    ),
    Code.SHARED_BY_HOSTS: (
        "taken by another host",
        "Two hosts declare one thing that only one can have: an address, a target, a volume, a device.",
        "Give each host its own.",
    ),
    Code.CLASHES_WITH_HOST: (
        "clashes with another host",
        "What two hosts declare would be changed back and forth, or lies inside one another.",
        "Declare it alike for both, or apart.",
    ),
    Code.INVENTORY_BROKEN: (
        "inventory cannot be loaded",
        "The inventory is Python, and Python or pyinfra stopped at the line that is named.",
        "Mend this line, or the one above it.",
    ),
    Code.INVENTORY_MISREAD: (
        "pyinfra would misread the inventory",
        "The file loads, and a host in it would be taken for something else or left out.",
        'Write hosts as `[("@vm/NAME", {…})]`; where there is an `all`, name every host in it.',
    ),
    Code.WRITTEN_TWICE: (
        "written twice",
        "A host, or a key of a host, stands in the file twice; Python silently takes the last.",
        "Remove one.",
    ),
    Code.NO_SUCH_HOST: (
        "no such host",
        "No inventory has a host or group of that name, or the inventory has no host of zerotoil's at all.",
        "Check the name; with -i name the inventory; hosts of ours begin with `@vm/`.",
    ),
    Code.WRONG_OPTION: (
        "wrong option",
        "An option or argument of the command line is not what it must be.",
        "The message says what would be right.",
    ),
    Code.NOT_CONFIRMED: (
        "not confirmed",
        "What cannot be undone is done only when its name is typed again on a terminal. Nothing was changed.",
        "Run it in a terminal, and type the full name.",
    ),
    Code.VM_XML_WRONG: (
        "vm_xml is wrong",
        "The fragment is no XML, or libvirt's schema refuses the VM or pool that would be made.",
        "Mend vm_xml by https://libvirt.org/format.html.",
    ),
    Code.VM_XML_FORBIDDEN: (
        "vm_xml may not hold this",
        "The fragment declares what zerotoil declares itself, or what could hand a disk to the guest past the guard.",
        "Use the key that the message names, or leave it out.",
    ),
    Code.COMPOSE_MALFORMED: (
        "compose file cannot be read",
        "apps/NAME/compose.yaml is no YAML, or YAML of another kind than a compose file.",
        "Mend the line that is named, or the one above it.",
    ),
    Code.COMPOSE_WRONG: (
        "Compose would refuse the app",
        "A key is unknown, a value is of the wrong kind, a name leads nowhere, or a variable is set nowhere.",
        "Mend the line that is named by https://docs.docker.com/reference/compose-file/.",
    ),
    Code.COMPOSE_RULE: (
        "app does what apps may not do",
        "The app sees the host, or does not say where its images come from, or says what zerotoil says itself.",
        "Take what is proposed; some rules can be answered by a reason in x-zerotoil.allow, and the message says which.",
    ),
    Code.COMPOSE_LABEL: (
        "SELinux label missing or harmful",
        "A mount of the app's data has no z or Z, so its container could not read it; or the host's own files would get one.",
        "Write the line that the message shows.",
    ),
    Code.COMPOSE_SECRET: (
        "secret in a compose file or an environment",
        "A password, token or key is written in the open, or would be shown by docker inspect.",
        "Put it into apps_values as file: or env:, render it into a file (NAME.template) and mount that.",
    ),
    Code.APP_SETTINGS: (
        "x-zerotoil is wrong",
        "The app's own settings have an unknown key, a wrong value, or an exception without a reason.",
        "Mend x-zerotoil in its compose file.",
    ),
    Code.APPS_CLASH: (
        "two apps of a host clash",
        "Two apps publish one port, have one name or one container's name, or need what a host has once.",
        "Change one of the two that are named.",
    ),
    Code.SINK_MALFORMED: (
        "sink cannot be read",
        "The URL of a sink is not of the form its service has, or has a part that is not understood. It is never shown.",
        "Write it as docs/guides/notify.md does; the message says which part is wrong.",
    ),
    Code.SINK_UNKNOWN: (
        "hosts cannot send there",
        "The URL of a sink begins with a service that a host cannot reach by itself.",
        "Take one of those that are named, or let an Apprise API or Mailrise pass it on (docs/guides/notify.md).",
    ),
    Code.SINK_NOT_FROM_HERE: (
        "sink cannot be tried from this machine",
        "This machine sends through Apprise, whose URL of this service lacks something that the sink's has. Hosts send there.",
        "Nothing has to be done; the hosts' own lines prove the sink.",
    ),
    Code.SINK_REFUSED: (
        "sink did not take a message",
        "This machine sent a message to a sink, and nothing answers there or it was refused.",
        "See whether the service runs and is reached from here, and whether its numbers and tokens are right.",
    ),
    Code.NOTHING_TO_TEST: (
        "no notification is declared",
        "zerotoil notify test found no host with a sink, a notification URL of Watchtower or mail of the NAS.",
        "Declare notify_sinks (docs/guides/notify.md).",
    ),
    Code.IMAGE_REFERENCE: (
        "no reference of an image",
        "What stands as a container's image is none that Docker would understand, or holds a variable.",
        "Write registry, name and tag, for instance ghcr.io/owner/app:1.4.",
    ),
    Code.IMAGE_OUTSIDE: (
        "image from outside the airgap",
        "registry_airgapped is set, and the image is neither on a declared mirror nor on a registry that is one.",
        "Declare a mirror for its registry in registry_mirrors; a registry of your own is its own mirror.",
    ),
    Code.TAG_RANGE: (
        "no range of tags",
        "What stands under tags in x-zerotoil is no range of versions.",
        'Write a range in quotes, such as "~1.4", "^2" or ">=1.2 <2".',
    ),
    Code.IMAGE_LINE: (
        "image cannot be set in compose.yaml",
        "The image of the service comes from an anchor, a variable or another file, or is pinned by digest. Nothing was written.",
        "Change it by hand.",
    ),
    Code.QUADLET_CANNOT_SAY: (
        "podman has no way to say this",
        "A compose file declares something that podman's quadlets cannot express, or would do otherwise than Compose.",
        "Write what the message proposes, or run this host's apps with Docker.",
    ),
    Code.QUADLET_WRONG_VALUE: (
        "wrong value in a compose file",
        "A key of a compose file has a value that Compose would not take either.",
        "Write it as the message shows; https://docs.docker.com/reference/compose-file/ lists all keys.",
    ),
    Code.QUADLET_CLASH: (
        "two units or containers of one name",
        "The names of apps, services, networks and volumes are joined to names of units, and two of them are the same.",
        "Rename the app, or one of the two.",
    ),
    Code.SCHEDULE_CANNOT_SAY: (
        "schedule that systemd cannot keep",
        "A schedule of six fields is not one, never comes, or means something that OnCalendar= cannot say.",
        "Write one that gives either the day of the month or the weekday.",
    ),
    Code.APP_MISSING: (
        "no such app",
        "A host runs an app that has no folder with a compose.yaml in the project's apps/.",
        "Make apps/NAME/compose.yaml, or take the name out of `apps`.",
    ),
    Code.APP_FILE: (
        "unfit file of an app",
        "A file in an app's folder cannot be taken to the guest: a link, too large, in .zerotoil, or a secret for an `.env`.",
        "The message says which file and why; an app's data does not belong into the project.",
    ),
    Code.APP_TEMPLATE: (
        "template cannot be filled in",
        "A file that ends in .template is no template, or wants a value that is not declared.",
        "Name the value in `apps_values`, or mend the line that is named.",
    ),
    Code.K3S_CLUSTER: (
        "cluster cannot be as declared",
        "What the hosts of a cluster declare does not go together, or a host without k3s declares it. The cluster is left alone.",
        "Change what the message names; the other hosts of the cluster say whom they wait for.",
    ),
    Code.MANIFEST_MALFORMED: (
        "manifest cannot be read",
        "A file of cluster/ is no YAML, has a key twice, or holds what is no object. The cluster was not touched.",
        "Mend the line that is named.",
    ),
    Code.MANIFEST_TWICE: (
        "object declared twice",
        "Two manifests, or a manifest and a key, declare one object; the cluster would take the last. Nothing was touched.",
        "Leave one of them out.",
    ),
    Code.MANIFEST_RULE: (
        "manifest breaks a rule",
        "The cluster would take the manifest, and it would not do what is wanted: a secret in the project, a chart that moves.",
        "The message says what to write; docs/guides/k3s.md says why.",
    ),
    Code.MANIFEST_FILE: (
        "file of cluster/ cannot be used",
        "It is a link, no text, too large, a template that cannot be filled in, or not there while its objects are.",
        "Mend the file that is named; cluster_values holds what templates are filled with.",
    ),
    Code.IMAGE_NOT_FOUND: (
        "OS image not found",
        "The image, or a file of the stream, does not exist at its path or URL.",
        "Check os_image, os_stream and os_stream_url.",
    ),
    Code.DOWNLOAD_FAILED: (
        "download failed",
        "A file on the network could not be read, or broke off.",
        "Check the network and run again: what has arrived is kept.",
    ),
    Code.STREAM_UNREADABLE: (
        "no stream metadata",
        "What os_stream_url leads to is not the metadata of a Fedora CoreOS stream.",
        "Check os_stream_url and os_stream.",
    ),
    Code.IMAGE_DAMAGED: (
        "OS image is not what it should be",
        "The checksum differs from what was declared or published, or the image cannot be unpacked.",
        "Check the checksum's source. A bad download was removed; never boot it.",
    ),
    Code.IMAGE_UNFIT: (
        "OS image is of the wrong kind",
        "The file is no qcow2, or one that needs another file to stand on.",
        "Convert or flatten it: qemu-img convert -O qcow2.",
    ),
    Code.SIGNATURE: (
        "signature missing or not good",
        "os_keyring is set, and the image has no signature, or one that the keyring does not vouch for.",
        "Do not boot this image. Without os_keyring only the checksum is checked.",
    ),
    Code.CONFIG_REFUSED: (
        "Butane or Ignition refuses the config",
        "The host's config, merged from templates and os_butane, is not valid.",
        "Mend os_butane or templates/ at the place that is named.",
    ),
    Code.FRAGMENT_MALFORMED: (
        "os_butane is no Butane",
        "A fragment is no YAML, of another variant, or of another shape than Butane's.",
        "Mend the fragment; the message shows what a right one looks like.",
    ),
    Code.FRAGMENT_FORBIDDEN: (
        "os_butane may not declare this",
        "A fragment declares disks, writes to the data disk, or would replace a file or unit of zerotoil's.",
        "Use another name or a drop-in; disks and filesystems are zerotoil's.",
    ),
    Code.UNIT_WRONG: (
        "systemd would not understand a unit",
        "systemd-analyze complains about a unit in the host's config.",
        "Mend the unit in os_butane; man systemd.directives lists all that exists.",
    ),
    Code.SECRET_UNREADABLE: (
        "secret cannot be read",
        "The file or variable that a secret is read from is missing or empty.",
        "Put the secret there; a file with mode 0600.",
    ),
    Code.SECRET_OPEN_TO_OTHERS: (
        "secret is readable by others",
        "Other users of this machine may read the file of a secret.",
        "chmod 600 it; think about whether the secret is one still.",
    ),
    Code.FILE_UNREADABLE: (
        "file cannot be read",
        "A file that the inventory or the project names does not exist, is not text or may not be read.",
        "Check its path, which counts from where the command is run.",
    ),
    Code.FILE_EXISTS: (
        "file exists",
        "A file that would be written is there already, and is never overwritten.",
        "Name another place, or move the file away.",
    ),
    Code.FILE_UNWRITABLE: (
        "file cannot be written",
        "The folder may not be written to, or is none.",
        "Name another place, or make the folder writable.",
    ),
    Code.DISK_FULL: (
        "this machine's disk is full",
        "There is no space for a download or for unpacking it.",
        "Make room at the path that is named (ZEROTOIL_CACHE moves it), then run again.",
    ),
    Code.NO_PUBLIC_KEY: (
        "no public SSH key",
        "ssh_authorized_keys holds something else: a private key, or the path of a file.",
        'Write the line of a .pub file, or "file:~/.ssh/id_ed25519.pub"; never a private key.',
    ),
    Code.TOOL_MISSING: (
        "tool is not installed",
        "A program that is needed on this machine is not installed.",
        "zerotoil doctor names the command that installs it.",
    ),
    Code.TOOL_FAILED: (
        "tool cannot be run",
        "A program on this machine could not be started, or did not answer in time.",
        "Run it by hand; install it anew.",
    ),
}
