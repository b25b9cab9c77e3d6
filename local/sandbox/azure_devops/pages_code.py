"""Describes the pages of code: repositories, files, branches, policies in words, pull requests."""

from __future__ import annotations

from urllib.parse import quote

from local.sandbox.azure_devops import branch_policies, git_store
from local.sandbox.azure_devops.identities import display_name, find_subject
from local.sandbox.azure_devops.page_frame import View, frame, table
from local.sandbox.azure_devops.service import Tree
from local.sandbox.browser.page import (
    Badge,
    Block,
    Code,
    Empty,
    Event,
    Icon,
    InlineCode,
    Link,
    Markdown,
    Page,
    Time,
    Timeline,
    Tone,
    TreeNode,
    instant,
)
from local.sandbox.browser.page import Tree as TreeBlock

_LANGUAGES = {
    "py": "python",
    "yml": "yaml",
    "yaml": "yaml",
    "json": "json",
    "bicep": "bicep",
    "toml": "toml",
    "sh": "bash",
}
_PULL_TONES = {"active": Tone.ACTIVE, "completed": Tone.DONE, "abandoned": Tone.NEUTRAL}


def repository_page(view: View) -> Page | None:
    """All repositories, one repository, one of its files, or one of its pull requests."""
    if len(view.rest) < 2:
        rows = [
            [Link(r["name"], view.href("_git", r["name"]), Icon.REPOSITORY), len(r["commits"])]
            for r in view.project["repositories"].values()
        ]
        return frame(view, "Repos", "Repositories", blocks=[table(columns=["Name", "Commits"], rows=rows, numeric=[1])])
    wanted = view.rest[1].lower()
    repository = next(
        (r for r in view.project["repositories"].values() if wanted in {r["id"], r["name"].lower()}), None
    )
    if repository is None:
        return None
    if len(view.rest) > 3 and view.rest[2].lower() == "pullrequest":
        pull = repository["pulls"].get(view.rest[3])
        return _pull_page(view, repository, pull) if pull else None
    path = view.query.get("path", "")
    version = view.query.get("version", "").removeprefix("GB")
    commit_id = git_store.resolve(repository, version)
    files = git_store.files_of(repository, commit_id)
    if path and "/" + path.strip("/") in files:
        return _file_page(view, repository, "/" + path.strip("/"), files)
    blocks: list[Block] = []
    if commit_id is None:
        blocks.append(Empty("This repository is empty", "Push a commit to its first branch."))
    else:
        blocks.append(TreeBlock(_nodes(view, repository, files, "/"), title="Files"))
    readme = next((p for p in files if p.lower() == "/readme.md"), None)
    if readme:
        blocks.append(Markdown(git_store.blob(repository, files[readme]).decode("utf-8", "replace"), title="README"))
    return frame(
        view,
        "Repos",
        repository["name"],
        blocks=blocks,
        aside=[_branches(repository), _policies(view, repository), _pulls(view, repository)],
        icon=Icon.REPOSITORY,
    )


def _nodes(view: View, repository: Tree, files: git_store.Files, folder: str) -> list[TreeNode]:
    nodes = []
    for name, blob_id in sorted(
        git_store.children(files, folder).items(), key=lambda e: (e[1] is not None, e[0].lower())
    ):
        path = f"{folder.rstrip('/')}/{name}"
        if blob_id is None:
            nodes.append(TreeNode(name, icon=Icon.FOLDER, children=_nodes(view, repository, files, path)))
        else:
            nodes.append(TreeNode(name, view.href("_git", repository["name"]) + f"?path={quote(path)}", Icon.FILE))
    return nodes


def _file_page(view: View, repository: Tree, path: str, files: git_store.Files) -> Page:
    data = git_store.blob(repository, files[path])
    language = _LANGUAGES.get(path.rsplit(".", 1)[-1], "")
    text = f"{len(data)} bytes that are not text" if b"\0" in data else data.decode("utf-8", "replace")
    block = Markdown(text) if path.endswith(".md") else Code(text, language)
    return frame(
        view, "Repos", path.rsplit("/", 1)[1], subtitle=f"{repository['name']}{path}", blocks=[block], icon=Icon.FILE
    )


def _branches(repository: Tree) -> Block:
    rows = [
        [
            InlineCode(name.removeprefix("refs/heads/")),
            InlineCode(ref["objectId"][:8]),
            repository["commits"].get(ref["objectId"], {"message": ""})["message"].split("\n")[0],
        ]
        for name, ref in sorted(repository["refs"].items())
    ]
    return table(title="Branches", columns=["Name", "Head", "Last commit"], rows=rows, empty="No branches yet.")


