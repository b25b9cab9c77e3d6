"""Finds the one person or group that a sign-in name or e-mail address means in an Azure DevOps organization."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.domain.forge import Identity
from shared.errors import RefusedError

# Display name, account name or unique name; properties hold the latter two.
# https://learn.microsoft.com/rest/api/azure/devops/ims/identities/read-identities
_SEARCH = "General"


class IdentityCalls:
    """The identity part of ``AzureDevOpsForge``."""

    _client: AzureDevOpsClient

    def identity(self, name: str) -> Identity | None:
        """Who signs in as ``name``, or has it as e-mail address or display name; ``None`` for nobody.

        Raises ``RefusedError`` when several people are called that.
        """
        found = self._client.area("identity").read_identities(search_filter=_SEARCH, filter_value=name)
        # The search may also find names that only begin like this one.
        exact = {one.id: one for one in found or [] if one is not None and name.casefold() in set(_names(one))}
        if len(exact) > 1:
            raise RefusedError(
                f"{len(exact)} people in Azure DevOps are called {name}", "Name the one by e-mail address instead"
            )
        for one in exact.values():
            descriptor = one.subject_descriptor or self._client.area("graph").get_descriptor(one.id).value
            return Identity(id=one.id, name=one.provider_display_name or name, descriptor=descriptor)
        return None


def _names(found: Any) -> Iterator[str]:
    yield str(found.provider_display_name or "").casefold()
    yield str(found.custom_display_name or "").casefold()
    for property_name in ("Account", "Mail"):
        value = (found.properties or {}).get(property_name)
        yield str(value.get("$value") if isinstance(value, dict) else value).casefold()
