"""What each format's sample, written as its tool writes one, is read as."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from jsonschema.validators import validator_for

from shared.domain.evidence import EvidenceFormat, EvidenceReport, Outcome, Severity
from shared.evidence import formats
from shared.evidence.limits import LIMITS
from shared.evidence.reading import read, summarised

HERE = Path(__file__).parent
SAMPLES = HERE / "samples"
ROOT = HERE.parents[3]
CONTRACTS = Path(os.environ.get("DONERIGHT_CONTRACTS", ROOT.parent / "shared" / "contracts"))


def sample(name: str, **said: str) -> EvidenceReport:
    return read((SAMPLES / name).read_bytes(), **said)


def measures(report: EvidenceReport) -> dict[tuple[str, str], float]:
    return {(measure.metric, measure.statistic): measure.value for measure in report.measures}


def test_every_format_is_a_module_with_a_sample():
    modules = {path.stem for path in Path(formats.__file__).parent.glob("*.py")} - {"__init__"}
    assert modules == {name.value for name in EvidenceFormat}
    assert {read(path.read_bytes()).format for path in SAMPLES.iterdir()} == set(EvidenceFormat)


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir()))
def test_a_report_survives_json_as_boundaries_have_it(name):
    report = sample(name)
    assert EvidenceReport.model_validate_json(report.model_dump_json()) == report
    assert len(summarised(report).model_dump_json()) < 2000


def test_sarif():
    report = sample("codeql.sarif.json")
    assert (report.tool, report.tool_version) == ("CodeQL", "2.19.1")
    injection, todo, placeless = report.findings
    assert injection.model_dump() == {
        "rule": "py/sql-injection",
        "severity": Severity.HIGH,
        "source_severity": "error, security-severity 8.8",
        "message": "This query depends on a user-provided value.",
        "path": "services/app/orders/store.py",
        "line": 41,
        "end_line": 43,
        "fingerprint": "9f2c1a:1",
        "help_url": "https://codeql.example/py/sql-injection",
        "suppressed": False,
    }
    assert (todo.message, todo.path, todo.suppressed) == ("A reminder was left by casey", "src/with space.py", True)
    assert (todo.rule, todo.severity, todo.source_severity) == ("house/todo", Severity.LOW, "note")
    assert (placeless.path, placeless.line, placeless.suppressed) == (None, None, False)
    assert summarised(report).findings == {Severity.HIGH: 1, Severity.MEDIUM: 1}
    assert summarised(report).suppressed == 1


def test_junit():
    report = sample("surefire.junit.xml")
    assert report.tool == "surefire"
    passed, failed, errored, skipped, flaky, again = report.tests
    assert (passed.suite, passed.name, passed.outcome, passed.seconds) == (
        "com.example.OrderTest", "takesAnOrder", Outcome.PASSED, 0.021,
    )  # fmt: skip
    assert (failed.outcome, failed.message, failed.seconds) == (Outcome.FAILED, "expected 400 but was 500", 1000.5)
    assert (errored.outcome, errored.suite) == (Outcome.ERRORED, "com.example.OrderTest")
    assert "the store did not" in errored.message
    assert "answer <here>" in errored.message
    assert (skipped.outcome, skipped.message, skipped.path) == (Outcome.SKIPPED, "slow", "src/test/OrderTest.java")
    assert (flaky.outcome, flaky.flaky, flaky.retries, flaky.seconds) == (Outcome.PASSED, True, 1, 0.0)
    assert (again.outcome, again.flaky, again.retries) == (Outcome.FAILED, False, 1)
    assert summarised(report).tests == {
        Outcome.ERRORED: 1, Outcome.FAILED: 2, Outcome.PASSED: 2, Outcome.SKIPPED: 1,
    }  # fmt: skip
    assert summarised(report).flaky == 1


def test_cobertura_counts_a_line_of_two_classes_once():
    report = sample("coverage.cobertura.xml", flag="unit")
    coverage = report.coverage
    assert coverage is not None
    assert coverage.flag == "unit"
    api, store = coverage.files
    assert (api.path, api.lines_valid, api.lines_covered) == ("src/orders/api.py", 1, 0)
    assert (store.path, store.lines_valid, store.lines_covered) == ("src/orders/store.py", 4, 3)
    assert (store.branches_valid, store.branches_covered) == (4, 1)
    assert (coverage.lines_valid, coverage.lines_covered, coverage.line_rate) == (5, 3, 60.0)


def test_lcov_adds_what_several_tests_ran_and_leaves_out_what_is_not_the_repositorys():
    coverage = sample("c8.lcov").coverage
    assert coverage is not None
    cart, sums = coverage.files
    assert (cart.path, cart.lines_valid, cart.lines_covered) == ("web/cart.ts", 2, 2)
    assert (cart.branches_valid, cart.branches_covered) == (2, 1)
    assert (sums.path, sums.lines_valid, sums.lines_covered) == ("web/sums.ts", 4, 3)


def test_cyclonedx_json():
    report = sample("trivy.cyclonedx.json")
    assert (report.tool, report.tool_version) == ("trivy", "0.57.0")
    starlette, vendored, angular = report.components
    assert starlette.licences == ("BSD-3-Clause",)
    assert starlette.purl == "pkg:pypi/starlette@1.0.0"
    assert (vendored.name, vendored.licences) == ("vendored", ("MIT OR Apache-2.0",))
    assert angular.name == "@angular/core"
    (cve,) = report.findings
    assert (cve.rule, cve.severity, cve.suppressed) == ("CVE-2099-0001", Severity.CRITICAL, True)
    assert cve.message == "starlette: A header is believed."


def test_cyclonedx_xml_with_a_prefix():
    report = sample("maven.cyclonedx.xml")
    assert (report.tool, report.tool_version) == ("cyclonedx-maven", "2.9.0")
    desk, inner = report.components
    assert (desk.name, desk.version, desk.licences) == ("org.example/desk", "1.2", ("House licence",))
    assert (inner.name, inner.licences) == ("inner", ("MIT",))


@pytest.mark.parametrize(
    ("name", "tool", "version", "licence"),
    [("syft.spdx.json", "syft", "1.18.0", "Apache-2.0"), ("reuse.spdx", "reuse", "", "Apache-2.0")],
)
def test_spdx(name, tool, version, licence):
    report = sample(name)
    assert (report.tool, report.tool_version) == (tool, version)
    requests, bare = report.components
    assert requests.model_dump() == {
        "name": "requests", "version": "2.32.0", "purl": "pkg:pypi/requests@2.32.0", "licences": (licence,),
    }  # fmt: skip
    assert (bare.name, bare.licences) == ("bare", ())


def test_k6_with_its_thresholds():
    report = sample("summary.k6.json")
    rows = {(m.metric, m.statistic): m for m in report.measures}
    slow = rows["http_req_duration", "p95"]
    assert (slow.value, slow.unit, slow.threshold, slow.passed) == (512.5, "ms", "p(95)<500", False)
    assert rows["http_req_duration", "mean"].passed is True
    assert rows["http_req_duration", "p90"].passed is None
    assert rows["http_req_duration", "p99"].threshold == "p(99)<900"
    assert rows["http_req_failed", "rate"].passed is True
    assert summarised(report).thresholds_missed == 1


def test_k6_export_tells_a_crossed_threshold_as_true():
    report = sample("export.k6.json")
    rows = {(m.metric, m.statistic): m for m in report.measures}
    assert rows["http_req_duration", "p95"].passed is False
    assert rows["checks", "value"].value == 0.5


def test_locust_json():
    rows = measures(sample("stats.locust.json"))
    assert rows["POST /orders", "requests"] == 4
    assert rows["POST /orders", "error_rate"] == 0.25
    assert rows["POST /orders", "mean"] == 115
    assert (rows["POST /orders", "p50"], rows["POST /orders", "p95"]) == (60, 250)


def test_locust_csv():
    rows = measures(sample("stats.locust.csv"))
    assert rows["GET /orders, all", "rate"] == 2.5
    assert rows["Aggregated", "p90"] == 9
    assert ("Aggregated", "p95") not in rows


def test_jmeter_csv():
    rows = measures(sample("results.jmeter.csv"))
    assert (rows["home", "requests"], rows["home", "failures"], rows["home", "error_rate"]) == (2, 1, 0.5)
    assert (rows["home", "mean"], rows["home", "p50"], rows["cart", "p99"]) == (100, 80, 200)
    assert rows["home", "rate"] == pytest.approx(2 * 1000 / 580)


def test_jmeter_xml_counts_no_part_of_a_sample_again():
    rows = measures(sample("results.jmeter.xml"))
    assert (rows["home", "requests"], rows["home", "failures"]) == (2, 1)
    assert ("logo", "requests") not in rows


def test_axe():
    report = sample("page.axe.json")
    contrast, region = report.accessibility
    assert (contrast.rule, contrast.impact, contrast.nodes) == ("color-contrast", "serious", 2)
    assert contrast.wcag == ("wcag2aa", "wcag143")
    assert (region.impact, region.nodes, region.page) == ("", 0, "https://desk.example/orders")


def test_axe_of_several_pages():
    page = json.loads((SAMPLES / "page.axe.json").read_bytes())
    assert len(read(json.dumps([page, page]).encode()).accessibility) == 4


def test_lighthouse():
    report = sample("page.lighthouse.json")
    rows = {(m.metric, m.statistic): m for m in report.measures}
    assert rows["performance", "score"].value == 0.92
    assert ("pwa", "score") not in rows
    paint = rows["largest-contentful-paint", ""]
    assert (paint.value, paint.unit) == (2750.5, "ms")
    (fault,) = report.accessibility
    assert (fault.rule, fault.nodes, fault.page) == ("image-alt", 2, "https://desk.example/home")


def test_zap_json():
    report = sample("baseline.zap.json")
    policy, sniffing = report.findings
    assert (policy.rule, policy.severity, policy.source_severity) == ("10038-1", Severity.MEDIUM, "Medium (High)")
    assert policy.message == "https://desk.example: CSP not set: A policy & more."
    assert (sniffing.severity, sniffing.suppressed) == (Severity.LOW, True)


def test_zap_xml():
    (finding,) = sample("baseline.zap.xml").findings
    assert (finding.rule, finding.severity) == ("40012", Severity.HIGH)
    assert finding.message.endswith("It reflects.")


def test_playwright():
    report = sample("report.playwright.json")
    by_name = {(test.name, test.outcome): test for test in report.tests}
    assert len(by_name) == 6
    flaky = by_name["adds [webkit]", Outcome.PASSED]
    assert (flaky.flaky, flaky.retries, flaky.seconds, flaky.message) == (True, 1, 1.2, "Timed out")
    assert flaky.suite == "cart.spec.ts > cart"
    assert by_name["fails as told", Outcome.PASSED].retries == 0
    assert {test.outcome for test in report.tests if test.name == "breaks"} == {
        Outcome.FAILED, Outcome.ERRORED, Outcome.SKIPPED,
    }  # fmt: skip


def test_sonarqube():
    report = sample("api.sonarqube.json")
    sql, long = report.findings
    assert (sql.severity, sql.source_severity, sql.path, sql.line, sql.end_line) == (
        Severity.CRITICAL, "BLOCKER", "src/app.py", 7, 8,
    )  # fmt: skip
    assert (long.severity, long.path, long.suppressed) == (Severity.LOW, "src/other.py", True)
    coverage = report.coverage
    assert coverage is not None
    assert (coverage.lines_covered, coverage.branches_covered, coverage.line_rate) == (150, 30, 75.0)
    rows = {(m.metric, m.statistic): m for m in report.measures}
    assert rows["quality_gate", ""].passed is False
    assert (rows["new_coverage", "quality_gate"].passed, rows["new_coverage", "quality_gate"].threshold) == (
        False, "LT 80",
    )  # fmt: skip
    assert ("new_violations", "quality_gate") not in rows


def test_messages_are_cut():
    long = json.loads((SAMPLES / "codeql.sarif.json").read_bytes())
    long["runs"][0]["results"][0]["message"]["text"] = "x" * 100_000
    assert len(read(json.dumps(long).encode()).findings[0].message) == LIMITS.text


@pytest.mark.contract
@pytest.mark.parametrize(
    ("original", "ours", "name"),
    [
        ("sarif-schema-2.1.0.json", "sarif.json", "codeql.sarif.json"),
        ("bom-1.6.SNAPSHOT.schema.json", "cyclonedx.json", "trivy.cyclonedx.json"),
    ],
)
def test_schemas_and_samples_agree_with_the_originals(original, ours, name):
    path = CONTRACTS / "schemas" / original
    if not path.exists():
        pytest.skip(f"the official contracts are not at {CONTRACTS}")
    official = json.loads(path.read_text(encoding="utf-8"))
    ours_text = (ROOT / "shared" / "evidence" / "schemas" / ours).read_text(encoding="utf-8")
    assert json.loads(ours_text) == structure(official)
    held = validator_for(official, Draft7Validator)(structure(official))
    assert [error.message for error in held.iter_errors(json.loads((SAMPLES / name).read_bytes()))] == []


PROSE = {"description", "title", "examples", "$comment", "meta:enum", "deprecated", "default", "$id", "id"}


def structure(node: object, *, names: bool = False) -> object:
    """A schema without its prose, and with any text or object where it refers to another file."""
    if isinstance(node, list):
        return [structure(each) for each in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref", "#")
    if not names and isinstance(reference, str) and not reference.startswith("#"):
        node = {key: value for key, value in node.items() if key != "$ref"}
        node["type"] = "string" if reference.startswith("spdx") else "object"
    return {
        key: structure(value, names=key in {"properties", "definitions"} and not names)
        for key, value in node.items()
        if names or key not in PROSE
    }
