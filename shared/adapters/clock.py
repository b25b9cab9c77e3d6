"""The machine's clock, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """``ports.Clock`` from the operating system."""

    def now(self) -> datetime:
        """The time now, aware, in UTC."""
        return datetime.now(UTC)