def policy_in_words(view: View, policy: Tree) -> str:
    """What a policy demands, in a sentence."""
    settings = policy["settings"]
    definition = view.project["definitions"].get(str(settings.get("buildDefinitionId")), {"name": "?"})
    texts = {
        branch_policies.MINIMUM_REVIEWERS: f"At least {settings.get('minimumApproverCount')} reviewers approve"
        + ("; the author counts" if settings.get("creatorVoteCounts") else "; the author does not count")
        + ("; a push resets votes" if settings.get("resetOnSourcePush") else ""),
        branch_policies.REQUIRED_REVIEWERS: f"{len(settings.get('requiredReviewerIds') or [])} named reviewers approve",
        branch_policies.COMMENTS: "Every comment is resolved",
        branch_policies.WORK_ITEMS: "A work item is linked",
        branch_policies.BUILD: f"The pipeline {definition['name']} succeeds",
        branch_policies.STATUS: f"The status {settings.get('statusGenre') or ''}/{settings.get('statusName')} succeeds",
        branch_policies.MERGE_STRATEGY: "Only the allowed merge strategies are used",
    }
    return texts.get(policy["type"], branch_policies.TYPES[policy["type"]])


def _policies(view: View, repository: Tree) -> Block:
    rows = []
    for policy in view.project["policies"].values():
        names = [n for n in repository["refs"] if branch_policies.in_scope(policy, repository, n)]
        if policy["deleted"] or not names:
            continue
        tone = Badge("required", Tone.WARNING) if policy["blocking"] else Badge("optional")
        branches = ", ".join(n.removeprefix("refs/heads/") for n in names)
        rows.append([policy_in_words(view, policy), tone if policy["enabled"] else Badge("off"), branches])
    return table(title="Policies", columns=["Demand", "Weight", "Branches"], rows=rows, empty="No policies.")


def _pulls(view: View, repository: Tree) -> Block:
    rows = [
        [
            Link(
                f"!{p['id']} {p['title']}",
                view.href("_git", repository["name"], "pullrequest", str(p["id"])),
                Icon.PULL_REQUEST,
            ),
            Badge(p["status"], _PULL_TONES[p["status"]]),
        ]
        for p in reversed(repository["pulls"].values())
    ]
    return table(title="Pull requests", columns=["Pull request", "State"], rows=rows, empty="No pull requests yet.")


def name_of(view: View, user_id: str) -> str:
    """The name of a person or group."""
    subject = find_subject(view.org, user_id)
    return display_name(subject) if subject else user_id


def _pull_page(view: View, repository: Tree, pull: Tree) -> Page:
    events = []
    for thread in pull["threads"]:
        said = [
            Event(name_of(view, c["by"]), "commented", instant(c["published"]), c["content"])
            for c in thread["comments"]
            if not c["deleted"]
        ]
        if said:
            first, *replies = said
            badge = Badge(thread["status"]) if thread["status"] else None
            events.append(Event(first.author, first.action, first.at, first.body, badge=badge, replies=replies))
    votes = {10: "approved", 5: "approved with suggestions", 0: "no vote", -5: "waits for the author", -10: "rejected"}
    reviewers = [
        [name_of(view, r), votes[e["vote"]], Badge("required") if e["required"] else None]
        for r, e in pull["reviewers"].items()
    ]
    checks = [
        [policy_in_words(view, p), Badge(branch_policies.evaluate(view.org, view.project, repository, pull, p))]
        for p in branch_policies.applying(view.project, repository, pull["target"])
    ]
    changed: list[list[object]] = []
    if pull["iterations"]:
        last = pull["iterations"][-1]
        found = git_store.changes(
            git_store.files_of(repository, last["common"]), git_store.files_of(repository, last["source"])
        )
        changed = [[InlineCode(c["path"]), c["type"]] for c in found]
    return frame(
        view,
        "Repos",
        f"!{pull['id']} {pull['title']}",
        subtitle=f"{pull['source'].removeprefix('refs/heads/')} into {pull['target'].removeprefix('refs/heads/')}",
        status=Badge(pull["status"], _PULL_TONES[pull["status"]]),
        icon=Icon.PULL_REQUEST,
        blocks=[
            Markdown(pull["description"] or "No description.", title="Description"),
            table(title="Changed files", columns=["Path", "Change"], rows=changed),
            Timeline(events, title="Discussion"),
        ],
        aside=[
            table(title="Reviewers", columns=["Name", "Vote", ""], rows=reviewers, empty="No reviewers."),
            table(title="Policies", columns=["Demand", "State"], rows=checks, empty="No policies."),
            table(
                title="Statuses",
                columns=["Name", "State"],
                rows=[[s["context"]["name"], Badge(s["state"])] for s in pull["statuses"]],
                empty="No statuses.",
            ),
            table(
                title="Opened",
                columns=["By", "When"],
                rows=[[name_of(view, pull["by"]), Time(instant(pull["created"]))]],
            ),
        ],
    )
