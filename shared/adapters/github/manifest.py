"""Turns the code at the end of GitHub's App manifest flow into the registered App's identity and secrets."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from shared.adapters.github.client import path
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.limits import pace_of
from shared.adapters.github.sending import new_requester, send
from shared.adapters.pacing.pace import Pacing
from shared.errors import RefusedError
from shared.ports import Clock


class AppRegistration(BaseModel):
    """A freshly registered GitHub App; its secrets are shown by GitHub this once."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    slug: str
    pem: SecretStr
    webhook_secret: SecretStr | None = None
    client_id: str
    client_secret: SecretStr
    html_url: str


def convert_manifest(
    code: str,
    base_url: str = "https://api.github.com",
    *,
    clock: Clock,
    timeout: int = 15,
    pacing: Pacing | None = None,
) -> AppRegistration:
    """Exchange ``code`` for the App. It works once and within an hour of the registration.

    Raises ``RefusedError`` for a code that is unknown, used or too old, ``TransientError`` when GitHub does not
    answer. https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
    """
    requester: Any = new_requester(base_url.rstrip("/"), timeout, None)
    try:
        pace = pace_of(pacing or Pacing(clock), base_url, "manifest")
        where = path("/app-manifests/{}/conversions", code)
        answer = send(requester, "POST", where, None, None, clock=clock, pace=pace)[1]
    except NotFoundError:
        raise RefusedError(
            "GitHub does not know this registration code: it was used already or is older than an hour",
            "Register the App again from the set-up page",
        ) from None
    except RefusedError as error:
        # The code is as good as the App's key while it lasts, so it must not stand in the error.
        raise RefusedError(error.reason.replace(code, "…"), error.remedy) from None
    finally:
        requester.close()
    return AppRegistration.model_validate(answer)


def tell_webhook_secret(
    app_id: int,
    private_key: SecretStr,
    secret: str,
    base_url: str = "https://api.github.com",
    *,
    clock: Clock,
    timeout: int = 15,
    pacing: Pacing | None = None,
) -> None:
    """Make GitHub sign the App's webhooks with ``secret`` instead of the one it made up when the App was registered.

    Raises ``RefusedError`` or ``TransientError``. https://docs.github.com/rest/apps/webhooks#update-a-webhook-configuration-for-an-app
    """
    from github import Auth

    requester: Any = new_requester(base_url.rstrip("/"), timeout, Auth.AppAuth(app_id, private_key.get_secret_value()))
    try:
        body = {"secret": secret, "content_type": "json", "insecure_ssl": "0"}
        pace = pace_of(pacing or Pacing(clock), base_url, "app", str(app_id))
        send(requester, "PATCH", "/app/hook/config", body, None, clock=clock, pace=pace, as_app=True)
    finally:
        requester.close()
