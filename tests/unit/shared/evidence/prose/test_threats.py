"""Threat models are read as teams keep them: in tables, lists and sections, and as the scaffold's own page."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evidence.prose.threats import threat_model

SCAFFOLD = Path(__file__).resolve().parents[5] / "shared/scaffolds/base/docs/threat-model.md.jinja"
WAYS = {
    "table": "| Id | Threat | Control | Test |\n|---|---|---|---|\n| 1 | Theft | Encryption | test_a |\n| 2 | Flood | Limits | test_b |\n",
    "list": "## Threats\n\n- Theft\n  - Control: Encryption\n  - Test: test_a\n- Flood\n  - Mitigation: Limits\n  - Verified by: test_b\n",
    "sections": "## Threats\n\n### Theft\n\nControl: Encryption\n\nTest: test_a\n\n### Flood\n\n#### Control\n\nLimits\n\n#### Test\n\ntest_b\n",
    "two tables": (
        "| Id | Threat |\n|---|---|\n| T1 | Theft |\n| T2 | Flood |\n\n"
        "| Threat | Control | Test |\n|---|---|---|\n| T1 | Encryption | test_a |\n| T2 | Limits | test_b |\n"
    ),
    "html": (
        "<table><tr><th>Threat</th><th>Mitigation</th><th>Tested by</th></tr><tr><td>Theft</td><td>Encryption</td><td>test_a</td></tr>"
        "<tr><td>Flood</td><td>Limits</td><td>test_b</td></tr></table>"
    ),
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_threats_are_read_with_controls_and_tests(text):
    found = threat_model([text]).threats
    assert [(one.name, one.control, one.test) for one in found] == [
        ("Theft", "Encryption", "test_a"),
        ("Flood", "Limits", "test_b"),
    ]
    assert all(one.controlled and one.tested for one in found)


def test_the_scaffolds_page_is_read_and_nobody_has_accepted_its_risk():
    found = threat_model([SCAFFOLD.read_text(encoding="utf-8")])
    assert found.flow_before
    assert found.flow_after
    assert len(found.threats) == 10
    assert all(one.controlled for one in found.threats)
    assert found.accepted_by == ""


@pytest.mark.parametrize("control", ["", "-", "none", "None yet.", "TBD", "accepted", "no control"])
def test_no_control_is_none(control):
    [found] = threat_model([f"| Threat | Control |\n|---|---|\n| Theft | {control} |\n"]).threats
    assert not found.controlled


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("## Data flow before\n\n```mermaid\na --> b\n```\n", True, False),
        ("## Data flow after the change\n\n![x](y.png)\n", False, True),
        ("# Data flows\n\n## Before\n\na -> b\n\n## After\n\na -> c\n", True, True),
        ("## Current data flow\n\n| from | to |\n|---|---|\n| a | b |\n", True, False),
        ("<h2>Data flow (as is)</h2><img src='a.png'><h2>Data flow (to be)</h2><img src='b.png'>", True, True),
        ("## Data flow before\n\nTo be drawn.\n", False, False),
        ("## Data flow\n\n```mermaid\na --> b\n```\n", False, False),
        ("## Before\n\n```mermaid\na --> b\n```\n", False, False),
    ],
)
def test_flows_are_drawn_or_not(text, before, after):
    found = threat_model([text])
    assert (found.flow_before, found.flow_after) == (before, after)


@pytest.mark.parametrize(
    ("text", "residual", "accepted"),
    [
        ("## Residual risk\n\nMacros.\n\nAccepted by: Ines Mora, CISO\n", True, "Ines Mora, CISO"),
        ("Residual risk: macros\n\nAccepted by: Ines Mora, CISO\n", True, "Ines Mora, CISO"),
        (
            "## Accepted risks\n\n| Risk | Accepted by |\n|---|---|\n| Macros | Ines Mora, CISO |\n",
            True,
            "Ines Mora, CISO",
        ),
        ("## Residual risk\n\nMacros.\n\n### Accepted by\n\nInes Mora, CISO\n", True, "Ines Mora, CISO"),
        ("## Residual risk\n\nTBD\n", False, ""),
        ("## Residual risk\n\nMacros.\n", True, ""),
        ("The change was accepted by everybody.\n", False, ""),
    ],
)
def test_what_is_left_and_who_accepts_it(text, residual, accepted):
    found = threat_model([text])
    assert (bool(found.residual), found.accepted_by) == (residual, accepted)


@pytest.mark.parametrize(
    "text",
    ["", "# Threat model\n", "| Name | Control |\n|---|---|\n| a | b |\n", "## Threats\n\nNone that we know of.\n"],
)
def test_other_text_holds_no_threat(text):
    assert threat_model([text]).threats == []


def test_lines_are_those_of_the_text():
    text = "# Threat model\n\n## Threats\n\n" + WAYS["table"]
    lines = text.split("\n")
    assert [
        "Theft" in lines[one.line - 1] or "Flood" in lines[one.line - 1] for one in threat_model([text]).threats
    ] == [True, True]


@given(st.lists(st.text(max_size=300), max_size=3))
def test_any_text_is_read(texts):
    assert all(one.name for one in threat_model(texts).threats)
