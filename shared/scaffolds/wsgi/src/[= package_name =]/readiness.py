"""Ready means that what the service needs can be used now."""

import logging
from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import BaseModel

logger = logging.getLogger(__name__)

Check = Callable[[], None]
"""Returns when its dependency can be used, and raises OSError when it cannot."""


class Health(BaseModel):
    """The state of the service."""

    status: Literal["ok"] = "ok"


class Readiness:
    """Whether the service can take traffic."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    def failing(self) -> list[str]:
        """Return the names of what is not ready."""
        names = []
        for name, check in self._checks.items():
            try:
                check()
            except OSError:
                # OSError covers refused, reset and timed-out connections.
                logger.warning("readiness check failed", extra={"check": name}, exc_info=True)
                names.append(name)
        return names
