"""How much time is left."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment after which no answer is waited for."""

    at: float
    """As ``time.monotonic`` counts."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds; 0 when it is past."""
        return max(self.at - time.monotonic(), 0.0)

    def within(self, seconds: float) -> Deadline:
        """The nearer of this one and ``seconds`` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))
