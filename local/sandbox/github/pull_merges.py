"""Answers for merging pull requests, by the rules of the base branch."""

from __future__ import annotations

from local.sandbox.github import objects
from local.sandbox.github.commits import range_of
from local.sandbox.github.errors import ApiError, bad_request, not_found
from local.sandbox.github.hub import Record, now
from local.sandbox.github.issue_changes import change_state, note
from local.sandbox.github.present_work import mergeable, pull
from local.sandbox.github.pulls import PULL, pull_of
from local.sandbox.github.pushes import CLOSING, move, passed, person
from local.sandbox.github.routing import Answer, Call, route


@route("GET", PULL + "/merge")
def is_merged(call: Call) -> Answer:
    """204 once merged."""
    if not pull_of(call, call.repo("read", "pull_requests"))["pull"]["merged_at"]:
        raise not_found()
    return Answer(204)


def blockers(repo: Record, issue: Record) -> list[str]:
    """What the base branch's protection still asks of a pull request."""
    request = issue["pull"]
    rules = repo["protection"].get(request["base_ref"], {})
    found = []
    reviews = rules.get("required_pull_request_reviews")
    if reviews is not None:
        latest: dict[str, str] = {}
        for review in request["reviews"].values():
            if review["state"] in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"} and review["user"] != issue["user"]:
                latest[review["user"]] = review["state"]
        if "CHANGES_REQUESTED" in latest.values():
            found.append("Changes have been requested by a reviewer with write access.")
        needed = reviews.get("required_approving_review_count", 1)
        if list(latest.values()).count("APPROVED") < needed:
            found.append(
                f"At least {needed} approving review{'s are' if needed > 1 else ' is'} required by reviewers with write access."
            )
    checks = rules.get("required_status_checks") or {}
    names = [check["context"] for check in checks.get("checks", [])] or checks.get("contexts", [])
    found += [
        f'Required status check "{name}" is expected.' for name in names if not passed(repo, request["head_sha"], name)
    ]
    if rules.get("required_conversation_resolution") and any(not t["resolved"] for t in request["threads"].values()):
        found.append("A conversation must be resolved before this pull request can be merged.")
    return found


@route("PUT", PULL + "/merge")
def merge(call: Call) -> Record:
    """Merge by merge commit, squash or rebase, if nothing forbids it."""
    call.repo("read", "pull_requests")
    repo = call.repo("write", "contents")
    hub, actor, issue = call.hub, call.signed_in(), pull_of(call, repo)
    request = issue["pull"]
    pull(hub, repo, issue, full=False)
    if issue["state"] == "closed" or request["draft"]:
        raise ApiError(
            405, "Pull Request is not mergeable" if not request["draft"] else "Pull Request is still a draft"
        )
    if call.get("sha", str, request["head_sha"]) != request["head_sha"]:
        raise ApiError(409, "Head branch was modified. Review and try the merge again.")
    if not mergeable(hub, issue):
        raise ApiError(405, "Pull Request is not mergeable")
    method = call.get("merge_method", str, "merge")
    switch = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}
    if method not in switch:
        raise bad_request(f'{method} is not a member of ["merge", "squash", "rebase"].')
    if not repo[switch[method]]:
        raise ApiError(405, f"{method.capitalize()} merges are not allowed on this repository.")
    found = blockers(repo, issue)
    if found:
        raise ApiError(405, found[0])
    sha = _merged(call, repo, issue, method)
    moment = now()
    request |= {"merged_at": moment, "merged_by": actor["login"], "merge_commit_sha": sha}
    note(hub, issue, "merged", actor)
    change_state(hub, repo, issue, "closed", actor)
    issue["state_reason"] = None
    move(hub, repo, f"refs/heads/{request['base_ref']}", sha, actor, bypass=True)
    if request["base_ref"] == repo["default_branch"]:
        for number in CLOSING.findall(issue["body"] or ""):
            other = repo["issues"].get(number)
            if other and not other.get("pull"):
                change_state(hub, repo, other, "closed", actor)
    if (
        repo["delete_branch_on_merge"]
        and "head_repo" not in request
        and f"refs/heads/{request['head_ref']}" in repo["refs"]
    ):
        move(hub, repo, f"refs/heads/{request['head_ref']}", None, actor, bypass=True)
    return {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}


def _merged(call: Call, repo: Record, issue: Record, method: str) -> str:
    """Store the merged commit(s); returns the new tip."""
    hub, request = call.hub, issue["pull"]
    commits_of = hub.table("commits")
    base, head = request["base_sha"], request["head_sha"]
    start = objects.merge_base(hub, base, head)
    request["merge_base"] = start
    tree = objects.flat(hub, commits_of[base]["tree"])
    old = objects.flat(hub, commits_of[start]["tree"]) if start else {}
    new = objects.flat(hub, commits_of[head]["tree"])
    for path in old | new:
        if old.get(path) != new.get(path):
            tree.pop(path, None)
            if path in new:
                tree[path] = new[path]
    root = objects.build(hub, repo, tree)
    who = person(hub, call.signed_in())
    number, title = issue["number"], issue["title"]
    if method == "merge":
        subject = call.get(
            "commit_title", str, f"Merge pull request #{number} from {repo['owner']}/{request['head_ref']}"
        )
        message = f"{subject}\n\n{call.get('commit_message', str, title)}"
        return objects.put_commit(hub, repo, root, [base, head], message, who, who)
    if method == "squash":
        message = call.get("commit_title", str, f"{title} (#{number})")
        detail = call.get("commit_message", str, "")
        return objects.put_commit(hub, repo, root, [base], f"{message}\n\n{detail}".strip(), who, who)
    tip: str = base
    shas = range_of(hub, base, head)
    for sha in shas:
        commit = commits_of[sha]
        step = root if sha == shas[-1] else commit["tree"]
        tip = objects.put_commit(hub, repo, step, [tip], commit["message"], commit["author"], who)
    return tip


@route("PUT", PULL + "/update-branch")
def update_branch(call: Call) -> Answer:
    """Merge the base into the head."""
    repo = call.repo("write", "pull_requests")
    issue = pull_of(call, repo)
    request = issue["pull"]
    base = repo["refs"][f"refs/heads/{request['base_ref']}"]
    if objects.is_ancestor(call.hub, base, request["head_sha"]):
        raise ApiError(422, "There are no new commits on the base branch.")
    swapped = {**issue, "pull": {**request, "base_sha": request["head_sha"], "head_sha": base}}
    if not mergeable(call.hub, swapped):
        raise ApiError(422, "merge conflict between base and head")
    swapped["pull"]["head_ref"] = request["base_ref"]
    sha = _merged(call, repo, swapped, "merge")
    move(call.hub, repo, f"refs/heads/{request['head_ref']}", sha, call.signed_in(), bypass=True)
    return Answer(
        202, {"message": "Updating pull request branch.", "url": pull(call.hub, repo, issue, full=False)["url"]}
    )
