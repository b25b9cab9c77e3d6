"""What somebody may do in a repository of Azure Repos, as the service itself works it out for that person."""

from __future__ import annotations

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.permissions import GIT_NAMESPACE
from shared.adapters.azure_devops.reviews.asking import AskingCalls
from shared.domain.forge import RepositoryRef
from shared.domain.publication import Permission

# https://learn.microsoft.com/azure/devops/organizations/security/namespace-reference#git-repositories
_ADMINISTER, _READ, _CONTRIBUTE = 1, 2, 4
_SEARCH = "General"


class AccessCalls(AskingCalls):
    """The part of ``AzureDevOpsForge`` that tells permissions."""

    def permission(self, repository: RepositoryRef, login: str) -> Permission:
        """What ``login``, a sign-in name or e-mail address, may do in the repository; nothing for nobody known.

        Rests on the effective permissions, those of groups included: *Administer*, *Contribute*, *Read*.
        """
        descriptor = self._descriptor(login)
        found = None if descriptor is None else self._found(repository)
        if found is None:
            return Permission.NONE
        allowed = self._allowed(f"repoV2/{found.project.id}/{found.id}", descriptor)
        if allowed is None:
            # Nothing of its own is set for the repository: what holds for all of the project does.
            allowed = self._allowed(f"repoV2/{found.project.id}", descriptor) or 0
        if allowed & _ADMINISTER:
            return Permission.ADMIN
        if allowed & _CONTRIBUTE:
            return Permission.WRITE
        return Permission.READ if allowed & _READ else Permission.NONE

    def _allowed(self, token: str, descriptor: str | None) -> int | None:
        """Bits of the permissions that person has there in the end; ``None`` where no list tells."""
        with self._client.anew():
            lists = self._client.area("security").query_access_control_lists(
                GIT_NAMESPACE, token=token, descriptors=descriptor, include_extended_info=True
            )
        entries = [entry for one in lists or [] for entry in (one.aces_dictionary or {}).values()]
        if not entries:
            return None
        allowed = 0
        for entry in entries:
            extended = entry.extended_info
            effective = extended.effective_allow if extended and extended.effective_allow else entry.allow or 0
            denied = extended.effective_deny if extended and extended.effective_deny else entry.deny or 0
            allowed |= effective & ~denied
        return allowed

    def _descriptor(self, login: str) -> str | None:
        """The descriptor that access control lists know ``login`` by; ``None`` unless it is exactly one person's."""
        try:
            with self._client.anew():
                found = self._client.area("identity").read_identities(search_filter=_SEARCH, filter_value=login)
        except NotFoundError:
            return None
        exact = {str(one.id): one for one in found or [] if one is not None and _signs_in_as(one, login)}
        return str(next(iter(exact.values())).descriptor) if len(exact) == 1 else None


def _signs_in_as(found: object, login: str) -> bool:
    # A display name is chosen by its owner, so only what the directory gave counts.
    properties = getattr(found, "properties", None) or {}
    names = set()
    for name in ("Account", "Mail"):
        value = properties.get(name)
        names.add(str(value.get("$value") if isinstance(value, dict) else value).casefold())
    return login.casefold() in names
