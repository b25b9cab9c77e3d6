"""Writes the table of what became of every line of the documents the definitions were drawn from, without their text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby

from docs.generators.markdown import code, page, table
from shared.definitions.load import coverage, definition_of_done
from shared.domain.coverage import MEANINGS, ContextKind, SeedDocument

Cells = tuple[str, str]
"""What became of a line, and where."""


def reference() -> str:
    """The page ``coverage.md``."""
    covered = coverage()
    by_line = _by_line()
    blocks = [
        table(("Document", "Title", "Lines"), [(code(d.number), d.title, str(d.lines)) for d in covered.documents])
    ]
    for document in covered.documents:
        blocks += [f"## {document.title.capitalize()}", _answers(document, by_line), *_context(document)]
    blocks += [
        "## Features",
        _features(),
        "## Deviations",
        _deviations(),
        "## Why a line asks for nothing",
        _meanings(),
    ]
    return page(
        "Coverage",
        "The definitions were drawn from five documents, which are not kept here. This table says of each of their lines what\n"
        "became of it: a criterion of the [definition of done](definition-of-done.md), a feature of Doneright with the place it\n"
        "is built in or *planned*, or a deviation with the decision that explains it. `seed 003:34-35` is lines 34 to 35 of\n"
        "document 003. Lines that ask for nothing are listed with the reason; headings, rules and empty lines are left out.\n"
        "Where the documents are at hand, a test holds every line to this table.",
        blocks,
    )


def _by_line() -> Mapping[tuple[str, int], frozenset[Cells]]:
    found: defaultdict[tuple[str, int], set[Cells]] = defaultdict(set)
    for criterion in definition_of_done().criteria:
        cells = (
            f"criterion [{criterion.id}](definition-of-done.md#{criterion.id})",
            "[definition](definition-of-done.md)",
        )
        for source in criterion.sources:
            for line in source.lines:
                found[source.document, line].add(cells)
    for feature in coverage().features:
        cells = (f"feature {code(feature.id)}", ", ".join(map(code, feature.built)) or "planned")
        for source in feature.sources:
            for line in source.lines:
                found[source.document, line].add(cells)
    for deviation in coverage().deviations:
        cells = (f"deviation {code(deviation.id)}", f"[decision](../../{deviation.decision})")
        for source in deviation.sources:
            for line in source.lines:
                found[source.document, line].add(cells)
    return {line: frozenset(cells) for line, cells in found.items()}


def _answers(document: SeedDocument, by_line: Mapping[tuple[str, int], frozenset[Cells]]) -> str:
    rows = []
    for first, last, cells in _runs(document, by_line):
        lines = str(first) if first == last else f"{first}-{last}"
        whats, wheres = zip(*sorted(cells), strict=True)
        rows.append((code(f"seed {document.number}:{lines}"), "; ".join(whats), "; ".join(dict.fromkeys(wheres))))
    return table(("Lines", "Became", "Where"), rows)


def _runs(
    document: SeedDocument, by_line: Mapping[tuple[str, int], frozenset[Cells]]
) -> Iterator[tuple[int, int, frozenset[Cells]]]:
    """Lines that stand together and became the same, as one row."""
    numbered = [(line, by_line.get((document.number, line), frozenset())) for line in range(1, document.lines + 1)]
    for cells, group in groupby(numbered, key=lambda one: one[1]):
        lines = [line for line, _ in group]
        if cells:
            yield lines[0], lines[-1], cells


def _context(document: SeedDocument) -> Iterator[str]:
    rows = []
    for context in coverage().context:
        found = [source.text.partition(":")[2] for source in context.sources if source.document == document.number]
        if found:
            rows.append((context.kind.value, ", ".join(found)))
    if rows:
        yield "Lines that ask for nothing:"
        yield table(("Reason", "Lines"), rows)


def _features() -> str:
    return table(
        ("Feature", "Does", "Where"),
        [
            (code(one.id), one.does, ", ".join(map(code, one.built)) or "planned")
            for one in sorted(coverage().features, key=lambda one: (not one.built, one.id))
        ],
    )


def _deviations() -> str:
    return table(
        ("Deviation", "Instead", "Decision"),
        [(code(one.id), one.instead, f"[decision](../../{one.decision})") for one in coverage().deviations],
    )


def _meanings() -> str:
    return table(("Reason", "The line"), [(kind.value, MEANINGS[kind]) for kind in ContextKind])
