"""What a review rests on is collected once: whole, told as unknown where it could not be had, and without a leaked key."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from threading import Barrier

import pytest

from shared.domain.change import ChangeEvidence, Scan, Unknown
from shared.domain.connection import Connection
from shared.domain.evidence import Finding, Severity
from shared.domain.forge import ForgeName
from shared.domain.publication import CheckConclusion
from shared.domain.review import AgentName
from shared.errors import DefectError, NotSupportedError, RefusedError, TransientError
from shared.evidence.keeping import Sent, keep
from shared.reviews.collecting import Looking, collect, connection_of, forge_of
from tests.fakes.changes import BASE, HEAD, UNKNOWN, file, review
from tests.fakes.review_runs import PROJECT, ReviewWorld

KEY = "AKIA" + "QWERTYUIOPASDFGH"
JUNIT = b'<testsuites><testsuite name="s"><testcase name="t%d"/></testsuite></testsuites>'


@pytest.fixture(params=list(ForgeName))
def world(request, monkeypatch):
    return ReviewWorld(monkeypatch, request.param)


def scanning(scan):
    """Scanners that begin with nothing ahead."""
    return lambda ahead: nullcontext(scan)


def looking(**given):
    """Who looks at nothing and chooses one agent, unless ``given`` says otherwise."""
    usual = {
        "analyse": lambda connection, project, change: (),
        "scanners": scanning(lambda change, files, reports: ()),
        "choose": lambda seen: (AgentName.QUALITY,),
    }
    return Looking(**(usual | given))


def collected(world, ref, **given):
    (start,) = world.news(ref).start
    return collect(world.app.reviews, looking(**given), start)


def evidence_of(world, found):
    return ChangeEvidence.model_validate_json(world.app.artifacts.get(found.evidence))


def test_all_parts_are_kept_and_the_questions_counted(world):
    ref = world.open()
    found = collected(world, ref)
    evidence = evidence_of(world, found)
    assert evidence.change.head == HEAD
    assert [one.path for one in evidence.files] == ["src/a.py"]
    assert evidence.calls >= 4
    assert found.agents == (AgentName.QUALITY,)
    assert found.definition.name == "definition_of_done"


def test_reports_of_the_head_and_of_the_base_are_told_apart(world):
    ref = world.open()
    for number, commit in enumerate((HEAD, BASE)):
        keep(world.app.evidence, Sent(PROJECT, commit, "p"), [JUNIT % number])
    evidence = evidence_of(world, collected(world, ref))
    assert [one.record.commit for one in evidence.reports] == [HEAD]
    assert [one.record.commit for one in evidence.base_reports] == [BASE]


def test_the_analysis_servers_word_is_among_the_reports_that_are_read(world):
    ref = world.open()
    asked, scanned = [], []

    def analyse(connection, project, change):
        asked.append((connection.id, project, change.head))
        keep(world.app.evidence, Sent(project, change.head, "sonarqube"), [JUNIT % 1])
        return ()

    def scan(change, files, reports):
        scanned.extend(reports)
        return (Scan(scanner="bandit", findings=()),)

    evidence = evidence_of(world, collected(world, ref, analyse=analyse, scanners=scanning(scan)))
    assert asked == [(world.connection.id, PROJECT, HEAD)]
    assert [one.record.actor for one in evidence.reports] == ["sonarqube"]
    assert tuple(scanned) == evidence.reports
    assert [one.scanner for one in evidence.scans] == ["bandit"]


def test_an_analysis_that_is_missing_stands_before_the_other_scans(world):
    ref = world.open()
    missing = Scan(scanner="sonarqube", findings=Unknown(reason="SonarQube analysed ffffffff last"))
    evidence = evidence_of(
        world,
        collected(
            world,
            ref,
            analyse=lambda connection, project, change: (missing,),
            scanners=scanning(lambda change, files, reports: (Scan(scanner="bandit", findings=()),)),
        ),
    )
    assert evidence.scans == (missing, Scan(scanner="bandit", findings=()))


def test_a_report_that_cannot_be_read_any_more_makes_all_unknown(world):
    ref = world.open()
    receipt = keep(world.app.evidence, Sent(PROJECT, HEAD, "p"), [JUNIT % 1])
    world.app.artifacts._stored.pop(receipt.evidence[0].digest)
    assert isinstance(evidence_of(world, collected(world, ref)).reports, Unknown)


def test_a_leaked_key_is_not_kept(world):
    ref = world.open(file("src/a.py", "a = 1\n", f'a = 1\nKEY = "{KEY}"\n'), file("b.py", "", "b = 2\n"))
    seen = []

    def scan(change, files, reports):
        seen.append(files[0].content)
        found = Finding(rule="AWS Access Key", severity=Severity.CRITICAL, path="src/a.py", line=2)
        return (Scan(scanner="detect-secrets", findings=(found,)),)

    evidence = collected(world, ref, scanners=scanning(scan))
    assert KEY in seen[0]
    assert KEY not in world.app.artifacts.get(evidence.evidence).decode()
    kept = evidence_of(world, evidence)
    assert kept.files[0].content.startswith("a = 1\nKEY = ")
    assert kept.files[1].content == "b = 2\n"


def test_alerts_a_plan_does_not_have_are_not_supported(world, monkeypatch):
    ref = world.open()

    def lacking(change):
        raise NotSupportedError("the plan has no code scanning", "Take another.")

    monkeypatch.setattr(world.forge, "alerts", lacking)
    assert evidence_of(world, collected(world, ref)).alerts.supported is False


def test_alerts_the_forge_refuses_are_unknown(world, monkeypatch):
    ref = world.open()

    def refused(change):
        raise RefusedError("403", "Grant it.")

    monkeypatch.setattr(world.forge, "alerts", refused)
    alerts = evidence_of(world, collected(world, ref)).alerts
    assert isinstance(alerts, Unknown)
    assert alerts.supported


def test_what_the_forge_could_not_tell_stays_unknown(world):
    ref = world.open()
    world.forge.look_otherwise(ref, items=UNKNOWN, reviews=UNKNOWN)
    evidence = evidence_of(world, collected(world, ref))
    assert isinstance(evidence.items, Unknown)
    assert isinstance(evidence.kinds, tuple | Unknown)


def test_who_holds_a_role_is_among_the_evidence(monkeypatch):
    world = ReviewWorld(monkeypatch, ForgeName.GITHUB, roles={"security_engineer": ("Sam",)})
    ref = world.open()
    world.forge.look_otherwise(ref, reviews=(review("noor"),))
    assert evidence_of(world, collected(world, ref)).roles == {"security_engineer": ("sam",)}


def test_a_connection_that_is_gone_is_a_defect(world):
    with pytest.raises(DefectError):
        connection_of(world.app.reviews, "gone")


def test_a_connection_without_that_forge_is_refused_with_the_remedy(world):
    ref = world.open()
    (start,) = world.news(ref).start
    world.app.review_forges.clear()
    connection = connection_of(world.app.reviews, world.connection.id)
    assert isinstance(connection, Connection)
    with pytest.raises(RefusedError) as refused:
        forge_of(world.app.reviews, connection, start.ref.forge)
    assert refused.value.remedy


def test_the_check_is_announced_and_the_policy_asked_for_while_files_are_read_and_scanned(world):
    ref = world.open()
    board, both = world.forge, Barrier(3, timeout=20)
    set_check, file_at = board.set_check, board.file_at
    board.set_check = lambda *given: (both.wait(), set_check(*given))[1]
    board.file_at = lambda *given: (both.wait(), file_at(*given))[1]

    def scan(change, files, reports):
        both.wait()
        return ()

    assert collected(world, ref, scanners=scanning(scan)).agents == (AgentName.QUALITY,)
    assert [check.conclusion for check in board._pull(ref).checks] == [CheckConclusion.PENDING]


@pytest.mark.parametrize("call", ["set_check", "file_at"])
def test_a_forge_that_asks_for_patience_beside_ends_the_try(world, call):
    ref = world.open()

    def busy(*given):
        raise TransientError("later", retry_after=3)

    setattr(world.forge, call, busy)
    with pytest.raises(TransientError, match="later"):
        collected(world, ref)


def test_what_was_scanned_is_not_scanned_again_until_it_is_another_text(world):
    ref = world.open()
    looks = []

    def scan(change, files, reports):
        looks.append(change.head)
        return (Scan(scanner="detect-secrets", findings=()),)

    room = world.app.review_room()
    world.app.review_room = lambda: replace(room, looking=replace(room.looking, scanners=scanning(scan)))
    services = world.app.services()
    world.monkeypatch.setattr("orchestrations.activities.services", lambda: services)
    world.reviewed(ref)
    world.reviewed(ref)
    assert looks == [HEAD]
    assert [one.scanner for one in world.evidence(ref).scans] == ["detect-secrets"]
    keep(world.app.evidence, Sent(PROJECT, HEAD, "p"), [JUNIT % 7])
    world.reviewed(ref)
    assert looks == [HEAD]
    world.forge.alter(ref, base="0" * 40)
    world.reviewed(ref)
    assert looks == [HEAD, HEAD]


def test_a_scanner_that_could_not_answer_is_asked_again(world):
    ref = world.open()
    looks = []

    def scan(change, files, reports):
        looks.append(change.head)
        return (Scan(scanner="detect-secrets", findings=UNKNOWN),)

    room = world.app.review_room()
    world.app.review_room = lambda: replace(room, looking=replace(room.looking, scanners=scanning(scan)))
    services = world.app.services()
    world.monkeypatch.setattr("orchestrations.activities.services", lambda: services)
    world.reviewed(ref)
    world.reviewed(ref)
    assert looks == [HEAD, HEAD]
