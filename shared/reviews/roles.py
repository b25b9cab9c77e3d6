"""Says who holds which role in reviews: whoever the connection names, else whoever the forge lets near enough.

Nobody judges his own work: but for what only the author can say, no role is held by the author of a change.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from shared.domain.connection import Connection
from shared.domain.definition import OwnerRole
from shared.domain.forge import Frozen
from shared.domain.publication import Permission
from shared.errors import RefusedError
from shared.reviews.ports import ReviewPorts

_log = logging.getLogger(__name__)

APPROVER = "approver"
"""May let a criterion go for a while."""


class Speaker(Frozen):
    """Somebody who says something of a change."""

    login: str
    permission: Permission
    author: bool


def holders(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Role → everybody who is named for it, in lower case, teams as ``organisation/team``; a role left out: nobody."""
    return {role: tuple(name.lower() for name in names) for role, names in connection.roles.items() if names}


def holders_among(ports: ReviewPorts, connection: Connection, logins: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Role → whoever is named for it, with those of ``logins`` whom one of its teams has; all in lower case.

    Where the forge shows no teams, nobody is taken for a member.
    """
    people = sorted({login.lower() for login in logins})
    found: dict[str, tuple[str, ...]] = {}
    for role, names in holders(connection).items():
        single = [name for name in names if "/" not in name]
        teams = [name for name in names if "/" in name]
        of_teams = [login for login in people if login not in single and _is_seen_in(ports, connection, teams, login)]
        found[role] = (*single, *of_teams)
    return found


def missing(ports: ReviewPorts, connection: Connection, role: str, speaker: Speaker) -> str:
    """Why the speaker does not hold the role, in words; empty when he does."""
    words = role.replace("_", " ")
    if role == OwnerRole.AUTHOR:
        return "" if speaker.author else "only the author of the pull request can say that"
    if speaker.author:
        return f"the author of a pull request is never its {words}"
    if not speaker.permission.may_write:
        return "it takes write access to the repository"
    return _unnamed(ports, connection, role, speaker)


def _unnamed(ports: ReviewPorts, connection: Connection, role: str, speaker: Speaker) -> str:
    named = holders(connection).get(role, ())
    if not named:
        by_default = role != APPROVER or speaker.permission is Permission.ADMIN
        return "" if by_default else "nobody is named as approver, so it takes an administrator of the repository"
    login = speaker.login.lower()
    teams = [name for name in named if "/" in name]
    if login in named or _in_any(ports, connection, teams, login):
        return ""
    return f"it takes the role of {role.replace('_', ' ')}, which others are named for"


def _is_seen_in(ports: ReviewPorts, connection: Connection, teams: Iterable[str], login: str) -> bool:
    try:
        return _in_any(ports, connection, teams, login)
    except RefusedError as error:
        _log.warning("the teams of connection %s cannot be seen: %s", connection.id, error.reason)
        return False


def _in_any(ports: ReviewPorts, connection: Connection, teams: Iterable[str], login: str) -> bool:
    belongs = ports.belongs
    return belongs is not None and any(belongs(connection, team, login) for team in teams)
