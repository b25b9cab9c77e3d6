"""Renders issues, pull requests, comments, reviews and reactions."""

from __future__ import annotations

from local.sandbox.github import objects, present
from local.sandbox.github.hub import Hub, Record, node_id

REACTIONS = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"]


def association(hub: Hub, repo: Record, login: str) -> str:
    """How an author stands to a repository."""
    name = login.lower()
    if repo["owner"].lower() == name:
        return "OWNER"
    org = hub.org(repo["owner"])
    if org and name in org["members"]:
        return "MEMBER"
    return "COLLABORATOR" if name in repo["collaborators"] else "NONE"


def rollup(url: str, reactions: list[Record]) -> Record:
    """Reactions counted by kind."""
    counts = {kind: sum(r["content"] == kind for r in reactions) for kind in REACTIONS}
    return {"url": f"{url}/reactions", "total_count": len(reactions), **counts}


def issue(hub: Hub, repo: Record, record: Record) -> Record:
    """An issue, or a pull request seen as one."""
    base = present.repository_url(hub, repo)
    url = f"{base}/issues/{record['number']}"
    request = record.get("pull")
    page = f"{present.html_url(hub, repo)}/{'pull' if request else 'issues'}/{record['number']}"
    assignees = [present.account(hub, user) for login in record["assignees"] if (user := hub.user(login))]
    body = {
        "url": url,
        "repository_url": base,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "id": record["id"],
        "node_id": node_id("PullRequest" if request else "Issue", record["id"]),
        "number": record["number"],
        "title": record["title"],
        "user": present.account(hub, hub.user(record["user"])),
        "labels": [
            present.label(hub, repo, repo["labels"][name]) for name in record["labels"] if name in repo["labels"]
        ],
        "state": record["state"],
        "locked": record["locked"],
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": None,
        "comments": len(record["comments"]),
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "closed_at": record["closed_at"],
        "author_association": association(hub, repo, record["user"]),
        "active_lock_reason": None,
        "body": record["body"],
        "closed_by": present.account(hub, hub.user(record["closed_by"])) if record.get("closed_by") else None,
        "reactions": rollup(url, record["reactions"]),
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": record.get("state_reason"),
        "type": None,
    }
    if held := record.get("parent"):
        above = hub.table("repos").get(held[0])
        if above and str(held[1]) in above["issues"]:
            body["parent_issue_url"] = f"{present.repository_url(hub, above)}/issues/{held[1]}"
    if request:
        body["draft"] = request["draft"]
        body["pull_request"] = {
            "url": f"{base}/pulls/{record['number']}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": request["merged_at"],
        }
    return body


def comment(hub: Hub, repo: Record, record: Record) -> Record:
    """A comment on an issue."""
    base = present.repository_url(hub, repo)
    url = f"{base}/issues/comments/{record['id']}"
    parent = repo["issues"][str(record["issue"])]
    kind = "pull" if parent.get("pull") else "issues"
    return {
        "url": url,
        "html_url": f"{present.html_url(hub, repo)}/{kind}/{record['issue']}#issuecomment-{record['id']}",
        "issue_url": f"{base}/issues/{record['issue']}",
        "id": record["id"],
        "node_id": node_id("IssueComment", record["id"]),
        "user": present.account(hub, hub.user(record["user"])),
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "body": record["body"],
        "author_association": association(hub, repo, record["user"]),
        "reactions": rollup(url, record["reactions"]),
        "performed_via_github_app": None,
    }


def reaction(hub: Hub, record: Record) -> Record:
    """One reaction."""
    return {
        "id": record["id"],
        "node_id": node_id("Reaction", record["id"]),
        "user": present.account(hub, hub.user(record["user"])),
        "content": record["content"],
        "created_at": record["created_at"],
    }


def _side(hub: Hub, repo: Record, ref: str, sha: str) -> Record:
    return {
        "label": f"{repo['owner']}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": present.account(hub, hub.account(repo["owner"])),
        "repo": present.repository(hub, repo),
    }


def mergeable(hub: Hub, record: Record) -> bool | None:
    """Whether both sides can be merged: no path was changed on both differently. None once merged or closed."""
    from local.sandbox.github.pushes import changes

    request = record["pull"]
    if record["state"] == "closed":
        return None
    common = objects.merge_base(hub, request["base_sha"], request["head_sha"])
    ours = changes(hub, common, request["base_sha"])
    theirs = changes(hub, common, request["head_sha"])
    return all(ours[path][1] == theirs[path][1] for path in set(ours) & set(theirs))


