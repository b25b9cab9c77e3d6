"""Plans the adoption of what exists from its live state and records the project as adoptable; changes no forge."""

from __future__ import annotations

import hashlib
from datetime import datetime

from pydantic import ValidationError

from shared.domain.adoption import AdoptedRequest, Adoption, AdoptionPlan, AdoptionWish, LiveFact, subject_of
from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.connection import Connection, Mode
from shared.domain.faults import FieldFault, faults_of
from shared.domain.forge import ForgeName, Frozen
from shared.domain.project import Process, ProjectRequest, RequestOrigin, Visibility
from shared.domain.run import UNDER_WAY, ProjectRecord, ProjectState
from shared.domain.strictness import tightened, weakened
from shared.errors import ConflictError, RefusedError
from shared.projects import ownership
from shared.projects.adopting.comparing import compared
from shared.projects.adopting.drawing import draw_adoption
from shared.projects.adopting.live import Live, read
from shared.projects.drawing import Surroundings
from shared.projects.ports import PROJECTS, ProjectPorts

ADOPTABLE_AGAIN = frozenset(
    {ProjectState.ADOPTABLE, ProjectState.COMPENSATED, ProjectState.REMOVED, ProjectState.ADVISED}
)
"""States of a project whose name another adoption may take."""
NOTHING_HELD = frozenset({ProjectState.COMPENSATED, ProjectState.REMOVED, ProjectState.ADVISED})


class WishFaultError(RefusedError):
    """A wish that cannot be carried out; every field at fault is named."""

    def __init__(self, faults: tuple[FieldFault, ...]) -> None:
        super().__init__("what is wanted cannot be carried out as it stands", "Correct the fields that are named.")
        self.faults = faults


class Planned(Frozen):
    """An adoption's plan with what it was drawn from."""

    request: AdoptedRequest
    plan: AdoptionPlan
    facts: tuple[LiveFact, ...]

    def content(self) -> bytes:
        """What is stored, and what the digest is of."""
        return self.plan.model_dump_json().encode()

    @property
    def digest(self) -> str:
        """Of the plan."""
        return "sha256:" + hashlib.sha256(self.content()).hexdigest()


def look(ports: ProjectPorts, wish: AdoptionWish, connection: Connection) -> Planned:
    """The plan for ``wish`` beside live state. Stores nothing.

    Raises ``NotThereError`` and ``WishFaultError`` with every field at fault, ``TransientError`` when a forge does
    not answer.
    """
    if faults := weakened(wish.rules, connection.least_rules):
        raise WishFaultError(faults)
    live = read(ports.connect(connection), connection, wish)
    request = _request(wish, connection, live)
    owner = ownership.look_up(ports, request, connection)
    if owner.faults:
        raise WishFaultError(owner.faults)
    around = Surroundings(
        connection=connection.id,
        github_owner=connection.github.organization,
        github_hook_url=ports.links.api("webhooks/github"),
        azure_devops_hook_url=ports.links.api("webhooks/azure-devops"),
        scaffold="",
        template_version="",
        checks=(),
        reviews_block=connection.review_mode is Mode.ENFORCED,
    )
    plan, left = draw_adoption(wish, request.rules, request.name, around, live)
    steps = {step.id: step for step in (*compared(ports, connection, plan, live), *left)}
    in_order = sorted(steps.values(), key=lambda step: (step.forge, step.id))
    return Planned(request=request, plan=AdoptionPlan(plan=plan, steps=tuple(in_order)), facts=live.facts)


def adopt(ports: ProjectPorts, wish: AdoptionWish, connection: Connection, *, actor: str) -> ProjectRecord:
    """Plan the adoption and record the project as adoptable. ``actor`` is who asks, by name.

    Raises as ``look`` does, and ``RefusedError`` when Doneright has the project, or what is named, already.
    """
    planned = look(ports, wish, connection)
    if held := _held(ports, wish, connection, planned.request.project_id):
        raise held
    digest = ports.artifacts.put(planned.content(), "application/json")
    now = ports.clock.now()
    while True:
        found = ports.projects.get(PROJECTS, planned.request.project_id)
        if found and (against := _against(found[0], connection)):
            raise against
        record = _record(planned, wish, connection, digest, actor, found[0] if found else None, now)
        try:
            if found is None:
                ports.projects.create(PROJECTS, record.id, record)
            else:
                ports.projects.replace(PROJECTS, record.id, record, found[1])
            break
        except ConflictError:
            continue
    ports.audit.append(
        record.id,
        NewAuditEvent(
            tag=AuditTag.ADOPTION_PLANNED,
            instance=record.instance,
            step=f"plan.{digest}",
            subject=record.subject,
            actor=ports.pseudonyms.of(actor, connection.id),
            detail={"plan": digest, "marks": {step.id: step.mark.value for step in planned.plan.steps}},
            artifacts=(digest,),
        ),
    )
    return record


def shown(ports: ProjectPorts, digest: str) -> AdoptionPlan:
    """The plan of that digest. Raises ``RefusedError`` when there is none."""
    try:
        return AdoptionPlan.model_validate_json(ports.artifacts.get(digest))
    except ValidationError:
        raise RefusedError(f"{digest} is no adoption's plan", "Use the digest that the adoption shows.") from None


