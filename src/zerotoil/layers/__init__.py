"""The layers of one host, put together: its servers, the owner's files, and the resources of each layer.

Deploy and plan both start here, so what the plan shows is what the deploy does. Knows nothing of pyinfra.
"""

from __future__ import annotations

from zerotoil.layers.layers import LAYERS, Layer
from zerotoil.layers.site import Site

__all__ = ["LAYERS", "Layer", "Site"]
