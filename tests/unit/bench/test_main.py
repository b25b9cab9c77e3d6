"""A missed goal is a result; a row that breaks is an error that is named, and does not take the others with it."""

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from bench import __main__ as bench
from bench import delivery, peer_packages, processes
from bench.payload import issues_body, issues_payload, signed_headers
from bench.result import BenchError, Result
from shared.domain.forge import ForgeName
from shared.intake import events, signatures

MISSED = Result(name="slow", unit="ms", ours=3.0, peer_name="peer", peer=1.0, ratio=3.0, goal=1.5, met=False)


def breaks(folder, *, quick):
    raise BenchError("the peer did not start")


def misses(folder, *, quick):
    return [MISSED]


def stopped(folder, *, quick):
    bench._stop()


@pytest.fixture
def results(tmp_path, monkeypatch):
    file = tmp_path / "results.json"
    monkeypatch.setattr(bench, "RESULTS", file)
    monkeypatch.setattr(bench.signal, "signal", lambda *_: None)
    return file


def install(monkeypatch, **rows):
    monkeypatch.setattr(bench, "ROWS", dict.fromkeys(rows, "rows"))
    runs = iter(rows.values())
    monkeypatch.setattr(bench, "import_module", lambda _: type("Module", (), {"run": staticmethod(next(runs))}))


def test_a_missed_goal_exits_0_and_is_shown(results, monkeypatch, capsys):
    install(monkeypatch, one=misses)
    assert bench.main([]) == 0
    assert "missed" in capsys.readouterr().out
    assert [row["met"] for row in json.loads(results.read_text())] == [False]


def test_a_broken_row_exits_1_naming_it_and_the_others_are_kept(results, monkeypatch, capsys):
    install(monkeypatch, one=breaks, two=misses)
    assert bench.main([]) == 1
    told = capsys.readouterr().err
    assert "one: could not be measured: the peer did not start" in told
    assert [row["name"] for row in json.loads(results.read_text())] == ["slow"]


def test_what_was_measured_before_it_was_stopped_is_kept(results, monkeypatch, capsys):
    install(monkeypatch, one=misses, two=stopped)
    assert bench.main([]) == 130
    assert "what was measured stands in" in capsys.readouterr().err
    assert [row["name"] for row in json.loads(results.read_text())] == ["slow"]


def test_rows_get_a_folder_each_and_the_pace_asked_for(tmp_path):
    seen = []

    def row(folder, *, quick):
        seen.append((folder.name, quick))
        return []

    console = Console(file=io.StringIO())
    assert bench.measure(["a", "b"], {"a": row, "b": row}, console, [], quick=True) == 0
    assert seen == [("a", True), ("b", True)]


@pytest.mark.parametrize("wrong", [["--only", "nothing"], ["--page", "--quick"], ["--page", "--only", "http"], ["x"]])
def test_wrong_use_exits_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        bench.parse_arguments(wrong)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_the_payload_is_an_issues_event_that_starts_nothing():
    assert 10_000 <= len(issues_body()) <= 20_000
    event = events.parse(ForgeName.GITHUB, "issues", issues_payload())
    assert isinstance(event, events.GitHubIssues)
    assert event.issue.labels == ()


def test_the_payload_is_signed_over_its_bytes():
    body = issues_body()
    signature = signed_headers("secret", body, "id")["X-Hub-Signature-256"]
    assert signatures.github_signature_is_valid(["secret"], body.encode(), signature)
    assert not signatures.github_signature_is_valid(["secret"], body.encode() + b" ", signature)


def test_the_delivery_row_measures_both_sides(tmp_path, monkeypatch):
    monkeypatch.setattr(delivery, "_rate", lambda side, number: float(bool(side())))
    (result,) = delivery.run(tmp_path, quick=True)
    assert (result.unit, result.ours, result.peer, result.ratio) == ("deliveries/s", 1.0, 1.0, 1.0)


def test_a_child_that_fails_is_told_with_its_last_words():
    with pytest.raises(BenchError, match=r"the row ended with 3:\nbroken"):
        processes.answer_of(
            [sys.executable, "-c", "import sys; print('broken', file=sys.stderr); sys.exit(3)"], "the row"
        )


def test_a_child_that_prints_no_json_is_refused():
    with pytest.raises(BenchError, match="printed no JSON"):
        processes.answer_of([sys.executable, "-c", "print('hello')"], "the row")


def test_a_child_that_is_never_ready_is_told_with_its_last_words(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no port')"]
    with pytest.raises(BenchError, match="no port"), processes.running("peer", command, tmp_path):
        pytest.fail("it was never ready")


def test_settings_of_another_doneright_reach_no_side(monkeypatch):
    monkeypatch.setenv("DONERIGHT_SIGNING_KEY", "x")
    monkeypatch.setenv("AzureWebJobsStorage", "x")
    kept = processes.environment({"MORE": "1"})
    assert not {"DONERIGHT_SIGNING_KEY", "AzureWebJobsStorage"} & kept.keys()
    assert kept["MORE"] == "1"


@pytest.fixture
def peers(tmp_path, monkeypatch):
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(peer_packages, "_program", lambda name: name)
    return tmp_path


def test_peers_are_installed_once_for_one_lock(peers, monkeypatch):
    calls = []

    def npm(command, **_):
        calls.append(command)
        (peers / "node_modules").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0, b"")

    monkeypatch.setattr(peer_packages.subprocess, "run", npm)
    assert peer_packages.install(peers)
    assert not peer_packages.install(peers)
    (peers / "package-lock.json").write_text('{"other": 1}')
    assert peer_packages.install(peers)
    assert [command[:2] for command in calls] == [["npm", "ci"], ["npm", "ci"]]


def test_peers_that_cannot_be_installed_are_told_with_npms_words(peers, monkeypatch):
    monkeypatch.setattr(
        peer_packages.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, b"no network")
    )
    with pytest.raises(BenchError, match="no network"):
        peer_packages.install(peers)
