"""Moves refs the way a push does: rules checked, events sent, pull requests brought up to date."""

from __future__ import annotations

import re
from collections.abc import Mapping

from local.sandbox.github import objects, present
from local.sandbox.github.actions import start_runs
from local.sandbox.github.auth import LEVELS, level_of
from local.sandbox.github.errors import ApiError
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Hub, Record, now
from local.sandbox.github.objects import NULL_SHA

CLOSING = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)", re.IGNORECASE)


def person(hub: Hub, user: Record, given: Record | None = None) -> Record:
    """A commit signature: what was given, completed with the user's name and address."""
    host = hub.base_url.removeprefix("http://").partition(":")[0]
    filled = given or {}
    return {
        "name": filled.get("name") or user.get("name") or user["login"],
        "email": filled.get("email") or user.get("email") or f"{user['id']}+{user['login']}@users.noreply.{host}",
        "date": filled.get("date") or now(),
    }


def move(
    hub: Hub, repo: Record, ref: str, sha: str | None, actor: Record, *, force: bool = False, bypass: bool = False
) -> None:
    """Point `ref` at `sha` (None deletes it), as `actor`; raises ApiError 422 where rules forbid it.

    `bypass` is for what the service does itself: merging a pull request, the first commit of a repository.
    """
    before = repo["refs"].get(ref, NULL_SHA)
    if before == (sha or NULL_SHA):
        return
    if not bypass:
        _obey_protection(hub, repo, ref, before, sha, actor, force=force)
    if sha is None:
        del repo["refs"][ref]
    else:
        repo["refs"][ref] = sha
    repo["pushed_at"] = repo["updated_at"] = now()
    hub.changed()
    branch = ref.startswith("refs/heads/")
    if before == NULL_SHA or sha is None:
        payload = {
            "ref": ref.split("/", 2)[2],
            "ref_type": "branch" if branch else "tag",
            **({"master_branch": repo["default_branch"], "description": repo["description"]} if sha else {}),
            "pusher_type": "user",
        }
        emit(hub, "create" if sha else "delete", payload, sender=actor, repo=repo)
    payload = push_payload(hub, repo, ref, before, sha or NULL_SHA, actor, forced=force)
    emit(hub, "push", payload, sender=actor, repo=repo)
    if branch and sha is not None:
        start_runs(hub, repo, ref.removeprefix("refs/heads/"), sha, actor)
        _follow(hub, repo, ref, before, sha, actor)


def _obey_protection(
    hub: Hub, repo: Record, ref: str, before: str, sha: str | None, actor: Record, *, force: bool
) -> None:
    rules = repo["protection"].get(ref.removeprefix("refs/heads/"))
    if rules is None:
        return
    admin = LEVELS.index(level_of(hub, actor["login"], repo)) == LEVELS.index("admin")
    if sha is None:
        if not rules.get("allow_deletions"):
            raise ApiError(422, "Cannot delete this branch")
        return
    if (
        force
        and before != NULL_SHA
        and not objects.is_ancestor(hub, before, sha)
        and not rules.get("allow_force_pushes")
    ):
        raise ApiError(422, "Cannot force-push to this branch")
    if admin and not rules.get("enforce_admins"):
        return
    if rules.get("required_pull_request_reviews") is not None:
        raise ApiError(422, "Changes must be made through a pull request.")
    checks = rules.get("required_status_checks") or {}
    names = [check["context"] for check in checks.get("checks", [])] or checks.get("contexts", [])
    missing = [name for name in names if not passed(repo, sha, name)]
    if missing and before != NULL_SHA:
        raise ApiError(422, f'Required status check "{missing[0]}" is expected.')


def passed(repo: Record, sha: str, context: str) -> bool:
    """Whether the newest status or check run named `context` on a commit succeeded."""
    statuses = [s for s in repo["statuses"].get(sha, []) if s["context"] == context]
    if statuses:
        return bool(statuses[-1]["state"] == "success")
    runs = [r for r in repo["check_runs"].values() if r["head_sha"] == sha and r["name"] == context]
    return bool(runs) and runs[-1]["conclusion"] in {"success", "neutral", "skipped"}


