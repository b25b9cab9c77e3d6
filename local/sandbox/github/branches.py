"""Answers for branches and what protects them; on private repositories that takes a paid plan."""

from __future__ import annotations

from urllib.parse import quote

from local.sandbox.github import objects, present
from local.sandbox.github.commits import commit_body
from local.sandbox.github.errors import ApiError
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.pushes import move
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"
# Branch names hold slashes; clients send them as they are or as %2F, and both arrive here decoded.
BRANCH = REPO + "/branches/{branch:path}"
UPGRADE = "Upgrade to GitHub Pro or make this repository public to enable this feature."


def existing_branch(call: Call, repo: Record) -> str:
    name = call.params["branch"]
    if f"refs/heads/{name}" not in repo["refs"]:
        raise ApiError(404, "Branch not found")
    return name


def branch_url(hub: Hub, repo: Record, name: str) -> str:
    return f"{present.repository_url(hub, repo)}/branches/{quote(name, safe='')}"


def short(hub: Hub, repo: Record, name: str) -> Record:
    """A branch as lists show it."""
    sha = repo["refs"][f"refs/heads/{name}"]
    url = branch_url(hub, repo, name)
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{present.repository_url(hub, repo)}/commits/{sha}"},
        "protected": name in repo["protection"],
        "protection": summary(repo["protection"].get(name)),
        "protection_url": f"{url}/protection",
    }


def summary(rules: Record | None) -> Record:
    """Protection in the short form shown with a branch."""
    checks = (rules or {}).get("required_status_checks") or {}
    level = "off" if not checks else "everyone" if (rules or {}).get("enforce_admins") else "non_admins"
    shown = checks_body("", checks) if checks else {"contexts": [], "checks": []}
    found = {"enforcement_level": level, "contexts": shown["contexts"], "checks": shown["checks"]}
    return {"enabled": rules is not None, "required_status_checks": found}


@route("GET", REPO + "/branches")
def branches(call: Call) -> Answer:
    """All branches."""
    repo = call.repo("read", "contents")
    names = sorted(ref.removeprefix("refs/heads/") for ref in repo["refs"] if ref.startswith("refs/heads/"))
    if call.query.get("protected") in {"true", "false"}:
        names = [name for name in names if (name in repo["protection"]) == (call.query["protected"] == "true")]
    return call.page_of(names, lambda name: short(call.hub, repo, name))


@route("GET", BRANCH)
def branch(call: Call) -> Record:
    """One branch."""
    repo = call.repo("read", "contents")
    return _whole(call, repo, existing_branch(call, repo))


def _whole(call: Call, repo: Record, name: str) -> Record:
    url = branch_url(call.hub, repo, name)
    links = {"self": url, "html": f"{present.html_url(call.hub, repo)}/tree/{name}"}
    commit = commit_body(call.hub, repo, repo["refs"][f"refs/heads/{name}"])
    return {**short(call.hub, repo, name), "commit": commit, "_links": links}


@route("POST", BRANCH + "/rename")
def rename(call: Call) -> Answer:
    """Rename a branch; protection and the default go with it."""
    repo = call.repo("admin", "administration")
    old, new = existing_branch(call, repo), call.need("new_name", str)
    if f"refs/heads/{new}" in repo["refs"]:
        raise ApiError(422, f"Branch {new} already exists")
    actor = call.signed_in()
    move(call.hub, repo, f"refs/heads/{new}", repo["refs"][f"refs/heads/{old}"], actor, bypass=True)
    if repo["default_branch"] == old:
        repo["default_branch"] = new
    if old in repo["protection"]:
        repo["protection"][new] = repo["protection"].pop(old)
    move(call.hub, repo, f"refs/heads/{old}", None, actor, bypass=True)
    return Answer(201, _whole(call, repo, new))


@route("GET", REPO + "/tags")
def tags(call: Call) -> Answer:
    """All tags."""
    repo = call.repo("read", "contents")
    url = present.repository_url(call.hub, repo)
    names = sorted(ref.removeprefix("refs/tags/") for ref in repo["refs"] if ref.startswith("refs/tags/"))

    def render(name: str) -> Record:
        sha = objects.peel(call.hub, repo["refs"][f"refs/tags/{name}"])
        return {
            "name": name,
            "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
            "zipball_url": f"{url}/zipball/refs/tags/{name}",
            "tarball_url": f"{url}/tarball/refs/tags/{name}",
            "node_id": f"REF_{name}",
        }

    return call.page_of(names, render)


def checks_body(url: str, checks: Record) -> Record:
    own = f"{url}/required_status_checks"
    listed = checks.get("checks") or [{"context": name, "app_id": None} for name in checks.get("contexts", [])]
    names = [check["context"] for check in listed]
    shown = [{"context": check["context"], "app_id": check.get("app_id")} for check in listed]
    return {
        "url": own,
        "strict": bool(checks.get("strict")),
        "contexts": names,
        "contexts_url": f"{own}/contexts",
        "checks": shown,
    }
