"""A connection's check and its App, as the pages are given them."""

from __future__ import annotations

from shared.connections import manifest
from shared.connections.keeping import ConnectionCheck, ForgeCheck
from shared.domain.forge import ForgeName, PermissionFinding


def a_check(**changes: object) -> ConnectionCheck:
    permissions = (
        PermissionFinding(permission="administration: write", needed_for="create repositories", present=True),
        PermissionFinding(permission="members: read", needed_for="know teams", present=False, remedy="Grant members."),
    )
    forges = (
        ForgeCheck(forge=ForgeName.GITHUB, reachable=True, permissions=permissions),
        ForgeCheck(forge=ForgeName.AZURE_DEVOPS, reachable=False, reason="TF400813", remedy="Add the identity."),
    )
    return ConnectionCheck.model_validate({"connection": "contoso", "ready": False, "forges": forges} | changes)


REGISTERED = manifest.Registered(
    app_id=77, slug="doneright-contoso", install_url="https://github.com/apps/doneright-contoso/installations/new",
    private_key_secret="github-app-77-key", webhook_secret_name="github-app-77-webhook",
)  # fmt: skip