def pull(hub: Hub, repo: Record, record: Record, *, full: bool = True) -> Record:
    """A pull request; lists leave out counts and mergeability."""
    from local.sandbox.github.commits import changed_files, range_of

    request = record["pull"]
    base = present.repository_url(hub, repo)
    url = f"{base}/pulls/{record['number']}"
    page = f"{present.html_url(hub, repo)}/pull/{record['number']}"
    if record["state"] == "open":
        request["base_sha"] = repo["refs"].get(f"refs/heads/{request['base_ref']}", request["base_sha"])
    plain = issue(hub, repo, record)
    shared = [
        "title",
        "user",
        "body",
        "labels",
        "assignee",
        "assignees",
        "milestone",
        "locked",
        "active_lock_reason",
        "created_at",
        "updated_at",
        "closed_at",
        "author_association",
        "state",
        "number",
        "id",
        "node_id",
    ]
    statuses = f"{base}/statuses/{request['head_sha']}"
    links = {
        "self": url,
        "html": page,
        "issue": plain["url"],
        "comments": plain["comments_url"],
        "review_comments": f"{url}/comments",
        "review_comment": f"{base}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    reviewers = [present.account(hub, user) for login in request["reviewers"] if (user := hub.user(login))]
    org = hub.org(repo["owner"])
    teams = [
        present.team(hub, org, org["teams"][slug]) for slug in request["team_reviewers"] if org and slug in org["teams"]
    ]
    body = {
        **{name: plain[name] for name in shared},
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": plain["url"],
        "merged_at": request["merged_at"],
        "merge_commit_sha": request.get("merge_commit_sha"),
        "requested_reviewers": reviewers,
        "requested_teams": teams,
        "draft": request["draft"],
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": statuses,
        "head": _side(
            hub, hub.table("repos").get(request.get("head_repo"), repo), request["head_ref"], request["head_sha"]
        ),
        "base": _side(hub, repo, request["base_ref"], request["base_sha"]),
        "_links": {name: {"href": target} for name, target in links.items()},
        "auto_merge": None,
    }
    if not full:
        return body
    start = request.get("merge_base") or objects.merge_base(hub, request["base_sha"], request["head_sha"])
    files = changed_files(hub, repo, start, request["head_sha"])
    can = mergeable(hub, record)
    return body | {
        "merged": request["merged_at"] is not None,
        "mergeable": can,
        "rebaseable": can,
        "mergeable_state": "unknown" if can is None else "clean" if can else "dirty",
        "merged_by": present.account(hub, hub.user(request["merged_by"])) if request.get("merged_by") else None,
        "comments": len(record["comments"]),
        "review_comments": len(request["review_comments"]),
        "maintainer_can_modify": False,
        "commits": len(range_of(hub, start, request["head_sha"])) if start else 0,
        "additions": sum(f["additions"] for f in files),
        "deletions": sum(f["deletions"] for f in files),
        "changed_files": len(files),
    }


def review(hub: Hub, repo: Record, record: Record, entry: Record) -> Record:
    """A review of a pull request."""
    url = f"{present.repository_url(hub, repo)}/pulls/{record['number']}"
    page = f"{present.html_url(hub, repo)}/pull/{record['number']}#pullrequestreview-{entry['id']}"
    body = {
        "id": entry["id"],
        "node_id": node_id("PullRequestReview", entry["id"]),
        "user": present.account(hub, hub.user(entry["user"])),
        "body": entry["body"],
        "state": entry["state"],
        "html_url": page,
        "pull_request_url": url,
        "author_association": association(hub, repo, entry["user"]),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "commit_id": entry["commit_id"],
    }
    return body | ({"submitted_at": entry["submitted_at"]} if entry["submitted_at"] else {})


def review_comment(hub: Hub, repo: Record, record: Record, entry: Record) -> Record:
    """A comment on a line of a pull request."""
    base = present.repository_url(hub, repo)
    pull_url = f"{base}/pulls/{record['number']}"
    url = f"{base}/pulls/comments/{entry['id']}"
    page = f"{present.html_url(hub, repo)}/pull/{record['number']}#discussion_r{entry['id']}"
    body = {
        "url": url,
        "pull_request_review_id": entry["review_id"],
        "id": entry["id"],
        "node_id": node_id("PullRequestReviewComment", entry["id"]),
        "diff_hunk": entry["diff_hunk"],
        "path": entry["path"],
        "commit_id": entry["commit_id"],
        "original_commit_id": entry["commit_id"],
        "user": present.account(hub, hub.user(entry["user"])),
        "body": entry["body"],
        "created_at": entry["created_at"],
        "updated_at": entry["created_at"],
        "html_url": page,
        "pull_request_url": pull_url,
        "author_association": association(hub, repo, entry["user"]),
        "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": pull_url}},
        "reactions": rollup(url, []),
        "start_line": entry.get("start_line"),
        "original_start_line": entry.get("start_line"),
        "start_side": None,
        "line": entry["line"],
        "original_line": entry["line"],
        "side": entry["side"],
        "position": entry["line"],
        "original_position": entry["line"],
        "subject_type": "line" if entry["line"] else "file",
    }
    return body | ({"in_reply_to_id": entry["in_reply_to"]} if entry.get("in_reply_to") else {})