def adopted(ports: ProjectPorts, project: str) -> tuple[ProjectRecord, Adoption]:
    """The record of an adoption. Raises ``RefusedError`` for a project that was not adopted."""
    record = ports.project(project)
    if record is None or record.adoption is None:
        raise RefusedError(f"the project {project} was not put up for adoption", "POST /api/adoptions does that.")
    return record, record.adoption


def _request(wish: AdoptionWish, connection: Connection, live: Live) -> AdoptedRequest:
    name = wish.name or (live.azure.project.name if live.azure else wish.github_repository)
    repositories = [live.code(forge).repository for forge in sorted(wish.forges)]
    process = live.azure.project.process if live.azure else ""
    try:
        # The same checks as of a request for a new project; what it has no word for is left open.
        ProjectRequest.model_validate(
            {
                "name": name,
                "stack": "fastapi",
                **wish.model_dump(include={"owner", "rules", "backlog"}),
                "forges": wish.forges,
            }
        )
        return AdoptedRequest(
            name=name,
            owner=wish.owner,
            stack=wish.stack,
            description=next((r.description[:350] for r in repositories if r.description), ""),
            process=Process(process) if process in set(Process) else None,
            visibility=Visibility.PRIVATE if all(r.private for r in repositories) else Visibility.PUBLIC,
            forges=wish.forges,
            rules=tightened(wish.rules, connection.least_rules),
            teams=wish.teams,
            environments=wish.environments,
            topics=wish.topics,
            backlog=wish.backlog,
        )
    except ValidationError as error:
        raise WishFaultError(faults_of(error, {"name": "Payments API"}, AdoptionWish)) from None


def _record(
    planned: Planned,
    wish: AdoptionWish,
    connection: Connection,
    digest: str,
    actor: str,
    before: ProjectRecord | None,
    now: datetime,
) -> ProjectRecord:
    project = planned.request.project_id
    subject = subject_of(project)
    run = before.run if before else 0
    return ProjectRecord(
        id=project,
        name=planned.request.name,
        connection=connection.id,
        subject=subject,
        run=run,
        instance=f"{subject}.plan",
        state=ProjectState.ADOPTABLE,
        request=planned.request,
        origin=RequestOrigin(subject=subject, requester=actor),
        adoption=Adoption(wish=wish, shown=digest, facts=planned.facts, planned_at=now),
        created_at=before.created_at if before else now,
        started_at=now,
        finished_at=now,
    )


def _against(existing: ProjectRecord, connection: Connection) -> RefusedError | None:
    if existing.connection != connection.id and existing.state not in NOTHING_HELD:
        return RefusedError(
            f"the project {existing.id} belongs to connection {existing.connection}", "Give it another name."
        )
    if existing.state in UNDER_WAY:
        return RefusedError(f"the project {existing.id} is {existing.state} at this moment", "Wait until it has ended.")
    if existing.state in ADOPTABLE_AGAIN or (existing.adoption and existing.state is ProjectState.FAILED):
        return None
    if existing.adoption:
        return RefusedError(
            f"the project {existing.id} was adopted already",
            "POST /api/projects/{id}/reconcile keeps it as agreed; remove what was made beside it to agree anew.",
        )
    return RefusedError(f"the project {existing.id} was made by Doneright", "Nothing needs to be adopted of it.")


def _held(ports: ProjectPorts, wish: AdoptionWish, connection: Connection, project: str) -> RefusedError | None:
    """Why what ``wish`` names is another project's of Doneright's already."""
    wanted = places_of(wish)
    for _, _, record in ports.projects.list(PROJECTS, limit=100_000):
        if record.id == project or record.connection != connection.id or record.state in NOTHING_HELD:
            continue
        if common := wanted & held_by(record):
            forge, name = min(common)
            return RefusedError(
                f"{name} on {forge} belongs to the project {record.id} already", "Look at that project's page."
            )
    return None


def held_by(record: ProjectRecord) -> frozenset[tuple[ForgeName, str]]:
    """The GitHub repositories and the Azure DevOps project of a project, by their names in lower case."""
    if record.adoption:
        return places_of(record.adoption.wish)
    names = {ForgeName.GITHUB: record.id, ForgeName.AZURE_DEVOPS: record.request.name.lower()}
    main = frozenset((forge, names[forge]) for forge in record.request.forges)
    # Those of Azure DevOps stand in the project.
    further = record.request.repositories_on(ForgeName.GITHUB)
    return main | {(ForgeName.GITHUB, one.name.lower()) for one in further}


def places_of(wish: AdoptionWish) -> frozenset[tuple[ForgeName, str]]:
    """The GitHub repository and the Azure DevOps project that ``wish`` names, in lower case."""
    names = {ForgeName.GITHUB: wish.github_repository, ForgeName.AZURE_DEVOPS: wish.azure_devops_project}
    return frozenset((forge, names[forge].lower()) for forge in wish.forges)
