"""The codes of everything that can go wrong: one per kind of failure, whatever the words of the message say.

A code never changes its meaning and is never given to another kind. What each means, and what to do about it, is in
`catalogue`; `python -m zerotoil.error_codes` prints docs/reference/errors.md, `zerotoil explain CODE` one entry.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """One kind of failure. The first digit says where to look."""

    # inventory and command line
    UNKNOWN_KEY = "ZT101"
    MISSING_KEY = "ZT102"
    WRONG_VALUE = "ZT103"
    KEYS_CONTRADICT = "ZT104"
    SHARED_BY_HOSTS = "ZT105"
    CLASHES_WITH_HOST = "ZT106"
    INVENTORY_BROKEN = "ZT110"
    INVENTORY_MISREAD = "ZT111"
    WRITTEN_TWICE = "ZT112"
    NO_SUCH_HOST = "ZT113"
    WRONG_OPTION = "ZT114"
    VM_XML_WRONG = "ZT120"
    VM_XML_FORBIDDEN = "ZT121"

    # NAS
    NAS_UNREACHABLE = "ZT201"
    NAS_TIMEOUT = "ZT202"
    NAS_DROPPED = "ZT203"
    CERTIFICATE_UNTRUSTED = "ZT204"
    CERTIFICATE_NOT_PINNED = "ZT205"
    NAS_PLAIN_TEXT = "ZT206"
    NOT_A_NAS = "ZT207"
    NAS_VERSION = "ZT208"
    KEY_NOT_ACCEPTED = "ZT210"
    KEY_REVOKED = "ZT211"
    LOGIN_DENIED = "ZT212"
    NAS_REFUSED = "ZT220"
    NO_NAS_POOL = "ZT221"
    DATASET_TAKEN = "ZT222"
    TARGET_TAKEN = "ZT223"
    EXTENT_TAKEN = "ZT224"
    PORTAL_DIFFERS = "ZT225"
    ISCSI_SERVICE = "ZT226"
    CHAP_DIFFERS = "ZT227"

    # hypervisor
    HYPERVISOR_UNREACHABLE = "ZT301"
    HYPERVISOR_TIMEOUT = "ZT302"
    HYPERVISOR_DENIED = "ZT303"
    HYPERVISOR_REFUSED = "ZT304"
    NO_STORAGE_POOL = "ZT310"
    STORAGE_POOL_FULL = "ZT311"
    STORAGE_POOL_KIND = "ZT312"
    NO_NETWORK = "ZT313"
    RESERVATION = "ZT314"
    VM_NOT_OURS = "ZT320"
    OS_DISK_GONE = "ZT321"
    SHUTDOWN_TIMEOUT = "ZT322"
    STILL_IN_USE = "ZT323"
    UPLOAD_DIFFERS = "ZT324"

    # guest and SSH
    NO_ADDRESS = "ZT401"
    SSH_REFUSED = "ZT402"
    SSH_NOT_ACCEPTED = "ZT403"
    HOST_KEY_CHANGED = "ZT404"
    BOOT_TIMEOUT = "ZT405"
    GUEST_SILENT = "ZT406"
    GUEST_COMMAND_FAILED = "ZT407"
    CONTAINER_NOT_OURS = "ZT410"

    # data volume and guard
    VOLUME_SHRINKS = "ZT501"
    VOLUME_DOES_NOT_FIT = "ZT502"
    VOLUME_GONE = "ZT503"
    VOLUME_NOT_OURS = "ZT504"
    VOLUME_USED_TWICE = "ZT505"
    VM_READS_OTHER_VOLUME = "ZT506"
    MARK_NOT_KEPT = "ZT507"
    DATA_NOT_MOUNTED = "ZT510"
    DATA_DIFFERS = "ZT511"
    NEVER_HEALTHY = "ZT512"
    GUARD_NO_MARK = "ZT520"
    GUARD_UNREADABLE = "ZT521"
    GUARD_FOREIGN_FILESYSTEM = "ZT522"
    GUARD_PARTITION_TABLE = "ZT523"
    GUARD_OTHER_CONTENT = "ZT524"
    GUARD_EMPTY_NOW = "ZT525"
    GUARD_PARTITION = "ZT526"

    # OS image, Butane, Ignition
    IMAGE_NOT_FOUND = "ZT601"
    DOWNLOAD_FAILED = "ZT602"
    STREAM_UNREADABLE = "ZT603"
    IMAGE_DAMAGED = "ZT604"
    IMAGE_UNFIT = "ZT605"
    SIGNATURE = "ZT606"
    CONFIG_REFUSED = "ZT620"
    FRAGMENT_MALFORMED = "ZT621"
    FRAGMENT_FORBIDDEN = "ZT622"
    UNIT_WRONG = "ZT623"

    # secrets and files on the controller
    SECRET_UNREADABLE = "ZT701"
    SECRET_OPEN_TO_OTHERS = "ZT702"
    FILE_UNREADABLE = "ZT710"
    FILE_EXISTS = "ZT711"
    FILE_UNWRITABLE = "ZT712"
    DISK_FULL = "ZT713"
    NO_PUBLIC_KEY = "ZT714"
    TOOL_MISSING = "ZT720"
    TOOL_FAILED = "ZT721"

    # deploy, adopt, rebuild, init
    CHANGE_NOT_MADE = "ZT801"
    NEEDS_ANOTHER_FIRST = "ZT802"
    ANOTHER_RUN = "ZT803"
    NOT_THERE_TO_ADOPT = "ZT810"
    NOTHING_ADOPTED = "ZT811"
    VM_UNFIT_TO_ADOPT = "ZT812"
    VOLUME_UNFIT_TO_ADOPT = "ZT813"
    REBUILD_OF_ADOPTED = "ZT820"
    REBUILD_UNHEALTHY = "ZT821"
    FLAGS_MISSING = "ZT830"

    # embedded lab and internal
    LAB_NEEDS_ROOT = "ZT901"
    LAB_PART_MISSING = "ZT902"
    LAB_STEP_FAILED = "ZT903"
    LAB_STATE = "ZT904"
    LAB_NO_SUCH_CHOICE = "ZT905"
    INTERNAL = "ZT999"
