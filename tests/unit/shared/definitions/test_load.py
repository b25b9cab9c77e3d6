"""What ships is whole: every criterion can be known, owned and mended; what is at fault is told by file, line and field."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from local.sandbox.azure_devops.process_catalog import SYSTEM_PROCESSES
from shared.definitions import load
from shared.domain.definition import (
    Criterion,
    GateId,
    KnownByEvidence,
    KnownByGate,
    Stage,
    Subject,
)
from shared.domain.lifecycle import LifecycleState
from shared.domain.process import TYPES
from shared.errors import DefectError

ROOT = Path(__file__).resolve().parents[4]
CRITERIA = load.definition_of_done().criteria
VERBS = {
    "is", "are", "has", "have", "holds", "hold", "works", "work", "pass", "passes", "fail", "names", "name", "follows",
    "follow", "leaves", "approve", "signs", "explains", "shows", "specifies", "offers", "carries", "carry", "guards",
    "accompany", "cover", "covers", "fits", "fit", "mirrors", "lists", "starts", "runs", "exists", "succeeded", "complies",
    "get", "alerts", "stay", "use", "matches", "concerns", "deploy",
}  # fmt: skip
"""Finite verbs that make a statement of an id."""


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.id)
def test_every_criterion_is_a_statement_that_can_be_known_owned_and_mended(criterion: Criterion) -> None:
    words = criterion.id.split("_")
    # Gates whose names deny something are statements as well.
    assert set(words[1:]) & VERBS or criterion.id in set(GateId)
    assert criterion.owner
    assert criterion.remedy.split()[0].isalpha()
    assert criterion.remedy != criterion.statement
    assert criterion.sources
    if isinstance(criterion.known_by, KnownByEvidence):
        assert criterion.known_by.shows[0].islower()


def test_no_two_criteria_say_the_same() -> None:
    for said in ([one.statement for one in CRITERIA], [one.remedy for one in CRITERIA]):
        assert len(set(said)) == len(said)


def test_every_gate_decides_something() -> None:
    used = {one.known_by.gate for one in CRITERIA if isinstance(one.known_by, KnownByGate)}
    assert used == set(GateId)


def test_a_criterion_named_like_a_gate_is_decided_by_it() -> None:
    for criterion in CRITERIA:
        if criterion.id in set(GateId):
            assert isinstance(criterion.known_by, KnownByGate)
            assert criterion.known_by.gate == criterion.id


def test_every_stage_and_subject_has_criteria() -> None:
    assert {one.stage for one in CRITERIA} == set(Stage)
    assert {one.subject for one in CRITERIA} == set(Subject)


def test_conditions_on_changes_are_asked_of_what_has_them() -> None:
    for criterion in CRITERIA:
        when = criterion.applies_when
        if when.work_item_kinds:
            assert criterion.subject in {Subject.TICKET, Subject.PRODUCT, Subject.PROCESS}, criterion.id


@pytest.mark.parametrize(
    ("criterion", "name", "text"),
    [
        ("overall_coverage_holds", "overall", "at least 85 percent"),
        ("unit_coverage_holds", "unit", "at least 90 percent"),
        ("critical_coverage_holds", "critical", "at least 95 percent"),
        ("coverage_is_not_decreased", "decrease", "at most 0 percentage points"),
        ("change_is_small", "changed_lines", "at most 500 lines"),
        ("change_is_approved", "approvals", "at least 1"),
        ("latency_holds", "p95_latency", "at most 500 milliseconds"),
        ("sprint_leaves_reserve", "planned_capacity", "at most 70 percent"),
    ],
)
def test_bounds_are_those_that_were_asked_for(criterion: str, name: str, text: str) -> None:
    assert load.definition_of_done().by_id()[criterion].thresholds[name].text == text


def test_each_aspect_of_options_and_threat_models_has_a_criterion() -> None:
    asked = {
        gate: {
            entry
            for one in CRITERIA
            if isinstance(one.known_by, KnownByGate) and one.known_by.gate is gate
            for threshold in one.thresholds.values()
            for entry in (threshold.required or ())
        }
        for gate in (GateId.DESIGN_OPTIONS_ARE_WEIGHED, GateId.THREAT_MODEL_IS_COMPLETE)
    }
    assert asked[GateId.DESIGN_OPTIONS_ARE_WEIGHED] == {
        "effort", "vulnerabilities", "cleanliness", "familiarity", "execution_impact", "cost", "testability", "choice",
        "reason",
    }  # fmt: skip
    assert asked[GateId.THREAT_MODEL_IS_COMPLETE] == {
        "flow_before", "flow_after", "threats", "controls", "residual_risk", "accepted_by",
    }  # fmt: skip


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of the definition with one text replaced by another."""

    def copy(name: str, old: str, new: str) -> Path:
        folder = Path(shutil.copytree(load.HERE / "definition_of_done", tmp_path / "done", dirs_exist_ok=True))
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return copy


