"""What a script in the guest asks of others ends by itself: a run would wait as long, and k3s's start for ever."""

import re
from importlib import resources

import pytest

K3S = re.compile(r'"\$(root/usr/local/bin/k3s|k3s|binary|1|binary\.zerotoil-new)" (--version|kubectl|etcd-snapshot)')


def scripts() -> dict[str, str]:
    folder = resources.files("zerotoil.resources.guest").joinpath("scripts")
    found = {path.name: path.read_text() for path in folder.iterdir() if path.name.endswith(".sh")}
    found["before-upgrade.sh"] = resources.files("zerotoil.render.kubernetes").joinpath("before-upgrade.sh").read_text()
    return found


@pytest.mark.parametrize(
    "name",
    [
        "k3s.sh",
        "kubectl.sh",
        "ledger.sh",
        "before-upgrade.sh",
        "tailscale.sh",
        "keel.sh",
        "notify-cluster.sh",
        "os.sh",
        "health.sh",
        "part-os.sh",
        "part-os-boot.sh",
        "part-os-update.sh",
    ],
)
def test_every_question_has_a_deadline(name: str) -> None:
    lines = scripts()[name].replace("\\\n", " ").splitlines()
    code = [line for line in lines if not line.lstrip().startswith("#")]
    assert [line for line in code if re.search(r"\bcurl --", line) and "--max-time" not in line] == []
    assert [line for line in code if K3S.search(line) and "timeout " not in line] == []


@pytest.mark.parametrize(("name", "calls"), [("tailscale.sh", 2), ("k3s.sh", 0), ("part-units.sh", 1)])
def test_tailscale_and_systemd_are_called_with_a_deadline_only(name: str, calls: int) -> None:
    """By the functions that have one."""
    code = [line for line in scripts()[name].splitlines() if not line.lstrip().startswith("#")]
    called = [
        line.strip() for line in code if re.search(r"\b(tailscale|systemctl|sysctl) [-\"$a-z]", line) and "command -v" not in line
    ]
    called = [line for line in called if not re.search(r"(fail|echo) '", line)]  # words
    assert len(called) == calls and all("timeout " in line for line in called), called


OS_SCRIPTS = [
    "os.sh", "health.sh", "part-os.sh", "part-os-state.sh", "part-os-boot.sh", "part-os-window.sh",
    "part-os-update.sh", "part-os-install.sh",
]  # fmt: skip
OUTSIDE = re.compile(r"(?<![-\w$.\"'/])(rpm-ostree|bootc|skopeo|systemctl|podman|curl|getent|ip|k3s/k3s\.sh)(?= (-|[a-z\"$]))")


@pytest.mark.parametrize("name", OS_SCRIPTS)
def test_the_os_is_asked_with_a_deadline_only(name: str) -> None:
    code = [line.strip().partition(" # ")[0] for line in scripts()[name].splitlines() if not line.lstrip().startswith("#")]
    words = re.compile(r"'[^']*'")
    called = [
        line for line in code if OUTSIDE.search(words.sub("''", line)) and "command -v" not in line and 'echo "' not in line
    ]
    assert [line for line in called if not re.search(r"timeout |--max-time", line)] == []
