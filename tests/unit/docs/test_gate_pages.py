"""The pages of gates leave nothing out, and lead where they say."""

from __future__ import annotations

import re

import pytest

from docs.generators import gates as pages
from shared.definitions.load import definition_of_done
from shared.domain.change import ChangeEvidence
from shared.domain.definition import GateId, KnownByGate
from shared.domain.review import Outcome
from shared.gates import gates

CRITERIA = [one for one in definition_of_done().criteria if isinstance(one.known_by, KnownByGate)]


@pytest.mark.parametrize("gate_id", sorted(gates()))
def test_a_page_says_all_of_its_gate(gate_id: GateId) -> None:
    gate, text = gates()[gate_id], pages.one(gate_id)
    assert gate.motivation in text
    assert gate.remedy in text
    assert all(f"| `{name}` |" in text for name in (*gate.reads, *gate.takes))
    used = [one for one in CRITERIA if one.known_by.gate is gate_id]
    for criterion in used:
        assert f"[{criterion.id}](../definition-of-done.md#{criterion.id})" in text
        assert all(threshold.text in text for threshold in criterion.thresholds.values())
    assert text.count("../definition-of-done.md#") == len(used)


def test_the_index_leads_to_every_page_and_names_every_outcome() -> None:
    text = pages.index()
    linked = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \|", text, re.MULTILINE)
    assert linked == sorted(gates())
    assert all(f"| `{outcome}` |" in text for outcome in Outcome)


def test_every_part_of_the_evidence_that_a_gate_may_read_has_words() -> None:
    assert set(ChangeEvidence.model_fields) - set(pages._PARTS) == {"calls"}


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(LookupError, match="moon"):
        pages._part("moon")
