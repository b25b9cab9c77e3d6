"""Creates, changes and checks connections, each change on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.domain.audit import TENANT, AuditTag, NewAuditEvent
from shared.domain.connection import (
    Connection,
    ConnectionPatch,
    ConnectionSettings,
    GitHubAppCredential,
    TokenCredential,
)
from shared.domain.forge import ForgeName, Frozen, PermissionFinding
from shared.errors import ConflictError, RefusedError, TransientError
from shared.ports import SecretStore
from shared.projects.ports import CONNECTIONS, ProjectPorts


class ForgeCheck(Frozen):
    """What Doneright may do on one forge of a connection."""

    forge: ForgeName
    reachable: bool
    reason: str = ""
    remedy: str = ""
    permissions: tuple[PermissionFinding, ...] = ()


class ConnectionCheck(Frozen):
    """Whether a connection is ready to work."""

    connection: str
    ready: bool
    forges: tuple[ForgeCheck, ...]


def create(ports: ProjectPorts, settings: ConnectionSettings, *, actor: str, correlation: str) -> Connection:
    """Store a new connection; the same settings again change nothing.

    Raises ``ConflictError`` when the id is taken by a connection with other settings.
    """
    now = ports.clock.now()
    connection = Connection.model_validate(settings.model_dump() | {"created_at": now, "updated_at": now})
    try:
        ports.connections.create(CONNECTIONS, connection.id, connection)
    except ConflictError:
        found = ports.connections.get(CONNECTIONS, connection.id)
        if found is None or found[0].model_dump(exclude={"created_at", "updated_at"}) != settings.model_dump():
            raise
        # A first try may have ended between the two writes: the record below is made once all the same.
        connection = found[0]
    _record(ports, AuditTag.CONNECTION_CREATED, connection, actor, correlation, fields=_names(settings))
    return connection


def change(
    ports: ProjectPorts,
    connection_id: str,
    patch: ConnectionPatch,
    *,
    actor: str,
    correlation: str,
    release: Callable[[str], int],
) -> Connection:
    """Change what ``patch`` gives. Resuming a connection queues what was held, through ``release``.

    Resuming one that is not paused queues what is still held: a first try may have ended before it came to that.

    Raises ``RefusedError`` when there is no such connection.
    """
    given = patch.model_dump(exclude_unset=True, exclude_none=True)
    while True:
        found = ports.connections.get(CONNECTIONS, connection_id)
        if found is None:
            raise RefusedError(f"there is no connection {connection_id}", "GET /api/connections lists those there are.")
        before, etag = found
        after = Connection.model_validate(merged(before, patch) | {"updated_at": ports.clock.now()})
        try:
            ports.connections.replace(CONNECTIONS, connection_id, after, etag)
        except ConflictError:
            continue
        break
    released = release(connection_id) if patch.paused is False else 0
    if before.paused != after.paused:
        tag = AuditTag.CONNECTION_PAUSED if after.paused else AuditTag.CONNECTION_RESUMED
        _record(ports, tag, after, actor, correlation, released=released)
    if fields := sorted(set(given) - {"paused"}):
        _record(ports, AuditTag.CONNECTION_CHANGED, after, actor, correlation, fields=fields)
    return after


def merged(before: Connection, patch: ConnectionPatch) -> dict[str, Any]:
    """``before`` with what ``patch`` gives, forge by forge: a credential that is not given stays."""
    values = before.model_dump()
    for name in patch.model_fields_set:
        given = getattr(patch, name)
        if isinstance(given, Frozen):
            # A credential is given whole: its kind may be implied by its type and is then not among the fields set.
            values[name] = (values[name] or {}) | given.model_dump(include=given.model_fields_set)
        elif given is not None:
            values[name] = given
    return values


def listed(ports: ProjectPorts) -> Sequence[Connection]:
    """Every connection, by id."""
    return [connection for _, _, connection in ports.connections.list(CONNECTIONS)]


def check(ports: ProjectPorts, connection: Connection) -> ConnectionCheck:
    """Each permission needed on each forge, present or missing, with the remedy. Never raises for a forge's refusal."""
    names = [ForgeName.GITHUB] + ([ForgeName.AZURE_DEVOPS] if connection.azure_devops else [])
    forges = tuple(_check(ports, connection, name) for name in names)
    # What could not be tried without changing something is told, and is no reason to call a sound connection unsound.
    ready = all(f.reachable and all(p.present is not False or p.optional for p in f.permissions) for f in forges)
    return ConnectionCheck(connection=connection.id, ready=ready, forges=forges)


def adopt_app(ports: ProjectPorts, connection: Connection, app_id: int, private_key_secret: str) -> None:
    """Make the App that the manifest flow registered the GitHub identity of ``connection``."""
    credential = GitHubAppCredential(app_id=app_id, private_key_secret=private_key_secret)
    github = connection.github.model_copy(update={"credential": credential})
    change(
        ports,
        connection.id,
        ConnectionPatch(github=github),
        actor="github-app-manifest",
        correlation=f"app-{app_id}",
        release=lambda _: 0,
    )


def missing_secrets(settings: ConnectionSettings, secrets: SecretStore) -> list[tuple[str, str]]:
    """(field, problem) of each secret a connection names that the store does not have."""
    named: list[tuple[str, str]] = []
    match settings.github.credential:
        case TokenCredential(token_secret=name):
            named.append(("github.credential.token_secret", name))
        case GitHubAppCredential(private_key_secret=name):
            named.append(("github.credential.private_key_secret", name))
        case None:
            pass
    if settings.azure_devops and isinstance(settings.azure_devops.credential, TokenCredential):
        named.append(("azure_devops.credential.token_secret", settings.azure_devops.credential.token_secret))
    if settings.sonarqube:
        named.append(("sonarqube.token_secret", settings.sonarqube.token_secret))
    missing = []
    for field, name in named:
        try:
            secrets.get(name)
        except RefusedError as error:
            missing.append((field, f"{error.reason}; {error.remedy}"))
    return missing


def _check(ports: ProjectPorts, connection: Connection, name: ForgeName) -> ForgeCheck:
    try:
        permissions = tuple(ports.connect(connection).forges[name].permissions())
    except (RefusedError, TransientError) as error:
        return ForgeCheck(forge=name, reachable=False, reason=error.reason, remedy=getattr(error, "remedy", ""))
    return ForgeCheck(forge=name, reachable=True, permissions=permissions)


def _names(settings: ConnectionSettings) -> list[str]:
    return sorted(settings.model_dump(exclude_unset=True))


def _record(
    ports: ProjectPorts, tag: AuditTag, connection: Connection, actor: str, correlation: str, **detail: object
) -> None:
    ports.audit.append(
        TENANT,
        NewAuditEvent.model_validate(
            {
                "tag": tag,
                "instance": f"connection-{connection.id}",
                "step": f"{tag}:{connection.updated_at.isoformat()}",
                "subject": f"connection {connection.id}",
                "actor": actor,
                "detail": detail | {"correlation": correlation},
            }
        ),
    )
