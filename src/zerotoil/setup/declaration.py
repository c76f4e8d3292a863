"""What the answers declare, judged by the very model that judges inventories. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.model.inventory import Layers, Problem, Problems, declare
from zerotoil.setup.questions import QUESTIONS, Answers

_LISTS = {"portal": "iscsi_portal", "initiator": "iscsi_initiators"}
_CARD = ("bridge", "network", "address", "gateway", "dns")
_PUBLIC = ("file:", "ssh-", "ecdsa-", "sk-")
_RIGHT = {  # for what is not answered yet, so that rules which span keys can judge what is
    "nas_url": "wss://nas.lan", "nas_user": "zerotoil", "nas_api_key": "env:KEY", "nas_dataset": "tank/lab",
    "iscsi_portal": ["192.0.2.10"], "iscsi_initiators": ["iqn.1993-08.org.debian:01:hv1"],
    "data_size": "1 GiB", "ssh_authorized_keys": ["ssh-ed25519 A"],
}  # fmt: skip


_FOLLOWS = {"host": ("data_serial", "iscsi_target"), "iscsi_portal": ("iscsi_address",)}  # keys that an answer decides too


@dataclass(frozen=True)
class Declaration:
    """The first host and its lab, as flat inventory keys; `source` says by which flag each key came."""

    host: str
    data: dict[str, Any]
    source: dict[str, str]

    @classmethod
    def of(cls, answers: Answers) -> Declaration:
        """From answers, also from some of them. Empty ones are left out."""
        data: dict[str, Any] = {}
        source: dict[str, str] = {}
        for question in QUESTIONS:
            value = answers.get(question.name)
            if value and question.name not in ("host", *_CARD):
                data[question.key], source[question.key] = _value(question.name, value), question.flag
        card = {name: answers[name] for name in _CARD if answers.get(name)}
        if card:
            data["vm_nics"], source["vm_nics"] = [_nic(card)], ", ".join(f"--{name}" for name in card)
        return cls(answers.get("host") or "host", data, source)

    def problems(self, otherwise: Mapping[str, Any] | None = None) -> list[Problem]:
        """Everything that is wrong or missing, as an inventory would tell it; `otherwise` holds keys not answered yet."""
        layers: Layers = [(self.source[key], {key: value}) for key, value in self.data.items()]
        layers.append(("", otherwise or {}))
        found = declare({self.host: layers}).problems
        for key in self.data.get("ssh_authorized_keys", []):
            if not key.startswith(_PUBLIC):
                what = f"{key[:20]!r}… is no public key; give a .pub file (file:PATH), never the private key"
                found.append(
                    Problem(self.host, "ssh_authorized_keys", self.source["ssh_authorized_keys"], what, code=Code.NO_PUBLIC_KEY)
                )
        return found

    def check(self) -> None:
        """Raise LabError with all problems, a line each."""
        if found := self.problems():
            raise Problems(found)


def wrong(answers: Answers, key: str) -> str:
    """What is wrong with the answers about one key (or its section), whatever is not answered yet; empty if nothing is."""
    about = (key, *_FOLLOWS.get(key, ()))
    return "; ".join(problem.what for problem in Declaration.of(answers).problems(_RIGHT) if problem.key in about)


def _value(name: str, text: str) -> Any:
    if name in _LISTS:
        return _list(text)
    if name == "cpus":
        return int(text) if text.isdecimal() else text
    if name == "ssh_key":  # a path is what people type
        return [f"file:{text}" if text.endswith(".pub") and " " not in text and not text.startswith("file:") else text]
    return text


def _nic(card: dict[str, str]) -> dict[str, Any]:
    """A card. An address on a libvirt network, without gateway, is reserved there: nothing to set inside the guest."""
    nic: dict[str, Any] = {**card}
    if "dns" in nic:
        nic["dns"] = _list(nic["dns"])
    if "network" in nic and "address" in nic and not {"gateway", "dns"} & nic.keys():
        nic["reserve"] = True
    return nic


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
