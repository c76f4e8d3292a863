"""What is kept in a cluster: objects, applied server-side through k3s's own kubectl on its first server."""

from zerotoil.resources.cluster.objects import ClusterObjects

__all__ = ["ClusterObjects"]
