"""Describes the pages of issues and pull requests, with the form to answer them."""

from __future__ import annotations

from collections.abc import Mapping

from local.sandbox.browser.page import (
    Badge,
    Block,
    Code,
    Event,
    Form,
    FormField,
    Icon,
    InlineCode,
    KeyValues,
    Link,
    Page,
    Table,
    TextArea,
    Time,
    Timeline,
    Tone,
    instant,
)
from local.sandbox.browser.prose import without_comments
from local.sandbox.github.commits import changed_files
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.issue_forms import chooser
from local.sandbox.github.pages_forms import who
from local.sandbox.github.pages_repository import frame
from local.sandbox.github.pull_merges import blockers
from local.sandbox.github.pulls import start_of


def _state(issue: Record) -> Badge:
    if issue.get("pull", {}).get("merged_at"):
        return Badge("merged", Tone.DONE)
    return Badge("open", Tone.ACTIVE) if issue["state"] == "open" else Badge("closed", Tone.DONE)


def issue_list(hub: Hub, query: Mapping[str, str], *, owner: str, name: str, kind: str) -> Page | None:
    """Issues or pull requests, the newest first."""
    repo = hub.repo(owner, name)
    if repo is None:
        return None
    pulls = kind == "pulls"
    wanted = query.get("state", "all")
    found = [i for i in repo["issues"].values() if bool(i.get("pull")) == pulls and wanted in {"all", i["state"]}][::-1]
    path = "pull" if pulls else "issues"
    rows = [
        [
            Link(
                f"#{i['number']} {i['title']}",
                f"/{owner}/{name}/{path}/{i['number']}",
                Icon.PULL_REQUEST if pulls else Icon.ISSUE,
            ),
            _state(i),
            [Badge(repo["labels"][key]["name"]) for key in i["labels"] if key in repo["labels"]],
            i["user"],
            len(i["comments"]),
            Time(instant(i["updated_at"])),
        ]
        for i in found
    ]
    table = Table(columns=["Title", "State", "Labels", "By", "Comments", "Updated"], rows=rows, numeric=[4])
    new = f"/{owner}/{name}/issues/new{'/choose' if chooser(hub, repo).templates else ''}"
    actions = [] if pulls else [Link("New issue", new)]
    return frame(
        repo, "Pull requests" if pulls else "Issues", "Pull requests" if pulls else "Issues", [table], actions=actions
    )


def _comment_form(hub: Hub, owner: str, name: str, number: str) -> Form:
    fields: list[FormField] = [who(hub), TextArea("body", "Comment", required=True)]
    return Form(f"/{owner}/{name}/issues/{number}/comments", fields, "Comment", title="Add a comment")


def _timeline(issue: Record) -> Timeline:
    events = [Event(issue["user"], "opened this", instant(issue["created_at"]), issue["body"] or "")]
    for event in issue["events"]:
        detail = (event.get("label") or {}).get("name") or event.get("assignee") or ""
        events.append(Event(event["actor"], f"{event['event']} {detail}".strip(), instant(event["created_at"])))
    for comment in issue["comments"].values():
        anchor = f"issuecomment-{comment['id']}"
        events.append(
            Event(comment["user"], "commented", instant(comment["created_at"]), comment["body"], anchor=anchor)
        )
    return Timeline(sorted(events, key=lambda e: e.at), title="Discussion")


def _aside(repo: Record, issue: Record) -> KeyValues:
    labels = [Badge(repo["labels"][key]["name"]) for key in issue["labels"] if key in repo["labels"]]
    return KeyValues([("Labels", labels), ("Assignees", ", ".join(issue["assignees"]) or None)], title="Details")


def issue_page(hub: Hub, _: Mapping[str, str], *, owner: str, name: str, number: str) -> Page | None:
    """One issue with its discussion."""
    repo = hub.repo(owner, name)
    if repo is None:
        return None
    issue = repo["issues"].get(number)
    if issue is None or issue.get("pull"):
        return None
    blocks: list[Block] = [_timeline(issue), _comment_form(hub, owner, name, number)]
    return frame(
        repo,
        "Issues",
        f"{issue['title']} #{number}",
        blocks,
        aside=[_aside(repo, issue)],
        status=_state(issue),
        icon=Icon.ISSUE,
    )


def pull_page(hub: Hub, _: Mapping[str, str], *, owner: str, name: str, number: str) -> Page | None:
    """One pull request: discussion, reviews, what still blocks it, and its changes."""
    repo = hub.repo(owner, name)
    issue = repo["issues"].get(number) if repo else None
    if repo is None or issue is None or not issue.get("pull"):
        return None
    request = issue["pull"]
    tones = {"APPROVED": Tone.SUCCESS, "CHANGES_REQUESTED": Tone.WARNING}
    reviews = [
        [
            r["user"],
            Badge(r["state"].lower().replace("_", " "), tones.get(r["state"], Tone.INFO)),
            without_comments(r["body"]),
        ]
        for r in request["reviews"].values()
    ]
    waiting = blockers(repo, issue) if issue["state"] == "open" else []
    blocks: list[Block] = [
        _timeline(issue),
        Table(title="Reviews", columns=["By", "Verdict", "Comment"], rows=reviews),
        Table(
            title="Still asked before merging", columns=["What"], rows=[[text] for text in waiting], empty="Nothing."
        ),
        *(
            Code(f.get("patch", "No text to show"), "diff", title=f["filename"], name=f"file{n}")
            for n, f in enumerate(changed_files(hub, repo, start_of(hub, issue), request["head_sha"]))
        ),
        _comment_form(hub, owner, name, number),
    ]
    side = KeyValues(
        [
            ("From", InlineCode(request["head_ref"])),
            ("Into", InlineCode(request["base_ref"])),
            ("Head", InlineCode(request["head_sha"][:7])),
        ],
        title="Branches",
    )
    return frame(
        repo,
        "Pull requests",
        f"{issue['title']} #{number}",
        blocks,
        aside=[side, _aside(repo, issue)],
        status=_state(issue),
        icon=Icon.PULL_REQUEST,
    )
