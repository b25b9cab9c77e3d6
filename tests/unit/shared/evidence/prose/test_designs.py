"""Designs are read from tables, headings and lists, and choices from what people write about them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evidence.prose.designs import design
from shared.evidence.prose.options import Aspect, aspect_of

WAYS = {
    "rows": "| Option | Effort | Cost |\n|---|---|---|\n| CSV | 3 days | none |\n| Excel | 8 days | 20 EUR |\n",
    "columns": "| | CSV | Excel |\n|---|---|---|\n| Effort | 3 days | 8 days |\n| Cost | none | 20 EUR |\n",
    "headings": "## Option 1: CSV\n\nEffort: 3 days\n\nCost: none\n\n## Option 2: Excel\n\n- **Effort:** 8 days\n- **Cost:** 20 EUR\n",
    "sub headings": "# Options\n\n## CSV\n\n### Effort\n\n3 days\n\n### Cost\n\nnone\n\n## Excel\n\n### Effort\n\n8 days\n\n### Cost\n\n20 EUR\n",
    "list": "## Options\n\n1. CSV\n   - Effort: 3 days\n   - Cost: none\n2. Excel\n   - Effort: 8 days\n   - Cost: 20 EUR\n",
    "one line": "## Options\n\n- CSV: effort: 3 days; cost: none\n- Excel: effort: 8 days; cost: 20 EUR\n",
    "own tables": "## Option A: CSV\n\n| Aspect | |\n|---|---|\n| Effort | 3 days |\n| Cost | none |\n\n## Option B: Excel\n\n| Effort | 8 days |\n|---|---|\n| Cost | 20 EUR |\n",
    "madr": "## Considered Options\n\n* CSV\n* Excel\n\n## Pros and Cons of the Options\n\n### CSV\n\n* Effort: 3 days\n* Cost: none\n\n### Excel\n\n* Effort: 8 days\n* Cost: 20 EUR\n",
    "html": "<div><b>Option 1: CSV</b></div><div>Effort: 3 days</div><div>Cost: none</div><div><b>Option 2: Excel</b></div><ul><li>Effort: 8 days</li><li>Cost: 20 EUR</li></ul>",
    "bold aspects": "**Option 1: CSV**\n\n**Effort**\n3 days\n\n**Cost**\nnone\n\n**Option 2: Excel**\n\n**Effort**\n8 days\n\n**Cost**\n20 EUR\n",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS)
def test_two_options_are_read_however_they_are_written(text):
    found = design([text])
    assert [one.name for one in found.options] == ["CSV", "Excel"]
    assert [one.aspects[Aspect.EFFORT] for one in found.options] == ["3 days", "8 days"]
    assert [one.aspects[Aspect.COST] for one in found.options] == ["none", "20 EUR"]
    assert all(one.weighed for one in found.options)


@pytest.mark.parametrize(
    ("label", "aspect"),
    [
        ("Effort", Aspect.EFFORT), ("Estimate (days)", Aspect.EFFORT), ("**Security**", Aspect.VULNERABILITIES),
        ("Known vulnerabilities", None), ("Vulnerabilities", Aspect.VULNERABILITIES), ("Code quality", Aspect.CLEANLINESS),
        ("Modularity", Aspect.CLEANLINESS), ("Consistency with the system", Aspect.FAMILIARITY), ("Execution impact", Aspect.EXECUTION_IMPACT),
        ("Runtime", Aspect.EXECUTION_IMPACT), ("Running costs", Aspect.COST), ("Ease of testing", Aspect.TESTABILITY), ("Colour", None), ("", None),
    ],
)  # fmt: skip
def test_labels_speak_of_aspects(label, aspect):
    assert aspect_of(label) is aspect


@pytest.mark.parametrize(
    ("said", "chosen", "reason"),
    [
        ("## Decision\n\nWe take CSV because every tool reads it.\n", "CSV", "every tool reads it."),
        ('Chosen option: "Excel", because the accountant insists.\n', "Excel", "the accountant insists."),
        ("Decision: option 2\n\nReason: fewer questions\n", "Excel", "fewer questions"),
        ("## Choice\n\n2\n\n## Rationale\n\nFewer questions.\n", "Excel", "Fewer questions."),
        ("We decided for CSV since it is small.\n", "CSV", "it is small."),
        ("/doneright choose design 2 because it sells\n", "Excel", "it sells"),
        ("## Decision\n\nCSV, because Excel costs more.\n", "CSV", "Excel costs more."),
        ("## Decision\n\nTBD\n", None, ""),
        ("Decision: option 7\n", None, ""),
        ("## Discussion\n\nCSV is what I like.\n", None, ""),
    ],
)
def test_a_choice_names_its_option(said, chosen, reason):
    found = design([WAYS["headings"] + "\n# Outcome of it all\n\n" + said])
    assert (found.chosen.name if found.chosen else None) == chosen
    assert found.reason == reason


def test_a_mark_chooses_as_well():
    assert design([WAYS["headings"].replace("Option 2: Excel", "Option 2: Excel (chosen)")]).chosen.name == "Excel"
    table = "| Option | Effort | Cost | Chosen |\n|---|---|---|---|\n| CSV | 1 | 2 | yes |\n| Excel | 1 | 2 | no |\n"
    assert design([table]).chosen.name == "CSV"
    assert design(["## Options\n\n- [x] CSV\n  - Effort: 1\n- [ ] Excel\n  - Effort: 2\n"]).chosen.name == "CSV"


def test_two_marks_choose_nothing():
    assert design(["## Options\n\n- [x] CSV\n  - Effort: 1\n- [x] Excel\n  - Effort: 2\n"]).chosen is None


def test_a_later_decision_holds():
    found = design([WAYS["list"] + "\nDecision: CSV\n", "Decision: Excel because they pay"])
    assert found.chosen.name == "Excel"


def test_later_texts_add_to_the_same_options():
    found = design([WAYS["list"], "## Option 1: CSV\n\nCost: 5 EUR\n\n## Option 3: PDF\n\nEffort: 9 days\n"])
    assert [one.name for one in found.options] == ["CSV", "Excel", "PDF"]
    assert found.options[0].aspects[Aspect.COST] == "5 EUR"
    assert found.options[0].aspects[Aspect.EFFORT] == "3 days"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "## Design options\n\nNone yet.\n",
        "| Name | Age |\n|---|---|\n| Ada | 36 |\n",
        "## Solution\n\nWe do it.\n",
        "# Options for users\n",
    ],
)
def test_other_text_holds_no_option(text):
    assert design([text]).options == []


def test_names_alone_are_not_weighed():
    found = design(["## Options\n\n- CSV\n- Excel\n"])
    assert [(one.name, one.weighed) for one in found.options] == [("CSV", False), ("Excel", False)]


@given(st.lists(st.text(max_size=200), max_size=3))
def test_any_text_is_read(texts):
    found = design(texts)
    assert found.chosen is None or found.chosen in found.options
