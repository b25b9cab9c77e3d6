"""Renders accounts, repositories, labels and teams with the fields and follow-up addresses GitHub's clients read."""

from __future__ import annotations

from typing import Any

from local.sandbox.github.auth import LEVELS, Caller, granted, level_of, sees
from local.sandbox.github.hub import Hub, Record, node_id
from local.sandbox.github.present_fields import MERGE_FIELDS, ORG_LINKS, PLAIN_REPO_FIELDS, REPO_LINKS, USER_LINKS


def account(hub: Hub, record: Record | None) -> Record:
    """A "simple user"; a deleted account shows as GitHub's ghost."""
    found = record or {"id": 10137, "login": "ghost", "type": "User", "site_admin": False}
    url = f"{hub.api}/users/{found['login']}"
    return {
        "login": found["login"],
        "id": found["id"],
        "node_id": node_id(found["type"], found["id"]),
        "avatar_url": f"{hub.base_url}/avatars/u/{found['id']}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{hub.base_url}/{found['login']}",
        **{name: url + path for name, path in USER_LINKS.items()},
        "type": found["type"],
        "user_view_type": "public",
        "site_admin": bool(found.get("site_admin")),
    }


def full_user(hub: Hub, record: Record) -> Record:
    """A user with profile and counts."""
    return {
        **account(hub, record),
        "name": record.get("name"),
        "company": None,
        "blog": "",
        "location": None,
        "email": record.get("email"),
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": sum(not repo["private"] for repo in hub.repos_of(record["login"])),
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": record["created_at"],
        "updated_at": record["created_at"],
    }


def organization(hub: Hub, org: Record) -> Record:
    """A "simple organization", as webhooks and lists hold it."""
    url = f"{hub.api}/orgs/{org['login']}"
    return {
        "login": org["login"],
        "id": org["id"],
        "node_id": node_id("Organization", org["id"]),
        "url": url,
        **{name: url + path for name, path in ORG_LINKS.items()},
        "avatar_url": f"{hub.base_url}/avatars/u/{org['id']}?v=4",
        "description": org.get("description"),
    }


def full_organization(hub: Hub, org: Record, *, owner: bool) -> Record:
    """An organisation; what only its owners see is added for `owner`."""
    repos = hub.repos_of(org["login"])
    private = sum(bool(repo["private"]) for repo in repos)
    body = {
        **organization(hub, org),
        "name": org.get("name") or org["login"],
        "company": "",
        "blog": "",
        "location": "",
        "email": "",
        "is_verified": False,
        "has_organization_projects": True,
        "has_repository_projects": True,
        "public_repos": len(repos) - private,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "html_url": f"{hub.base_url}/{org['login']}",
        "type": "Organization",
        "created_at": org["created_at"],
        "updated_at": org["created_at"],
        "archived_at": None,
    }
    if owner:
        body |= {
            "total_private_repos": private,
            "owned_private_repos": private,
            "private_gists": 0,
            "disk_usage": 0,
            "collaborators": 0,
            "billing_email": None,
            "plan": {
                "name": org["plan"],
                "space": 976562499,
                "private_repos": 999999,
                "filled_seats": len(org["members"]),
                "seats": max(10, len(org["members"])),
            },
            "default_repository_permission": org["default_repository_permission"],
            "members_can_create_repositories": org["members_can_create_repositories"],
            "two_factor_requirement_enabled": False,
        }
    return body


def repository_url(hub: Hub, repo: Record) -> str:
    """The API address of a repository."""
    return f"{hub.api}/repos/{repo['owner']}/{repo['name']}"


def html_url(hub: Hub, repo: Record) -> str:
    """The page of a repository."""
    return f"{hub.base_url}/{repo['owner']}/{repo['name']}"


def permissions(hub: Hub, caller: Caller, repo: Record) -> dict[str, bool]:
    """What the caller may do, as five flags."""
    if caller.kind == "installation":
        write = (caller.permissions or {}).get("contents") == "write"
        return {"admin": False, "maintain": False, "push": write, "triage": False, "pull": sees(hub, caller, repo)}
    held = LEVELS.index(level_of(hub, caller.login, repo)) if caller.kind == "user" else LEVELS.index("read")
    names = {"admin": "admin", "maintain": "maintain", "push": "write", "triage": "triage", "pull": "read"}
    return {flag: held >= LEVELS.index(level) for flag, level in names.items()}


