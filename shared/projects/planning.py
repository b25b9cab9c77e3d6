"""Turns an admitted request into a plan on record: renders the scaffold, draws the steps, stores both by digest."""

from __future__ import annotations

import re

from shared.domain.adoption import Consent, subject_of
from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.connection import Connection, Mode
from shared.domain.forge import ForgeName
from shared.domain.plan import Plan, StepProgress
from shared.domain.project import ProjectRequest, RepositoryRequest
from shared.domain.run import DrawnPlan, DrawnStep, ProjectRecord, RunInput
from shared.errors import ConflictError, DefectError
from shared.projects import bundle, scaffold
from shared.projects.admission import is_advisory
from shared.projects.drawing import BRANCH, Surroundings, draw
from shared.projects.further_repositories import FirstFiles
from shared.projects.ports import PROJECTS, ProjectPorts
from shared.projects.workflow_checks import reported_checks


def rendered(
    request: ProjectRequest, connection: Connection, year: int, further: RepositoryRequest | None = None
) -> scaffold.Scaffold:
    """The first files of the project's main repository, or of the ``further`` one, which has a stack."""
    name = further.name if further else request.name
    stack = further.stack if further else request.stack
    forges = request.forges if further is None or further.forges is None else further.forges
    slug = scaffold.slug_for(name)
    github = azure = None
    if ForgeName.GITHUB in forges:
        on_github = further.name if further else request.project_id
        github = f"{connection.github.web_url.rstrip('/')}/{connection.github.organization}/{on_github}"
    if ForgeName.AZURE_DEVOPS in forges and connection.azure_devops:
        azure = connection.azure_devops.repository_url(request.name, name)
    return scaffold.render(
        scaffold.ScaffoldInputs.model_validate(
            {
                "project_name": name,
                "slug": slug,
                "package_name": scaffold.package_name_for(slug),
                "description": further.description if further else request.description,
                "owner": request.owner,
                "stack": stack,
                "year": year,
                "process": request.process.value,
                "github_url": github,
                "azure_devops_url": azure,
                "environments": [environment.name for environment in request.environments],
                "visibility": request.visibility.value,
            }
        )
    )


def first_files(
    request: ProjectRequest, connection: Connection, year: int, further: RepositoryRequest
) -> tuple[FirstFiles, bytes]:
    """What a further repository starts with: its stack's scaffold, or a README alone."""
    if further.stack is None:
        packed = bundle.pack({"README.md": readme(further)})
        return FirstFiles(scaffold=bundle.digest_of(packed)), packed
    files = rendered(request, connection, year, further)
    packed = bundle.pack(files.files, files.executable)
    return FirstFiles(scaffold=bundle.digest_of(packed), checks=reported_checks(files.files, BRANCH)), packed


def readme(repository: RepositoryRequest) -> bytes:
    """All that a repository without a stack starts with. Text is shown as it was given, whatever it means to Markdown."""
    paragraphs = [f"# {_as_given(repository.name)}", _as_given(repository.description)]
    return ("\n\n".join(filter(None, paragraphs)) + "\n").encode()


def _as_given(text: str) -> str:
    # https://spec.commonmark.org/0.31.2/#backslash-escapes
    return re.sub(r"([\\`*_\[\]<>&|~#])", r"\\\1", text)


def plan_for(
    ports: ProjectPorts, request: ProjectRequest, connection: Connection, year: int
) -> tuple[Plan, dict[str, bytes]]:
    """The plan and the packed scaffolds it refers to by digest, the main repository's first. Stores nothing."""
    files = rendered(request, connection, year)
    packed = bundle.pack(files.files, files.executable)
    further = {one.slug: first_files(request, connection, year, one) for one in request.repositories}
    around = Surroundings(
        connection=connection.id,
        github_owner=connection.github.organization,
        github_hook_url=ports.links.api("webhooks/github"),
        azure_devops_hook_url=ports.links.api("webhooks/azure-devops"),
        scaffold=bundle.digest_of(packed),
        template_version=files.template_version,
        checks=reported_checks(files.files, BRANCH),
        further={slug: starts for slug, (starts, _) in further.items()},
        process_additions=connection.azure_devops.additions_to(request.process) if connection.azure_devops else None,
        reviews_block=connection.review_mode is Mode.ENFORCED,
    )
    scaffolds = {around.scaffold: packed} | {starts.scaffold: content for starts, content in further.values()}
    return draw(request, around), scaffolds


