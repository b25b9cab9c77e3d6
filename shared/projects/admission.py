"""Decides whether a request may run: it is complete, its author may ask, and its name is free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.domain.audit import TENANT, AuditTag
from shared.domain.connection import Connection, Mode
from shared.domain.delivery import RequestState
from shared.domain.faults import FieldFault
from shared.domain.forge import ForgeName
from shared.domain.project import ProjectRequest, RequestOrigin
from shared.domain.run import UNDER_WAY, Admission, ProjectRecord, ProjectState, Refusal, RunInput
from shared.domain.strictness import tightened, weakened
from shared.errors import ConflictError
from shared.ports import IssueTracker
from shared.projects import ownership, request_form
from shared.projects.beginning import record_of
from shared.projects.ports import PROJECTS, REQUESTS, ProjectPorts
from shared.projects.scaffold import LAYERS, slug_for

API_REQUESTER = "api"
IDENTITY = ("name", "process", "stack", "visibility", "forges")
"""What a project keeps once it was completed."""
LONGEST_ADDRESS = 500
"""Characters of a repository's address that the scaffold's templates take."""
_BUSY = {
    ProjectState.AWAITING_DECISION: "it waits for a decision",
    ProjectState.REMOVING: "what was made of it is being removed at this moment",
}
AVAILABLE = frozenset(stack.value for stack in LAYERS)
"""Stacks that have templates."""


def admit(ports: ProjectPorts, run: RunInput) -> Admission:
    """Claim the project for ``run``, or say what stands against it. Doing it again gives the same answer."""
    connection = ports.connection(run.connection)
    admission = _admitted_before(ports, run) or _weigh(ports, run, connection)
    state = RequestState.RUNNING if admission.admitted else RequestState.REFUSED
    ports.requests.put(REQUESTS, run.subject, record_of(ports, run, state, project=admission.project))
    if admission.admitted:
        # Why it is unknown may name the person, whom the record holds under a pseudonym alone.
        owner = {"owner": "could not be looked up"} if admission.owner_unknown else {}
        ports.record(admission.project, AuditTag.REQUEST_RECEIVED, run, "admit", content=run.content_digest, **owner)
    else:
        ports.record(
            TENANT,
            AuditTag.REQUEST_REFUSED,
            run,
            "admit",
            reason=admission.reason,
            fields=[fault.field for fault in admission.faults],
        )
    return admission


def abandon(ports: ProjectPorts, refusal: Refusal) -> None:
    """End a run that broke before its request was weighed, so that a replay starts another and its name is free.

    Without this the broken run would hold its instance id, and every later delivery would be taken for its double.
    """
    run, now = refusal.run, ports.clock.now()
    ports.requests.put(REQUESTS, run.subject, record_of(ports, run, RequestState.FAILED))
    for _, key, record in ports.projects.list(PROJECTS, limit=10_000):
        found = ports.projects.get(PROJECTS, key) if record.instance == run.instance else None
        if found and found[0].instance == run.instance and found[0].finished_at is None:
            failed = {"state": ProjectState.FAILED, "reason": refusal.admission.reason, "finished_at": now}
            ports.projects.replace(PROJECTS, key, found[0].model_copy(update=failed), found[1])
    ports.record(TENANT, AuditTag.REQUEST_REFUSED, run, "abandon", reason=refusal.admission.reason)


def faults_with(request: ProjectRequest, connection: Connection) -> tuple[FieldFault, ...]:
    """What of a valid request this deployment or ``connection`` cannot do."""
    faults = [*_faults_with_repositories(request, connection)]
    if request.stack not in AVAILABLE:
        have = ", ".join(sorted(AVAILABLE))
        faults.append(
            FieldFault(
                field="stack", problem=f"there is no {request.stack} scaffold yet; there is: {have}", example=have
            )
        )
    if ForgeName.AZURE_DEVOPS in request.forges and connection.azure_devops is None:
        faults.append(
            FieldFault(
                field="forges",
                problem=f"connection {connection.id} has no Azure DevOps organisation",
                example="GitHub",
            )
        )
    elif ForgeName.AZURE_DEVOPS in request.forges and connection.azure_devops:
        address = connection.azure_devops.repository_url(request.name)
        if len(address) > LONGEST_ADDRESS:
            faults.append(
                FieldFault(
                    field="name",
                    problem=f"makes an address of {len(address)} characters, since Azure DevOps addresses carry the name"
                    f" percent-encoded and twice; {LONGEST_ADDRESS} are the most",
                    example="a shorter name, or one of more Latin letters",
                )
            )
    return tuple(faults)


def _faults_with_repositories(request: ProjectRequest, connection: Connection) -> Iterator[FieldFault]:
    # Charts, images and variable groups are called by a shorter name than the repository's.
    known = {slug_for(request.name): f"of the main repository, {request.name!r}"}
    for place, repository in enumerate(request.repositories):
        if repository.stack is None:
            continue
        if repository.stack not in AVAILABLE:
            have = ", ".join(sorted(AVAILABLE))
            yield FieldFault(
                field=f"repositories.{place}.stack",
                problem=f"there is no {repository.stack} scaffold yet; there is: {have}",
                example=have,
            )
        short = slug_for(repository.name)
        if short in known:
            yield FieldFault(
                field=f"repositories.{place}.name",
                problem=f"makes the name {short!r} of its chart, image and variables, as that {known[short]} does",
                example=f"{repository.name[:20]}-2",
            )
        known.setdefault(short, f"of {repository.name!r}")
        if connection.azure_devops and repository in request.repositories_on(ForgeName.AZURE_DEVOPS):
            address = connection.azure_devops.repository_url(request.name, repository.name)
            if len(address) > LONGEST_ADDRESS:
                yield FieldFault(
                    field=f"repositories.{place}.name",
                    problem=f"makes an address of {len(address)} characters; {LONGEST_ADDRESS} are the most",
                    example="a shorter name",
                )


def may_ask(login: str, requesters: Iterable[str], issues: IssueTracker) -> bool:
    """Whether ``login`` stands on the allow-list, by name or as a member of a team. An empty list allows nobody."""
    wanted = login.lower()
    teams = []
    for entry in requesters:
        organization, slash, team = entry.partition("/")
        if slash:
            teams.append((organization, team))
        elif organization == wanted:
            return True
    # People named on the list cost no call to the forge.
    return any(issues.is_team_member(organization, team, login) for organization, team in teams)


def _admitted_before(ports: ProjectPorts, run: RunInput) -> Admission | None:
    # Who was let in stays in: a list that changed since must not leave a claimed project without a run.
    found = ports.requests.get(REQUESTS, run.subject)
    if found is None or found[0].instance != run.instance or not found[0].project:
        return None
    claimed = ports.project(found[0].project)
    return Admission(project=claimed.id) if claimed and claimed.instance == run.instance else None


def _weigh(ports: ProjectPorts, run: RunInput, connection: Connection) -> Admission:
    if run.request is None and not may_ask(
        run.origin.requester, connection.requesters, ports.connect(connection).issues
    ):
        return Admission(
            reason=f"@{run.origin.requester} is not on the list of people who may ask for projects here",
            remedy=f"Ask an owner of the connection {connection.id} to add you or your team to its requesters.",
        )
    request = run.request
    if request is None:
        parsed = request_form.parse(ports.artifacts.get(run.form).decode())
        if isinstance(parsed, tuple):
            return Admission(reason="the request is not complete", faults=parsed)
        request = parsed
    weaker = weakened(request.rules, connection.least_rules) if run.request is None else ()
    request = request.model_copy(update={"rules": tightened(request.rules, connection.least_rules)})
    owner = ownership.look_up(ports, request, connection)
    if faults := faults_with(request, connection) + weaker + owner.faults:
        return Admission(reason="the request cannot be carried out as it stands", faults=faults)
    admission = _claim(ports, run, request, connection)
    return admission.model_copy(update={"owner_unknown": owner.unknown}) if admission.admitted else admission


def _claim(ports: ProjectPorts, run: RunInput, request: ProjectRequest, connection: Connection) -> Admission:
    now = ports.clock.now()
    record = ProjectRecord(
        id=request.project_id,
        name=request.name,
        connection=connection.id,
        subject=run.subject,
        run=run.run,
        instance=run.instance,
        state=ProjectState.RUNNING,
        request=request,
        origin=run.origin,
        created_at=now,
        started_at=now,
    )
    while True:
        found = ports.projects.get(PROJECTS, record.id)
        try:
            if found is None:
                ports.projects.create(PROJECTS, record.id, record)
                return Admission(project=record.id)
            existing, etag = found
            if existing.instance == run.instance:
                return Admission(project=record.id)
            if refusal := objection(existing, run.origin, connection, request):
                return refusal
            again = record.model_copy(
                update={"created_at": existing.created_at, "subject": existing.subject, "origin": existing.origin}
            )
            ports.projects.replace(PROJECTS, record.id, again, etag)
            return Admission(project=record.id)
        except ConflictError:
            continue  # somebody claimed or changed it in between: weigh what they wrote


def objection(
    existing: ProjectRecord, origin: RequestOrigin, connection: Connection, request: ProjectRequest
) -> Admission | None:
    """Why ``request`` from ``origin`` may not take up the project that is there; ``None`` when it may.

    Whoever asks, a project that was completed keeps its name, process, stack, visibility and forges: another of these
    is another project, or a migration, and never a repetition.
    """
    nothing_left = existing.state in {ProjectState.COMPENSATED, ProjectState.REMOVED}
    if held := _held(existing, connection, nothing_left=nothing_left):
        return _taken(existing, held)
    if existing.state in {ProjectState.COMPLETED, ProjectState.ACCEPTED} and (
        changed := _identity(existing.request, request)
    ):
        return _other(existing, changed)
    if nothing_left or origin.requester == API_REQUESTER or existing.subject == origin.subject:
        return None
    if existing.state in {ProjectState.ADVISED, ProjectState.FAILED} and existing.origin.requester == origin.requester:
        return None
    return _taken(existing, f"it was asked for in {existing.origin.url or 'a call to the API'}")


def _held(existing: ProjectRecord, connection: Connection, *, nothing_left: bool) -> str:
    """Why no request at all may take the project up; empty when one may."""
    if existing.connection != connection.id:
        return f"it belongs to connection {existing.connection}"
    if existing.state in UNDER_WAY:
        return _BUSY.get(existing.state, "it is being created at this moment")
    # What was there before Doneright changes by the consent to a plan, and by no other request.
    return "it was put up for adoption, or adopted" if existing.adoption and not nothing_left else ""


def _identity(made: ProjectRequest, asked: ProjectRequest) -> list[str]:
    return [name for name in IDENTITY if getattr(made, name) != getattr(asked, name)]


def _other(existing: ProjectRecord, changed: list[str]) -> Admission:
    return Admission(
        reason=f"the project {existing.id} exists already and was made otherwise",
        remedy="Ask for it as it was made, or choose another name.",
        faults=tuple(
            FieldFault(
                field=name,
                problem=f"the project that is there has {_shown(existing.request, name)}",
                example=_shown(existing.request, name),
            )
            for name in changed
        ),
    )


def _shown(request: ProjectRequest, name: str) -> str:
    value = request.model_dump(mode="json")[name]
    return ", ".join(value) if isinstance(value, list) else str(value)


def _taken(existing: ProjectRecord, why: str) -> Admission:
    return Admission(
        reason=f"the project {existing.id} exists already: {why}",
        faults=(FieldFault(field="name", problem=f"{existing.name!r} is taken", example=f"{existing.name} 2"),),
    )


def is_advisory(connection: Connection) -> bool:
    """Whether plans of this connection are shown and not applied."""
    return connection.mode is Mode.ADVISORY
