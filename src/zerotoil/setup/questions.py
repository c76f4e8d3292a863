"""What `zerotoil init` asks, in order. Each question is also a flag. Reads nothing but the names of ~/.ssh/*.pub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

Answers = dict[str, str]


def _always(_answers: Answers) -> bool:
    return True


@dataclass(frozen=True)
class Question:
    """One question. `default` is None when it must be answered, "" when it may be left out.

    `key` is the inventory key whose problems are problems of this answer.
    """

    name: str
    key: str
    text: str
    default: Callable[[Answers], str | None]
    applies: Callable[[Answers], bool] = _always

    @property
    def flag(self) -> str:
        """ "nas_url" -> "--nas-url"."""
        return "--" + self.name.replace("_", "-")


def _fixed(text: str | None) -> Callable[[Answers], str | None]:
    return lambda _answers: text


def _first_public_key(_answers: Answers) -> str | None:
    found = sorted(Path("~/.ssh").expanduser().glob("*.pub"))
    return f"file:~/.ssh/{found[0].name}" if found else None


def _network(answers: Answers) -> str:
    return "" if answers.get("bridge") else "default"


def _has_address(answers: Answers) -> bool:
    return bool(answers.get("address"))


def _gateway(answers: Answers) -> str | None:
    """On a bridge a static address needs one; a libvirt network hands the address out itself."""
    return None if answers.get("bridge") else ""


_MUST, _MAY = _fixed(None), _fixed("")
QUESTIONS = (
    Question("lab_name", "lab_name", "Name of the lab; marks what is ours on the servers", _fixed("home")),
    Question("nas_url", "nas_url", "Address of the TrueNAS, such as wss://nas.lan", _MUST),
    Question("nas_user", "nas_user", "User the API key belongs to", _fixed("zerotoil")),
    Question(
        "nas_api_key",
        "nas_api_key",
        "Where its API key is: file:PATH or env:NAME, never the key",
        _fixed("file:~/.config/zerotoil/nas-api-key"),
    ),
    Question("nas_ca", "nas_ca", "CA certificate of the NAS, a PEM file (empty: pinned, or the system's CAs)", _MAY),
    Question(
        "nas_fingerprint",
        "nas_fingerprint",
        "SHA-256 of the NAS's certificate (empty: the system's CAs)",
        _MAY,
        lambda answers: not answers.get("nas_ca"),
    ),
    Question("nas_dataset", "nas_dataset", "Dataset for the hosts' volumes, such as tank/lab", _MUST),
    Question("portal", "iscsi_portal", "Address of the NAS for iSCSI", _MUST),
    Question(
        "hypervisor_uri",
        "hypervisor_uri",
        "libvirt address of the hypervisor (elsewhere: qemu+ssh://USER@HOST/system)",
        _fixed("qemu:///system"),
    ),
    Question("hypervisor_pool", "hypervisor_pool", "libvirt storage pool for OS disks", _fixed("default")),
    Question("initiator", "iscsi_initiators", "IQN of the hypervisor (/etc/iscsi/initiatorname.iscsi there)", _MUST),
    Question("host", "host", "Name of the first host", _MUST),
    Question("bridge", "vm_nics", "Bridge of the hypervisor (empty: a libvirt network)", _MAY),
    Question("network", "vm_nics", "libvirt network", _network, lambda answers: not answers.get("bridge")),
    Question("address", "vm_nics", "Address with prefix length, such as 192.168.1.21/24 (empty: DHCP)", _MAY),
    Question("gateway", "vm_nics", "Gateway of that address", _gateway, _has_address),
    Question("dns", "vm_nics", "Name servers, by commas", lambda answers: answers.get("gateway", ""), _has_address),
    Question("memory", "vm_memory", "Memory of the VM", _fixed("4 GiB")),
    Question("cpus", "vm_cpus", "Virtual CPUs", _fixed("2")),
    Question("data_size", "data_size", "Size of the data volume, such as 100 GiB; it can grow, never shrink", _MUST),
    Question("ssh_key", "ssh_authorized_keys", "SSH public key that may log in (text or file:PATH)", _first_public_key),
)

Ask = Callable[[Question, str | None, Answers], str]


def complete(given: Mapping[str, str | None], ask: Ask | None) -> Answers:
    """The answers to all questions that apply: given, asked, or by default. Raises LabError with every missing flag.

    An answer that is given is kept even where its question would not be asked, so that a contradiction is seen.
    """
    answers: Answers = {}
    missing = []
    for question in QUESTIONS:
        value, default = given.get(question.name), question.default(answers)
        if value or (value == "" and default == ""):
            answers[question.name] = value
        elif not question.applies(answers):
            continue
        elif ask:
            answers[question.name] = ask(question, default, answers)
        elif default is None:
            missing.append(question.flag)
        else:
            answers[question.name] = default
    if missing:
        raise LabError(
            f"missing: {' '.join(missing)}",
            "give these flags, or run zerotoil init in a terminal, which asks",
            code=Code.FLAGS_MISSING,
        )
    return answers
