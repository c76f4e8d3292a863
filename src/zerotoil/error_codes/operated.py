"""What the codes of a running lab mean: guest, workflows, embedded lab. Texts only."""

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
    Code.K3S_NOT_UP: (
        "k3s did not come up",
        "The service keeps ending, or the node was not ready in time. Its data is untouched.",
        "The message has its last words; `journalctl -u k3s` (agents: `k3s-agent`) in the guest has the rest.",
    ),
    Code.K3S_NO_POLICY: (
        "SELinux policy of k3s is missing",
        "SELinux is enforcing in the guest, and the package k3s-selinux is not in its OS. k3s was not started.",
        "Put k3s-selinux into the OS image, then `zerotoil migrate HOST`.",
    ),
    Code.K3S_OTHER_STATE: (
        "k3s holds something else than declared",
        "The node has another token, another datastore or another role, and no deploy can turn the one into the other.",
        "Declare what is there, or do what the message says.",
    ),
    Code.CLUSTER_SILENT: (
        "cluster does not answer",
        "k3s runs on the node or not, and its API gave no answer. Nothing in the cluster was changed.",
        "The message has its words; `journalctl -u k3s` in the guest has the rest.",
    ),
    Code.OBJECT_REFUSED: (
        "cluster refuses an object",
        "The API server does not take a manifest as it is. The others are applied all the same.",
        "The message has its own sentence, and the manifest's line.",
    ),
    Code.OBJECT_NOT_READY: (
        "object in the cluster is not ready",
        "What was applied did not become ready in cluster_timeout: pods do not start, or a chart's job failed.",
        "The message says what is not ready and why; a second run looks again.",
    ),
    Code.K3S_SKIPS_MINOR: (
        "upgrade of k3s that cannot be",
        "What the Plans lead to is more than one minor release above what runs, or below it. No Plan was written.",
        "Declare the next minor release, and go on when all nodes have it.",
    ),
    Code.KEEL_SILENT: (
        "Keel does not answer",
        "Keel was asked at its Service which updates wait, and gave no answer. Nothing was approved or rejected.",
        "The message has the reason; a chart that was just applied takes some minutes.",
    ),
    Code.TAILNET_NO_PROGRAM: (
        "Tailscale is not in the OS",
        "tailnet_enabled is on, and the guest has no program tailscale or tailscaled. Nothing was changed.",
        "Put the package tailscale into the OS image, then `zerotoil migrate HOST`; or layer it by rpm-ostree.",
    ),
    Code.TAILNET_NO_KEY: (
        "nothing to join the tailnet with",
        "The host is not on the tailnet, and tailnet_auth_key is missing, is no such key, or is an OAuth client's without tags.",
        "Declare tailnet_auth_key, with tailnet_tags for an OAuth client. A host that is joined needs neither.",
    ),
    Code.TAILNET_NOT_JOINED: (
        "tailnet was not joined",
        "`tailscale up` was refused or did not end in time. The key was deleted from the host.",
        "The message has Tailscale's words; auth keys are used up and expire, and tags need an owner.",
    ),
    Code.TAILNET_SILENT: (
        "tailscaled does not answer",
        "The service was started, and says nothing of its state.",
        "`journalctl -u tailscaled` in the guest has its words.",
    ),
    Code.TAILNET_REFUSED: (
        "Tailscale refuses what is declared",
        "`tailscale set` or `tailscale serve` did not take a preference or an endpoint, or did not end in time.",
        "The message has Tailscale's words; endpoints need HTTPS certificates switched on in the tailnet.",
    ),
    Code.OS_NOT_STAGED: (
        "OS image was not taken",
        "The guest could not fetch the image of os_source, or came back from its restart with another OS.",
        "The message has the last words of the guest; it tries again by itself. `zerotoil os status HOST` shows what it has.",
    ),
    Code.OS_NOT_DONE: (
        "OS was not changed as asked",
        "os.sh in the guest refused or could not do it: nothing to go back to, pinned, a restart that something blocks.",
        "The message says why; `zerotoil os status HOST` shows the OS as it is.",
    ),
    Code.OS_NO_KEY: (
        "no public key of cosign",
        "os_signature_key names a file that holds something else.",
        "Name the cosign.pub that `cosign generate-key-pair` has written; the private key stays with who signs.",
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
