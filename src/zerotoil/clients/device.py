"""What is on a data device, read without writing, from where the VM would read it: the hypervisor.

Ignition is no guard: it takes a disk with a partition table for an empty one (fedora-coreos facts: filesystems.go).
So the device is probed with `blkid -p` before every first boot. Head and tail are copied into a sparse file of the full
size (by QEMU's own initiator, or by dd past the page cache) and looked at there: bytes that could not be read are never
taken for zeros, and blkid's exit code 2, which means both "nothing" and "cannot open", is only ever the former.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.data_volume import GPT, Filesystem, Finding
from zerotoil.model.spec import HostSpec

_PLAIN = {"ext4", "ext3", "ext2", "xfs", "btrfs", "vfat", "ntfs", "f2fs"}
_TIMED_OUT = 124  # what `timeout` exits with
_GRACE = 15  # seconds for a timed-out script to clean up after itself


@dataclass(frozen=True)
class Unreadable:
    """The device could not be read, and why."""

    reason: str


def probe(spec: HostSpec, iqn: str) -> Finding | Unreadable:
    """What is on the host's data volume. Deadline: `spec.hypervisor.timeout`."""
    seconds = spec.hypervisor.timeout
    late = Unreadable(f"no answer within {seconds} s")
    try:
        script = _block_script(spec, iqn) if spec.data.attach == "block" else _network_script(spec, iqn)
        line = _on_hypervisor(spec.hypervisor.uri, ["timeout", "-k", "5", str(seconds), "sh", "-s"])
        done = subprocess.run(line, input=script, capture_output=True, text=True, timeout=seconds + _GRACE)
    except subprocess.TimeoutExpired:
        return late
    except LabError as error:
        return Unreadable(str(error))
    except OSError as error:
        return Unreadable(f"{error.filename} could not be started ({error.strerror})")
    if done.returncode == _TIMED_OUT:
        return late
    if done.returncode:
        return Unreadable(_complaint(done.stderr) or f"exit {done.returncode}")
    return interpret(done.stdout)


def _complaint(stderr: str) -> str:
    """The last line of what went wrong, without the options that qemu-img repeats."""
    last = (stderr.strip().splitlines() or [""])[-1]
    if "Unknown driver 'iscsi'" in last or "Unknown protocol 'iscsi'" in last:
        return "QEMU's iSCSI driver is missing there (Debian: package qemu-block-extra)"
    return re.sub(r"Could not open '[^']*': ", "", last)[-300:]


def interpret(answer: str) -> Finding | Unreadable:
    """The finding in what the script printed: blkid's exit code, whether the bytes are all zero, blkid's export lines."""
    fields = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    code, zero = fields.get("BLKID_EXIT"), fields.get("ALL_ZERO")
    if code is None or zero is None:
        return Unreadable(f"the probe answered {answer[:100]!r}")
    if code == "8":
        return Finding(other="several signatures at once (blkid: ambivalent)")
    if fields.get("PTTYPE"):
        table = f"a {fields['PTTYPE']} partition table"
        return Finding(other=table, partition=_filesystem(fields, "PART_") if table == GPT else None)
    kind = fields.get("TYPE", "")
    if kind in _PLAIN:
        return Finding(filesystem=_filesystem(fields, ""))
    if kind:
        return Finding(other=kind)
    if code == "2" and zero == "1":
        return Finding(blank=True)
    return Finding(other="data of no known kind")


def _filesystem(fields: dict[str, str], prefix: str) -> Filesystem | None:
    kind = fields.get(f"{prefix}TYPE", "")
    return Filesystem(kind, fields.get(f"{prefix}LABEL", ""), fields.get(f"{prefix}UUID", "")) if kind in _PLAIN else None


def _on_hypervisor(uri: str, command: list[str]) -> list[str]:
    """The command on the hypervisor: this machine, or by ssh where libvirt goes by it. Scripts travel on stdin."""
    parts = urlsplit(uri)
    transport = parts.scheme.partition("+")[2]
    if transport in ("", "unix") and not parts.hostname:
        return command
    if not transport.startswith(("ssh", "libssh")):
        raise LabError(f"{uri} offers no shell to read the device with", "use qemu+ssh://USER@HOST/system", code=Code.WRONG_VALUE)
    where = f"{parts.username}@{parts.hostname}" if parts.username else str(parts.hostname)
    port = ["-p", str(parts.port)] if parts.port else []
    key = [f"-i{path}" for path in parse_qs(parts.query).get("keyfile", [])]
    return ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", *port, *key, "--", where, shlex.join(command)]


