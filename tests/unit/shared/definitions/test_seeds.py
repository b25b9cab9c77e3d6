"""Where the five documents are at hand: each of their lines is accounted for, and none of their sentences was copied.

They lie in the folder DONERIGHT_SEEDS names, or in ../shared/seeds beside the repository; no part of them is kept here.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from shared.definitions.load import coverage, definition_of_done
from shared.domain.coverage import ContextKind

ROOT = Path(__file__).resolve().parents[4]
FOLDER = Path(os.environ.get("DONERIGHT_SEEDS", ROOT.parent / "shared" / "seeds"))
FOUND = sorted(FOLDER.glob("00[0-4]_*.txt")) if FOLDER.is_dir() else []

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(len(FOUND) != 5, reason=f"the five documents are not in {FOLDER}"),
]

Line = tuple[str, int]
LONGEST_COPY = 8
"""Words in a row that may be alike by chance, as in lists of the field's own terms."""
OURS = [
    *sorted((ROOT / "shared" / "definitions").rglob("*.yaml")),
    *(
        ROOT / "docs" / "reference" / f"{name}.md"
        for name in ("definition-of-done", "ticket-lifecycle", "policies", "coverage")
    ),
    ROOT / "docs" / "how-to" / "write-a-definition.md",
    *(ROOT / "docs" / "decisions").glob("00*.md"),
    *sorted((ROOT / "shared" / "policies").glob("*.py")),
    *(
        ROOT / "shared" / "domain" / f"{name}.py"
        for name in ("definition", "lifecycle", "policy", "coverage", "threshold")
    ),
]


@cache
def texts() -> dict[str, list[str]]:
    return {path.name[:3]: path.read_text(encoding="utf-8", errors="replace").splitlines() for path in FOUND}


@cache
def asking() -> dict[Line, str]:
    """Every line but empty ones, headings, rules and the fences of code."""
    found: dict[Line, str] = {}
    for document, lines in texts().items():
        fenced = False
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text.startswith("```"):
                fenced = not fenced
            elif text and (fenced or not (text.startswith("#") or set(text) == {"-"})):
                found[document, number] = text
    return found


@cache
def became() -> dict[Line, set[str]]:
    """Line → what became of it: ``criterion``, ``feature``, ``deviation`` or a kind of context."""
    found: defaultdict[Line, set[str]] = defaultdict(set)
    groups = [("criterion", one.sources) for one in definition_of_done().criteria]
    groups += [("feature", one.sources) for one in coverage().features]
    groups += [("deviation", one.sources) for one in coverage().deviations]
    groups += [(one.kind.value, one.sources) for one in coverage().context]
    for kind, sources in groups:
        for source in sources:
            for line in source.lines:
                found[source.document, line].add(kind)
    return dict(found)


CONTEXT = {kind.value for kind in ContextKind}


def test_the_documents_are_those_the_coverage_speaks_of() -> None:
    assert {number: len(lines) for number, lines in texts().items()} == {
        document.number: document.lines for document in coverage().documents
    }


def test_every_line_is_accounted_for() -> None:
    assert [f"{d}:{n} {asking()[d, n][:60]}" for d, n in sorted(asking()) if (d, n) not in became()] == []


def test_a_line_that_asks_for_nothing_is_not_answered_as_well() -> None:
    mixed = [line for line, kinds in became().items() if kinds & CONTEXT and kinds - CONTEXT]
    assert mixed == []


def test_every_source_names_a_line_that_says_something() -> None:
    for criterion in definition_of_done().criteria:
        for source in criterion.sources:
            said = [texts()[source.document][line - 1].strip() for line in source.lines]
            assert any(said), f"{criterion.id}: {source.text}"
            assert said[0], f"{criterion.id}: {source.text} begins with an empty line"
            assert said[-1], f"{criterion.id}: {source.text} ends with an empty line"


@pytest.mark.parametrize("document", ["000", "002"])
def test_every_item_of_both_definitions_of_done_is_a_criterion(document: str) -> None:
    items = [line for line, text in asking().items() if line[0] == document and re.match(r"(- \*\*|\d+\. )", text)]
    assert len(items) > 20
    assert [line for line in items if "criterion" not in became()[line]] == []


def boxes() -> Iterator[Line]:
    """Lines of the end-to-end process with a box or a mark: checklists, gates, deliverables, requirements of a merge."""
    for line, text in asking().items():
        if line[0] == "001" and re.match(r"(- )?(\[ \]|✅)", text):
            yield line


def test_every_box_of_the_end_to_end_process_is_a_criterion() -> None:
    found = list(boxes())
    assert len(found) > 80
    others = [line for line in found if "criterion" not in became()[line]]
    # Placeholders within an example of a goal and of a ticket.
    assert {number for _, number in others} <= {*range(197, 201), *range(224, 227)}


@pytest.mark.parametrize(
    ("first", "last"),
    [(549, 552), (572, 576), (599, 630), (636, 657), (663, 669), (675, 680), (683, 685), (712, 731), (879, 939)],
)
def test_gates_checklists_and_merge_requirements_are_criteria(first: int, last: int) -> None:
    lines = [line for line in asking() if line[0] == "001" and first <= line[1] <= last]
    plain = [
        line for line in lines if not re.match(r"\*\*[^*]+:\*\*$|#", asking()[line]) or asking()[line].startswith("# -")
    ]
    assert plain
    assert [line for line in plain if "criterion" not in became()[line] and "section title" not in became()[line]] == []


def test_what_is_listed_asks_for_something() -> None:
    """A line of a list may only be passed over for its kind: an estimate, a title, a link, a date, an example."""
    passed = [
        (line, text)
        for line, text in asking().items()
        if re.match(r"([-*] |\d+\. )", text)
        and became()[line] <= CONTEXT - {"example", "navigation", "metadata", "summary"}
    ]
    allowed = (
        r"- \*\*(Estimate|Dependencies|Impact|Probability)\*\*",
        r"- \[ \] \*\*Task [\d.]+\*\*",
        r"- \*\*[^*]+:\*\* .*(day|hour|min|week)",
        r"\* \*\*[^*]+:\*\*$",
    )
    assert [f"{line} {text}" for line, text in passed if not any(re.match(one, text) for one in allowed)] == []


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def runs(text: str) -> Iterator[tuple[str, ...]]:
    said = words(text)
    for start in range(len(said) - LONGEST_COPY):
        yield tuple(said[start : start + LONGEST_COPY + 1])


def test_no_sentence_was_copied() -> None:
    theirs = {run: document for document, lines in texts().items() for run in runs(" ".join(lines))}
    for path in OURS:
        copied = [" ".join(run) for run in runs(path.read_text(encoding="utf-8")) if run in theirs]
        assert copied == [], f"{path.relative_to(ROOT)}"


def test_a_copied_sentence_would_be_found() -> None:
    line = max(texts()["002"], key=len)
    assert len(list(runs(line))) > 0
    theirs = set(runs(" ".join(texts()["002"])))
    assert any(run in theirs for run in runs(f"Here: {line}"))