def repository(hub: Hub, repo: Record, caller: Caller | None = None, *, full: bool = False) -> Record:
    """A repository; with `caller` its permissions, with `full` the fields of a single get."""
    url = repository_url(hub, repo)
    page = html_url(hub, repo)
    owner = account(hub, hub.account(repo["owner"]))
    open_issues = sum(issue["state"] == "open" for issue in repo["issues"].values())
    body: Record = {
        **{name: repo[name] for name in PLAIN_REPO_FIELDS},
        "node_id": node_id("Repository", repo["id"]),
        "full_name": f"{repo['owner']}/{repo['name']}",
        "owner": owner,
        "html_url": page,
        "fork": "fork_of" in repo,
        "url": url,
        **{name: url + path for name, path in REPO_LINKS.items()},
        "git_url": page.replace("http://", "git://") + ".git",
        "ssh_url": f"git@{hub.base_url.removeprefix('http://')}:{repo['owner']}/{repo['name']}.git",
        "clone_url": page + ".git",
        "svn_url": page,
        "size": len(repo["objects"]),
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_downloads": True,
        "has_pages": False,
        "forks_count": 0,
        "mirror_url": None,
        "disabled": False,
        "open_issues_count": open_issues,
        "license": None,
        "allow_forking": True,
        "visibility": "private" if repo["private"] else "public",
        "forks": 0,
        "open_issues": open_issues,
        "watchers": 0,
    }
    if caller is not None and caller.kind != "anonymous":
        body["permissions"] = permissions(hub, caller, repo)
        body |= {name: repo[name] for name in MERGE_FIELDS} if full and body["permissions"]["push"] else {}
        # An App never is an administrator; one that may administer sees what administrators see.
        administers = caller.kind == "installation" and granted(caller.permissions or {}, "administration", "read")
        if full and (body["permissions"]["admin"] or administers):
            body["security_and_analysis"] = security(hub, repo)
    if full:
        body |= {"network_count": 0, "subscribers_count": 0, "temp_clone_token": None}
        if hub.org(repo["owner"]):
            body["organization"] = owner
    return body


def security(hub: Hub, repo: Record) -> dict[str, Any]:
    """The security features a plan offers, each enabled or disabled."""
    names = ["dependabot_security_updates"]
    if not repo["private"] or hub.plan_has(repo["owner"], "security"):
        names += [
            "secret_scanning",
            "secret_scanning_push_protection",
            "secret_scanning_non_provider_patterns",
            "secret_scanning_validity_checks",
        ]
    if repo["private"] and hub.plan_has(repo["owner"], "security"):
        names.append("advanced_security")
    stored = repo["security_and_analysis"]
    return {name: {"status": stored.get(name, "disabled")} for name in names}


def label(hub: Hub, repo: Record, record: Record) -> Record:
    """A label."""
    from urllib.parse import quote

    return {
        "id": record["id"],
        "node_id": node_id("Label", record["id"]),
        "url": f"{repository_url(hub, repo)}/labels/{quote(record['name'], safe='')}",
        "name": record["name"],
        "color": record["color"],
        "default": record["default"],
        "description": record["description"],
    }


def team(hub: Hub, org: Record, record: Record, *, full: bool = False) -> Record:
    """A team."""
    # GitHub's own address goes by ids (/organizations/1/team/2), which its published contract does not hold.
    url = f"{hub.api}/orgs/{org['login']}/teams/{record['slug']}"
    body = {
        "id": record["id"],
        "node_id": node_id("Team", record["id"]),
        "url": url,
        "html_url": f"{hub.base_url}/orgs/{org['login']}/teams/{record['slug']}",
        "name": record["name"],
        "slug": record["slug"],
        "description": record.get("description"),
        "privacy": record.get("privacy", "closed"),
        "notification_setting": "notifications_enabled",
        "permission": record.get("permission", "pull"),
        "members_url": url + "/members{/member}",
        "repositories_url": url + "/repos",
        "parent": None,
        "type": "organization",
    }
    if full:
        body |= {
            "members_count": len(record["members"]),
            "repos_count": len(record["repos"]),
            "created_at": record["created_at"],
            "updated_at": record["created_at"],
            "organization": full_organization(hub, org, owner=False),
        }
    return body
