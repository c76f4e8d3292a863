"""system-upgrade-controller's own manifests and CRD, out of its Go module. The controller itself is not run."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster.control_plane import KUBECTL
from zerotoil.minilab.commands import run
from zerotoil.minilab.tools import module_files, pinned

MODULE = "system-upgrade-controller"
VERSION = pinned(MODULE, f"github.com/rancher/{MODULE}")
NAMESPACE = "system-upgrade"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:system-upgrade"


def crd() -> Path:
    """The file with the CRD of Plans."""
    return module_files(MODULE) / "pkg/crds/yaml/generated/upgrade.cattle.io_plans.yaml"


def manifests(folder: Path) -> str:
    """YAML of all objects but the CRD, by upstream's kustomization: its files lack the namespaces, and name an old image."""
    shutil.copytree(module_files(MODULE), folder / "upstream")
    (folder / "kustomization.yaml").write_text(
        f"resources: [upstream]\nimages: [{{name: rancher/{MODULE}, newTag: {VERSION}}}]\n"
    )
    return run(str(KUBECTL), "kustomize", str(folder))
