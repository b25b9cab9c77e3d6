"""Answers for pull requests: opening, listing, what they change, and merging them by the rules of the base branch."""

from __future__ import annotations

from local.sandbox.github import objects
from local.sandbox.github.commits import changed_files, commit_body, range_of
from local.sandbox.github.diffs import MOST_FILES
from local.sandbox.github.errors import ApiError, bad_request, invalid, not_found
from local.sandbox.github.forks import bring, head_repository
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.issue_changes import new_record, tell
from local.sandbox.github.issues import apply_edit
from local.sandbox.github.present_work import pull
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"
PULL = REPO + "/pulls/{pull_number}"
MOST_COMMITS = 250
"""https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request"""


def key_of(repo: Record) -> str:
    """What a repository is stored under."""
    return f"{repo['owner']}/{repo['name']}".lower()


def pull_of(call: Call, repo: Record) -> Record:
    """The pull request of the path, as an issue record; raises ApiError 404."""
    found: Record | None = repo["issues"].get(str(call.number("pull_number")))
    if found is None or not found.get("pull"):
        raise not_found()
    return found


@route("POST", REPO + "/pulls")
def create(call: Call) -> Answer:
    """Open a pull request between two branches of the repository, or from a branch of a copy of it."""
    repo = call.repo("read", "pull_requests")
    hub, actor = call.hub, call.signed_in()
    owner, _, head = call.need("head", str).rpartition(":")
    base = call.need("base", str)
    home = head_repository(hub, repo, owner)
    if home is repo:
        call.repo("write", "pull_requests")
    for field, name, where in (("head", head, home), ("base", base, repo)):
        if where is None or f"refs/heads/{name}" not in where["refs"]:
            raise invalid("PullRequest", field)
    assert home is not None  # noqa: S101 - refused above
    head_sha, base_sha = home["refs"][f"refs/heads/{head}"], repo["refs"][f"refs/heads/{base}"]
    if home is not repo:
        bring(hub, repo, head_sha)
    if not range_of(hub, base_sha, head_sha):
        message = f"No commits between {base} and {head}"
        raise ApiError(422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}])
    for other in repo["issues"].values():
        request = other.get("pull")
        if (
            request
            and other["state"] == "open"
            and (request["head_ref"], request["base_ref"]) == (head, base)
            and request.get("head_repo", key_of(repo)) == key_of(home)
        ):
            message = f"A pull request already exists for {home['owner']}:{head}."
            raise ApiError(
                422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": message}]
            )
    title = call.get("title", str)
    if not title:
        raise bad_request('"title" wasn\'t supplied.')
    record = new_record(hub, repo, title, call.get("body", str), actor["login"])
    record["pull"] = {
        "head_ref": head,
        "base_ref": base,
        "head_sha": head_sha,
        "base_sha": base_sha,
        "draft": call.get("draft", bool, False),
        "merged_at": None,
        "reviewers": [],
        "team_reviewers": [],
        "reviews": {},
        "review_comments": {},
        "threads": {},
        **({"head_repo": key_of(home)} if home is not repo else {}),
    }
    tell(hub, repo, record, "opened", actor)
    body = pull(hub, repo, record)
    return Answer(201, body, {"Location": body["url"]})


@route("GET", REPO + "/pulls")
def pulls(call: Call) -> Answer:
    """Pull requests, filtered and sorted."""
    repo = call.repo("read", "pull_requests")
    query = call.query
    state = query.get("state", "open")
    head = query.get("head", "").rpartition(":")[2]
    found = [
        issue
        for issue in repo["issues"].values()
        if (request := issue.get("pull"))
        and state in {"all", issue["state"]}
        and (not head or request["head_ref"] == head)
        and query.get("base", request["base_ref"]) == request["base_ref"]
    ]
    order = query.get("sort", "created")
    key = "updated_at" if order == "updated" else "number"
    found.sort(key=lambda i: i[key], reverse=query.get("direction", "desc") != "asc")
    return call.page_of(found, lambda issue: pull(call.hub, repo, issue, full=False))


@route("GET", PULL)
def one(call: Call) -> Record:
    """One pull request."""
    repo = call.repo("read", "pull_requests")
    return pull(call.hub, repo, pull_of(call, repo))


@route("PATCH", PULL)
def edit(call: Call) -> Record:
    """Change title, body, state or base."""
    repo = call.repo("read", "pull_requests")
    found = pull_of(call, repo)
    if found["user"] != call.signed_in()["login"]:
        call.repo("write", "pull_requests")
    base = call.get("base", str)
    if base is not None:
        if f"refs/heads/{base}" not in repo["refs"]:
            raise invalid("PullRequest", "base")
        found["pull"]["base_ref"] = base
        found["pull"]["base_sha"] = repo["refs"][f"refs/heads/{base}"]
    if call.body.get("state") == "open" and found["pull"]["merged_at"]:
        message = "state cannot be changed. The pull request cannot be reopened."
        raise ApiError(
            422,
            "Validation Failed",
            [{"resource": "PullRequest", "code": "custom", "field": "state", "message": message}],
        )
    apply_edit(call, repo, found)
    return pull(call.hub, repo, found)


def start_of(hub: Hub, issue: Record) -> str | None:
    """The commit a pull request's changes are counted from."""
    request = issue["pull"]
    return request.get("merge_base") or objects.merge_base(hub, request["base_sha"], request["head_sha"])


@route("GET", PULL + "/files")
def files(call: Call) -> Answer:
    """Changed files with their patches."""
    repo = call.repo("read", "pull_requests")
    found = pull_of(call, repo)
    listed = changed_files(call.hub, repo, start_of(call.hub, found), found["pull"]["head_sha"])
    return call.page_of(listed[:MOST_FILES], lambda f: f)


@route("GET", PULL + "/commits")
def commits(call: Call) -> Answer:
    """Commits, oldest first."""
    repo = call.repo("read", "pull_requests")
    found = pull_of(call, repo)
    start = start_of(call.hub, found)
    shas = range_of(call.hub, start, found["pull"]["head_sha"]) if start else []
    return call.page_of(shas[:MOST_COMMITS], lambda sha: commit_body(call.hub, repo, sha))
