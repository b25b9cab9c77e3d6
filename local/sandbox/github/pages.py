"""Describes the pages of the GitHub simulator: organisations, repositories and what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from local.sandbox.browser.page import (
    Badge,
    Block,
    Code,
    Empty,
    Form,
    Icon,
    InlineCode,
    KeyValues,
    Link,
    Markdown,
    Page,
    Select,
    Tab,
    Table,
    Text,
    TextArea,
    Time,
    Tone,
    Tree,
    TreeNode,
    instant,
)
from local.sandbox.github import objects
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.pages_work import issue_list, issue_page, pull_page
from local.sandbox.state import State

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


def page(state: State, path: str, query: Mapping[str, str]) -> Page | None:
    """The page at `path`; None where there is none."""
    hub = Hub(state, "")
    if path == "/":
        return _home(hub)
    for pattern, draw in _PAGES:
        found = re.fullmatch(pattern, path)
        if found:
            return draw(hub, query, **found.groupdict())
    return None


def _home(hub: Hub) -> Page:
    rows = [
        [
            Link(o["login"], f"/{o['login']}", Icon.ORGANISATION),
            o["plan"],
            len(o["members"]),
            len(hub.repos_of(o["login"])),
        ]
        for o in hub.table("orgs").values()
    ]
    people = [[u["login"], u.get("name"), u["type"]] for u in hub.table("users").values()]
    return Page(
        title="Organisations",
        blocks=[
            Table(
                title="Organisations", columns=["Name", "Plan", "Members", "Repositories"], rows=rows, numeric=[2, 3]
            ),
            Table(title="People", columns=["Login", "Name", "Kind"], rows=people),
        ],
    )


def _org(hub: Hub, _: Mapping[str, str], org: str) -> Page | None:
    found = hub.org(org)
    if found is None:
        return None
    login = found["login"]
    rows = [
        [
            Link(r["name"], f"/{login}/{r['name']}", Icon.REPOSITORY),
            Badge("private" if r["private"] else "public"),
            r["description"],
            sum(i["state"] == "open" for i in r["issues"].values()),
            Time(instant(r["updated_at"])),
        ]
        for r in hub.repos_of(login)
    ]
    teams = [[t["name"], ", ".join(t["members"]), len(t["repos"])] for t in found["teams"].values()]
    installed = [i for i in hub.table("installations").values() if i["account"].lower() == login.lower()]
    apps = [
        [
            hub.table("apps")[str(i["app_id"])]["name"],
            i["id"],
            i["repository_selection"],
            Time(instant(i["created_at"])),
        ]
        for i in installed
    ]
    return Page(
        title=login,
        breadcrumbs=[Link("Organisations", "/")],
        icon=Icon.ORGANISATION,
        status=Badge(f"{found['plan']} plan"),
        blocks=[
            Table(
                title="Repositories",
                columns=["Name", "Visibility", "Description", "Open", "Updated"],
                rows=rows,
                numeric=[3],
            ),
            Table(title="Teams", columns=["Name", "Members", "Repositories"], rows=teams, numeric=[2]),
            Table(title="Members", columns=["Login", "Role"], rows=[[n, role] for n, role in found["members"].items()]),
            Table(title="Apps installed", columns=["App", "Installation", "Repositories", "Since"], rows=apps),
            _hooks_table(found["hooks"].values(), f"/organizations/{login}/settings/hooks"),
        ],
        actions=[Link("Register an App", f"/organizations/{login}/settings/apps/new")],
    )


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
    for name, mode, sha in hub.table("trees").get(tree, []):
        path = prefix + name
        if mode == "040000":
            nodes.append(TreeNode(name, icon=Icon.FOLDER, children=_nodes(hub, base, sha, f"{path}/")))
        else:
            nodes.append(
                TreeNode(name, f"{base}/{quote(path)}", Icon.FILE, meta=[f"{len(objects.blob(hub, sha))} bytes"])
            )
    return nodes


def _repo(hub: Hub, _: Mapping[str, str], owner: str, name: str, ref: str | None = None) -> Page | None:
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


def _file(hub: Hub, _: Mapping[str, str], owner: str, name: str, rest: str) -> Page | None:
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


def _branches(hub: Hub, _: Mapping[str, str], owner: str, name: str) -> Page | None:
    repo = hub.repo(owner, name)
    if repo is None:
        return None
    rows, blocks = [], []
    for ref, sha in sorted(repo["refs"].items()):
        kind, branch = ref.split("/", 2)[1:]
        rules = repo["protection"].get(branch) if kind == "heads" else None
        state = Badge("protected", Tone.SUCCESS) if rules else None
        icon = Icon.BRANCH if kind == "heads" else Icon.TAG
        rows.append([Link(branch, f"/{owner}/{name}/tree/{quote(branch)}", icon), InlineCode(sha[:7]), state])
        if rules:
            blocks.append(
                KeyValues(
                    [(k.replace("_", " ").capitalize(), _shown(v)) for k, v in rules.items()],
                    title=f"Protection of {branch}",
                )
            )
    table = Table(title="Branches and tags", columns=["Name", "Head", "Protection"], rows=rows)
    return frame(repo, "Branches", "Branches", [table, *blocks])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{k.replace('_', ' ')}: {_shown(v)}" for k, v in value.items()) or "on"
    if isinstance(value, list):
        return ", ".join(_shown(v) for v in value) or "none"
    return (
        {True: "yes", False: "no", None: "off"}.get(value, str(value))
        if value is None or isinstance(value, bool)
        else str(value)
    )


def _actions(hub: Hub, _: Mapping[str, str], owner: str, name: str) -> Page | None:
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
    runs = [
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
            Table(title="Checks and statuses", columns=["Name", "Commit", "Result"], rows=runs),
            Table(title="Environments", columns=["Name", "Rules"], rows=environments),
        ],
    )


def _rules(hub: Hub, _: Mapping[str, str], owner: str, name: str) -> Page | None:
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


def _hooks_table(hooks: object, base: str) -> Table:
    rows = [
        [
            Link(h["config"]["url"], f"{base}/{h['id']}", Icon.HOOK),
            ", ".join(h["events"]),
            Badge("active", Tone.SUCCESS) if h["active"] else Badge("off"),
            len(h["deliveries"]),
        ]
        for h in hooks  # type: ignore[attr-defined]
    ]
    return Table(title="Webhooks", columns=["Address", "Events", "State", "Deliveries"], rows=rows, numeric=[3])


def _deliveries(hook: Record) -> Table:
    rows = [
        [
            InlineCode(d["guid"][:8]),
            f"{d['event']}{'.' + d['action'] if d['action'] else ''}",
            Badge(str(d["status_code"] or d["status"]), Tone.SUCCESS if 200 <= d["status_code"] < 400 else Tone.DANGER),
            d["duration"],
            Time(instant(d["delivered_at"])),
        ]
        for d in hook["deliveries"]
    ]
    return Table(title="Deliveries", columns=["Delivery", "Event", "Answer", "Seconds", "When"], rows=rows, numeric=[3])


def _repo_hooks(hub: Hub, _: Mapping[str, str], owner: str, name: str, number: str | None = None) -> Page | None:
    repo = hub.repo(owner, name)
    if repo is None or (number and number not in repo["hooks"]):
        return None
    if number is None:
        return frame(
            repo, "Webhooks", "Webhooks", [_hooks_table(repo["hooks"].values(), f"/{owner}/{name}/settings/hooks")]
        )
    hook = repo["hooks"][number]
    return frame(repo, "Webhooks", hook["config"]["url"], [_deliveries(hook)], icon=Icon.HOOK)


def _org_hook(hub: Hub, _: Mapping[str, str], org: str, number: str) -> Page | None:
    found = hub.org(org)
    hook = (found or {"hooks": {}})["hooks"].get(number)
    if hook is None:
        return None
    crumbs = [Link("Organisations", "/"), Link(org, f"/{org}")]
    return Page(title=hook["config"]["url"], breadcrumbs=crumbs, icon=Icon.HOOK, blocks=[_deliveries(hook)])


def _new_app(hub: Hub, query: Mapping[str, str], org: str) -> Page | None:
    if hub.org(org) is None:
        return None
    form = Form(
        f"/organizations/{org}/settings/apps/new",
        [
            TextArea("manifest", "Manifest (JSON)", required=True, rows=12),
            Text("state", "State", value=query.get("state", "")),
        ],
        "Create GitHub App",
    )
    return Page(
        title="Register an App from a manifest",
        breadcrumbs=[Link("Organisations", "/"), Link(org, f"/{org}")],
        blocks=[form],
    )


def _app(hub: Hub, _: Mapping[str, str], slug: str) -> Page | None:
    app = next((a for a in hub.table("apps").values() if a["slug"] == slug), None)
    if app is None:
        return None
    accounts = [(o["login"], o["login"]) for o in hub.table("orgs").values()]
    return Page(
        title=app["name"],
        breadcrumbs=[Link("Organisations", "/"), Link(app["owner"], f"/{app['owner']}")],
        blocks=[
            KeyValues(
                [
                    ("Permissions", _shown(app["permissions"])),
                    ("Events", ", ".join(app["events"])),
                    ("Webhook", app["hook"]["config"]["url"]),
                ],
                title="About",
            ),
            Form(
                f"/apps/{slug}/installations/new",
                [Select("account", "Install on", accounts, app["owner"])],
                "Install",
                title="Install",
            ),
            _deliveries(app["hook"]),
        ],
    )


def _installation(hub: Hub, _: Mapping[str, str], org: str, number: str) -> Page | None:
    record = hub.table("installations").get(number)
    if record is None or record["account"].lower() != org.lower():
        return None
    app = hub.table("apps")[str(record["app_id"])]
    shown = KeyValues(
        [
            ("App", Link(app["name"], f"/apps/{app['slug']}")),
            ("Permissions", _shown(record["permissions"])),
            ("Repositories", record["repository_selection"]),
            ("Installed", Time(instant(record["created_at"]))),
        ]
    )
    return Page(
        title=f"Installation {number}", breadcrumbs=[Link("Organisations", "/"), Link(org, f"/{org}")], blocks=[shown]
    )


_R = r"/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)"
_PAGES: list[tuple[str, Callable[..., Page | None]]] = [
    (r"/organizations/(?P<org>[\w-]+)/settings/apps/new", _new_app),
    (r"/organizations/(?P<org>[\w-]+)/settings/hooks/(?P<number>\d+)", _org_hook),
    (r"/organizations/(?P<org>[\w-]+)/settings/installations/(?P<number>\d+)", _installation),
    (r"/apps/(?P<slug>[\w-]+)(?:/installations/new)?", _app),
    (r"/(?P<org>[\w-]+)", _org),
    (_R, _repo),
    (_R + r"/tree/(?P<ref>.+)", _repo),
    (_R + r"/blob/(?P<rest>.+)", _file),
    (_R + r"/(?P<kind>issues|pulls)", lambda hub, query, **at: issue_list(hub, query, frame, **at)),
    (_R + r"/issues/(?P<number>\d+|new)", lambda hub, query, **at: issue_page(hub, query, frame, **at)),
    (_R + r"/pull/(?P<number>\d+)", lambda hub, query, **at: pull_page(hub, query, frame, **at)),
    (_R + r"/actions", _actions),
    (_R + r"/branches", _branches),
    (_R + r"/rules", _rules),
    (_R + r"/settings/hooks(?:/(?P<number>\d+))?", _repo_hooks),
]
