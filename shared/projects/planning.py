"""Turns an admitted request into a plan on record: renders the scaffold, draws the steps, stores both by digest."""

from __future__ import annotations

from shared.domain.adoption import Consent, subject_of
from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.connection import Connection
from shared.domain.forge import ForgeName
from shared.domain.plan import Plan, StepProgress
from shared.domain.project import ProjectRequest
from shared.domain.run import DrawnPlan, DrawnStep, ProjectRecord, RunInput
from shared.errors import ConflictError, DefectError
from shared.projects import bundle, scaffold
from shared.projects.admission import is_advisory
from shared.projects.drawing import BRANCH, Surroundings, draw
from shared.projects.ports import PROJECTS, ProjectPorts
from shared.projects.workflow_checks import reported_checks


def rendered(request: ProjectRequest, connection: Connection, year: int) -> scaffold.Scaffold:
    """The first files of the project's repositories."""
    slug = scaffold.slug_for(request.name)
    github = azure = None
    if ForgeName.GITHUB in request.forges:
        github = f"{connection.github.web_url.rstrip('/')}/{connection.github.organization}/{request.project_id}"
    if ForgeName.AZURE_DEVOPS in request.forges and connection.azure_devops:
        azure = connection.azure_devops.repository_url(request.name)
    return scaffold.render(
        scaffold.ScaffoldInputs.model_validate(
            {
                "project_name": request.name,
                "slug": slug,
                "package_name": scaffold.package_name_for(slug),
                "description": request.description,
                "owner": request.owner,
                "stack": request.stack.value,
                "year": year,
                "process": request.process.value,
                "github_url": github,
                "azure_devops_url": azure,
                "environments": [environment.name for environment in request.environments],
                "visibility": request.visibility.value,
            }
        )
    )


def plan_for(ports: ProjectPorts, request: ProjectRequest, connection: Connection, year: int) -> tuple[Plan, bytes]:
    """The plan and the packed scaffold it refers to. Stores nothing."""
    files = rendered(request, connection, year)
    packed = bundle.pack(files.files, files.executable)
    around = Surroundings(
        connection=connection.id,
        github_owner=connection.github.organization,
        github_hook_url=ports.links.api("webhooks/github"),
        azure_devops_hook_url=ports.links.api("webhooks/azure-devops"),
        scaffold=bundle.digest_of(packed),
        template_version=files.template_version,
        checks=reported_checks(files.files, BRANCH),
        process_additions=connection.azure_devops.additions_to(request.process) if connection.azure_devops else None,
    )
    return draw(request, around), packed


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
        plan, packed = plan_for(ports, record.request, connection, record.created_at.year)
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
