"""The evidence row measures reports that are read whole, and both sides over the same bytes."""

from __future__ import annotations

from collections import Counter

from bench import evidence
from shared.domain.evidence import Outcome
from shared.evidence.reading import read


def test_the_reports_are_read_whole():
    findings = read(evidence.sarif(120)).findings
    assert len(findings) == 120
    assert findings[5].path == "src/package/module_5.py"
    tests = read(evidence.junit(250)).tests
    assert Counter(test.outcome for test in tests) == {Outcome.PASSED: 235, Outcome.FAILED: 10, Outcome.SKIPPED: 5}


def test_the_row_measures_both_formats(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "RESULTS", 80)
    monkeypatch.setattr(evidence, "CASES", 800)
    monkeypatch.setattr(evidence, "_rate", lambda side, content: float(len(content)) * (side is not None))
    sarif, junit = evidence.run(tmp_path, quick=True)
    assert (sarif.unit, sarif.ratio, sarif.met) == ("MB/s", 1.0, True)
    assert "expat" in junit.peer_name


def test_a_rate_is_above_nothing():
    assert evidence._rate(read, evidence.junit(2000)) > 0
