"""Categories are told by rules that can be read, and not told where the rules do not tell them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.issue_category import KeptCategory, LabelState
from shared.planning.belonging import work_items_in
from shared.planning.categorising import MOST_TEXT, Text, categorise
from shared.planning.labelling import decide
from shared.planning.rules import Rules, rules
from tests.fakes.app import T0

RULES = rules()


def of(title, body="", **more):
    return categorise(Text(title=title, body=body, **more), RULES)


@pytest.mark.parametrize(
    ("title", "body", "category"),
    [
        (
            "App crashes when saving an order",
            "### Steps to reproduce\n\n1. Save\n\n### Expected behavior\n\nSaved.",
            "bug",
        ),
        ("Feature request: export orders", "As a user I would like to export, so that I can report.", "feature"),
        ("How do I rotate the key?", "Is it possible without downtime?", "question"),
        ("Typo in the tutorial", "docs/first-project.md says 'teh'.", "documentation"),
        ("SQL injection in the search box", "This is a vulnerability; an attacker can read every order.", "security"),
        ("Bump dependencies", "Upgrade pyproject.toml, refactor the flaky pipeline.", "maintenance"),
        ("Please grant access to staging", "### Justification\n\nI am new.", "request"),
    ],
)
def test_an_issue_that_says_what_it_is_has_its_category_with_reasons(title, body, category):
    verdict = of(title, body)
    assert verdict.category == category, verdict
    assert verdict.candidates[0].reasons
    assert sum(reason.points for reason in verdict.candidates[0].reasons) == verdict.candidates[0].points
    assert str(verdict.candidates[0].points) in verdict.explanation
    assert verdict.version == RULES.version


def test_what_is_close_is_not_guessed_and_names_the_two_best():
    verdict = of("A broken pipeline crashes", "Refactor it and upgrade.")
    assert verdict.category == ""
    assert len(verdict.candidates) == 2
    assert "too close" in verdict.explanation
    weak = of("Error")
    assert (weak.category, [one.category for one in weak.candidates]) == ("", ["bug"])
    assert "of the 3 points" in weak.explanation
    assert of("Lunch").explanation == "No rule speaks for any category."


def test_code_logs_and_hidden_comments_are_no_evidence():
    body = "```\nerror error exception traceback crash failed\n```\n<!-- bug broken fails --><b>Lunch</b>\n~~~\ncrash"
    assert of("Lunch", body).candidates == ()
    assert of("Lunch", "x" * MOST_TEXT + " crash crashes exception broken").candidates == ()


def test_long_texts_do_not_win_by_length():
    body = " ".join(RULES.categories[0].words)
    (bug,) = [one for one in of("Lunch", body).candidates if one.category == "bug"]
    assert sum(one.points for one in bug.reasons if one.rule == "words") == RULES.points.most_words


@pytest.mark.parametrize(("label", "category"), [("Bug", "bug"), ("tech-debt", "maintenance"), ("category: question", "question"), ("docs", "documentation")])  # fmt: skip
def test_a_person_s_label_decides(label, category):
    verdict = of("App crashes: error, exception, broken", labels=(label, "P1"))
    assert (verdict.category, verdict.by_person) == (category, label)


def test_labels_that_contradict_each_other_decide_nothing_and_ours_is_no_evidence():
    verdict = of("App crashes: exception", labels=("bug", "question"))
    assert verdict.category == ""
    assert "different things" in verdict.explanation
    mine = categorise(Text(title="Lunch", labels=("category: bug",)), RULES, own_labels=["Category: Bug"])
    assert (mine.category, mine.by_person) == ("", "")
    assert of("x", labels=("category: nonsense",)).by_person == ""


def test_types_and_files_speak_too():
    assert of("Lunch", type="Bug").category == "bug"
    assert of("Wrong words in ./README.md and docs/how-to/x.").candidates[0].category == "documentation"


@given(st.text(max_size=300), st.text(max_size=800), st.lists(st.text(min_size=1, max_size=20), max_size=3))
def test_any_text_has_a_verdict_and_the_same_one_again(title, body, labels):
    text = Text(title=title, body=body, labels=tuple(labels))
    verdict = categorise(text, RULES)
    assert verdict == categorise(text, RULES)
    assert verdict.explanation
    if verdict.category and not verdict.by_person:
        assert verdict.candidates[0].points >= RULES.least


@pytest.mark.parametrize("nasty", ["-" * 20_000, "<" * 20_000, "**" * 10_000, "/a" * 10_000, "```" * 6_000, "<!--" * 5_000, "AB#" * 7_000])  # fmt: skip
def test_texts_made_to_be_slow_are_not(nasty):
    assert of(nasty[:300], nasty).explanation
    assert work_items_in(nasty) == ()


def raw(**changes):
    return RULES.model_dump() | changes


def test_rules_that_contradict_each_other_are_refused():
    bug, feature, *_ = raw()["categories"]
    with pytest.raises(ValidationError, match="speaks for bug and for feature"):
        Rules.model_validate(raw(categories=[bug, feature | {"words": ["crash"]}]))
    with pytest.raises(ValidationError, match="lower case"):
        Rules.model_validate(raw(categories=[bug | {"words": ["Crash"]}, feature]))
    with pytest.raises(ValidationError, match="id"):
        Rules.model_validate(raw(categories=[bug, bug]))


def test_labels_fit_the_forge_and_are_told_apart():
    for category in RULES.categories:
        label = RULES.label(category.id)
        assert label.description.startswith("Set by Doneright")
        assert RULES.category_of(label.name.upper()) == category.id
        assert not any(label.name in other.labels for other in RULES.categories)
    assert RULES.category_of("bug") == ""


# what becomes of the label

CRASH = "App crashes: exception"


def kept(label="category: bug", **more):
    given = {"settled": bool(label)} | more
    return KeptCategory(
        forge="github", place="acme/x", number=1, label=label, verdict=of(CRASH), updated_at=T0, **given
    )


@pytest.mark.parametrize(
    ("title", "labels", "memory", "state", "wanted"),
    [
        (CRASH, (), None, LabelState.SET, "category: bug"),
        (CRASH, ("category: bug",), kept(), LabelState.UNCHANGED, "category: bug"),
        (CRASH, (), kept(settled=False), LabelState.SET, "category: bug"),
        (CRASH, ("category: bug",), kept(settled=False), LabelState.SET, "category: bug"),
        ("Typo in the tutorial", ("category: bug",), kept(), LabelState.CHANGED, "category: documentation"),
        ("Lunch", ("category: bug",), kept(), LabelState.TAKEN_OFF, ""),
        ("Lunch", (), None, LabelState.NONE, ""),
        (CRASH, (), kept(), LabelState.LEFT_TO_PEOPLE, ""),
        (CRASH, (), kept(left_to_people=True, settled=False), LabelState.LEFT_TO_PEOPLE, ""),
        (CRASH, ("category: question",), None, LabelState.LEFT_TO_PEOPLE, ""),
        (CRASH, ("category: question", "category: bug"), kept(), LabelState.TAKEN_OFF, ""),
        (CRASH, ("question", "category: bug"), kept(), LabelState.TAKEN_OFF, ""),
        (CRASH, ("bug", "category: bug"), kept(), LabelState.UNCHANGED, "category: bug"),
        (CRASH, ("bug",), None, LabelState.LEFT_TO_PEOPLE, ""),
    ],
)
def test_what_a_person_did_with_the_label_is_never_undone(title, labels, memory, state, wanted):
    chosen = decide(Text(title=title, labels=labels), memory, RULES)
    assert (chosen.state, chosen.wanted) == (state, wanted)
