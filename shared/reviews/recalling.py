"""Keeps the evidence that was read last in memory, so that the steps of one review read and take it apart once.

Each step is an activity of its own, often in the same process, and rests on all of the evidence: parsing it, and then the
syntax of every changed file, was most of what a review of a hundred files cost. An artifact is named by its content, so
what is recalled is what would be read.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from weakref import WeakKeyDictionary

from shared.domain.change import ChangeEvidence
from shared.ports import ArtifactStore

MOST_BYTES = 32 * 1024 * 1024
"""Of the evidence of one store that is kept, as JSON. In memory it takes a few times as much."""


class _Recalled:
    """The evidence read from one store."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[ChangeEvidence, int]] = OrderedDict()
        self._bytes = 0

    def get(self, digest: str) -> ChangeEvidence | None:
        with self._lock:
            found = self._known.get(digest)
            if found is None:
                return None
            self._known.move_to_end(digest)
            return found[0]

    def keep(self, digest: str, evidence: ChangeEvidence, size: int) -> None:
        with self._lock:
            if size > MOST_BYTES or digest in self._known:
                return
            self._known[digest] = (evidence, size)
            self._bytes += size
            while self._bytes > MOST_BYTES:
                _, (_, gone) = self._known.popitem(last=False)
                self._bytes -= gone


_of_store: WeakKeyDictionary[ArtifactStore, _Recalled] = WeakKeyDictionary()


def evidence_of(artifacts: ArtifactStore, digest: str) -> ChangeEvidence:
    """The evidence kept under ``digest``; nobody may change it.

    Raises ``TransientError`` when storage does not answer, ``RefusedError`` when the evidence is past its retention and
    was not read a moment ago.
    """
    recalled = _of_store.setdefault(artifacts, _Recalled())
    found = recalled.get(digest)
    if found is None:
        content = artifacts.get(digest)
        found = ChangeEvidence.model_validate_json(content)
        recalled.keep(digest, found, len(content))
    return found
