"""Reads what an update is computed on: the render a repository has, today's render, and the repository as it is.

A repository has the render of the last offer its team merged; before the first, the one it was made from. Merged is what
the forge says of the pull request, since squashing and rebasing leave no commit of ours in the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import ValidationError

from shared.domain.connection import Connection
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.plan import Plan, PlanStep
from shared.domain.pull_request import PullRequestState, TreeFile
from shared.domain.run import ProjectRecord, ProjectState
from shared.domain.scaffold_update import BRANCH_PREFIX, Offer, Standing
from shared.errors import DefectError, RefusedError
from shared.ports import Forge
from shared.projects import bundle
from shared.projects.planning import rendered
from shared.projects.previewing import ReadOnly
from shared.projects.steps.step import repository_ref, text
from shared.projects.updates.comparing import Comparison, compare
from shared.projects.updates.merging import Names
from shared.projects.updates.ports import UpdatePorts


@dataclass(frozen=True)
class Survey:
    """A repository, its default branch, and what an update would do to it."""

    record: ProjectRecord
    connection: Connection
    forge: Forge
    ref: RepositoryRef
    url: str
    branch: str
    head: str
    standing: Standing
    merged: tuple[Offer, ...]
    """Offers that were found merged by this survey, oldest first."""
    version: str
    render: str
    packed: bytes
    team: Mapping[str, TreeFile]
    comparison: Comparison

    @property
    def offer_branch(self) -> str:
        """The branch an update to today's version is offered on."""
        return BRANCH_PREFIX + self.version

    def expected(self) -> dict[str, str]:
        """Path → git digest of every file of the commit that is offered."""
        change = self.comparison.change
        kept = {path: file.digest for path, file in self.team.items() if path not in change.removed}
        return kept | bundle.Bundle({**change.added, **change.edited}, frozenset()).git_digests()


def updatable(record: ProjectRecord | None, project: str) -> ProjectRecord:
    """The record of a project that can be updated. Raises ``RefusedError`` for one that is not there or not complete."""
    if record is None:
        raise RefusedError(f"there is no project {project}", "GET /api/projects lists those there are.")
    if record.state is not ProjectState.COMPLETED or not record.plan:
        raise RefusedError(
            f"project {project} is {record.state}", "Only what was completed can be updated; look at its status page."
        )
    return record


def scaffold_steps(ports: UpdatePorts, record: ProjectRecord) -> dict[ForgeName, PlanStep]:
    """The step of the project's plan that brought the scaffold of its main repository, by forge."""
    plan = Plan.model_validate_json(ports.projects.artifacts.get(record.plan))
    # A standing is kept by project and forge: further repositories have none, and are not updated.
    return {step.forge: step for step in plan.steps if step.id == f"{step.forge}.scaffold"}


def standing_of(ports: UpdatePorts, record: ProjectRecord, step: PlanStep) -> Standing:
    """Where the repository stands as far as is written down."""
    found = ports.standings.get(record.id, step.forge)
    return (
        found[0]
        if found
        else Standing(
            project=record.id,
            forge=step.forge,
            base=text(step, "scaffold"),
            base_version=text(step, "template_version"),
        )
    )


def survey(ports: UpdatePorts, project: str, forge_name: ForgeName, *, read_only: bool = False) -> Survey:
    """Look at one repository; changes nothing, anywhere.

    ``read_only`` makes the forge of the answer refuse every change as well. Raises ``RefusedError`` when the project
    has no repository there, when it is gone, or when today's templates do not take its request.
    """
    record = updatable(ports.projects.project(project), project)
    connection = ports.projects.connection(record.connection)
    step = scaffold_steps(ports, record).get(forge_name)
    connected = ports.projects.connect(connection).forges.get(forge_name)
    if step is None or connected is None:
        raise RefusedError(
            f"project {project} has no repository on {forge_name}", "Connect the forge, or leave it out."
        )
    forge = cast("Forge", ReadOnly(connected)) if read_only else connected
    ref = repository_ref(step)
    repository = forge.repository(ref)
    branch = repository.default_branch if repository else None
    head = forge.branch_head(ref, branch) if branch else None
    if repository is None or branch is None or head is None:
        raise RefusedError(f"{ref} is gone or empty", "Nothing can be offered to it; reconcile the project first.")
    standing, merged = _with_merged(forge, ref, standing_of(ports, record, step))
    version, packed = _today(record, connection)
    team = forge.tree(ref, head)
    names = Names(
        team=f"{branch} (yours)".encode(),
        base=f"scaffold {standing.base_version}".encode(),
        template=f"scaffold {version}".encode(),
    )
    comparison = compare(
        bundle.unpack(ports.projects.artifacts.get(standing.base)),
        bundle.unpack(packed),
        team,
        lambda digest: forge.file_content(ref, digest),
        names,
        with_modes=forge.takes_modes,
    )
    return Survey(
        record=record,
        connection=connection,
        forge=forge,
        ref=ref,
        url=repository.url,
        branch=branch,
        head=head,
        standing=standing,
        merged=merged,
        version=version,
        render=bundle.digest_of(packed),
        packed=packed,
        team=team,
        comparison=comparison,
    )


def _with_merged(forge: Forge, ref: RepositoryRef, standing: Standing) -> tuple[Standing, tuple[Offer, ...]]:
    """The standing once every offer that was merged counts, and those offers."""
    merged = []
    for at, offer in enumerate(standing.offers):
        pulls = [pull for pull in forge.pull_requests(ref, offer.branch) if pull.number > offer.after]
        found = next((pull for pull in pulls if pull.state is PullRequestState.MERGED), None)
        if found:
            merged.append((at, offer.model_copy(update={"number": found.number, "url": found.url})))
    if not merged:
        return standing, ()
    last, newest = merged[-1]
    moved = standing.model_copy(
        update={"base": newest.render, "base_version": newest.version, "offers": standing.offers[last + 1 :]}
    )
    return moved, tuple(offer for _, offer in merged)


def _today(record: ProjectRecord, connection: Connection) -> tuple[str, bytes]:
    try:
        files = rendered(record.request, connection, record.created_at.year)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise RefusedError(
            f"today's templates do not take this project's request: {faults}",
            "Its scaffold can be updated by hand from the templates in shared/scaffolds.",
        ) from error
    if not files.files:
        raise DefectError("today's templates render nothing")
    return files.template_version, bundle.pack(files.files, files.executable)
