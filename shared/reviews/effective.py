"""Shows which policy holds for a project or one of its repositories, level by level, and checks one before it is set."""

from __future__ import annotations

from shared.definitions.load import definition_of_done
from shared.domain.forge import RepositoryRef
from shared.domain.policy import Level, Policy
from shared.domain.policy_view import PolicyCheck, PolicyFault, PolicyText, PolicyView
from shared.domain.run import ProjectRecord
from shared.errors import RefusedError
from shared.policies.parsing import POLICY_FILE, parse, shipped_policy
from shared.policies.resolving import resolve
from shared.reviews.ports import ReviewForge, ReviewPorts
from shared.reviews.standing import POLICIES, wider_policies


def effective(
    ports: ReviewPorts,
    record: ProjectRecord,
    repository: RepositoryRef | None = None,
    branch: str = "",
    forge: ReviewForge | None = None,
) -> PolicyView:
    """What holds for the project; with a repository and ``branch``, with what stands on that branch as well.

    Raises ``TransientError`` when the forge or storage does not answer.
    """
    definition = definition_of_done()
    organisation, project, faults = wider_policies(ports, connection=record.connection, project=record.id)
    wide = (kept_text(ports, Level.ORGANISATION, record.connection), kept_text(ports, Level.PROJECT, record.id))
    said = [text for text in wide if text]
    own: Policy | None = None
    if repository is not None and forge is not None:
        name = f"{POLICY_FILE} of {repository} on {branch}"
        text = _text(forge, repository, branch, name, faults)
        if text is not None:
            said.append(
                PolicyText(level=Level.REPOSITORY, of=f"{repository}@{branch}", text=text.decode("utf-8", "replace"))
            )
            found = parse(text, definition, Level.REPOSITORY)
            own = found if isinstance(found, Policy) else None
            if not isinstance(found, Policy):
                faults += [f"{name}, line {fault.line}: {fault.field} {fault.problem}" for fault in found]
    resolution = resolve(definition, shipped_policy(), organisation, project, own)
    return PolicyView(
        project=record.id,
        repository=str(repository) if repository else "",
        definition=resolution.policy.definition,
        rules=resolution.policy.rules,
        weakenings=resolution.weakenings,
        faults=tuple(faults),
        said=tuple(said),
    )


def checked(ports: ReviewPorts, text: str, level: Level, record: ProjectRecord | None = None) -> PolicyCheck:
    """Every fault of a policy's text by field and line; for a project also what it would ask for in vain."""
    definition = definition_of_done()
    found = parse(text, definition, level)
    if not isinstance(found, Policy):
        faults = tuple(PolicyFault.model_validate(fault.model_dump()) for fault in found)
        return PolicyCheck(valid=False, faults=faults)
    if record is None:
        return PolicyCheck(valid=True, criteria=len(found.rules))
    organisation, project, _ = wider_policies(ports, connection=record.connection, project=record.id)
    said = {Level.ORGANISATION: organisation, Level.PROJECT: project, Level.REPOSITORY: None, level: found}
    resolution = resolve(
        definition, shipped_policy(), said[Level.ORGANISATION], said[Level.PROJECT], said[Level.REPOSITORY]
    )
    return PolicyCheck(valid=True, criteria=len(found.rules), weakenings=resolution.weakenings)


def kept_text(ports: ReviewPorts, level: Level, of: str) -> PolicyText | None:
    """What an organisation or a project says; ``None`` for nothing."""
    found = ports.policies.get(POLICIES[level], of)
    return PolicyText(level=level, of=of, text=found[0].text, at=found[0].at) if found else None


def _text(forge: ReviewForge, repository: RepositoryRef, branch: str, name: str, faults: list[str]) -> bytes | None:
    try:
        return forge.file_at(repository, POLICY_FILE, branch)
    except RefusedError as error:
        faults.append(f"{name}: {error.reason}")
        return None
