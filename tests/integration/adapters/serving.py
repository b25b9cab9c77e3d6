"""What tests of adapters against a served simulator share."""

from datetime import UTC, datetime

import pytest

from tests.fakes.serving import served

__all__ = ["UtcClock", "late", "served"]


class UtcClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def late(monkeypatch: pytest.MonkeyPatch, forge: object, name: str, first: object = None) -> None:
    """Let the first look find ``first``: as if somebody else had been quicker between our look and our create."""
    look = getattr(forge, name)
    looks: list[object] = []

    def looking(*args: object) -> object:
        looks.append(args)
        return first if len(looks) == 1 else look(*args)

    monkeypatch.setattr(forge, name, looking)
