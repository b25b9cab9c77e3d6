"""Registers GitHub Apps, installs them, and shows both as GitHub does."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sandbox.github import events, present
from local.sandbox.github.errors import invalid
from local.sandbox.github.hub import Hub, Record, node_id, now

NAME_TAKEN = "Name is already taken"


def slug_of(name: str) -> str:
    """An App's address and the name its bot goes by."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def refuse_taken_name(hub: Hub, owner: str, name: str) -> None:
    """Raise ApiError 422 when another App, or an account other than the App's owner, has the name.

    https://docs.github.com/apps/creating-github-apps/registering-a-github-app/registering-a-github-app
    """
    slug = slug_of(name)
    account = hub.account(slug)
    is_others = account is not None and account["login"].lower() != owner.lower()
    if is_others or any(app["slug"] == slug for app in hub.table("apps").values()):
        raise invalid("Integration", "name", "custom", NAME_TAKEN)


def add_app(hub: Hub, owner: str, manifest: Record, public_key: str | None = None) -> tuple[Record, str | None]:
    """Register an App; returns it with its new private key (PEM), or without when `public_key` (PEM) was given.

    Raises ApiError 422 when the name is taken.
    """
    if manifest.get("name"):
        refuse_taken_name(hub, owner, manifest["name"])
    private = None
    if public_key is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode()
        public_key = (
            key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )
    number = manifest.get("id") or hub.next_id("app", 30_001)
    hook = manifest.get("hook_attributes") or {}
    name = manifest.get("name") or f"app-{number}"
    app: Record = {
        "id": number,
        "slug": slug_of(name),
        "name": name,
        "owner": owner,
        "description": manifest.get("description"),
        "external_url": manifest.get("url", ""),
        "client_id": f"Iv1.{secrets.token_hex(8)}",
        "client_secret": secrets.token_hex(20),
        "public_key": public_key,
        "permissions": {"metadata": "read", **manifest.get("default_permissions", {})},
        "events": list(manifest.get("default_events", [])),
        "created_at": now(),
        "public": bool(manifest.get("public", False)),
        "setup_url": manifest.get("setup_url"),
        "hook": {
            "id": hub.next_id("hook", 40_001),
            "type": "App",
            "active": bool(hook.get("active", True)) and bool(hook.get("url")),
            "config": {
                "url": hook.get("url", ""),
                "content_type": "json",
                "insecure_ssl": "0",
                "secret": hook.get("secret") or secrets.token_hex(20),
            },
            "deliveries": [],
        },
    }
    hub.table("apps")[str(number)] = app
    hub.add_user(f"{app['slug']}[bot]", kind="Bot")
    hub.changed()
    return app, private


def install(hub: Hub, app: Record, account: str, repository_ids: list[int] | None = None) -> Record:
    """Install an app on an account, for all repositories or the given ones, and tell it."""
    record: Record = {
        "id": hub.next_id("installation", 50_001),
        "app_id": app["id"],
        "account": account,
        "repository_selection": "all" if repository_ids is None else "selected",
        "repository_ids": repository_ids or [],
        "permissions": dict(app["permissions"]),
        "events": list(app["events"]),
        "created_at": now(),
        "suspended_at": None,
    }
    hub.table("installations")[str(record["id"])] = record
    hub.changed()
    return record


def announce(hub: Hub, record: Record, action: str, sender: Record) -> None:
    """Deliver the installation event to the app."""
    app = hub.table("apps")[str(record["app_id"])]
    if not app["hook"]["config"]["url"] or not app["hook"]["active"]:
        return
    repos = [
        {
            "id": r["id"],
            "node_id": node_id("Repository", r["id"]),
            "name": r["name"],
            "full_name": f"{r['owner']}/{r['name']}",
            "private": r["private"],
        }
        for r in repositories_of(hub, record)
    ]
    payload = {
        "action": action,
        "installation": installation(hub, record),
        "repositories": repos,
        "requester": None,
        "sender": present.account(hub, sender),
    }
    events.deliver(hub, app["hook"], "installation", payload, app=app, installation=record)


def repositories_of(hub: Hub, record: Record) -> list[Record]:
    """What an installation reaches."""
    everything = record["repository_selection"] == "all"
    return [r for r in hub.repos_of(record["account"]) if everything or r["id"] in record["repository_ids"]]


def application(hub: Hub, app: Record) -> Record:
    """An App as anyone may see it."""
    return {
        "id": app["id"],
        "slug": app["slug"],
        "node_id": node_id("App", app["id"]),
        "client_id": app["client_id"],
        "owner": present.account(hub, hub.account(app["owner"])),
        "name": app["name"],
        "description": app["description"],
        "external_url": app["external_url"],
        "html_url": f"{hub.base_url}/apps/{app['slug']}",
        "created_at": app["created_at"],
        "updated_at": app["created_at"],
        "permissions": app["permissions"],
        "events": app["events"],
        "installations_count": sum(i["app_id"] == app["id"] for i in hub.table("installations").values()),
    }


def installation(hub: Hub, record: Record) -> Record:
    """An installation."""
    account = hub.account(record["account"])
    app = hub.table("apps")[str(record["app_id"])]
    return {
        "id": record["id"],
        "client_id": app["client_id"],
        "account": present.account(hub, account),
        "repository_selection": record["repository_selection"],
        "access_tokens_url": f"{hub.api}/app/installations/{record['id']}/access_tokens",
        "repositories_url": f"{hub.api}/installation/repositories",
        "html_url": f"{hub.base_url}/organizations/{record['account']}/settings/installations/{record['id']}",
        "app_id": app["id"],
        "app_slug": app["slug"],
        "target_id": account["id"] if account else 0,
        "target_type": account["type"] if account else "User",
        "permissions": record["permissions"],
        "events": record["events"],
        "created_at": record["created_at"],
        "updated_at": record["created_at"],
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": record["suspended_at"],
    }


def keep_manifest(hub: Hub, owner: str, manifest: str, name: str = "") -> tuple[str, Record]:
    """Hold a submitted manifest for an hour; returns its code and content. `name` replaces the manifest's.

    Raises ValueError saying what is wrong, ApiError 422 when the name is taken.
    """
    try:
        document = json.loads(manifest)
    except ValueError as error:
        raise ValueError(f"the manifest is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ValueError("the manifest must be a JSON object")
    missing = [name for name in ("url",) if not document.get(name)]
    if missing:
        raise ValueError(f"the manifest lacks {', '.join(missing)}")
    if name:
        document["name"] = name
    if document.get("name"):
        refuse_taken_name(hub, owner, str(document["name"]))
    code = secrets.token_hex(20)
    hub.table("manifests")[code] = {"owner": owner, "manifest": document, "at": datetime.now(UTC).isoformat()}
    hub.changed()
    return code, document