_START = r"""
set -eu
umask 077
PATH=$PATH:/usr/sbin:/sbin
fail() { echo "$1" >&2; exit 3; }
need() { for tool; do command -v "$tool" >/dev/null || fail "$tool is not installed there"; done; }
need blkid
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 124' TERM INT HUP
"""

# Needs $size (bytes) and `piece OFFSET_IN_MIB LENGTH_IN_BYTES` that writes $work/piece. Prints blkid's lines, BLKID_EXIT
# and ALL_ZERO, for the first 4 MiB and the last: every signature that blkid knows lies there.
_REPORT = r"""
[ "$size" -ge 8388608 ] || fail "the volume is smaller than 8 MiB"
truncate -s "$size" "$work/image"
zero=1
look() {
  piece "$1" "$2"
  [ "$(stat -c %s "$work/piece")" -eq "$2" ] || fail "only a part of the device could be read"
  dd if="$work/piece" of="$work/image" bs=1M seek="$1" conv=notrunc status=none
  [ "$(tr -d '\000' <"$work/piece" | head -c 1 | wc -c)" -eq 0 ] || zero=0
}
look 0 4194304
last=$((size / 1048576 - 1))
look "$last" $((size - last * 1048576))
blkid -p -o export "$work/image" && code=0 || code=$?
echo "BLKID_EXIT=$code"
echo "ALL_ZERO=$zero"
"""

# Needs $label. Prints blkid's lines for the one partition of that label, each with PART_ before it; a partition that does
# not begin in the first 4 MiB is seen as empty, and nothing is printed for it.
_PARTITION = r"""
need partx
found=$(partx -r -g -o START,SECTORS,NAME "$work/image" 2>/dev/null | awk -v label="$label" '$3 == label { print $1, $2 }')
if [ "$(printf '%s' "$found" | grep -c .)" -eq 1 ]; then
  start=${found% *} sectors=${found#* }
  blkid -p -o export -O $((start * 512)) -S $((sectors * 512)) "$work/image" | sed 's/^/PART_/'
fi
"""


def _block_script(spec: HostSpec, iqn: str) -> str:
    return f"""{_START}
device={shlex.quote(spec.by_path(iqn))}
[ -b "$device" ] || fail "$device is not there"
as=
[ -r "$device" ] || as="sudo -n"
size=$($as blockdev --getsize64 "$device")
piece() {{ $as dd if="$device" bs=1M skip="$1" count="$2" iflag=direct,count_bytes status=none >"$work/piece"; }}
{_REPORT}{_partition(spec)}"""


def _partition(spec: HostSpec) -> str:
    label = spec.data.partlabel
    return f"label={shlex.quote(label)}\n{_PARTITION}" if label else ""


def _network_script(spec: HostSpec, iqn: str) -> str:
    """Copy head and tail of the LUN by qemu-img. The CHAP secret goes through pipes: no argument, no file, no environment.

    The pieces are windows of the raw driver: `qemu-img dd` counts `skip` in or out of `count`, depending on its version.
    """
    iscsi = spec.iscsi
    address = f"[{iscsi.connect_to}]" if ":" in iscsi.connect_to else iscsi.connect_to
    options = [
        "driver=raw", "file.driver=iscsi", "file.transport=tcp", f"file.portal={address}:{iscsi.port}",
        f"file.target={iqn}", f"file.lun={iscsi.lun}", f"file.initiator-name={iscsi.initiators[0]}",
    ]  # fmt: skip
    secret = objects = ""
    if iscsi.chap_user and iscsi.chap_secret:
        options += [f"file.user={iscsi.chap_user.replace(',', ',,')}", "file.password-secret=chap"]
        objects, secret = "--object secret,id=chap,file=/dev/stdin", iscsi.chap_secret.reveal()
    return f"""{_START}
need qemu-img
source={shlex.quote(",".join(options))}
secret={shlex.quote(secret)}
qemu() {{ command=$1; shift; printf %s "$secret" | qemu-img "$command" {objects} --image-opts "$@"; }}
qemu info --output json "$source" >"$work/info"
size=$(sed -n 's/.*"virtual-size": *\\([0-9]*\\).*/\\1/p' "$work/info" | head -n 1)
piece() {{ qemu dd -O raw bs=1M if="$source,offset=$(($1 * 1048576)),size=$2" of="$work/piece" >&2; }}
{_REPORT}{_partition(spec)}"""
