"""Answers for history: commits, what they changed, and the comparison of two of them."""

from __future__ import annotations

from urllib.parse import quote

from local.sandbox.github import objects, present
from local.sandbox.github.diffs import Difference, differences
from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.git_data import git_commit
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.pushes import changes
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"


def author_account(hub: Hub, signature: Record) -> Record | None:
    """The user behind a signature, told by name or address."""
    for user in hub.table("users").values():
        address = f"{user['id']}+{user['login']}@"
        if signature["email"] == user.get("email") or signature["email"].startswith(address):
            return present.account(hub, user)
    return None


def commit_body(hub: Hub, repo: Record, sha: str, *, full: bool = False) -> Record:
    """A commit as the commits API shows it; `full` adds statistics and files."""
    commit = hub.table("commits")[sha]
    url, page = present.repository_url(hub, repo), present.html_url(hub, repo)
    plain = git_commit(hub, repo, sha)
    body = {
        "url": f"{url}/commits/{sha}",
        "sha": sha,
        "node_id": plain["node_id"],
        "html_url": plain["html_url"],
        "comments_url": f"{url}/commits/{sha}/comments",
        "commit": {
            "url": plain["url"],
            "author": commit["author"],
            "committer": commit["committer"],
            "message": commit["message"],
            "tree": plain["tree"],
            "comment_count": 0,
            "verification": plain["verification"],
        },
        "author": author_account(hub, commit["author"]),
        "committer": author_account(hub, commit["committer"]),
        "parents": [
            {"sha": p, "url": f"{url}/commits/{p}", "html_url": f"{page}/commit/{p}"} for p in commit["parents"]
        ],
    }
    if full:
        files = changed_files(hub, repo, commit["parents"][0] if commit["parents"] else None, sha)
        added, removed = (sum(f[name] for f in files) for name in ("additions", "deletions"))
        body |= {"stats": {"additions": added, "deletions": removed, "total": added + removed}, "files": files}
    return body


def changed_files(hub: Hub, repo: Record, base: str | None, head: str) -> list[Record]:
    """Each changed file with its counts and patch; binary and large files have no patch."""
    url, page = present.repository_url(hub, repo), present.html_url(hub, repo)
    return [_file(one, head, url, page) for one in differences(hub, base, head)]


def _file(one: Difference, head: str, url: str, page: str) -> Record:
    entry: Record = {
        "sha": one.sha,
        "filename": one.path,
        "status": one.status,
        "additions": one.additions,
        "deletions": one.deletions,
        "changes": one.additions + one.deletions,
        "blob_url": f"{page}/blob/{head}/{quote(one.path)}",
        "raw_url": f"{page}/raw/{head}/{quote(one.path)}",
        "contents_url": f"{url}/contents/{quote(one.path)}?ref={head}",
    }
    if one.previous:
        entry["previous_filename"] = one.previous
    if one.patch is not None:
        entry["patch"] = one.patch
    return entry


@route("GET", REPO + "/commits")
def commits(call: Call) -> Answer:
    """History of a ref, of a path, of an author, in a span of time."""
    repo = call.repo("read", "contents")
    objects.refuse_empty(repo)
    start = objects.resolve(call.hub, repo, call.query.get("sha") or repo["default_branch"])
    if start is None:
        raise not_found()
    found = [sha for sha in objects.history(call.hub, start) if _wanted(call, sha)]
    return call.page_of(found, lambda sha: commit_body(call.hub, repo, sha))


def _wanted(call: Call, sha: str) -> bool:
    commit = call.hub.table("commits")[sha]
    date = commit["committer"]["date"]
    if call.query.get("since", "") > date or call.query.get("until", "9") < date:
        return False
    path = call.query.get("path")
    if path:
        changed = changes(call.hub, commit["parents"][0] if commit["parents"] else None, sha)
        if not any(name == path or name.startswith(path.rstrip("/") + "/") for name in changed):
            return False
    author = call.query.get("author")
    if author:
        account = author_account(call.hub, commit["author"])
        return author in {commit["author"]["email"], (account or {}).get("login")}
    return True


@route("GET", REPO + "/commits/{ref:path}")
def commit(call: Call) -> Record:
    """One commit, by any ref."""
    repo = call.repo("read", "contents")
    objects.refuse_empty(repo)
    sha = objects.resolve(call.hub, repo, call.params["ref"])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.params['ref']}")
    return commit_body(call.hub, repo, sha, full=True)


@route("GET", REPO + "/commits/{sha}/pulls")
def pulls_of_commit(call: Call) -> Answer:
    """Pull requests that hold a commit."""
    from local.sandbox.github.present_work import pull

    repo = call.repo("read", "pull_requests")
    sha = call.params["sha"]
    found = [
        issue
        for issue in repo["issues"].values()
        if issue.get("pull")
        and (
            sha == issue["pull"].get("merge_commit_sha")
            or sha in range_of(call.hub, issue["pull"]["base_sha"], issue["pull"]["head_sha"])
        )
    ]
    return call.page_of(found, lambda issue: pull(call.hub, repo, issue))


def range_of(hub: Hub, base: str, head: str) -> list[str]:
    """Commits of `head` that `base` lacks, oldest first."""
    known = set(objects.history(hub, base))
    return [sha for sha in objects.history(hub, head) if sha not in known][::-1]


@route("GET", REPO + "/compare/{basehead:path}")
def compare(call: Call) -> Answer:
    """What lies between two refs; of several pages only the first lists the changed files."""
    repo = call.repo("read", "contents")
    base_name, dots, head_name = call.params["basehead"].partition("...")
    base = objects.resolve(call.hub, repo, base_name.rpartition(":")[2]) if dots else None
    head = objects.resolve(call.hub, repo, head_name.rpartition(":")[2]) if dots else None
    if base is None or head is None:
        raise not_found()
    hub, url, page = call.hub, present.repository_url(call.hub, repo), present.html_url(call.hub, repo)
    common = objects.merge_base(hub, base, head)
    if common is None:
        raise ApiError(404, f"No common ancestor between {base_name} and {head_name}.")
    ahead, behind = range_of(hub, base, head), range_of(hub, head, base)
    status = "identical" if base == head else "diverged" if ahead and behind else "ahead" if ahead else "behind"
    name = f"{base_name}...{head_name}"
    page_of_commits = call.page_of(ahead, lambda sha: commit_body(hub, repo, sha))
    body = {
        "url": f"{url}/compare/{name}",
        "html_url": f"{page}/compare/{name}",
        "permalink_url": f"{page}/compare/{base[:7]}...{head[:7]}",
        "diff_url": f"{page}/compare/{name}.diff",
        "patch_url": f"{page}/compare/{name}.patch",
        "base_commit": commit_body(hub, repo, base),
        "merge_base_commit": commit_body(hub, repo, common),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": page_of_commits.body,
        "files": changed_files(hub, repo, common, head)[:300] if call.query.get("page", "1") == "1" else [],
    }
    return Answer(200, body, page_of_commits.headers)
