"""Says what a policy would have decided on the last pull requests, from the reviews that are kept. Nothing is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

from shared.definitions.load import definition_of_done
from shared.domain.change import Change, ChangeEvidence
from shared.domain.connection import Connection
from shared.domain.definition import DefinitionOfDone
from shared.domain.forge import ForgeName
from shared.domain.policy import Enforcement, Level, Policy, Resolution, Weakening
from shared.domain.review import Finding, Reviewed
from shared.domain.run import ProjectRecord
from shared.domain.simulation import (
    AskedSimulation,
    Difference,
    Simulated,
    SimulatedChange,
)
from shared.errors import RefusedError
from shared.policies.parsing import POLICY_FILE, parse, shipped_policy
from shared.policies.resolving import resolve
from shared.projects.ports import CONNECTIONS, PROJECTS
from shared.projects.repositories import repositories_of
from shared.reviews import recording
from shared.reviews.facts import facts_of
from shared.reviews.judging import Bench, judged, ruled
from shared.reviews.ports import ReviewPorts
from shared.reviews.rejudging import GONE, Again, rejudged
from shared.reviews.standing import wider_policies
from shared.reviews.words import spoken_of


def simulate(ports: ReviewPorts, asked: AskedSimulation) -> Simulated:
    """What the policy would have decided on the project's last pull requests, newest first.

    Raises ``RefusedError`` when the project is gone or the policy cannot be read, ``TransientError`` when a forge or
    storage asks for patience.
    """
    record, connection = _project(ports, asked.project)
    definition = definition_of_done()
    tried = parsed(ports.artifacts.get(asked.policy), asked.level, definition)
    changes, troubles = _last_changes(ports, record, connection, asked)
    grounds = _Grounds(ports, record, connection, tried, troubles)
    told = tuple(_simulated(ports, change, definition, grounds.of(change)) for change in changes)
    return Simulated(
        definition=grounds.of(None).policy.definition,
        weakenings=grounds.weakenings,
        faults=tuple(dict.fromkeys(grounds.faults)),
        changes=told,
        counts=dict(sorted(Counter(_kind(one) for one in told).items())),
    )


def parsed(text: bytes | str, level: Level, definition: DefinitionOfDone) -> Policy:
    """The policy in ``text``. Raises ``RefusedError`` with the first fault; callers check before."""
    found = parse(text, definition, level)
    if isinstance(found, Policy):
        return found
    first = found[0]
    raise RefusedError(
        f"line {first.line}: {first.field} {first.problem}", "POST /api/policies/check names every fault."
    )


class _Grounds:
    """What holds for each change with the tried policy in its place; each repository's branch is asked about once."""

    def __init__(
        self,
        ports: ReviewPorts,
        record: ProjectRecord,
        connection: Connection,
        tried: Policy,
        faults: list[str],
    ) -> None:
        organisation, project, told = wider_policies(ports, connection=record.connection, project=record.id)
        self._organisation = tried if tried.level is Level.ORGANISATION else organisation
        self._project = tried if tried.level is Level.PROJECT else project
        self._tried = tried
        self._forges = ports.connect(connection)
        self._kept: dict[tuple[str, ...], Resolution] = {}
        self.faults = [*told, *faults]

    def of(self, change: Change | None) -> Resolution:
        """For a change; without one, for a repository that says nothing of its own."""
        own = self._tried.level is Level.REPOSITORY
        ref = change.ref if change and not own else None
        key = (ref.forge, str(ref.repository).lower(), change.target) if change and ref else ()
        if key not in self._kept:
            repository = self._tried if own else self._said_by(change) if change else None
            self._kept[key] = resolve(
                definition_of_done(), shipped_policy(), self._organisation, self._project, repository
            )
        return self._kept[key]

    @property
    def weakenings(self) -> tuple[Weakening, ...]:
        """What was asked for in vain, each once."""
        return tuple(dict.fromkeys(one for found in self._kept.values() for one in found.weakenings))

    def _said_by(self, change: Change) -> Policy | None:
        name = f"{POLICY_FILE} of {change.ref.repository} on {change.target}"
        try:
            text = self._forges[change.ref.forge].file_at(change.ref.repository, POLICY_FILE, change.target)
        except RefusedError as error:
            self.faults.append(f"{name}: {error.reason}")
            return None
        found = parse(text, definition_of_done(), Level.REPOSITORY) if text is not None else None
        if found is None or isinstance(found, Policy):
            return found
        self.faults += [f"{name}, line {fault.line}: {fault.field} {fault.problem}" for fault in found]
        return None


