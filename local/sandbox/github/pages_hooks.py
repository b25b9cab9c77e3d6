"""Describes the pages of webhooks with their deliveries, and of Apps with their installations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from local.sandbox.browser.page import (
    Badge,
    Block,
    Cell,
    Code,
    Empty,
    Form,
    Icon,
    InlineCode,
    KeyValues,
    Link,
    Page,
    Select,
    Table,
    Text,
    TextArea,
    Time,
    Tone,
    instant,
)
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.pages_repository import frame, shown

Where = Callable[..., Page]
"""Draws a page at its place: within a repository's frame, or under an organisation's or an App's name."""


def hooks_table(hooks: Iterable[Record], base: str) -> Table:
    """Every hook with its state and how many deliveries are kept."""
    rows: list[list[Cell]] = [
        [
            Link(h["config"]["url"], f"{base}/{h['id']}", Icon.HOOK),
            ", ".join(h["events"]),
            _state(h),
            len(h["deliveries"]),
        ]
        for h in hooks
    ]
    return Table(title="Webhooks", columns=["Address", "Events", "State", "Deliveries"], rows=rows, numeric=[3])


def _state(hook: Record) -> Badge:
    return Badge("active", Tone.SUCCESS) if hook["active"] else Badge("off")


def _name(delivery: Record) -> str:
    return f"{delivery['event']}{'.' + delivery['action'] if delivery['action'] else ''}"


def _outcome(delivery: Record) -> Badge:
    code = delivery["status_code"]
    return Badge(str(code or delivery["status"]), Tone.SUCCESS if 200 <= code < 400 else Tone.DANGER)


def _deliveries_table(hook: Record, base: str) -> Table:
    rows: list[list[Cell]] = [
        [
            [Link(_name(d), f"{base}/deliveries/{d['id']}"), *([Badge("sent again")] if d["redelivery"] else [])],
            InlineCode(d["guid"][:8]),
            _outcome(d),
            d["duration"],
            Time(instant(d["delivered_at"])),
        ]
        for d in hook["deliveries"]
    ]
    columns = ["Event", "Delivery", "Answer", "Seconds", "When"]
    return Table(title="Deliveries", columns=columns, rows=rows, numeric=[3])


def _about(hook: Record, events: Iterable[str]) -> KeyValues:
    config = hook["config"]
    return KeyValues(
        [
            ("State", _state(hook)),
            ("Events", ", ".join(events) or None),
            ("Content type", config.get("content_type", "form")),
            ("Signed", "yes, with a secret" if config.get("secret") else "no: it has no secret"),
        ],
        title="About",
    )


def _delivery_blocks(delivery: Record) -> list[Block]:
    request, response = delivery["request"], delivery["response"]
    facts = KeyValues(
        [
            ("Answer", _outcome(delivery)),
            ("Delivery", InlineCode(delivery["guid"])),
            ("Redelivery", "yes" if delivery["redelivery"] else "no"),
            ("Seconds", delivery["duration"]),
            ("When", Time(instant(delivery["delivered_at"]))),
        ],
        title="About",
    )
    answer = response["payload"]
    return [
        facts,
        Code(_lines(request["headers"]), title="Request headers", name="request-headers"),
        Code(json.dumps(request["payload"], indent=2, ensure_ascii=False), "json", title="Payload", name="payload"),
        Code(_lines(response["headers"]), title="Response headers", name="response-headers")
        if response["headers"]
        else Empty("No answer", f"The target did not answer: {delivery['status']}."),
        *([Code(answer, title="Response body", name="response-body")] if answer else []),
    ]


