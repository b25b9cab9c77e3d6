"""Says which webhooks may exist: known events, usable addresses, secrets never shown."""

from __future__ import annotations

from urllib.parse import urlsplit

from local.sandbox.github.errors import ApiError, invalid
from local.sandbox.github.hub import Hub, Record, now

KNOWN_EVENTS = frozenset(
    [
        "*",
        "branch_protection_configuration",
        "branch_protection_rule",
        "check_run",
        "check_suite",
        "code_scanning_alert",
        "commit_comment",
        "create",
        "delete",
        "dependabot_alert",
        "deploy_key",
        "deployment",
        "deployment_protection_rule",
        "deployment_review",
        "deployment_status",
        "discussion",
        "discussion_comment",
        "fork",
        "gollum",
        "installation",
        "installation_repositories",
        "issue_comment",
        "issues",
        "label",
        "member",
        "membership",
        "merge_group",
        "meta",
        "milestone",
        "org_block",
        "organization",
        "package",
        "page_build",
        "ping",
        "project",
        "project_card",
        "project_column",
        "public",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "push",
        "registry_package",
        "release",
        "repository",
        "repository_advisory",
        "repository_import",
        "repository_ruleset",
        "repository_vulnerability_alert",
        "secret_scanning_alert",
        "secret_scanning_alert_location",
        "security_and_analysis",
        "star",
        "status",
        "sub_issues",
        "team",
        "team_add",
        "watch",
        "workflow_dispatch",
        "workflow_job",
        "workflow_run",
    ]
)


def masked(config: Record) -> Record:
    """A hook's configuration, its secret starred out as GitHub does."""
    return {name: "********" if name == "secret" else value for name, value in config.items() if value is not None}


def add_hook(hub: Hub, owner: Record, config: Record, wanted: list[str], *, active: bool = True) -> Record:
    """Store a hook on a repository or an organisation."""
    hook: Record = {
        "id": hub.next_id("hook", 40_001),
        "type": "Organization" if owner.get("type") == "Organization" else "Repository",
        "active": active,
        "events": wanted,
        "config": config,
        "created_at": now(),
        "updated_at": now(),
        "deliveries": [],
    }
    owner["hooks"][str(hook["id"])] = hook
    hub.changed()
    return hook


def checked_config(given: Record, before: Record | None = None) -> Record:
    """A checked configuration; raises ApiError 422."""
    config = {"content_type": "form", "insecure_ssl": "0", **(before or {}), **given}
    config["insecure_ssl"] = str(config["insecure_ssl"])
    parts = urlsplit(str(config.get("url") or ""))
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ApiError(
            422,
            "Validation Failed",
            [
                {
                    "resource": "Hook",
                    "code": "custom",
                    "field": "url",
                    "message": "url is missing a scheme" if config.get("url") else "url cannot be blank",
                }
            ],
        )
    if config["content_type"] not in {"json", "form"}:
        raise invalid("Hook", "content_type")
    if config.get("secret") == "":
        config.pop("secret")
    return config


def checked_events(names: list[str]) -> list[str]:
    unknown = [name for name in names if name not in KNOWN_EVENTS]
    if unknown:
        raise invalid("Hook", "events", "custom", f"These events are not allowed for this hook: {', '.join(unknown)}")
    return sorted(set(names))
