"""Every gate is a file with its words, its test and its page, reads what it says it reads, and is asked what it takes."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

import pytest

from docs.generate import PAGES
from shared.definitions.load import definition_of_done
from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId, KnownByGate
from shared.domain.review import Outcome
from shared.gates import gates
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, a_change, asked, evidence, judged

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "shared" / "gates"
TESTS = ROOT / "tests" / "unit" / "shared" / "gates"
STEMS = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
OWN = ("shared.domain", "shared.evidence", "shared.errors", "shared.gates")
EDGES = {Outcome.NOT_AVAILABLE, Outcome.NOT_SUPPORTED, Outcome.NOT_APPLICABLE}
CRITERIA = [one for one in definition_of_done().criteria if isinstance(one.known_by, KnownByGate)]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_every_gate_of_the_definition_has_its_file_and_every_file_its_gate() -> None:
    assert set(STEMS) == {gate.value for gate in GateId}
    assert {gate.value for gate in gates()} == set(STEMS)


@pytest.mark.parametrize("stem", STEMS)
def test_a_gate_says_why_and_what_to_do_in_sentences(stem: str) -> None:
    gate = gates()[GateId(stem)]
    assert gate.evaluate.__module__ == f"shared.gates.{stem}"
    first = inspect.cleandoc(sys.modules[gate.evaluate.__module__].__doc__ or "").split("\n\n")[0]
    assert first.endswith("."), f"{stem}.py: its docstring begins with one sentence that says when the gate holds"
    assert (inspect.getdoc(gate.evaluate) or "").strip(), f"{stem}.py: evaluate says what it decides"
    for sentence in (gate.motivation, gate.remedy):
        assert sentence.endswith("."), f"{stem}.py: {sentence!r} is no sentence"
        assert sentence[:1].isupper(), f"{stem}.py: {sentence!r} begins no sentence"


@pytest.mark.parametrize("stem", STEMS)
def test_a_gate_names_the_parts_of_the_evidence_it_reads(stem: str) -> None:
    gate = gates()[GateId(stem)]
    assert gate.reads, f"{stem}.py: a gate that reads nothing decides nothing"
    strange = set(gate.reads) - set(ChangeEvidence.model_fields)
    assert not strange, f"{stem}.py: {strange} are no parts of the evidence"
    assert len(set(gate.reads)) == len(gate.reads)
    used = {
        node.attr
        for node in ast.walk(tree(FOLDER / f"{stem}.py"))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "evidence"
    }
    used = {"files" if name == "known_files" else name for name in used} & set(ChangeEvidence.model_fields)
    # Every gate sees which change it judges.
    unsaid = used - set(gate.reads) - {"change"}
    assert not unsaid, f"{stem}.py reads {unsaid} and does not say so"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_gates_import_the_domain_and_evidence_alone(path: Path) -> None:
    ours = {name for name in imported(path) if name.split(".")[0] in {"shared", "functions", "orchestrations", "local"}}
    wrong = {name for name in ours if not any(name == one or name.startswith(one + ".") for one in OWN)}
    assert not wrong, f"{path.name} imports {wrong}"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_gates_look_at_nothing_but_the_evidence(path: Path) -> None:
    if path.stem == "__init__":
        return
    world = {
        "os",
        "random",
        "time",
        "socket",
        "subprocess",
        "urllib",
        "requests",
        "httpx",
        "secrets",
        "uuid",
        "asyncio",
    }
    assert not {name.split(".")[0] for name in imported(path)} & world, f"{path.name} is not pure"
    calls = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
    assert not calls & {"open", "datetime.now", "datetime.utcnow", "date.today", "Path.read_text"}, (
        f"{path.name} is not pure"
    )


@pytest.mark.parametrize("stem", STEMS)
def test_a_gate_is_tested_where_it_holds_where_it_does_not_and_at_its_edges(stem: str) -> None:
    path = TESTS / f"test_{stem}.py"
    assert path.exists(), f"{stem}.py has no test: write {path.relative_to(ROOT)}"
    named = {
        node.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Outcome"
    }
    assert "MET" in named, f"{path.name} shows nothing that is met"
    assert "UNMET" in named, f"{path.name} shows nothing that is unmet"
    assert named & {one.name for one in EDGES}, f"{path.name} shows no edge: what is unknown, or not asked about"
    functions = [
        node for node in tree(path).body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert len(functions) >= 3


def written(path: Path) -> list[str]:
    """The texts of a file; what an f-string fills in may be anything."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(re.escape(node.value))
        elif isinstance(node, ast.JoinedStr):
            parts = (re.escape(one.value) if isinstance(one, ast.Constant) else r"\w+" for one in node.values)
            found.append("".join(parts))
        elif isinstance(node, ast.keyword) and node.arg:
            found.append(node.arg)
    return found


@pytest.mark.parametrize("stem", [stem for stem in STEMS if stem != GateId.THRESHOLD])
def test_every_threshold_that_is_asked_of_a_gate_is_tested(stem: str) -> None:
    texts = written(TESTS / f"test_{stem}.py")
    for criterion in CRITERIA:
        if criterion.known_by.gate == stem and not any(re.fullmatch(text, criterion.id) for text in texts):
            untried = [name for name in criterion.thresholds if not any(re.fullmatch(text, name) for text in texts)]
            assert not untried, f"test_{stem}.py tries no bound of {untried}"


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.id)
@pytest.mark.parametrize("part", [UNKNOWN, UNSUPPORTED], ids=["unknown", "unsupported"])
def test_what_nobody_could_see_meets_no_criterion_and_lets_none_go(criterion, part: Unknown) -> None:
    unknown = dict.fromkeys(("files", "commits", "items", "reviews", "threads", "checks", "alerts", "template"), part)
    unknown |= dict.fromkeys(("reports", "base_reports", "earlier_reports", "kinds"), part)
    change = a_change(title="Export orders", body="", behind=None, conflicts=None)
    found = judged(criterion.known_by.gate, evidence(change=change, **unknown), asked(criterion.id))
    assert found.outcome is not Outcome.MET, found.reason
    assert part is UNSUPPORTED or found.outcome is not Outcome.NOT_APPLICABLE, found.reason
    assert found.outcome is not Outcome.ERROR


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.id)
def test_a_criterion_asks_a_gate_for_what_it_takes(criterion) -> None:
    gate = gates()[criterion.known_by.gate]
    if gate.id is not GateId.THRESHOLD:
        strange = set(criterion.thresholds) - set(gate.takes)
        assert not strange, f"{criterion.id} sets {strange}, which {gate.id} does not take"


def test_every_gate_decides_a_criterion() -> None:
    assert {one.known_by.gate for one in CRITERIA} == set(GateId)


def test_every_gate_has_its_page_and_every_page_its_gate() -> None:
    folder = ROOT / "docs" / "reference" / "gates"
    assert {path.name for path in folder.iterdir()} == {"index.md", *(f"{stem}.md" for stem in STEMS)}
    assert {name for name in PAGES if name.startswith("gates/")} == {f"gates/{path.name}" for path in folder.iterdir()}
