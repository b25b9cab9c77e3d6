"""Advisories about what a change depends on, licences of it, and what nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from shared.domain.advisory import Advisory
from shared.domain.evidence import Component, EvidenceFormat, EvidenceReport, Severity
from shared.errors import TransientError
from shared.evidence.scanning import ScanLimits, ScanPorts, dependencies, licences, scan
from shared.evidence.scanning.dependencies import merged, severity_of
from tests.fakes.changes import a_change, file, reported

FLASK = Advisory(
    id="GHSA-m2qf-hxjv-5gpq", aliases=("CVE-2023-30861",), summary="Session cookie may be cached.", score=7.5, scale="CVSS_V3",
    fixed=("2.2.5", "2.3.2"), url="https://osv.dev/vulnerability/GHSA-m2qf-hxjv-5gpq",
)  # fmt: skip


class Known:
    """Advisories in memory."""

    def __init__(self, known: Mapping[str, tuple[Advisory, ...]] | None = None, error: Exception | None = None) -> None:
        self.known, self.error, self.asked = known or {}, error, []

    def about(self, packages: Sequence[str], seconds: float) -> Mapping[str, tuple[Advisory, ...]]:
        assert seconds > 0
        self.asked += packages
        if self.error:
            raise self.error
        return {one: self.known[one] for one in packages if one in self.known}


def bill(*components: Component, format: EvidenceFormat = EvidenceFormat.CYCLONEDX):
    return reported(EvidenceReport(format=format, tool="syft", components=components))


def test_a_known_vulnerability_is_found_with_its_place_and_remedy(job, found) -> None:
    known = Known({"pkg:pypi/flask@2.0.0": (FLASK,)})
    scans = dependencies.scan(job(file("requirements.txt", None, "rich==1\nflask==2.0.0\n"), advisories=known))
    (one,) = found(scans)
    assert (one.rule, one.severity, one.path, one.line) == (FLASK.id, Severity.HIGH, "requirements.txt", 2)
    assert "flask 2.0.0" in one.message and "2.2.5" in one.message and "CVE-2023-30861" in one.message
    assert one.source_severity == "CVSS_V3 7.5" and one.help_url == FLASK.url
    assert scans[0].components == ("pkg:pypi/flask@2.0.0", "pkg:pypi/rich@1")
    assert scans[0].figures == {"packages": 2, "unasked": 0}


def test_no_advisory_is_an_answer(job, reasons) -> None:
    scans = dependencies.scan(job(file("requirements.txt", None, "flask==9\n"), advisories=Known()))
    assert scans[0].findings == () and not reasons(scans)


def test_without_an_address_nobody_can_tell(job, reasons) -> None:
    scans = dependencies.scan(job(file("requirements.txt", None, "flask==9\n")))
    assert len(scans) == 1 and "DONERIGHT_OSV_URL" in reasons(scans)[0]


def test_advisories_that_do_not_answer_are_unknown() -> None:
    known = Known(error=TransientError("the OSV API answered 503", 9))
    files = (file("requirements.txt", None, "flask==9\n"),)
    scans = [one for one in scan(a_change(), files, (), ScanPorts(key=b"k", advisories=known)) if one.scanner == "osv"]
    assert len(scans) == 1 and "503" in scans[0].findings.reason


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[project]\ndependencies = ['flask>=2']\n"),
        ("yarn.lock", "x"),
        ("uv.lock", "broken ["),
        ("pom.xml", "x"),
    ],
)
def test_what_is_open_or_not_read_is_told(job, reasons, path, text) -> None:
    scans = dependencies.scan(job(file(path, None, text), advisories=Known()))
    assert len(scans) == 1 and path in reasons(scans)[0]
    assert "bill of materials" in reasons(scans)[0]


def test_a_lock_file_beside_or_above_answers_for_what_is_open(job, reasons) -> None:
    project = file("a/b/pyproject.toml", None, "[project]\ndependencies = ['flask>=2']\n")
    lock = "[[package]]\nname = 'flask'\nversion = '2.3.2'\n"
    for path, answered in (("a/b/uv.lock", True), ("uv.lock", True), ("a/c/uv.lock", False), ("a/b/Cargo.lock", False)):
        scans = dependencies.scan(job(project, file(path, None, lock), advisories=Known()))
        assert bool(reasons(scans)) is not answered, path
    gone = file("a/b/uv.lock", lock, None)
    assert reasons(dependencies.scan(job(project, gone, advisories=Known())))


def test_a_bill_of_the_same_kind_answers_for_what_is_not_read(job, found, reasons) -> None:
    lodash = Component(name="lodash", version="4.17.20", purl="pkg:npm/lodash@4.17.20?arch=x#y")
    known = Known({"pkg:npm/lodash@4.17.20": (FLASK,)})
    scans = dependencies.scan(job(file("yarn.lock", None, "x"), reports=(bill(lodash),), advisories=known))
    assert not reasons(scans)
    assert [(one.path, one.line) for one in found(scans)] == [(None, None)]
    assert reasons(dependencies.scan(job(file("pom.xml", None, "x"), reports=(bill(lodash),), advisories=known)))


def test_components_nobody_can_be_asked_about_are_counted(job) -> None:
    odd = [
        Component(name="a"), Component(name="b", purl="pkg:pypi/b"), Component(name="c", purl="pkg:generic/c@1"),
        Component(name="d", purl="nonsense"), Component(name="e", purl="pkg:pypi/e@1"),
    ]  # fmt: skip
    known = Known()
    (only,) = dependencies.scan(job(reports=(bill(*odd, format=EvidenceFormat.SPDX),), advisories=known))
    assert only.figures == {"packages": 1, "unasked": 4} and known.asked == ["pkg:pypi/e@1"]


def test_a_manifest_whose_dependencies_stay_asks_nobody(job, reasons) -> None:
    before = "[project]\ndependencies = ['flask>=2']\n"
    (only,) = dependencies.scan(job(file("pyproject.toml", before, "[tool.x]\na = 1\n" + before)))
    assert only.findings == ()
    assert reasons(
        dependencies.scan(job(file("pyproject.toml", before, before.replace(">=2", ">=1")), advisories=Known()))
    )


def test_a_removed_manifest_asks_nobody(job) -> None:
    (only,) = dependencies.scan(job(file("requirements.txt", "flask==1\n", None)))
    assert only.findings == ()


def test_a_manifest_without_its_text_is_told(job, reasons) -> None:
    scans = dependencies.scan(job(file("uv.lock", None, "x", content=None), advisories=Known()))
    assert "could not be had" in reasons(scans)[0]


def test_other_changes_do_not_concern_it(job) -> None:
    assert dependencies.scan(job(file("a.py", None, "x"))) == ()
    assert licences.scan(job(file("a.py", None, "x"))) == ()


def test_more_packages_than_can_be_asked_about_are_told(job, reasons) -> None:
    text = "".join(f"p{n}==1\n" for n in range(5))
    scans = dependencies.scan(
        job(file("requirements.txt", None, text), advisories=Known(), limits=ScanLimits(packages=4))
    )
    assert "5 packages" in reasons(scans)[0]


def test_one_vulnerability_under_several_names_is_told_once() -> None:
    twins = (Advisory(id="PYSEC-2023-62", aliases=("CVE-2023-30861", FLASK.id)), FLASK, Advisory(id="GHSA-other"))
    assert [one.id for one in merged(twins)] == [FLASK.id, "GHSA-other"]


@pytest.mark.parametrize(
    ("advisory", "severity"),
    [
        (Advisory(id="GHSA-1", score=9.8), Severity.CRITICAL),
        (Advisory(id="GHSA-1", score=0.0), Severity.INFO),
        (Advisory(id="GHSA-1", word="MODERATE"), Severity.MEDIUM),
        (Advisory(id="PYSEC-1"), Severity.HIGH),
        (Advisory(id="MAL-2024-1"), Severity.CRITICAL),
    ],
)
def test_how_bad_it_is(advisory, severity) -> None:
    assert severity_of(advisory)[0] is severity


def test_licences_are_told_in_the_words_of_spdx(job, found, reasons) -> None:
    components = (
        Component(name="a", version="1", purl="pkg:pypi/a@1", licences=("MIT License",)),
        Component(name="b", purl="pkg:pypi/b@1", licences=("mit or apache-2.0",)),
        Component(name="c", purl="pkg:npm/c@1", licences=("GPL-3.0-only", "MIT")),
        Component(name="d"),
        Component(name="e", licences=("BSD",)),
        Component(name="f", licences=("Some licence / of ours",)),
        Component(name="a", version="1", purl="pkg:pypi/a@1", licences=("MIT",)),
    )
    scans = licences.scan(job(reports=(bill(*components),)))
    told = {(one.message.split()[0], one.rule) for one in found(scans)}
    assert told == {
        ("a", "MIT"), ("b", "MIT OR Apache-2.0"), ("c", "GPL-3.0-only"), ("c", "MIT"), ("d", "NOASSERTION"), ("e", "BSD"),
        ("f", "Some licence / of ours"),
    }  # fmt: skip
    assert not reasons(scans)
    assert len({one.fingerprint for one in found(scans)}) == 7


@pytest.mark.parametrize("text", ["", " ", "MIT AND", "((", "MIT OR", "\x00", "a" * 5000, "OR", "MIT WITH x", "(MIT"])
def test_any_licence_is_told_somehow(text) -> None:
    assert licences.spdx(text) is not None


def test_without_a_bill_nobody_knows_licences(job, found, reasons) -> None:
    manifest = file("requirements.txt", None, "flask==1\n")
    scans = licences.scan(job(manifest))
    assert len(scans) == 1 and "bill of materials" in reasons(scans)[0]
    other = bill(Component(name="c", purl="pkg:npm/c@1", licences=("MIT",)))
    both = licences.scan(job(manifest, reports=(other,)))
    assert [one.rule for one in found(both)] == ["MIT"] and "requirements.txt" in reasons(both)[0]
    same = bill(Component(name="flask", purl="pkg:pypi/flask@1", licences=("BSD-3-Clause",)))
    assert not reasons(licences.scan(job(manifest, reports=(same,))))


def test_a_manifest_whose_dependencies_stay_needs_no_bill(job, reasons) -> None:
    before = "flask==1\n"
    assert not reasons(licences.scan(job(file("requirements.txt", before, "# more\n" + before))))
    assert reasons(licences.scan(job(file("yarn.lock", "a", "b"))))
    assert reasons(licences.scan(job(file("requirements.txt", None, "x==1", content=None))))