def line_of(text: str, name: str) -> int:
    lines = (load.HERE / "definition_of_done" / name).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (
            "meta.yaml",
            "owner: operator",
            "owner: nobody",
            r"meta\.yaml:\d+: criteria\.\d+\.owner 'nobody' is not one of",
        ),
        ("meta.yaml", "gate: threshold", "gate: treshold", r"meta\.yaml:\d+: .*gate 'treshold' is not one of"),
        ("meta.yaml", "at_most: 31, ", "at_most: 31, at_least: 1, ", r"meta\.yaml:\d+: .*exactly one of"),
        (
            "meta.yaml",
            "- id: ci_success_rate_holds",
            "- id: ci_is_green",
            r"definition\.yaml: .*given twice: ci_is_green",
        ),
        ("meta.yaml", "stage: meta", "stage: planning", r"meta\.yaml: holds `stage: meta`"),
        ("meta.yaml", "criteria:\n", "criteria:\n- not a criterion\n", r"meta\.yaml:\d+: is no criterion"),
        ("meta.yaml", "criteria:\n", "criteria: [\n", r"meta\.yaml: line \d+: is not YAML"),
        ("definition.yaml", "version: 1", "version: 0", r"definition\.yaml: version is 0"),
    ],
)
def test_a_fault_is_told_by_file_line_and_field(
    copied: Callable[[str, str, str], Path], name: str, old: str, new: str, told: str
) -> None:
    with pytest.raises(DefectError, match=told):
        load.read_definition_of_done(copied(name, old, new))


def test_the_line_told_is_the_line_at_fault(copied: Callable[[str, str, str], Path]) -> None:
    folder = copied("production.yaml", "owner: technical_writer", "owner: nobody")
    with pytest.raises(
        DefectError, match=rf"production\.yaml:{line_of('owner: technical_writer', 'production.yaml')}: "
    ):
        load.read_definition_of_done(folder)


def test_a_missing_stage_is_told(copied: Callable[[str, str, str], Path]) -> None:
    folder = copied("definition.yaml", "version", "version")
    (folder / "release.yaml").unlink()
    with pytest.raises(DefectError, match=r"release\.yaml is missing"):
        load.read_definition_of_done(folder)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("- {id: captured, ", "- {id: seized, ", r"ticket_lifecycle\.yaml:\d+: states\.0\.id"),
        ("- {id: captured, ", "- {id: optimized, ", "every state is defined once"),
        ("  to: accepted\n", "  to: optimized\n", "optimized moves to itself"),
        ("  to: accepted\n", "  to: captured\n", "optimized → captured is given twice"),
        ("    deployed: Closed\n", "", "says nothing of deployed"),
        ("types: [Bug]", "types: [Epic]", "agile Epic has two boards"),
        ("types: [Bug]", "types: [Defect]", "agile has no type Defect"),
    ],
)
def test_a_lifecycle_at_fault_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = (load.HERE / "ticket_lifecycle.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "ticket_lifecycle.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefectError, match=told):
        load.read_lifecycle(path)


def test_guards_are_criteria(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (load.HERE / "ticket_lifecycle.yaml").read_text(encoding="utf-8")
    (tmp_path / "ticket_lifecycle.yaml").write_text(
        text.replace("guards: [branch_names_its_ticket]", "guards: [branch_is_there]"), encoding="utf-8"
    )
    load.definition_of_done()
    monkeypatch.setattr(load, "HERE", tmp_path)
    with pytest.raises(DefectError, match=r"threat_modelled → branched is guarded by unknown .*branch_is_there"):
        load.ticket_lifecycle.__wrapped__()


def test_boards_use_the_states_their_processes_ship_with() -> None:
    processes = {process.name.lower(): process for process in SYSTEM_PROCESSES.values()}
    covered = set()
    for board in load.ticket_lifecycle().boards:
        for name in board.types:
            known = processes[board.process].types[name]
            assert {board.states[state] for state in LifecycleState} <= {state.name for state in known.states}
            finished = known.state(board.states[LifecycleState.DEPLOYED])
            assert finished is not None
            assert finished.category == "Completed"
            covered.add((board.process, name))
    assert covered == {(process, name) for process, names in TYPES.items() for name in names}


def test_labels_fit_both_forges() -> None:
    life = load.ticket_lifecycle()
    names = [life.name_of(state) for state in LifecycleState]
    assert len({name.casefold() for name in names}) == len(LifecycleState)
    for state in LifecycleState:
        label = life.label_of(state)
        # GitHub: 50 and 100 characters. Azure Boards ends a tag at a comma or semicolon.
        assert len(label.name) <= 50
        assert len(label.description) <= 100
        assert not re.search(r"[,;]", label.name)


def test_what_is_said_to_be_built_is_there() -> None:
    covered = load.coverage()
    for feature in covered.features:
        for path in feature.built:
            assert (ROOT / path).exists(), f"{feature.id}: {path}"
    for deviation in covered.deviations:
        decision = (ROOT / deviation.decision).read_text(encoding="utf-8")
        assert f"`{deviation.id}`" in decision


def test_coverage_stays_within_its_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        (load.HERE / "coverage.yaml")
        .read_text(encoding="utf-8")
        .replace("lines: 43}", "lines: 1}")
        .replace("lines: 55}", "lines: 1}")
    )
    (tmp_path / "coverage.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(load, "HERE", tmp_path)
    with pytest.raises(DefectError, match="is beyond its document's end"):
        load.coverage.__wrapped__()


def test_criteria_stay_within_the_documents() -> None:
    lengths = {document.number: document.lines for document in load.coverage().documents}
    assert [one.id for one in CRITERIA for source in one.sources if source.last > lengths[source.document]] == []
