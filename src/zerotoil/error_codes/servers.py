"""What the codes of the servers mean: NAS and hypervisor. Texts only."""

from __future__ import annotations

from zerotoil.error_codes import Code

TEXTS: dict[Code, tuple[str, str, str]] = {
    Code.NAS_UNREACHABLE: (
        "NAS unreachable",
        "No connection to the NAS: its name is unknown, nothing listens there, or the network is away.",
        "See whether it is up, and whether nas_url is right.",
    ),
    Code.NAS_TIMEOUT: (
        "NAS does not answer in time",
        "The NAS took the connection, a call or a job, and did not finish it before the deadline.",
        "See whether it is busy (its job list), then run again; nas_timeout is the deadline of a call.",
    ),
    Code.NAS_DROPPED: (
        "NAS dropped the connection",
        "The connection closed at login or during a change, which is never repeated blindly.",
        "Run again: it picks up what was done.",
    ),
    Code.CERTIFICATE_UNTRUSTED: (
        "certificate of the NAS not trusted",
        "The certificate is signed by nobody this machine trusts, is for another name, or has expired. No key was sent.",
        "Set nas_ca to the CA that signed it, or nas_fingerprint to its SHA-256.",
    ),
    Code.CERTIFICATE_NOT_PINNED: (
        "another certificate than the pinned one",
        "The NAS shows another certificate than nas_fingerprint says, or somebody else answers. No key was sent.",
        "If the NAS has a new certificate, set nas_fingerprint to it; else find out who answers.",
    ),
    Code.NAS_PLAIN_TEXT: (
        "plain-text address",
        "nas_url is not encrypted; TrueNAS revokes a key that is sent that way. None was sent.",
        "Write wss://… in nas_url.",
    ),
    Code.NOT_A_NAS: (
        "no TrueNAS answers there",
        "Something answers at nas_url that does not speak TLS or TrueNAS's API, or a NAS that is still starting.",
        "Check nas_url and its port; wait until the NAS is fully started.",
    ),
    Code.NAS_VERSION: (
        "unknown version of TrueNAS",
        "The NAS offers only versions of its API that this zerotoil does not know.",
        "Update zerotoil.",
    ),
    Code.KEY_NOT_ACCEPTED: (
        "API key not accepted",
        "The NAS does not know the key, or it belongs to another user.",
        "Check nas_user and nas_api_key.",
    ),
    Code.KEY_REVOKED: (
        "API key revoked or expired",
        "The NAS knows the key, and it is revoked or expired.",
        "Make a new one on the NAS (Users, API Keys), and find out why: plain text revokes a key.",
    ),
    Code.LOGIN_DENIED: (
        "user may not use the API",
        "The key is right, and the NAS wants a second factor of its user or denies the user the API.",
        "Use a user without two-factor login and with a role that may use the API.",
    ),
    Code.NAS_REFUSED: (
        "NAS refuses a call",
        "The NAS answered a call with an error, or a job of it failed; its own words are in the parentheses.",
        "Look at the NAS (alerts, job list), then run again.",
    ),
    Code.NO_NAS_POOL: (
        "NAS has no such pool",
        "The first part of nas_dataset is no pool of the NAS.",
        "Begin nas_dataset with one of those that are named.",
    ),
    Code.DATASET_TAKEN: (
        "dataset is not ours",
        "The dataset is marked as another host's, or is a volume.",
        "Declare another nas_dataset or lab_name.",
    ),
    Code.TARGET_TAKEN: (
        "target taken",
        "A target of that name exists and was not made for this host. Nothing was touched.",
        "Declare another iscsi_target, or remove that one on the NAS yourself.",
    ),
    Code.EXTENT_TAKEN: (
        "extent taken",
        "An extent of that name serves something else, or is marked as another host's. Nothing was touched.",
        "Declare another iscsi_extent, or remove that one on the NAS yourself.",
    ),
    Code.PORTAL_DIFFERS: (
        "portal of the NAS is another",
        "The declared addresses or port belong to a portal with others, which is shared and not changed.",
        "Declare iscsi_portal and iscsi_port as the NAS has them.",
    ),
    Code.ISCSI_SERVICE: (
        "iSCSI service does not start",
        "The NAS could not start its iSCSI service, or has none.",
        "Look at System, Services, iSCSI on the NAS.",
    ),
    Code.CHAP_DIFFERS: (
        "CHAP secret of an adopted VM differs",
        "The NAS has another CHAP secret than the inventory; sending it would lock the running VM out.",
        "Put what the NAS has into iscsi_chap_secret.",
    ),
    Code.LUN_TAKEN: (
        "LUN of a volume would change",
        "The volume is served under another LUN, or another volume is served under this one: whoever is logged in would read and "
        "write the wrong one. Nothing was touched.",
        "Write the LUN that it has, or a free one, as lun in data_more.",
    ),
    Code.ALERT_SERVICE_TAKEN: (
        "alert service is of another type",
        "The NAS has an alert service of the name that zerotoil uses, and it is no mail. Nothing was touched.",
        "Rename or remove it on the NAS (System, Alert Settings).",
    ),
    Code.MAIL_BY_OAUTH: (
        "NAS mails through a provider's login",
        "The NAS is set to mail through Gmail or Outlook by OAuth, which outranks an SMTP server. Nothing was touched.",
        "Log out of it on the NAS (System, General, Email), or take nas_mail_server out.",
    ),
    Code.MAIL_NOT_SENT: (
        "NAS cannot mail",
        "The NAS was told to send a test mail, and its mail server did not take it; the NAS's own words are in the message.",
        "See whether the mail server runs and is reached from the NAS; check nas_mail_server, nas_mail_port, nas_mail_security.",
    ),
    Code.ALERT_NOT_SENT: (
        "alert service of the NAS does not work",
        "The NAS was told to send a test alert, and could not begin to.",
        "Look at it on the NAS (System, Alert Settings, Send Test Alert).",
    ),
    Code.HYPERVISOR_UNREACHABLE: (
        "hypervisor unreachable",
        "No connection to libvirt at hypervisor_uri.",
        "See whether it is up: virsh -c URI version; for qemu+ssh, whether ssh works without a password.",
    ),
    Code.HYPERVISOR_TIMEOUT: (
        "hypervisor does not answer in time",
        "libvirt took a call and did not answer before hypervisor_timeout.",
        "See whether the hypervisor is up and its storage answers.",
    ),
    Code.HYPERVISOR_DENIED: (
        "hypervisor denies access",
        "libvirt does not let this user manage VMs.",
        "Put the user into the group libvirt, or use another user in hypervisor_uri.",
    ),
    Code.HYPERVISOR_REFUSED: (
        "hypervisor refuses a call",
        "libvirt answered a call with an error; its own words are in the message.",
        "Look at libvirt's log on the hypervisor, then run again.",
    ),
    Code.NO_STORAGE_POOL: (
        "no such storage pool",
        "The hypervisor has no pool of that name, or it is not started.",
        "Name another in hypervisor_pool, or create and start it (virsh pool-define-as, pool-start, pool-autostart).",
    ),
    Code.STORAGE_POOL_FULL: (
        "storage pool is full",
        "The pool has no room for the OS image.",
        "Make space on the hypervisor, or name another pool in hypervisor_pool.",
    ),
    Code.STORAGE_POOL_KIND: (
        "pool of another kind",
        "A pool of that name is something else than zerotoil needs there. Nothing was touched.",
        "Rename that pool.",
    ),
    Code.NO_NETWORK: (
        "no such network",
        "The hypervisor has no libvirt network of that name.",
        "Name another in vm_nics, or create it (virsh net-define).",
    ),
    Code.RESERVATION: (
        "address cannot be reserved",
        "The address is reserved for another machine, or the network hands none out.",
        "Choose another address, or set it without reserve.",
    ),
    Code.VM_NOT_OURS: (
        "VM of that name is not ours",
        "The hypervisor has a VM of that name without this lab's mark. Nothing was touched.",
        "Name the host differently, rename that VM (virsh domrename), or adopt it (docs/guides/adopt.md).",
    ),
    Code.OS_DISK_GONE: (
        "OS disk or Ignition config is gone",
        "The VM is defined, and its OS disk or Ignition config is not in the pool any more.",
        "zerotoil rebuild HOST makes new ones; the data volume stays.",
    ),
    Code.SHUTDOWN_TIMEOUT: (
        "guest does not shut down",
        "The guest was asked to shut down and still runs. The plug is not pulled.",
        "Look at its console, or raise vm_shutdown_timeout.",
    ),
    Code.STILL_IN_USE: (
        "disk is still in use",
        "A VM still runs with the disk, so it is not taken away or deleted.",
        "Shut the VM down first; virsh domblklist says which VM has it.",
    ),
    Code.UPLOAD_DIFFERS: (
        "upload did not arrive whole",
        "What was uploaded to the hypervisor differs from what was sent, when it is read back.",
        "Look at the hypervisor's disk and its log, then run again.",
    ),
    Code.VM_OFF: (
        "VM is off",
        "The VM has to be seen healthy before its OS is swapped, and it is off.",
        "Start it with the deploy; zerotoil rebuild takes a VM that cannot come up.",
    ),
    Code.REGISTRY_UNREACHABLE: (
        "registry unreachable",
        "No connection to a container registry, or no answer in time. It is not asked again in this run.",
        "See whether it is up, and whether its name in the image or in registry_mirrors is right.",
    ),
    Code.REGISTRY_UNTRUSTED: (
        "certificate of a registry not trusted",
        "The registry's certificate is signed by nobody this machine trusts, or is for another name. No password was sent.",
        "Set registry_ca to the CA that signed it; registries are spoken to over TLS only.",
    ),
    Code.REGISTRY_LOGIN: (
        "registry wants another login",
        "The registry gives the image to nobody without a login, or does not take the one that is declared.",
        "Check registry_logins; Docker Hub says the same of an image that does not exist.",
    ),
    Code.REGISTRY_NO_IMAGE: (
        "registry does not have the image",
        "The registry answers, and has no such repository or tag.",
        "Check the image's name and tag; on a mirror: whether the image was ever brought there.",
    ),
    Code.REGISTRY_RATE_LIMIT: (
        "rate limit of a registry",
        "The registry wants no more calls for now. It is not asked again in this run.",
        "Run again later; with a login in registry_logins the limit is higher, with a mirror there is none.",
    ),
    Code.REGISTRY_ANSWER: (
        "registry answers what cannot be used",
        "The answer is no registry's, is too long or too slow, or its content has another digest than was asked for.",
        "See whether a registry is behind this name; a proxy or a login page in between?",
    ),
    Code.REGISTRY_OTHER_PLATFORM: (
        "image is for other machines only",
        "The image exists, and not for linux/amd64.",
        "Name another tag or another image.",
    ),
    Code.IMAGE_FOLDER: (
        "no folder of an OS image",
        "The folder has no Containerfile, or no stage of that name in it.",
        "zerotoil image init writes one.",
    ),
    Code.CONTAINERFILE_RULE: (
        "Containerfile breaks a rule",
        "It holds what fails in a build or breaks on a host: a comment behind an instruction, rpm-ostree, a base that moves.",
        "Write what the message says. See docs/guides/os-image.md.",
    ),
    Code.OVERLAY_PATH: (
        "file would not stay in an image",
        "A file of the overlay lies where an image-based system keeps nothing of an image.",
        "Move it below /usr or /etc, as the message says.",
    ),
    Code.IMAGE_UNIT: (
        "systemd refuses a unit of the image",
        "systemd-analyze complains about a unit in the overlay.",
        "Mend the unit; the message names file and line.",
    ),
    Code.IMAGE_SCRIPT: (
        "shellcheck complains about a script of the image",
        "A script in the overlay has a mistake, or cannot be run where it lies.",
        "Mend the script; the message names file and line.",
    ),
    Code.BASE_NOT_PINNED: (
        "base of the image is not pinned",
        "No digest says what the image is built on, so it would be another with each build.",
        "zerotoil image pin.",
    ),
    Code.IMAGE_BUILD_FAILED: (
        "image was not built",
        "podman or buildah stopped at a step. Nothing was pushed.",
        "Mend the step that the message names, and build again.",
    ),
    Code.IMAGE_NO_PACKAGES: (
        "image does not say what is in it",
        "The image has no list of its packages, so nobody could say what an update changes.",
        "End each stage with RUN sh /usr/libexec/zerotoil/list-packages.sh.",
    ),
    Code.IMAGE_PUSH_FAILED: (
        "image was not pushed or not signed",
        "The registry, podman, buildah or skopeo refused it.",
        "See whether login, CA and key are right; run again.",
    ),
    Code.NO_IMAGE_BUILT: (
        "no image was built",
        "There is nothing to push or to compare with: no build of this folder was finished here.",
        "zerotoil image build.",
    ),
}
