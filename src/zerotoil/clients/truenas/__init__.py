"""TrueNAS over its WebSocket API: JSON-RPC (25.04 and later) or the legacy framing (24.10).

Our own thin, synchronous client: TrueNAS's official one is not on PyPI, and a blocking loop without threads suits
pyinfra's greenlets. Source: truenas/middleware and truenas/api_client.
"""

from zerotoil.clients.truenas.errors import NasError
from zerotoil.clients.truenas.nas import Nas

__all__ = ["Nas", "NasError"]
