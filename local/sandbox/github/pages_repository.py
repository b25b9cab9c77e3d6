"""Describes the pages within a repository: its files, branches, checks and rules."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from local.sandbox.browser.page import (
    Badge,
    Block,
    Cell,
    Code,
    Empty,
    Icon,
    InlineCode,
    KeyValues,
    Link,
    Markdown,
    Notice,
    Page,
    Tab,
    Table,
    Time,
    Tone,
    Tree,
    TreeNode,
    instant,
)
from local.sandbox.github import objects
from local.sandbox.github.hub import Hub, Record

_LANGUAGES = {
    "py": "python",
    "yml": "yaml",
    "yaml": "yaml",
    "json": "json",
    "toml": "toml",
    "sh": "bash",
    "js": "javascript",
    "bicep": "bicep",
}


def frame(repo: Record, current: str, title: str, blocks: list[Block], **more: object) -> Page:
    """A page within a repository, under its tabs."""
    base = f"/{repo['owner']}/{repo['name']}"
    open_issues = sum(i["state"] == "open" and not i.get("pull") for i in repo["issues"].values())
    open_pulls = sum(i["state"] == "open" and bool(i.get("pull")) for i in repo["issues"].values())
    tabs = [
        ("Code", "", None),
        ("Issues", "/issues", open_issues),
        ("Pull requests", "/pulls", open_pulls),
        ("Actions", "/actions", None),
        ("Branches", "/branches", None),
        ("Rulesets", "/rules", None),
        ("Webhooks", "/settings/hooks", None),
    ]
    crumbs = [Link("Organisations", "/"), Link(repo["owner"], f"/{repo['owner']}")]
    if title != repo["name"]:
        crumbs.append(Link(repo["name"], base))
    return Page(
        title=title,
        breadcrumbs=crumbs,
        tabs=[Tab(label, base + path, current=label == current, count=count) for label, path, count in tabs],
        blocks=blocks,
        **more,  # type: ignore[arg-type]
    )


def _nodes(hub: Hub, base: str, tree: str, prefix: str = "") -> list[TreeNode]:
    nodes = []
    # Folders first, as people expect; git itself sorts by bytes.
    for name, mode, sha in sorted(hub.table("trees").get(tree, []), key=lambda e: (e[1] != "040000", e[0].lower())):
        path = prefix + name
        if mode == "040000":
            nodes.append(TreeNode(name, icon=Icon.FOLDER, children=_nodes(hub, base, sha, f"{path}/")))
        else:
            nodes.append(
                TreeNode(name, f"{base}/{quote(path)}", Icon.FILE, meta=[f"{len(objects.blob(hub, sha))} bytes"])
            )
    return nodes


def repository_page(hub: Hub, _: Mapping[str, str], owner: str, name: str, ref: str | None = None) -> Page | None:
    """The files of a repository at a branch, its README and what is known of it."""
    repo = hub.repo(owner, name)
    if repo is None:
        return None
    branch = ref or repo["default_branch"]
    commit = objects.resolve(hub, repo, branch)
    if ref and commit is None:
        return None
    blocks: list[Block] = []
    if commit is None:
        blocks.append(Empty("No files yet", "The repository is empty until something is committed."))
    else:
        files = objects.flat(hub, hub.table("commits")[commit]["tree"])
        blocks.append(
            Tree(
                _nodes(hub, f"/{owner}/{name}/blob/{quote(branch)}", hub.table("commits")[commit]["tree"]),
                title=f"Files at {branch}",
            )
        )
        readme = next((p for p in files if p.lower() in {"readme.md", "readme"}), None)
        if readme:
            blocks.append(Markdown(objects.blob(hub, files[readme][1]).decode(errors="replace"), title="README"))
    head = hub.table("commits").get(commit or "")
    aside: list[Block] = [
        KeyValues(
            [
                ("Description", repo["description"]),
                ("Topics", [Badge(topic) for topic in repo["topics"]]),
                ("Default branch", Link(repo["default_branch"], f"/{owner}/{name}/branches")),
                ("Head", InlineCode(commit[:7]) if commit else None),
                ("Last commit", head["message"].splitlines()[0] if head and head["message"] else None),
                ("Pushed", Time(instant(repo["pushed_at"]))),
            ],
            title="About",
        )
    ]
    status = Badge("private" if repo["private"] else "public")
    return frame(repo, "Code", repo["name"], blocks, aside=aside, status=status, icon=Icon.REPOSITORY)


def file_page(hub: Hub, _: Mapping[str, str], owner: str, name: str, rest: str) -> Page | None:
    """One file: rendered, as code, or to be downloaded."""
    repo = hub.repo(owner, name)
    # Branch names hold slashes: the longest that exists wins.
    parts = rest.split("/")
    for size in range(len(parts) - 1, 0, -1):
        ref, path = "/".join(parts[:size]), "/".join(parts[size:])
        commit = objects.resolve(hub, repo, ref) if repo else None
        found = objects.entry_at(hub, hub.table("commits")[commit]["tree"], path) if commit else None
        if repo and found and found[0] != "040000":
            content = objects.blob(hub, found[1])
            language = _LANGUAGES.get(path.rpartition(".")[2], "")
            if b"\0" in content:
                body: Block = Empty(
                    "A binary file",
                    f"{len(content)} bytes",
                    Link("Download", f"/{owner}/{name}/raw/{ref}/{quote(path)}"),
                )
            elif path.endswith(".md"):
                body = Markdown(content.decode(errors="replace"))
            else:
                body = Code(content.decode(errors="replace"), language)
            return frame(repo, "Code", path, [body], subtitle=f"at {ref}", icon=Icon.FILE)
    return None


def branches_page(hub: Hub, _: Mapping[str, str], owner: str, name: str) -> Page | None:
    """Branches and tags, and how the branches are protected."""
    repo = hub.repo(owner, name)
    if repo is None:
        return None
    rows: list[list[Cell]] = []
    blocks: list[Block] = []
    for ref, sha in sorted(repo["refs"].items()):
        kind, branch = ref.split("/", 2)[1:]
        rules = repo["protection"].get(branch) if kind == "heads" else None
        state = Badge("protected", Tone.SUCCESS) if rules else None
        icon = Icon.BRANCH if kind == "heads" else Icon.TAG
        rows.append([Link(branch, f"/{owner}/{name}/tree/{quote(branch)}", icon), InlineCode(sha[:7]), state])
        if rules:
            blocks.append(
                KeyValues(
                    [(k.replace("_", " ").capitalize(), shown(v)) for k, v in rules.items()],
                    title=f"Protection of {branch}",
                )
            )
    table = Table(title="Branches and tags", columns=["Name", "Head", "Protection"], rows=rows)
    return frame(repo, "Branches", "Branches", [table, *blocks])


def shown(value: object) -> str:
    """A setting in words."""
    if isinstance(value, dict):
        return "; ".join(f"{k.replace('_', ' ')}: {shown(v)}" for k, v in value.items()) or "on"
    if isinstance(value, list):
        return ", ".join(shown(v) for v in value) or "none"
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def actions_page(hub: Hub, _: Mapping[str, str], owner: str, name: str) -> Page | None:
    """Workflows and their runs, what checks and statuses said, and environments."""
    repo = hub.repo(owner, name)
    if repo is None:
        return None
    head = objects.head_of(repo)
    files = objects.flat(hub, hub.table("commits")[head]["tree"]) if head else {}
    rows = [
        [Link(p, f"/{owner}/{name}/blob/{repo['default_branch']}/{quote(p)}", Icon.PIPELINE)]
        for p in files
        if p.startswith(".github/workflows/")
    ]
    tone = {"success": Tone.SUCCESS, "failure": Tone.DANGER}
    runs: list[list[Cell]] = [
        [
            r["name"],
            InlineCode(r["head_sha"][:7]),
            Badge(r["conclusion"] or r["status"], tone.get(r["conclusion"], Tone.INFO)),
        ]
        for r in repo["check_runs"].values()
    ]
    runs += [
        [s["context"], InlineCode(sha[:7]), Badge(s["state"], tone.get(s["state"], Tone.INFO))]
        for sha, all_ in repo["statuses"].items()
        for s in all_
    ]
    environments = [
        [e["name"], ", ".join(r["type"] for r in e["protection_rules"])] for e in repo["environments"].values()
    ]
    return frame(
        repo,
        "Actions",
        "Actions",
        [
            Table(title="Workflows", columns=["File"], rows=rows),
            Table(
                title="Runs",
                columns=["Workflow", "Branch", "Commit", "State"],
                rows=[
                    [
                        Link(f"{run['name']} #{run['run_number']}", f"/{owner}/{name}/actions/runs/{run['id']}"),
                        run["head_branch"],
                        InlineCode(run["head_sha"][:7]),
                        Badge(run["conclusion"] or run["status"], tone.get(run["conclusion"], Tone.INFO)),
                    ]
                    for run in reversed(repo.get("runs", {}).values())
                ],
            ),
            Table(title="Checks and statuses", columns=["Name", "Commit", "Result"], rows=runs),
            Table(title="Environments", columns=["Name", "Rules"], rows=environments),
        ],
    )


def run_page(hub: Hub, _: Mapping[str, str], owner: str, name: str, number: str) -> Page | None:
    """One run of a workflow. Nothing runs in the sandbox, so it says what began it and stays as it is."""
    repo = hub.repo(owner, name)
    run = repo.get("runs", {}).get(number) if repo else None
    if repo is None or run is None:
        return None
    workflow = f"/{owner}/{name}/blob/{repo['default_branch']}/{quote(run['path'])}"
    return frame(
        repo,
        "Actions",
        f"{run['name']} #{run['run_number']}",
        [
            KeyValues(
                [
                    ("Workflow", Link(run["path"], workflow, Icon.PIPELINE)),
                    ("Begun by", f"{run['event']} to {run['head_branch']}"),
                    ("Commit", InlineCode(run["head_sha"][:7])),
                    ("About", run["display_title"]),
                    ("State", Badge(run["conclusion"] or run["status"], Tone.INFO)),
                    ("At", Time(instant(run["created_at"]))),
                ]
            ),
            Notice("No workflow runs in the sandbox: a run shows that it began, and stays queued."),
        ],
    )


def rules_page(hub: Hub, _: Mapping[str, str], owner: str, name: str) -> Page | None:
    """The rulesets of a repository."""
    repo = hub.repo(owner, name)
    if repo is None:
        return None
    rows = [
        [
            r["name"],
            r["target"],
            Badge(r["enforcement"], Tone.SUCCESS if r["enforcement"] == "active" else Tone.NEUTRAL),
            ", ".join(x["type"] for x in r["rules"]),
        ]
        for r in repo["rulesets"].values()
    ]
    return frame(repo, "Rulesets", "Rulesets", [Table(columns=["Name", "Target", "Enforcement", "Rules"], rows=rows)])