def draw_plan(ports: ProjectPorts, run: RunInput, project_id: str) -> DrawnPlan:
    """Draw, store and record the plan of a claimed project. Doing it again gives the same plan."""
    record = _claimed(ports, run, project_id)
    connection = ports.connection(run.connection)
    consent = record.adoption.consent if record.adoption else None
    if record.plan:
        plan = Plan.model_validate_json(ports.artifacts.get(record.plan))
        digest = record.plan
    elif consent:
        record_consent(ports, record, consent)
        plan, digest = Plan.model_validate_json(ports.artifacts.get(consent.plan)), consent.plan
        _pin(ports, run, project_id, digest)
    else:
        plan, scaffolds = plan_for(ports, record.request, connection, record.created_at.year)
        for packed in scaffolds.values():
            ports.artifacts.put(packed, bundle.MEDIA_TYPE)
        digest = ports.artifacts.put(plan.model_dump_json().encode(), "application/json")
        _pin(ports, run, project_id, digest)
    for order, step in enumerate(plan.steps):
        progress = StepProgress(
            step=step.id, title=step.title, forge=step.forge, kind=step.kind, depends_on=step.depends_on, order=order
        )
        try:
            ports.progress.create(run.instance, step.id, progress)
        except ConflictError:
            continue  # an earlier try of this activity wrote it
    reopen(ports, run.instance, record.round)
    advisory = is_advisory(connection)
    ports.record(
        project_id,
        AuditTag.PLAN_ADVISED if advisory else AuditTag.PLAN_DRAWN,
        run,
        "draw_plan",
        plan=digest,
        steps=[step.id for step in plan.steps],
    )
    return DrawnPlan(
        digest=digest,
        steps=tuple(DrawnStep(id=step.id, depends_on=step.depends_on) for step in plan.steps),
        advisory=advisory,
        round=record.round,
    )


def record_consent(ports: ProjectPorts, record: ProjectRecord, consent: Consent) -> None:
    """Put the consent to an adoption on record, once, before anything of it takes effect."""
    ports.audit.append(
        record.id,
        NewAuditEvent(
            tag=AuditTag.ADOPTION_CONSENTED,
            instance=f"{subject_of(record.id)}.consent",
            step=f"consent.{consent.at.isoformat()}",
            subject=record.subject,
            actor=consent.by,
            detail={"plan": consent.digest, "steps": list(consent.steps)},
            artifacts=(consent.digest, consent.plan),
        ),
    )


def reopen(ports: ProjectPorts, instance: str, round_number: int) -> None:
    """Set what did not succeed to be tried in round ``round_number``; doing it again changes nothing."""
    for known in ports.steps(instance):
        while (found := ports.progress.get(instance, known.step)) and (again := found[0].again(round_number)) != found[
            0
        ]:
            try:
                ports.progress.replace(instance, known.step, again, found[1])
            except ConflictError:
                continue
            break


def _claimed(ports: ProjectPorts, run: RunInput, project_id: str) -> ProjectRecord:
    record = ports.project(project_id)
    if record is None or record.instance != run.instance:
        raise DefectError(f"project {project_id} is not claimed by {run.instance}")
    return record


def _pin(ports: ProjectPorts, run: RunInput, project_id: str, digest: str) -> None:
    while True:
        found = ports.projects.get(PROJECTS, project_id)
        if found is None or found[0].instance != run.instance:
            raise DefectError(f"project {project_id} is not claimed by {run.instance}")
        try:
            ports.projects.replace(PROJECTS, project_id, found[0].model_copy(update={"plan": digest}), found[1])
            return
        except ConflictError:
            continue
