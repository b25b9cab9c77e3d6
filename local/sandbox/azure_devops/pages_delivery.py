"""Describes the pages of delivery: pipelines with runs, environments with approvals, wikis, settings and service hooks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from local.sandbox.azure_devops import approvals, git_store
from local.sandbox.azure_devops.hook_catalog import EVENTS
from local.sandbox.azure_devops.page_frame import View, frame, table
from local.sandbox.azure_devops.pages_code import name_of, policy_in_words
from local.sandbox.azure_devops.service import Tree, parse_time
from local.sandbox.browser.page import (
    Badge,
    Block,
    Code,
    Empty,
    Icon,
    InlineCode,
    KeyValues,
    Link,
    Markdown,
    Page,
    Step,
    Steps,
    StepState,
    Time,
    Tone,
    TreeNode,
    instant,
)
from local.sandbox.browser.page import Tree as TreeBlock

_TONES = {
    "succeeded": Tone.SUCCESS,
    "failed": Tone.DANGER,
    "canceled": Tone.NEUTRAL,
    "partiallySucceeded": Tone.WARNING,
}
_RESULTS = {
    "succeeded": StepState.SUCCEEDED,
    "failed": StepState.FAILED,
    "rejected": StepState.FAILED,
    "skipped": StepState.SKIPPED,
    "canceled": StepState.CANCELLED,
}


def _outcome(build: Tree) -> Badge:
    return (
        Badge(build["result"], _TONES.get(build["result"], Tone.NEUTRAL))
        if build["result"]
        else Badge(build["status"], Tone.ACTIVE)
    )


def _run_rows(view: View, builds: list[Tree]) -> list[list[Any]]:
    return [
        [
            Link(b["number"], view.href("_build", "results") + f"?buildId={b['id']}", Icon.PIPELINE),
            view.project["definitions"][str(b["definition"])]["name"],
            InlineCode(b["branch"].removeprefix("refs/heads/")),
            _outcome(b),
            Time(instant(b["queue_time"])),
        ]
        for b in reversed(builds)
    ]


def build_page(view: View) -> Page | None:
    """All pipelines, one pipeline (`definitionId`), or one run (`buildId`)."""
    project = view.project
    build = project["builds"].get(view.query.get("buildId", ""))
    if build is not None:
        return _run_page(view, build)
    columns = ["Run", "Pipeline", "Branch", "State", "Queued"]
    definition = project["definitions"].get(view.query.get("definitionId", ""))
    if definition is not None:
        runs = [b for b in project["builds"].values() if b["definition"] == definition["id"]]
        blocks: list[Block] = [table(title="Runs", columns=columns, rows=_run_rows(view, runs), empty="No runs yet.")]
        return frame(
            view, "Pipelines", definition["name"], icon=Icon.PIPELINE, blocks=[*blocks, *_yaml(project, definition)]
        )
    rows = [
        [
            Link(d["name"], view.href("_build", "definition") + f"?definitionId={d['id']}", Icon.PIPELINE),
            InlineCode(str(d["process"].get("yamlFilename") or "")),
        ]
        for d in project["definitions"].values()
    ]
    return frame(
        view,
        "Pipelines",
        "Pipelines",
        blocks=[
            table(title="Pipelines", columns=["Name", "File"], rows=rows, empty="No pipelines yet."),
            table(
                title="Runs",
                columns=columns,
                rows=_run_rows(view, list(project["builds"].values())),
                empty="No runs yet.",
            ),
        ],
    )


def _yaml(project: Tree, definition: Tree) -> list[Block]:
    repository = project["repositories"].get(str(definition["repository"].get("id")))
    path = "/" + str(definition["process"].get("yamlFilename") or "").lstrip("/")
    files = git_store.files_of(repository, git_store.resolve(repository, "")) if repository else {}
    if repository is None or path not in files:
        return [Empty("No YAML", f"{path} is not on the default branch.")]
    return [Code(git_store.blob(repository, files[path]).decode("utf-8", "replace"), "yaml", title=path)]


def _run_page(view: View, build: Tree) -> Page:
    steps = []
    for stage in build["stages"]:
        waiting = stage["state"] == "pending" and any(
            view.project["approvals"][a]["status"] == "pending" for a in stage["approvals"] or []
        )
        state = (
            StepState.WAITING if waiting else StepState.PENDING if stage["state"] == "pending" else StepState.RUNNING
        )
        state = _RESULTS[stage["result"]] if stage["state"] == "completed" else state
        jobs = [Step(j["display"], state, children=[Step(s, state) for s in j["steps"]]) for j in stage["jobs"]]
        duration: timedelta | None = None
        if stage["start"] and stage["finish"]:
            duration = parse_time(stage["finish"]) - parse_time(stage["start"])
        note = f"Deploys to {', '.join(stage['environments'])}" if stage["environments"] else ""
        steps.append(Step(stage["display"], state, duration, note, children=jobs))
    facts = KeyValues(
        [
            ("Branch", InlineCode(build["branch"])),
            ("Commit", InlineCode(build["version"][:8])),
            ("Reason", build["reason"]),
            ("Queued", Time(instant(build["queue_time"]))),
            ("By", name_of(view, build["by"])),
        ],
        title="About",
    )
    running = 2 if build["status"] != "completed" else None
    return frame(
        view,
        "Pipelines",
        f"Run {build['number']}",
        status=_outcome(build),
        blocks=[Steps(steps, title="Stages")],
        aside=[facts],
        icon=Icon.PIPELINE,
        refresh_seconds=running,
    )


def environments_page(view: View) -> Page:
    """Environments with their checks, deployments and approvals."""
    project = view.project
    rows = []
    for environment in project["environments"].values():
        checks = [
            c
            for c in project["checks"].values()
            if c["resource"]["type"] == "environment" and c["resource"]["id"] == str(environment["id"])
        ]
        rows.append(
            [
                environment["name"],
                environment["description"],
                [Badge(approvals.CHECK_TYPES[c["type"]]) for c in checks],
                len(environment["deployments"]),
            ]
        )
    asked = [
        [
            a["stage"],
            Badge(a["status"], Tone.WARNING if a["status"] == "pending" else Tone.NEUTRAL),
            ", ".join(name_of(view, s["approver"]) for s in a["steps"]),
            Time(instant(a["created"])),
        ]
        for a in reversed(project["approvals"].values())
    ]
    return frame(
        view,
        "Environments",
        "Environments",
        blocks=[
            table(
                title="Environments",
                columns=["Name", "Description", "Checks", "Deployments"],
                rows=rows,
                numeric=[3],
                empty="No environments yet.",
            ),
            table(
                title="Approvals",
                columns=["Stage", "State", "Approvers", "Asked"],
                rows=asked,
                empty="No approvals were asked for.",
            ),
        ],
    )


def wiki_page(view: View) -> Page | None:
    """The wikis, or one with a page rendered."""
    wikis = list(view.project["wikis"].values())
    if len(view.rest) < 3:
        rows = [
            [Link(w["name"], view.href("_wiki", "wikis", w["id"]), Icon.WIKI), w["type"], len(w["pages"])]
            for w in wikis
        ]
        return frame(
            view,
            "Wiki",
            "Wikis",
            blocks=[table(columns=["Name", "Kind", "Pages"], rows=rows, numeric=[2], empty="No wikis yet.")],
        )
    wiki = next((w for w in wikis if view.rest[2].lower() in {w["id"], w["name"].lower()}), None)
    if wiki is None:
        return None
    where = view.href("_wiki", "wikis", wiki["id"])
    nodes = [TreeNode(p.lstrip("/"), f"{where}?pagePath={quote(p)}", Icon.WIKI) for p in sorted(wiki["pages"])]
    path = "/" + view.query.get("pagePath", next(iter(sorted(wiki["pages"])), "")).strip("/")
    held = wiki["pages"].get(path)
    block: Block = Markdown(held["content"]) if held else Empty("No such page", "Choose one of the pages on the right.")
    return frame(
        view,
        "Wiki",
        path.lstrip("/") or wiki["name"],
        blocks=[block],
        aside=[TreeBlock(nodes, title="Pages")],
        icon=Icon.WIKI,
    )


def settings_page(view: View) -> Page:
    """Policies, variable groups, service connections, service hooks and their deliveries."""
    project = view.project
    policies = [
        [policy_in_words(view, p), Badge("required" if p["blocking"] else "optional")]
        for p in project["policies"].values()
        if not p["deleted"]
    ]
    groups = [[g["name"], ", ".join(g["variables"])] for g in project["variable_groups"].values()]
    endpoints = [[e["name"], e["type"], e["url"]] for e in project["endpoints"].values()]
    own = [
        s
        for s in view.org["subscriptions"].values()
        if s["publisherInputs"].get("projectId") in {None, "", project["id"]}
    ]
    hooks = [[EVENTS[s["eventType"]][1], str(s["consumerInputs"]["url"]), Badge(s["status"])] for s in own]
    ids = {s["id"] for s in own}
    deliveries = [
        [
            n["id"],
            n["body"]["eventType"],
            Badge(n["result"], Tone.SUCCESS if n["result"] == "succeeded" else Tone.WARNING),
            _answers(n),
            Time(instant(n["createdDate"])),
        ]
        for n in reversed(view.org["notifications"].values())
        if n["subscriptionId"] in ids
    ]
    return frame(
        view,
        "Settings",
        "Settings",
        blocks=[
            table(title="Branch policies", columns=["Demand", "Weight"], rows=policies, empty="No policies."),
            table(title="Variable groups", columns=["Name", "Variables"], rows=groups, empty="No variable groups."),
            table(
                title="Service connections",
                columns=["Name", "Type", "Address"],
                rows=endpoints,
                empty="No service connections.",
            ),
            table(title="Service hooks", columns=["Event", "To", "State"], rows=hooks, empty="No service hooks."),
            table(
                title="Deliveries",
                columns=["Number", "Event", "Result", "Answers", "When"],
                rows=deliveries[:100],
                numeric=[0],
                empty="Nothing was delivered yet.",
            ),
        ],
    )


def _answers(notification: Tree) -> str:
    return ", ".join(str(a["status"] or a["error"]) for a in notification["attempts"]) or "none yet"
