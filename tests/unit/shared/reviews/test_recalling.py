"""What was read a moment ago is recalled: the same, from the same store, within bounds."""

from __future__ import annotations

import pytest

from shared.domain.change import ChangeEvidence
from shared.errors import RefusedError
from shared.reviews import recalling
from shared.reviews.recalling import evidence_of
from tests.fakes.changes import a_change, file
from tests.fakes.storage import MemoryArtifacts


def kept(artifacts: MemoryArtifacts, text: str = "x = 1\n") -> str:
    evidence = ChangeEvidence(change=a_change(), files=(file("a.py", None, text),))
    return artifacts.put(evidence.model_dump_json().encode(), "application/json")


def test_the_steps_of_a_review_share_what_one_of_them_read() -> None:
    artifacts = MemoryArtifacts()
    digest = kept(artifacts)
    first = evidence_of(artifacts, digest)
    assert evidence_of(artifacts, digest) is first
    assert first.model_dump_json().encode() == artifacts.get(digest)


def test_another_store_is_asked_for_itself() -> None:
    artifacts = MemoryArtifacts()
    digest = kept(artifacts)
    evidence_of(artifacts, digest)
    with pytest.raises(RefusedError):
        evidence_of(MemoryArtifacts(), digest)


def test_the_oldest_goes_where_there_is_no_room(monkeypatch) -> None:
    artifacts = MemoryArtifacts()
    digests = [kept(artifacts, f"x = {number}\n") for number in range(3)]
    sizes = [len(artifacts.get(digest)) for digest in digests]
    monkeypatch.setattr(recalling, "MOST_BYTES", sizes[0] + sizes[1])
    first, second = (evidence_of(artifacts, digest) for digest in digests[:2])
    assert evidence_of(artifacts, digests[0]) is first
    evidence_of(artifacts, digests[2])
    assert evidence_of(artifacts, digests[0]) is first
    assert evidence_of(artifacts, digests[1]) is not second


def test_one_that_fills_the_room_by_itself_is_not_kept(monkeypatch) -> None:
    artifacts = MemoryArtifacts()
    digest = kept(artifacts)
    monkeypatch.setattr(recalling, "MOST_BYTES", 10)
    assert evidence_of(artifacts, digest) is not evidence_of(artifacts, digest)