def _project(ports: ReviewPorts, project: str) -> tuple[ProjectRecord, Connection]:
    found = ports.projects.get(PROJECTS, project)
    connection = ports.connections.get(CONNECTIONS, found[0].connection) if found else None
    if found is None or connection is None:
        raise RefusedError(f"there is no project {project}", "GET /api/projects lists those there are.")
    return found[0], connection[0]


def _last_changes(
    ports: ReviewPorts, record: ProjectRecord, connection: Connection, asked: AskedSimulation
) -> tuple[list[Change], list[str]]:
    forges = ports.connect(connection)
    found: list[Change] = []
    troubles: list[str] = []
    for name, repository in repositories_of(record, connection):
        forge = forges.get(name)
        if forge is None or (asked.forge is not None and name is not asked.forge):
            continue
        try:
            found += forge.changes(repository, open_only=False, limit=asked.last)
        except RefusedError as error:
            troubles.append(f"{_words(name)} {repository}: {error.reason}")
    found.sort(key=lambda change: (change.created_at, change.ref.key), reverse=True)
    return found[: asked.last], troubles


def _words(name: ForgeName) -> str:
    return "GitHub" if name is ForgeName.GITHUB else "Azure DevOps"


def _simulated(
    ports: ReviewPorts, change: Change, definition: DefinitionOfDone, resolution: Resolution
) -> SimulatedChange:
    reviewed = _reviewed(ports, change)
    if reviewed is None:
        return SimulatedChange(ref=change.ref, title=change.title, url=change.url, reason="there is no review of it")
    findings = rejudged(
        reviewed.findings, definition, resolution.policy, _again(ports, reviewed, definition, resolution)
    )
    after, reason = ruled(findings)
    return SimulatedChange(
        ref=change.ref,
        title=change.title,
        url=change.url,
        head=reviewed.head,
        reviewed_at=reviewed.at,
        before=reviewed.ruling,
        after=after,
        reason=reason,
        differences=tuple(_differences(reviewed.findings, findings)),
        unknown=tuple(one.criterion for one in findings if one.reason == GONE),
    )


def _reviewed(ports: ReviewPorts, change: Change) -> Reviewed | None:
    """The last verdict about the pull request that can still be read."""
    for record in recording.heads_of(ports, change.ref):
        try:
            if found := recording.reviewed_of(ports, record):
                return found
        except RefusedError:
            continue  # past its retention
    return None


def _again(ports: ReviewPorts, reviewed: Reviewed, definition: DefinitionOfDone, resolution: Resolution) -> Again:
    @cache
    def again() -> Mapping[str, Finding] | None:
        try:
            evidence = ChangeEvidence.model_validate_json(ports.artifacts.get(reviewed.evidence))
        except RefusedError:
            return None
        bench = Bench(
            evidence=evidence,
            facts=facts_of(evidence),
            definition=definition,
            policy=resolution.policy,
            spoken=spoken_of(ports, reviewed.ref),
            at=reviewed.at,
        )
        return {one.criterion: one for one in judged(bench)}

    return again


def _differences(before: tuple[Finding, ...], after: tuple[Finding, ...]) -> Iterator[Difference]:
    then = {one.criterion: one for one in before}
    now = {one.criterion: one for one in after}
    for name in dict.fromkeys([*then, *now]):
        old, new = then.get(name), now.get(name)
        difference = Difference(
            criterion=name,
            before=old.enforcement if old else Enforcement.OFF,
            after=new.enforcement if new else Enforcement.OFF,
            outcome_before=old.outcome if old else None,
            outcome_after=new.outcome if new else None,
            blocks_before=old.blocks if old else False,
            blocks_after=new.blocks if new else False,
            reason=new.reason if new and (old is None or new.reason != old.reason) else "",
        )
        if difference.before is not difference.after or difference.outcome_before is not difference.outcome_after:
            yield difference


def _kind(change: SimulatedChange) -> str:
    return f"{change.before} → {change.after}" if change.before and change.after else "not reviewed"
