"""A completed project whose repositories were made from an older template, with a team that has worked on since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.plan import Plan
from shared.domain.project import RequestOrigin
from shared.domain.run import ProjectRecord, ProjectState
from shared.domain.scaffold_update import UpdateOutcome, UpdateTask
from shared.projects import bundle
from shared.projects.planning import plan_for, rendered
from shared.projects.ports import PROJECTS
from shared.projects.updates.offering import offer
from tests.fakes.app import T0, App, a_request
from tests.fakes.pull_requests import OfferingAzureDevOps, OfferingGitHub

OLDER = "1.0.0"
REFS = {
    ForgeName.GITHUB: RepositoryRef(owner="acme", name="order-desk"),
    ForgeName.AZURE_DEVOPS: RepositoryRef(owner="Order Desk", name="Order Desk"),
}


def older_plan(plan: Plan, packed: bytes) -> Plan:
    """``plan`` as it would have been drawn from the older render ``packed``."""
    steps = [
        step.model_copy(
            update={"inputs": step.inputs | {"scaffold": bundle.digest_of(packed), "template_version": OLDER}}
        )
        if step.kind == "scaffold"
        else step
        for step in plan.steps
    ]
    return plan.model_copy(update={"steps": tuple(steps)})


def altered(files: Mapping[str, bytes], changes: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """``files`` with some replaced, added or (``None``) left out."""
    return {path: content for path, content in {**files, **changes}.items() if content is not None}


class World:
    """One project on both forges."""

    def __init__(self, older: Mapping[str, bytes | None] | None = None, **request: Any) -> None:
        self.app = App(github=OfferingGitHub(), azure=OfferingAzureDevOps())
        self.connection = self.app.connect_to()
        self.request = a_request(**request)
        self.forges = {ForgeName.GITHUB: self.app.github, ForgeName.AZURE_DEVOPS: self.app.azure}
        today = rendered(self.request, self.connection, T0.year)
        self.today = dict(today.files)
        self.older = altered(today.files, older if older is not None else {"README.md": self.readme("Old words")})
        packed = bundle.pack(self.older, today.executable & self.older.keys())
        self.app.artifacts.put(packed, bundle.MEDIA_TYPE)
        plan = older_plan(plan_for(self.app.ports, self.request, self.connection, T0.year)[0], packed)
        for name, ref in REFS.items():
            forge = self.forges[name]
            forge.put_repository(ref)
            forge.commit_files(
                ref, "main", self.older, message="Start", executable=today.executable & self.older.keys()
            )
            forge.calls.clear()
        self.record(plan)

    def readme(self, words: str) -> bytes:
        """Today's README with its first line replaced."""
        lines = self.today["README.md"].splitlines(keepends=True)
        return b"".join([f"# {words}\n".encode(), *lines[1:]])

    def record(self, plan: Plan, project: str = "order-desk", state: ProjectState = ProjectState.COMPLETED) -> None:
        """Put the project on record, as a finished run leaves it."""
        self.app.ports.projects.put(
            PROJECTS,
            project,
            ProjectRecord(
                id=project,
                name=self.request.name,
                connection="acme",
                subject="api-order-desk",
                run=1,
                instance="api-order-desk.1",
                state=state,
                request=self.request,
                origin=RequestOrigin(subject="api-order-desk", requester="api"),
                plan=self.app.artifacts.put(plan.model_dump_json().encode(), "application/json"),
                created_at=T0,
                started_at=T0,
            ),
        )

    def offer(self, forge: ForgeName, instance: str = "run.1", **task: Any) -> UpdateOutcome:
        """Offer the update, patiently."""
        return offer(self.app.updates, UpdateTask(instance=instance, project="order-desk", forge=forge, **task))
