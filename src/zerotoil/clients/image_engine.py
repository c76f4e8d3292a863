"""podman or buildah, whichever is here: builds an image, reads a file of it, pushes it. Every call has a deadline.

Sources: podman-build(1), buildah-build(1), podman-push(1). Credentials travel in an authfile, never on a command line. Both keep
what they build in the same storage (containers-storage.conf(5)), so a layer that is there is not built again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import ImageRef

_BUILD_SECONDS, _PUSH_SECONDS, _SECONDS = 3600, 1800, 120
_NO_SUCH_FILE = "no such file"


@dataclass(frozen=True)
class Access:
    """How a registry is reached: its logins (a file that only its owner reads), and its CA."""

    authfile: Path | None = None
    ca: Path | None = None

    def flags(self, folder: Path, prefix: str = "--") -> list[str]:
        """For push and for copies. The CA is laid out in `folder` as containers/image wants it."""
        given = ["--authfile", str(self.authfile)] if self.authfile else []
        if self.ca:
            shutil.copyfile(self.ca, folder / "ca.crt")
            given += [f"{prefix}cert-dir", str(folder)]
        return given


class ImageEngine:
    """One of the two programs."""

    def __init__(self, program: str) -> None:
        self.program = program

    @classmethod
    def found(cls) -> ImageEngine:
        """podman, else buildah. Raises LabError where neither is installed."""
        for program in ("podman", "buildah"):
            if shutil.which(program):
                return cls(program)
        raise LabError("neither podman nor buildah is installed", "install one: apt-get install buildah", code=Code.TOOL_MISSING)

    def build(self, context: Path, target: str, base: str, access: Access) -> str:
        """The id of the image that the stage `target` makes on `base`. Raises LabError with the step that failed."""
        with tempfile.TemporaryDirectory(prefix="zerotoil-") as folder:
            made, certificates = Path(folder, "id"), Path(folder, "certificates")
            certificates.mkdir()
            line = [
                "build",
                "--layers",
                "--format",
                "oci",
                *access.flags(certificates),
                "--target",
                target,
                "--build-arg",
                f"BASE={base}",
            ]
            line += ["--iidfile", str(made), "--file", str(context / "Containerfile"), str(context)]
            self._run(line, f"{target} was not built", Code.IMAGE_BUILD_FAILED, _BUILD_SECONDS)
            return made.read_text().strip().removeprefix("sha256:")

    def label(self, image: str, labels: Mapping[str, str], tag: str) -> str:
        """The id of the same image with labels, under a name of its own."""
        with tempfile.TemporaryDirectory(prefix="zerotoil-") as folder:
            Path(folder, "Containerfile").write_text(f"FROM {image}\n")
            made = Path(folder, "id")
            given = [part for name, value in labels.items() for part in ("--label", f"{name}={value}")]
            line = [
                "build",
                "--layers",
                "--format",
                "oci",
                "--pull-never" if self.program == "buildah" else "--pull=never",
                *given,
            ]
            line += ["--tag", tag, "--iidfile", str(made), "--file", str(Path(folder, "Containerfile")), folder]
            self._run(line, "the image got no labels", Code.IMAGE_BUILD_FAILED)
            return made.read_text().strip().removeprefix("sha256:")

    def read(self, image: str, path: str) -> str | None:
        """The text of a file in the image; None when it has none there. Nothing of the image is run."""
        failed = f"{path} of the image cannot be read"
        create = ["create", "--pull=never", image, "true"] if self.program == "podman" else ["from", "--pull-never", image]
        container = self._run(create, failed, Code.IMAGE_BUILD_FAILED).strip()
        shown = f'cat "$({self.program} mount "$1")$2"'
        rootless = [self.program, "unshare"] if os.geteuid() else []  # which root is refused
        try:
            return run([*rootless, "sh", "-c", shown, "sh", container, path], failed, Code.IMAGE_BUILD_FAILED, _SECONDS)
        except LabError as error:
            if _NO_SUCH_FILE in str(error).lower():
                return None
            raise
        finally:
            self._run(["rm", container], "a container of the build was left", Code.IMAGE_BUILD_FAILED)

    def size(self, image: str) -> int:
        """Bytes of the image in this machine's storage; 0 where the engine does not say."""
        said = self._run(["images", "--no-trunc", "--format", "{{.ID}} {{.Size}}"], "images cannot be listed", Code.TOOL_FAILED)
        for name, _, size in (line.partition(" ") for line in said.splitlines()):
            if name.removeprefix("sha256:") == image:
                return _bytes(size)
        return 0

    def push(self, image: str, ref: ImageRef, access: Access) -> str:
        """The digest that the registry has the image under. Raises LabError with the registry's words."""
        with tempfile.TemporaryDirectory(prefix="zerotoil-") as folder:
            digest, certificates = Path(folder, "digest"), Path(folder, "certificates")
            certificates.mkdir()
            line = ["push", "--quiet", "--format", "oci", "--digestfile", str(digest), *access.flags(certificates)]
            line += [image, f"docker://{ref}"]
            self._run(line, f"{ref} was not pushed", Code.IMAGE_PUSH_FAILED, _PUSH_SECONDS)
            return digest.read_text().strip()

    def _run(self, line: list[str], failed: str, code: Code, seconds: int = _SECONDS) -> str:
        return run([self.program, *line], failed, code, seconds)


_REMEDIES = {
    Code.IMAGE_BUILD_FAILED: "mend the step that is named, and build again: what was built before it is kept",
    Code.IMAGE_PUSH_FAILED: "is the login in --authfile right, and the CA in --ca? Nothing on the registry was changed",
}


def run(line: list[str], failed: str, code: Code, seconds: int) -> str:
    """What a program prints. Raises LabError with the end of its words when it fails or takes too long."""
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{failed} ({line[0]} did not end in {seconds} s)", "is the network slow? run again", code=code) from error
    except OSError as error:
        raise LabError(f"{line[0]} cannot be run ({error.strerror})", f"install {line[0]}", code=Code.TOOL_FAILED) from error
    if done.returncode:
        said = [text.strip() for text in (done.stdout + "\n" + done.stderr).splitlines() if text.strip()]
        step = next((text for text in reversed(said) if text.startswith("STEP ") or "] STEP " in text), "")
        words = "; ".join([*([step] if step else []), *[text for text in said[-3:] if text != step]])
        remedy = _REMEDIES.get(code, f"run {line[0]} by hand")
        raise LabError(f"{failed} ({words[-600:] or f'exit code {done.returncode}'})", remedy, code=code)
    return done.stdout


def _bytes(text: str) -> int:
    """As engines write sizes: "1.95 GB"."""
    number, _, unit = text.strip().partition(" ")
    factor = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}.get(unit.upper(), 0)
    try:
        return int(float(number) * factor)
    except ValueError:
        return 0
