"""The HTTP transport under every storage client: enough kept connections, and no wait that holds a thread for long.

Unlike its neighbours this module imports the SDK at once; only ``account`` imports it, and only to make a client.
"""

from __future__ import annotations

from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter

_CONNECTIONS = 64
"""The Functions worker runs at most 32 threads by default; requests' own pool of 10 would open and drop a connection for
each call beyond ten at once."""

_LONGEST_WAIT = 5.0


class PooledTransport(RequestsTransport):  # type: ignore[misc]  # azure-core exports it untyped
    """Connections shared by all threads of the process."""

    def __init__(self, **more: Any) -> None:
        session = requests.Session()
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=_CONNECTIONS, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        super().__init__(session=session, **more)

    def sleep(self, duration: float) -> None:
        """Wait before the client's own retry, 5 seconds at most: whoever called waits longer without holding a thread."""
        super().sleep(min(duration, _LONGEST_WAIT))
