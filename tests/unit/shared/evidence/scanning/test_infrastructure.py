"""Which descriptions of infrastructure were answered for, and which nobody can tell of."""

from __future__ import annotations

import pytest

from shared.domain.evidence import EvidenceFormat, EvidenceReport
from shared.evidence.scanning import infrastructure
from shared.evidence.scanning.infrastructure import Format, format_of
from tests.fakes.changes import file, reported

POD = "apiVersion: v1\nkind: Pod\n"
CASES = [
    ("a/main.tf", "x", Format.TERRAFORM),
    ("a/prod.tfvars", "x", Format.TERRAFORM),
    ("a/main.tf.json", "{}", Format.TERRAFORM),
    ("infra/main.bicep", "x", Format.BICEP),
    ("charts/web/templates/a.yaml", "x", Format.HELM),
    ("docker-compose.prod.yml", "services: {}", Format.COMPOSE),
    ("compose.yaml", "services: {}", Format.COMPOSE),
    ("any/where.yaml", "# a\n" + POD, Format.KUBERNETES),
    ("any/azuredeploy.json", '{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"}', Format.ARM),
    ("any/stack.yml", "Resources:\n  A:\n    Type: AWS::S3::Bucket\n", Format.CLOUDFORMATION),
    ("infra/values.yaml", "a: 1", Format.OTHER),
]  # fmt: skip


def sarif(tool: str):
    return reported(EvidenceReport(format=EvidenceFormat.SARIF, tool=tool))


@pytest.mark.parametrize(("path", "text", "of"), CASES)
def test_a_description_is_recognised_and_unknown_without_a_report(job, reasons, path, text, of) -> None:
    one = file(path, None, text)
    assert format_of(one) is of
    (only,) = infrastructure.scan(job(one))
    assert path in reasons([only])[0] and "upload the SARIF" in reasons([only])[0]


@pytest.mark.parametrize(
    ("tool", "answered"),
    [
        ("checkov", set(Format)),
        ("Trivy", set(Format) - {Format.COMPOSE, Format.BICEP}),
        ("tfsec", {Format.TERRAFORM}),
        ("KubeLinter", {Format.KUBERNETES, Format.HELM}),
        ("bicep", {Format.BICEP, Format.ARM}),
        ("CodeQL", set()),
    ],
)
def test_a_report_answers_for_the_formats_its_tool_knows(job, reasons, tool, answered) -> None:
    for path, text, of in CASES:
        scans = infrastructure.scan(job(file(path, None, text), reports=(sarif(tool),)))
        assert (not reasons(scans)) is (of in answered), (tool, path)
        if of in answered:
            assert scans[0].findings == () and scans[0].components == (path,)


def test_what_is_answered_for_and_what_is_not_stay_apart(job, reasons) -> None:
    files = (file("a.tf", None, "x"), file("b.bicep", None, "x"))
    told, missed = infrastructure.scan(job(*files, reports=(sarif("tfsec"),)))
    assert told.components == ("a.tf",)
    assert "b.bicep" in reasons([missed])[0] and "a.tf" not in reasons([missed])[0]


def test_a_report_of_another_format_answers_for_nothing(job, reasons) -> None:
    other = reported(EvidenceReport(format=EvidenceFormat.JUNIT, tool="checkov"))
    assert reasons(infrastructure.scan(job(file("a.tf", None, "x"), reports=(other,))))


def test_a_program_among_infrastructure_describes_none(job, reasons) -> None:
    (only,) = infrastructure.scan(job(file("deploy/run.sh", None, "x")))
    assert only.findings == () and only.components == ("deploy/run.sh",)


@pytest.mark.parametrize(
    "path", ["infra/README.md", "src/a.py", "package.json", ".github/workflows/ci.yml", "a.tf.txt"]
)
def test_other_files_do_not_concern_it(job, path) -> None:
    assert infrastructure.scan(job(file(path, None, "a: 1\n"))) == ()
    assert infrastructure.scan(job(file("a.tf", "x", None))) == ()


def test_a_description_whose_text_is_missing_is_told(job, reasons) -> None:
    assert reasons(infrastructure.scan(job(file("deploy/app.yaml", None, "x", content=None))))