def _lines(headers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _hook_page(hook: Record, base: str, delivery: str | None, place: Where) -> Page | None:
    """A hook with its deliveries, or one of those."""
    if delivery is None:
        blocks = [_about(hook, hook["events"]), _deliveries_table(hook, base)]
        return place(title=hook["config"]["url"], crumbs=[], blocks=blocks)
    found = next((d for d in hook["deliveries"] if str(d["id"]) == delivery), None)
    if found is None:
        return None
    crumb = Link(f"Hook {hook['id']}", base)
    return place(title=_name(found), crumbs=[crumb], blocks=_delivery_blocks(found))


def repository_hooks_page(
    hub: Hub, _: Mapping[str, str], owner: str, name: str, number: str | None = None, delivery: str | None = None
) -> Page | None:
    """A repository's hooks, one of them, or one of its deliveries."""
    repo = hub.repo(owner, name)
    base = f"/{owner}/{name}/settings/hooks"
    if repo is None:
        return None
    if number is None:
        return frame(repo, "Webhooks", "Webhooks", [hooks_table(repo["hooks"].values(), base)])
    hook = repo["hooks"].get(number)

    def place(*, title: str, crumbs: list[Link], blocks: list[Block]) -> Page:
        drawn = frame(repo, "Webhooks", title, blocks, icon=Icon.HOOK)
        return replace(drawn, breadcrumbs=[*drawn.breadcrumbs, *crumbs])

    return _hook_page(hook, f"{base}/{number}", delivery, place) if hook else None


def organization_hook_page(
    hub: Hub, _: Mapping[str, str], org: str, number: str, delivery: str | None = None
) -> Page | None:
    """One hook of an organisation, or one of its deliveries."""
    hook = (hub.org(org) or {"hooks": {}})["hooks"].get(number)

    def place(*, title: str, crumbs: list[Link], blocks: list[Block]) -> Page:
        above = [Link("Organisations", "/"), Link(org, f"/{org}"), *crumbs]
        return Page(title=title, breadcrumbs=above, icon=Icon.HOOK, blocks=blocks)

    return _hook_page(hook, f"/organizations/{org}/settings/hooks/{number}", delivery, place) if hook else None


def new_app_page(hub: Hub, query: Mapping[str, str], org: str) -> Page | None:
    """The form that registers an App from its manifest."""
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


def app_page(hub: Hub, _: Mapping[str, str], slug: str, delivery: str | None = None) -> Page | None:
    """An App with its hook and the form that installs it, or one delivery of its hook."""
    app = next((a for a in hub.table("apps").values() if a["slug"] == slug), None)
    if app is None:
        return None
    above = [Link("Organisations", "/"), Link(app["owner"], f"/{app['owner']}")]
    if delivery is not None:

        def place(*, title: str, crumbs: list[Link], blocks: list[Block]) -> Page:
            del crumbs
            return Page(title=title, breadcrumbs=[*above, Link(app["name"], f"/apps/{slug}")], blocks=blocks)

        return _hook_page(app["hook"], f"/apps/{slug}", delivery, place)
    accounts = [(o["login"], o["login"]) for o in hub.table("orgs").values()]
    facts = KeyValues(
        [
            ("Permissions", shown(app["permissions"])),
            ("Events", ", ".join(app["events"]) or None),
            ("Webhook", app["hook"]["config"]["url"] or None),
        ],
        title="About",
    )
    form = Form(
        f"/apps/{slug}/installations/new",
        [Select("account", "Install on", accounts, app["owner"])],
        "Install",
        title="Install",
    )
    blocks: list[Block] = [facts, form, _deliveries_table(app["hook"], f"/apps/{slug}")]
    return Page(title=app["name"], breadcrumbs=above, blocks=blocks)


def installation_page(hub: Hub, _: Mapping[str, str], org: str, number: str) -> Page | None:
    """One installation of an App on an organisation."""
    record = hub.table("installations").get(number)
    if record is None or record["account"].lower() != org.lower():
        return None
    app = hub.table("apps")[str(record["app_id"])]
    facts = KeyValues(
        [
            ("App", Link(app["name"], f"/apps/{app['slug']}")),
            ("Permissions", shown(record["permissions"])),
            ("Repositories", record["repository_selection"]),
            ("Installed", Time(instant(record["created_at"]))),
        ]
    )
    return Page(
        title=f"Installation {number}", breadcrumbs=[Link("Organisations", "/"), Link(org, f"/{org}")], blocks=[facts]
    )
