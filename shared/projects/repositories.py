"""Which project a repository of a forge belongs to: the main one, a further one, or one that was adopted."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.connection import Connection
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.project import slug_of
from shared.domain.run import ProjectRecord
from shared.projects.ports import PROJECTS, ProjectPorts

MOST_PROJECTS = 10_000


def repositories_of(record: ProjectRecord, connection: Connection) -> Iterator[tuple[ForgeName, RepositoryRef]]:
    """Every repository of a project with its forge, the main ones first."""
    request, wish = record.request, record.adoption.wish if record.adoption else None
    organization = connection.github.organization
    if ForgeName.GITHUB in request.forges:
        name = (wish.github_repository if wish else "") or request.project_id
        yield ForgeName.GITHUB, RepositoryRef(owner=organization, name=name)
    if ForgeName.AZURE_DEVOPS in request.forges:
        owner = (wish.azure_devops_project if wish else "") or request.name
        yield (
            ForgeName.AZURE_DEVOPS,
            RepositoryRef(owner=owner, name=(wish.azure_devops_repository if wish else "") or owner),
        )
    for one in request.repositories_on(ForgeName.GITHUB):
        yield ForgeName.GITHUB, RepositoryRef(owner=organization, name=one.name)
    for one in request.repositories_on(ForgeName.AZURE_DEVOPS):
        yield ForgeName.AZURE_DEVOPS, RepositoryRef(owner=request.name, name=one.name)


def project_of(ports: ProjectPorts, forge: ForgeName, repository: RepositoryRef) -> ProjectRecord | None:
    """The project that ``repository`` belongs to; no forge tells names apart by case."""
    wanted = str(repository).lower()
    likely = ports.project(slug_of(repository.name if forge is ForgeName.GITHUB else repository.owner))
    # Nearly always it is the project of that very name; only for others all are looked through.
    candidates = [likely] if likely else []
    for found in (candidates, (record for _, _, record in ports.projects.list(PROJECTS, limit=MOST_PROJECTS))):
        for record in found:
            connection = ports.connection(record.connection)
            for on, ref in repositories_of(record, connection):
                if on is forge and str(ref).lower() == wanted:
                    return record
    return None
