"""A tgtd with its own control port as the iSCSI server.

tgtd's LUN 0 is its controller, so LUNs start at 1. CHAP accounts go through tgtd's control socket, not through tgtadm: a
secret must not be in an argument list. The request's layout was read off tgtadm 1.0.85 (x86-64).
"""

from __future__ import annotations

import re
import socket
import struct
import subprocess
from dataclasses import dataclass, field

from zerotoil.minilab.nas.targets import Lun, Target

ACCOUNT_MODE, NEW, DELETE = 7, 0, 1
REQUEST = "<ii64sIIQQ24x"  # mode, op, driver, length with parameters, target, session, lun
ANSWER = "<II"


@dataclass
class _Served:
    """What tgtd says about a target."""

    iqn: str
    luns: dict[int, tuple[str, str]] = field(default_factory=dict)  # lun -> (backing file, shown size)
    initiators: set[str] = field(default_factory=set)
    accounts: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)


class Tgt:
    """`control_port` is what tgtd was started with (-C)."""

    first_lun = 1

    def __init__(self, control_port: int) -> None:
        self._control_port = control_port
        self._secrets: dict[str, str] = {}  # account -> secret that tgtd has from us
        self._sizes: dict[tuple[int, int], int] = {}

    def connected(self, iqn: str) -> list[str]:
        return [name for served in self._served().values() if served.iqn == iqn for name in served.sessions]

    def apply(self, wanted: list[Target]) -> None:
        """Change only what differs, so that logged-in initiators keep their disks."""
        served = self._served()
        for tid, have in list(served.items()):
            if not any(target.tid == tid and target.iqn == have.iqn for target in wanted):
                self._admin("delete", "target", "--force", "--tid", str(tid))
                del served[tid]
        self._accounts({user: secret for t in wanted for user, secret in (*t.accounts, *([t.outgoing] if t.outgoing else []))})
        if wanted:
            served = self._served()
        for target in wanted:
            if target.tid not in served:
                self._admin("new", "target", "--tid", str(target.tid), "--targetname", target.iqn)
            self._apply_one(target, served.get(target.tid) or _Served(target.iqn))

    def _apply_one(self, target: Target, have: _Served) -> None:
        tid = str(target.tid)
        accounts = [user for user, _ in target.accounts] + ([target.outgoing[0]] if target.outgoing else [])
        for user in accounts:
            if user not in have.accounts:
                outgoing = ["--outgoing"] if target.outgoing and user == target.outgoing[0] else []
                self._admin("bind", "account", "--tid", tid, "--user", user, *outgoing)
        for user in set(have.accounts) - set(accounts):
            self._admin("unbind", "account", "--tid", tid, "--user", user)
        for number in sorted(set(have.luns) | set(target.luns)):
            self._lun(target.tid, number, target.luns.get(number), have)
        allowed = set(target.initiators) or {"ALL"}
        for name in have.initiators - allowed:
            self._admin("unbind", "target", "--tid", tid, *_initiator(name))
        for name in sorted(allowed - have.initiators):
            self._admin("bind", "target", "--tid", tid, *_initiator(name))

    def _lun(self, tid: int, number: int, wanted: Lun | None, have: _Served) -> None:
        where = ("--tid", str(tid), "--lun", str(number))
        old = have.luns.get(number)
        if old and wanted and old[0] == str(wanted.path):
            size = wanted.path.stat().st_size
            known = self._sizes.get((tid, number))
            same = known == size if known is not None else old[1] == f"{round(size / 1e6)} MB"
            if same or have.sessions:
                return  # a size that changed under a logged-in initiator is announced after its logout
        if old:
            self._admin("delete", "logicalunit", *where)
        if wanted:
            self._admin("new", "logicalunit", *where, "--backing-store", str(wanted.path))
            self._sizes[tid, number] = wanted.path.stat().st_size
            about = f"vendor_id=TrueNAS,product_id=iSCSI Disk,scsi_sn={wanted.serial},readonly={int(wanted.readonly)}"
            self._admin("update", "logicalunit", *where, "--params", about)

    def _accounts(self, wanted: dict[str, str]) -> None:
        listed = re.findall(r"^\s+(\S+)$", self._admin("show", "account"), re.MULTILINE)
        for user in listed:
            if self._secrets.get(user) != wanted.get(user):
                self._ask(DELETE, f"user={user}")
                self._secrets.pop(user, None)
        for user, secret in wanted.items():
            if user not in self._secrets or user not in listed:
                self._ask(NEW, f"user={user},password={secret}")
                self._secrets[user] = secret

    def _ask(self, operation: int, parameters: str) -> None:
        data = parameters.encode() + b"\0"
        length = struct.calcsize(REQUEST) + len(data)
        request = struct.pack(REQUEST, ACCOUNT_MODE, operation, b"iscsi", length, 0xFFFFFFFF, 0, 0xFFFFFFFFFFFFFFFF)
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(f"/var/run/tgtd/socket.{self._control_port}")
            control.sendall(request + data)
            answer = control.recv(struct.calcsize(ANSWER), socket.MSG_WAITALL)
        if len(answer) != struct.calcsize(ANSWER) or struct.unpack(ANSWER, answer)[0]:
            raise OSError("tgtd refused a CHAP account")

    def _served(self) -> dict[int, _Served]:
        return parse(self._admin("show", "target"))

    def _admin(self, operation: str, mode: str, *more: str) -> str:
        words = ["tgtadm", "-C", str(self._control_port), "--lld", "iscsi", "--op", operation, "--mode", mode, *more]
        done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
        if done.returncode:
            raise OSError(f"tgtadm {operation} {mode}: {done.stderr.strip()}")
        return done.stdout


def parse(text: str) -> dict[int, _Served]:
    """The answer of `tgtadm --op show --mode target`, by target id."""
    found: dict[int, _Served] = {}
    section, lun, current = "", 0, _Served("")
    for line in text.splitlines():
        key, _, value = line.strip().partition(": ")
        if match := re.match(r"Target (\d+): (\S+)", line):
            current = found[int(match[1])] = _Served(match[2])
        elif line.strip().endswith("information:"):
            section = line.strip().removesuffix(" information:")
        elif key == "Initiator":
            current.sessions.append(value.split()[0])
        elif key == "LUN":
            lun = int(value)
        elif key == "Size" and lun:
            current.luns[lun] = ("", value.partition(",")[0])
        elif key == "Backing store path" and lun:
            current.luns[lun] = (value, current.luns.get(lun, ("", ""))[1])
        elif section == "Account" and line.strip():
            current.accounts.append(line.split()[0])
        elif section == "ACL" and line.strip():
            current.initiators.add(line.strip())
    return found


def _initiator(name: str) -> tuple[str, str]:
    return ("--initiator-address", name) if name == "ALL" else ("--initiator-name", name)
