"""Builds the delivery that the intake rows send: an ``issues`` event with the members and the size GitHub's have.

Member names follow https://docs.github.com/webhooks/webhook-events-and-payloads#issues; the values are made up. The
issue has no label, so that nothing is started by it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

API = "https://api.github.com"
WEB = "https://github.com"
REPOSITORY_LINKS = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
]
USER_LINKS = [
    "followers",
    "following",
    "gists",
    "starred",
    "subscriptions",
    "organizations",
    "repos",
    "events",
    "received_events",
]
COUNTS = [
    "size",
    "stargazers_count",
    "watchers_count",
    "forks_count",
    "open_issues_count",
    "forks",
    "watchers",
    "open_issues",
]
FEATURES = ["has_issues", "has_projects", "has_downloads", "has_wiki", "has_pages", "has_discussions"]
ANSWERS = {
    "Project name": "orders-api",
    "What it does": "Takes orders from the shop, checks them against stock and hands them to fulfilment. " * 6,
    "Owners": "casey, mona",
    "Azure DevOps process": "Agile",
    "Data kept": "Orders with the customer's number, never their name; deleted after 400 days by a job of the store. "
    * 5,
    "Why now": "The present service cannot be changed without stopping the shop for an evening. " * 6,
}


def _user(login: str, ident: int, kind: str = "User") -> dict[str, Any]:
    url = f"{API}/users/{login}"
    return {
        "login": login,
        "id": ident,
        "node_id": f"U_kgDOA{ident:08d}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{ident}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{WEB}/{login}",
        **{f"{link}_url": f"{url}/{link}" for link in USER_LINKS},
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def _repository(owner: dict[str, Any]) -> dict[str, Any]:
    full_name = f"{owner['login']}/requests"
    url = f"{API}/repos/{full_name}"
    return {
        "id": 703_112_958,
        "node_id": "R_kgDOKejZ_g",
        "name": "requests",
        "full_name": full_name,
        "private": False,
        "owner": owner,
        "html_url": f"{WEB}/{full_name}",
        "description": "Where projects are asked for",
        "fork": False,
        "url": url,
        **{f"{link}_url": f"{url}/{link}{{/id}}" for link in REPOSITORY_LINKS},
        "created_at": "2026-01-12T08:21:44Z",
        "updated_at": "2026-05-02T16:03:10Z",
        "pushed_at": "2026-05-02T16:03:07Z",
        "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git",
        "clone_url": f"{WEB}/{full_name}.git",
        "svn_url": f"{WEB}/{full_name}",
        "homepage": None,
        "language": "Python",
        **dict.fromkeys(FEATURES, True),
        **dict.fromkeys(COUNTS, 3),
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": ["requests", "projects"],
        "visibility": "public",
        "default_branch": "main",
        "custom_properties": {},
    }


def issues_payload() -> dict[str, Any]:
    """An ``issues`` event, action ``opened``."""
    acme, casey = _user("acme", 9_919, "Organization"), _user("casey", 583_231)
    repository = _repository(acme)
    url = f"{repository['url']}/issues/42"
    issue = {
        "url": url,
        "repository_url": repository["url"],
        **{f"{link}_url": f"{url}/{link}" for link in ("labels", "comments", "events", "timeline")},
        "html_url": f"{repository['html_url']}/issues/42",
        "id": 2_104_775_301,
        "node_id": "I_kwDOKejZ_s59dB6F",
        "number": 42,
        "title": "New project: orders-api",
        "user": casey,
        "labels": [],
        "state": "open",
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": "2026-05-04T09:12:31Z",
        "updated_at": "2026-05-04T09:12:31Z",
        "closed_at": None,
        "author_association": "MEMBER",
        "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0},
        "active_lock_reason": None,
        "body": "\n\n".join(f"### {question}\n\n{answer}" for question, answer in ANSWERS.items()),
        "reactions": {"url": f"{url}/reactions", "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "heart": 0},
        "performed_via_github_app": None,
        "state_reason": None,
    }
    return {
        "action": "opened",
        "issue": issue,
        "repository": repository,
        "organization": {**acme, "description": "Shops"},
        "sender": casey,
        "installation": {"id": 41_218_355, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uNDEyMTgzNTU="},
    }


def issues_body() -> str:
    """The event as it travels."""
    return json.dumps(issues_payload(), separators=(",", ":"))


def signed_headers(secret: str, body: str, delivery: str) -> dict[str, str]:
    """The headers GitHub sends with ``body``."""
    return {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": "issues",
        "X-GitHub-Hook-ID": "472915508",
        "X-GitHub-Hook-Installation-Target-ID": "703112958",
        "X-GitHub-Hook-Installation-Target-Type": "repository",
        "X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), body.encode(), hashlib.sha256).hex(),
    }
