"""Decides which policy holds for a change: what the organisation, its project and the target branch say, in that order.

A repository's own policy is read from the commit the change goes to, never from the change: nobody loosens a rule by the
same pull request that breaks it. A policy that cannot be read counts for nothing and is told; the wider levels then hold.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.definitions.load import definition_of_done
from shared.definitions.reading import LineFault
from shared.domain.audit import TENANT, AuditTag, NewAuditEvent
from shared.domain.change import Change
from shared.domain.definition import DefinitionOfDone
from shared.domain.forge import Frozen
from shared.domain.policy import KeptPolicy, Level, Policy, Resolution
from shared.errors import RefusedError
from shared.policies.parsing import POLICY_FILE, parse, shipped_policy
from shared.policies.resolving import resolve
from shared.reviews.ports import ReviewForge, ReviewPorts

POLICIES = {Level.ORGANISATION: "organisation", Level.PROJECT: "project"}
"""Partition of each level that is kept here."""


class Standing(Frozen):
    """What holds, where it was read, and what was wrong with it."""

    resolution: Resolution
    source: str = ""
    faults: tuple[str, ...] = ()


def standing_policy(
    ports: ReviewPorts, forge: ReviewForge | None, change: Change | None, *, connection: str, project: str
) -> Standing:
    """The policy for ``change``; without one, what holds for the project before a repository tightens it.

    Raises ``TransientError`` when the forge or storage does not answer.
    """
    definition = definition_of_done()
    organisation, own, faults = wider_policies(ports, connection=connection, project=project)
    repository: Policy | None = None
    source = ""
    if forge is not None and change is not None:
        try:
            text = forge.file_at(change.ref.repository, POLICY_FILE, change.base)
        except RefusedError as error:
            text = None
            faults.append(f"{POLICY_FILE}: {error.reason}")
        if text is not None:
            source = f"{change.base}:{POLICY_FILE}"
            repository = _parsed(text, Level.REPOSITORY, definition, f"{POLICY_FILE} on {change.target}", faults)
    return Standing(
        resolution=resolve(definition, shipped_policy(), organisation, own, repository),
        source=source,
        faults=tuple(faults),
    )


def wider_policies(
    ports: ReviewPorts, *, connection: str, project: str
) -> tuple[Policy | None, Policy | None, list[str]]:
    """What the organisation and the project say, as far as they say anything that can be read, and what cannot."""
    faults: list[str] = []
    definition = definition_of_done()
    return (
        _kept(ports, Level.ORGANISATION, connection, definition, faults),
        _kept(ports, Level.PROJECT, project, definition, faults),
        faults,
    )


def _kept(ports: ReviewPorts, level: Level, of: str, definition: DefinitionOfDone, faults: list[str]) -> Policy | None:
    found = ports.policies.get(POLICIES[level], of)
    return _parsed(found[0].text, level, definition, f"the {level}'s policy", faults) if found else None


def _parsed(
    text: bytes | str, level: Level, definition: DefinitionOfDone, name: str, faults: list[str]
) -> Policy | None:
    found = parse(text, definition, level)
    if isinstance(found, Policy):
        return found
    faults += _told(name, found)
    return None


def _told(name: str, faults: Iterable[LineFault]) -> list[str]:
    return [f"{name}, line {fault.line}: {fault.field} {fault.problem}" for fault in faults]


def set_policy(ports: ReviewPorts, level: Level, of: str, text: str, *, actor: str) -> tuple[LineFault, ...]:
    """Keep the policy of an organisation or a project; every field at fault instead, and then nothing is kept.

    What a project's policy would weaken is kept as it was written and has no effect, as everywhere.
    """
    found = parse(text, definition_of_done(), level)
    if not isinstance(found, Policy):
        return found
    kept = KeptPolicy(level=level, of=of, text=text, by=actor, at=ports.clock.now())
    digest = ports.artifacts.put(text.encode(), "application/yaml")
    ports.policies.put(POLICIES[level], of, kept)
    ports.audit.append(
        of if level is Level.PROJECT else TENANT,
        NewAuditEvent(
            tag=AuditTag.POLICY_CHANGED,
            instance=f"policy-{level}-{of}",
            step=f"{digest}.{kept.at.isoformat()}",
            subject=of,
            actor=actor,
            detail={"level": level.value, "digest": digest, "criteria": sorted(found.rules)},
            artifacts=(digest,),
        ),
    )
    return ()
