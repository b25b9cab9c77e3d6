"""The pages of the definitions leave nothing out, and lead where they say."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from docs.generators import definitions, origins
from shared.definitions.load import coverage, definition_of_done, ticket_lifecycle
from shared.definitions.reading import read
from shared.domain.definition import Criterion, GateId
from shared.domain.lifecycle import Direction, LifecycleState
from shared.domain.policy import Level, Policy
from shared.policies.parsing import parse, shipped_policy
from shared.policies.pinning import pin
from shared.policies.resolving import resolve


def test_every_criterion_has_its_place_with_owner_remedy_and_source() -> None:
    text = definitions.done()
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(definition_of_done().by_id())
    for criterion in definition_of_done().criteria:
        section = sections[criterion.id]
        assert criterion.statement in section
        assert criterion.remedy in section
        assert f"| Owner | {criterion.owner.replace('_', ' ')} |" in section
        assert all(f"`seed {source.text}`" in section for source in criterion.sources)
        assert all(threshold.text in section for threshold in criterion.thresholds.values())
    assert all(f"| [`{gate}`](gates/{gate}.md) |" in text for gate in GateId)
    assert pin(definition_of_done()).digest in text


def test_the_lifecycle_is_drawn_and_listed_whole() -> None:
    text = definitions.lifecycle()
    drawing = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
    assert drawing is not None
    for move in ticket_lifecycle().moves:
        assert f"| `{move.origin}` | `{move.to}` | {move.direction} |" in text
        if move.direction is not Direction.ASIDE:
            assert re.search(rf"{move.origin}\[.*\] -\.?->? ?.*{move.to}\[", drawing.group(1))
    assert "open --> rejected" in drawing.group(1)
    assert all(f"`{ticket_lifecycle().name_of(state)}`" in text for state in LifecycleState)


def test_the_shipped_policy_is_shown_for_every_criterion() -> None:
    text = definitions.policies()
    rows = re.findall(r"^\| \[(\w+)\]\(definition-of-done\.md#\1\) \| `(off|advisory|enforced)` \|", text, re.MULTILINE)
    assert {name for name, _ in rows} == set(definition_of_done().by_id())
    assert len(rows) == len(definition_of_done().criteria)


def test_coverage_tells_of_every_source_by_number_alone() -> None:
    text = origins.reference()
    told: set[tuple[str, int]] = set()
    for document, first, last in re.findall(r"^\| `seed (\d{3}):(\d+)(?:-(\d+))?` \|", text, re.MULTILINE):
        told |= {(document, line) for line in range(int(first), int(last or first) + 1)}
    groups = (definition_of_done().criteria, coverage().features, coverage().deviations)
    named = {(s.document, line) for group in groups for one in group for s in one.sources for line in s.lines}
    assert told == named
    for feature in coverage().features:
        assert f"| `{feature.id}` | {feature.does} |" in text
    assert any(not feature.built for feature in coverage().features)
    assert "planned" in text


def examples(page: str) -> list[str]:
    text = (Path(__file__).resolve().parents[3] / "docs" / page).read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in re.findall(r"^ *```yaml\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)]


def test_the_examples_are_taken_as_they_stand() -> None:
    policy, criterion = examples("how-to/write-a-definition.md")
    (shown,) = examples("reference/policies.md")
    for text in (policy, shown):
        found = parse(text, definition_of_done(), Level.REPOSITORY)
        assert isinstance(found, Policy), found
        assert not resolve(definition_of_done(), shipped_policy(), repository=found).refused
    (one,) = read(criterion).value
    Criterion.model_validate(one | {"stage": "integration"})
