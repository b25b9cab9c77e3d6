"""The little world the sandbox starts with: an organisation on each forge, people, and a repository for requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from local.stack.configuration import Configuration
from shared.projects import scaffold

ORGANIZATION = "acme"
REQUESTS = f"{ORGANIZATION}/requests"
CONNECTION = ORGANIZATION

README = """# Requests

Open an issue with the *New project* form. Doneright answers within seconds, creates the project on both forges, and
answers again when everything was read back.
"""


def seed(configuration: Configuration, secrets: Mapping[str, str]) -> dict[str, Any]:
    """The sandbox's seed. ``mona`` owns the organisation, ``casey`` may ask for projects, ``stranger`` may not."""
    hook = {
        "url": f"{configuration.host_url}/api/webhooks/github",
        "secret": secrets["github_webhook_secret"],
        "events": ["issues", "issue_comment", "pull_request", "push"],
    }
    people = [
        {"login": login, "name": name, "token": secrets[f"github_{login}"]}
        for login, name in (
            ("doneright", "Doneright"),
            ("mona", "Mona Lisa"),
            ("casey", "Casey Rivera"),
            ("stranger", "Sam Stranger"),
        )
    ]
    return {
        "github": {
            "calls_an_hour": configuration.github_calls_an_hour,
            "users": people,
            "organizations": [
                {
                    "login": ORGANIZATION,
                    "plan": "team",
                    "members": {"mona": "admin", "doneright": "admin", "casey": "member"},
                    "teams": [{"slug": "builders", "members": ["casey"]}],
                    # Both levels, as it happens in practice: every event then arrives twice.
                    "hooks": [hook],
                    "repositories": [
                        {
                            "name": "requests",
                            "private": False,
                            "hooks": [hook],
                            # Labels given with a new issue are dropped for people without write access, as on GitHub.
                            "collaborators": {"casey": "write", "stranger": "triage"},
                            "files": {
                                "README.md": README,
                                str(scaffold.REQUEST_FORM): scaffold.request_form().decode(),
                            },
                        }
                    ],
                }
            ],
        },
        "azure_devops": {
            "organizations": [
                {
                    "name": ORGANIZATION,
                    "users": [
                        {
                            "name": "Doneright",
                            "mail": "doneright@acme.example",
                            "token": secrets["azure_devops_doneright"],
                            "permissions": ["collection_administrator"],
                        },
                        {
                            "name": "Mona Lisa",
                            "mail": "mona@acme.example",
                            "token": secrets["azure_devops_mona"],
                            "permissions": ["project_administrator"],
                        },
                        {
                            "name": "Casey Rivera",
                            "mail": "casey@acme.example",
                            "token": secrets["azure_devops_casey"],
                            "permissions": ["contributor"],
                        },
                    ],
                }
            ]
        },
    }


def tell_hooks(configuration: Configuration, secrets: Mapping[str, str]) -> None:
    """Give the seeded hooks the secret in force, as their owner would. Raises ``httpx.HTTPError``.

    Hooks that Doneright made keep theirs, as on the real forges: that is what a second valid secret is for.
    """
    headers = {"Authorization": f"token {secrets['github_mona']}"}
    with httpx.Client(base_url=configuration.github_url, headers=headers, timeout=30) as github:
        for place in (f"/orgs/{ORGANIZATION}", f"/repos/{REQUESTS}"):
            found = github.get(f"{place}/hooks")
            if found.status_code == 404:
                continue  # whoever uses the sandbox may have deleted it
            for hook in found.raise_for_status().json():
                if hook["config"]["url"] == f"{configuration.host_url}/api/webhooks/github":
                    changed = {"secret": secrets["github_webhook_secret"]}
                    github.patch(f"{place}/hooks/{hook['id']}/config", json=changed).raise_for_status()


def connection(configuration: Configuration) -> dict[str, Any]:
    """The connection the stack makes on its first start."""
    return {
        "id": CONNECTION,
        "github": {
            "organization": ORGANIZATION,
            "credential": {"kind": "pat", "token_secret": "acme-github"},
            "request_repositories": [REQUESTS],
            "api_url": configuration.github_url,
            "web_url": configuration.github_url,
        },
        "azure_devops": {
            "organization_url": f"{configuration.azure_devops_url}/{ORGANIZATION}",
            "credential": {"kind": "pat", "token_secret": "acme-azure-devops"},
        },
        "requesters": [f"{ORGANIZATION}/builders", "mona"],
    }
