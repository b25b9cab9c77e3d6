"""What a gate answers fits where it is told, and a part that could not be had is answered in one way."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.domain.change import Unknown
from shared.domain.review import LONGEST_TELLING, Judgement, Outcome, Remark


def test_what_is_too_long_is_cut_and_shows_it():
    found = Judgement.unmet("x" * 9_000, remarks=(Remark(message="y" * 9_000),))
    assert len(found.reason) == len(found.remarks[0].message) == LONGEST_TELLING
    assert found.reason.endswith("…")
    assert Judgement.met("x" * LONGEST_TELLING).reason == "x" * LONGEST_TELLING


def test_a_judgement_without_a_reason_is_none():
    with pytest.raises(ValidationError):
        Judgement.met("")
    with pytest.raises(ValidationError):
        Remark(message="")


def test_an_unknown_part_is_not_available_and_one_the_forge_lacks_is_not_supported():
    refused = Judgement.unseen("the checks", Unknown(reason="403"), measured={"checks": 0})
    assert refused.outcome is Outcome.NOT_AVAILABLE
    assert refused.reason == "the checks are not known: 403"
    assert refused.measured == {"checks": 0}
    assert Judgement.unseen("it", Unknown(reason="no plan", supported=False)).outcome is Outcome.NOT_SUPPORTED
