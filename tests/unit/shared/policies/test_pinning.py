"""A review's definition is found again exactly as it was, whatever changed since."""

from __future__ import annotations

import json

import pytest

from shared.definitions.load import definition_of_done, ticket_lifecycle
from shared.domain.definition import DefinitionOfDone, Pin
from shared.errors import DefectError, RefusedError
from shared.policies.pinning import content_of, definition_of_done_of, keep, lifecycle_of, pin
from tests.fakes.storage import MemoryArtifacts


def older() -> DefinitionOfDone:
    """The definition as it might have been before today's: fewer criteria, another bound."""
    kept = definition_of_done().criteria[:40]
    return DefinitionOfDone(version=7, criteria=kept)


def test_an_older_definition_is_loaded_as_it_was_pinned() -> None:
    artifacts = MemoryArtifacts()
    pinned = keep(artifacts, older())
    keep(artifacts, definition_of_done())
    assert (pinned.name, pinned.version) == ("definition_of_done", 7)
    assert definition_of_done_of(artifacts, pinned) == older()
    assert artifacts.media_type(pinned.digest) == "application/json"


def test_the_pin_is_the_name_under_which_the_store_keeps_it() -> None:
    for definition in (definition_of_done(), ticket_lifecycle()):
        artifacts = MemoryArtifacts()
        assert keep(artifacts, definition) == keep(artifacts, definition) == pin(definition)
        assert artifacts.get(pin(definition).digest) == content_of(definition)


def test_a_lifecycle_is_loaded_as_it_was_pinned() -> None:
    artifacts = MemoryArtifacts()
    assert lifecycle_of(artifacts, keep(artifacts, ticket_lifecycle())) == ticket_lifecycle()


def test_any_change_is_another_pin() -> None:
    before = definition_of_done()
    changed = before.criteria[0].model_copy(update={"remedy": "Do something else about it."})
    after = before.model_copy(update={"criteria": (changed, *before.criteria[1:])})
    assert pin(after).digest != pin(before).digest
    assert pin(DefinitionOfDone.model_validate_json(before.model_dump_json())) == pin(before)


def test_what_the_store_has_not_is_refused() -> None:
    with pytest.raises(RefusedError):
        definition_of_done_of(MemoryArtifacts(), pin(definition_of_done()))


def test_a_pin_that_says_another_version_is_a_defect() -> None:
    artifacts = MemoryArtifacts()
    pinned = keep(artifacts, older())
    with pytest.raises(DefectError, match="is definition_of_done 7, and not definition_of_done 8"):
        definition_of_done_of(artifacts, pinned.model_copy(update={"version": 8}))


@pytest.mark.parametrize(
    "content", [b"{}", b"not json", b'{"name": "definition_of_done", "version": 1, "criteria": []}']
)
def test_what_cannot_be_read_is_a_defect(content: bytes) -> None:
    artifacts = MemoryArtifacts()
    digest = artifacts.put(content, "application/json")
    with pytest.raises(DefectError, match="cannot be read as DefinitionOfDone"):
        definition_of_done_of(artifacts, Pin(name="definition_of_done", version=1, digest=digest))


def test_one_kind_is_not_taken_for_the_other() -> None:
    artifacts = MemoryArtifacts()
    with pytest.raises(DefectError):
        definition_of_done_of(artifacts, keep(artifacts, ticket_lifecycle()))


def test_a_store_that_names_it_otherwise_is_a_defect() -> None:
    class Lying(MemoryArtifacts):
        def put(self, content: bytes, media_type: str) -> str:
            return "sha256:" + "0" * 64

    with pytest.raises(DefectError, match="otherwise than its pin"):
        keep(Lying(), older())


def test_a_field_added_since_does_not_hide_an_older_definition() -> None:
    kept = json.loads(content_of(older()))
    for criterion in kept["criteria"]:
        # Conditions came later than criteria: who wrote none kept none.
        del criterion["applies_when"]
    assert len(DefinitionOfDone.model_validate(kept).criteria) == 40
