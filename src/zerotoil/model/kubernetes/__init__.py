"""Objects of a Kubernetes cluster as they are declared: read with the lines they stand in, and judged. Pure."""

from zerotoil.model.kubernetes.manifests import ManifestProblems, across, read
from zerotoil.model.kubernetes.objects import LABEL, Object, managed

__all__ = ["LABEL", "ManifestProblems", "Object", "across", "managed", "read"]