def push_payload(
    hub: Hub, repo: Record, ref: str, before: str, after: str, actor: Record, *, forced: bool = False
) -> Record:
    """The body of a push event, without what every event carries."""
    page = present.html_url(hub, repo)
    known = set(objects.history(hub, before)) if before != NULL_SHA else set()
    fresh = [sha for sha in objects.history(hub, after) if sha not in known][:20] if after != NULL_SHA else []
    commits = [_pushed_commit(hub, repo, sha) for sha in reversed(fresh)]
    head = _pushed_commit(hub, repo, after) if after in hub.table("commits") else None
    return {
        "ref": ref,
        "before": before,
        "after": after,
        "created": before == NULL_SHA,
        "deleted": after == NULL_SHA,
        "forced": forced and before != NULL_SHA and not objects.is_ancestor(hub, before, after),
        "base_ref": None,
        "compare": f"{page}/compare/{before[:12]}...{after[:12]}",
        "commits": commits,
        "head_commit": head,
        "pusher": {"name": actor["login"], "email": person(hub, actor)["email"]},
    }


def changes(
    hub: Hub, base: str | None, head: str | None
) -> dict[str, tuple[tuple[str, str] | None, tuple[str, str] | None]]:
    """Paths that differ between two commits, with (mode, blob) before and after."""
    commits = hub.table("commits")
    old = objects.flat(hub, commits[base]["tree"]) if base in commits else {}
    new = objects.flat(hub, commits[head]["tree"]) if head in commits else {}
    return {path: (old.get(path), new.get(path)) for path in sorted(old | new) if old.get(path) != new.get(path)}


def _pushed_commit(hub: Hub, repo: Record, sha: str) -> Record:
    commit = hub.table("commits")[sha]
    changed = changes(hub, commit["parents"][0] if commit["parents"] else None, sha)
    return {
        "id": sha,
        "tree_id": commit["tree"],
        "distinct": True,
        "message": commit["message"],
        "timestamp": commit["committer"]["date"],
        "url": f"{present.html_url(hub, repo)}/commit/{sha}",
        "author": {"name": commit["author"]["name"], "email": commit["author"]["email"]},
        "committer": {"name": commit["committer"]["name"], "email": commit["committer"]["email"]},
        "added": [path for path, (old, _) in changed.items() if old is None],
        "removed": [path for path, (_, new) in changed.items() if new is None],
        "modified": [path for path, (old, new) in changed.items() if old and new],
    }


def _follow(hub: Hub, repo: Record, ref: str, before: str, sha: str, actor: Record) -> None:
    """Bring open pull requests to the new head, and close issues the default branch's new commits name."""
    from local.sandbox.github.forks import bring
    from local.sandbox.github.issue_changes import change_state
    from local.sandbox.github.present_work import pull

    branch = ref.removeprefix("refs/heads/")
    home = f"{repo['owner']}/{repo['name']}".lower()
    base = hub.table("repos").get(repo.get("fork_of", home), repo)
    for issue in base["issues"].values():
        request = issue.get("pull")
        source = request.get("head_repo", f"{base['owner']}/{base['name']}".lower()) if request else None
        if request and issue["state"] == "open" and request["head_ref"] == branch and source == home:
            if base is not repo:
                bring(hub, base, sha)
            request["head_sha"] = sha
            issue["updated_at"] = now()
            payload = {
                "number": issue["number"],
                "before": before,
                "after": sha,
                "pull_request": pull(hub, base, issue),
            }
            emit(hub, "pull_request", payload, sender=actor, repo=base, action="synchronize")
    if branch != repo["default_branch"]:
        return
    known = set(objects.history(hub, before)) if before != NULL_SHA else set()
    for commit in (c for c in objects.history(hub, sha) if c not in known):
        for number in CLOSING.findall(hub.table("commits")[commit]["message"]):
            issue = repo["issues"].get(number)
            if issue and issue["state"] == "open" and not issue.get("pull"):
                change_state(hub, repo, issue, "closed", actor, "completed")


def commit_files(
    hub: Hub, repo: Record, files: Mapping[str, bytes | None], message: str, actor: Record, branch: str | None = None
) -> str:
    """Commit `files` on top of a branch (the default one) without asking its rules; None removes one. Returns the commit."""
    ref = f"refs/heads/{branch or repo['default_branch']}"
    parent = repo["refs"].get(ref)
    tree = objects.flat(hub, hub.table("commits")[parent]["tree"]) if parent else {}
    for path, content in files.items():
        if content is None:
            del tree[path.strip("/")]
        else:
            tree[path.strip("/")] = ("100644", objects.put_blob(hub, repo, content))
    who = person(hub, actor)
    sha = objects.put_commit(hub, repo, objects.build(hub, repo, tree), [parent] if parent else [], message, who, who)
    move(hub, repo, ref, sha, actor, bypass=True)
    return sha
