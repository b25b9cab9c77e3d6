"""Holds everything the simulators know as one JSON tree, and writes it to disk whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


class StateUnreadableError(ValueError):
    """The file holds no state of ours; the message names the file and what to do."""


class State:
    """A JSON tree with counters; used from one event loop only, hence without locks."""

    def __init__(self, data: dict[str, Any] | None = None) -> None:
        """Start from `data` (kept, not copied) or from nothing."""
        self.data: dict[str, Any] = {} if data is None else data
        self.dirty = False

    def next_id(self, kind: str, start: int = 1) -> int:
        """The next number of `kind`; the first is `start`, and none is given twice."""
        counters: dict[str, int] = self.data.setdefault("_counters", {})
        value = counters.get(kind, start)
        counters[kind] = value + 1
        self.changed()
        return value

    def changed(self) -> None:
        """Mark the tree as differing from what is on disk."""
        self.dirty = True

    @property
    def empty(self) -> bool:
        """Whether nothing was ever stored."""
        return not self.data

    @classmethod
    def load(cls, path: Path | str | None) -> State:
        """Read a saved tree; nothing when `path` is None or absent.

        Raises StateUnreadableError for a file that is not a JSON object.
        """
        if path is None or not Path(path).exists():
            return cls()
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StateUnreadableError(
                f"{path}: not a saved state ({error}); remove the file to start empty"
            ) from error
        if not isinstance(data, dict):
            raise StateUnreadableError(f"{path}: not a saved state (no JSON object); remove the file to start empty")
        return cls(data)

    def save(self, path: Path | str) -> None:
        """Write the tree to `path`, replacing the old file in one step; raises OSError."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self.dirty = False
