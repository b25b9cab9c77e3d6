"""A criterion that says too little, or names what there is not, is no criterion."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.definition import AppliesWhen, Criterion, DefinitionOfDone, GateId, KnownByGate, Source, Stage

GOOD = {
    "id": "images_are_small",
    "stage": "integration",
    "subject": "change",
    "statement": "An image is no larger than what its users will wait for.",
    "owner": "author",
    "known_by": {"kind": "attestation", "by": "author"},
    "severity": "low",
    "remedy": "Build in stages, and copy only what runs.",
    "sources": ["000:12"],
}


def test_a_good_criterion_survives_json() -> None:
    criterion = Criterion.model_validate(GOOD)
    assert criterion.applies_when.always
    assert criterion.thresholds == {}
    assert Criterion.model_validate_json(criterion.model_dump_json()) == criterion


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "Images_are_small"),
        ("id", "small"),
        ("id", "a" * 61 + "_b"),
        ("statement", "too short."),
        ("statement", "an image that does not begin with a capital letter."),
        ("remedy", "Do something without an end"),
        ("stage", "packaging"),
        ("owner", "somebody"),
        ("severity", "blocker"),
        ("sources", []),
        ("sources", ["005:1"]),
        ("known_by", {"kind": "guess"}),
        ("known_by", {"kind": "gate", "gate": "images_are_small"}),
        ("known_by", {"kind": "gate", "gate": "threshold", "evidence": "package"}),
        ("known_by", {"kind": "gate", "gate": "threshold", "thresholds": {"size": {"at_most": 1, "unit": "count"}}}),
        ("known_by", {"kind": "gate", "gate": "ci_is_green", "evidence": "package"}),
        ("known_by", {"kind": "evidence", "evidence": "package", "shows": "short"}),
        ("applies_when", {"labels": ["one, two"]}),
        ("applies_when", {"paths": ["/from/root"]}),
        ("applies_when", {"change_kinds": ["refactoring"]}),
        ("unknown", 1),
    ],
)
def test_a_field_at_fault_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Criterion.model_validate(GOOD | {field: value})
    assert refused.value.errors()[0]["loc"][0] == field


@pytest.mark.parametrize(("text", "lines"), [("003:7", [7]), ("001:120-122", [120, 121, 122])])
def test_a_source_reads_and_writes_its_lines(text: str, lines: list[int]) -> None:
    source = TypeAdapter(Source).validate_python(text)
    assert (source.text, list(source.lines)) == (text, lines)
    assert Source.model_validate(source.model_dump(mode="json")) == source


@pytest.mark.parametrize("text", ["3:7", "003:0", "003:9-7", "003", "003:7-", "003:7 ", "006:1", "003:10000"])
def test_what_is_no_source_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Source).validate_python(text)


def test_two_criteria_of_one_id_are_refused() -> None:
    with pytest.raises(ValidationError, match="given twice: images_are_small"):
        DefinitionOfDone.model_validate({"version": 1, "criteria": [GOOD, GOOD]})


def test_criteria_are_found_by_id_and_stage() -> None:
    definition = DefinitionOfDone.model_validate({"version": 1, "criteria": [GOOD]})
    assert list(definition.by_id()) == ["images_are_small"]
    assert definition.of(Stage.INTEGRATION) == definition.criteria
    assert definition.of(Stage.META) == ()


def test_gates_are_the_closed_list() -> None:
    assert len(GateId) == 36
    assert KnownByGate(gate=GateId.CI_IS_GREEN).thresholds == {}


def test_any_condition_narrows() -> None:
    assert not AppliesWhen(labels=("security",)).always
