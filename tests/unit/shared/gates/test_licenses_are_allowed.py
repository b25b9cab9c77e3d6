"""Every dependency is under an allowed licence; one whose licence nobody tells is named and refused."""

from __future__ import annotations

import pytest

from shared.domain.change import Reported
from shared.domain.evidence import Component, EvidenceFormat, Finding, Severity
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_report, asked, evidence, file, judged, reported, scan

GATE = "licenses_are_allowed"
CODE = file("src/a.py", None, "a = 1\n")
MANIFEST = file("requirements.txt", None, "a==1\n")


def bill(*licences: tuple[str, ...], format: EvidenceFormat = EvidenceFormat.CYCLONEDX) -> Reported:
    components = tuple(
        Component(name=f"part{number}", version="1", licences=each) for number, each in enumerate(licences)
    )
    return reported(a_report(format, components=components), digest="sha256:1")


def outcome(*licences: str) -> Outcome:
    return judged(GATE, evidence(MANIFEST, reports=(bill(licences),)), asked(GATE)).outcome


@pytest.mark.parametrize(
    "licence",
    [
        "MIT", "mit", "MIT OR GPL-3.0-only", "MIT AND Apache-2.0", "(MIT OR GPL-2.0-only) AND BSD-3-Clause",
        "Apache-2.0 WITH LLVM-exception", "MIT License", "The MIT License", "Apache License, Version 2.0",
    ],
)  # fmt: skip
def test_an_allowed_licence_holds(licence: str) -> None:
    assert outcome(licence) is Outcome.MET


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-only", "GPL-3.0+", "MIT AND GPL-3.0-only", "GPL-2.0-only WITH Classpath-exception-2.0", "BSD", "LicenseRef-ours",
        "Somebody's own words", "MIT AND (", "NOASSERTION", "", "BSD License", "UNLICENSED",
    ],
)  # fmt: skip
def test_any_other_licence_is_refused_with_its_component(licence: str) -> None:
    found = judged(GATE, evidence(MANIFEST, reports=(bill(("MIT",), (licence,)),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "part1 1" in found.reason
    assert "part1 1" in found.remarks[0].message
    assert found.evidence == ("sha256:1",)
    assert found.measured == {"components": 2, "not_allowed": 1}


def test_a_component_without_a_licence_is_refused() -> None:
    found = judged(GATE, evidence(MANIFEST, reports=(bill(()),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "tells no licence" in found.reason


def test_several_licences_without_a_word_between_them_all_have_to_do() -> None:
    assert outcome("MIT", "GPL-3.0-only") is Outcome.UNMET
    assert outcome("MIT", "ISC") is Outcome.MET


def test_components_with_the_same_fault_are_told_together() -> None:
    found = judged(GATE, evidence(MANIFEST, reports=(bill(*[("GPL-3.0-only",)] * 31),)), asked(GATE))
    assert found.measured["not_allowed"] == 31
    assert len(found.remarks) == 2
    told = " ".join(remark.message for remark in found.remarks)
    assert all(f"part{number} 1" in told for number in range(31))


def test_a_narrower_list_is_held_to() -> None:
    seen = evidence(MANIFEST, reports=(bill(("MIT",), ("ISC",)),))
    assert judged(GATE, seen, asked(GATE, licenses=("MIT",))).outcome is Outcome.UNMET


def test_spdx_documents_count_as_well() -> None:
    seen = evidence(MANIFEST, reports=(bill(("AGPL-3.0-only",), format=EvidenceFormat.SPDX),))
    assert judged(GATE, seen, asked(GATE)).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    ("files", "rest", "expected"),
    [
        ((CODE,), {}, Outcome.NOT_APPLICABLE),
        ((MANIFEST,), {}, Outcome.NOT_AVAILABLE),
        ((MANIFEST,), {"scans": (scan("licences", findings=UNKNOWN),)}, Outcome.NOT_AVAILABLE),
        ((CODE,), {"reports": UNKNOWN}, Outcome.NOT_AVAILABLE),
        (
            (MANIFEST,),
            {"reports": (bill(("MIT",)),), "scans": (scan("licences", findings=UNKNOWN),)},
            Outcome.NOT_AVAILABLE,
        ),
        ((CODE,), {"reports": (bill(("MIT",)),)}, Outcome.MET),
    ],
)
def test_what_nobody_tells_is_not_allowed(files: tuple, rest: dict, expected: Outcome) -> None:
    assert judged(GATE, evidence(*files, **rest), asked(GATE)).outcome is expected


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN}), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


def test_the_scanner_of_licences_is_heard_where_there_is_no_bill() -> None:
    finding = Finding(rule="GPL-3.0-only", severity=Severity.INFO, message="part 1 is under GPL-3.0-only.")
    found = judged(GATE, evidence(MANIFEST, scans=(scan("licences", finding),)), asked(GATE))
    assert found.outcome is Outcome.UNMET


def test_what_is_refused_counts_though_something_was_not_told() -> None:
    seen = evidence(MANIFEST, reports=(bill(("GPL-3.0-only",)),), scans=(scan("licences", findings=UNKNOWN),))
    assert judged(GATE, seen, asked(GATE)).outcome is Outcome.UNMET
