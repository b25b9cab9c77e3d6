"""Any query of the grammar finds what a naive reading of it finds, and anything else is refused in words."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.sandbox.azure_devops.app import build_azure_devops
from local.sandbox.azure_devops.areas import queries
from local.sandbox.azure_devops.areas.work_items import create_item
from local.sandbox.azure_devops.call import Call, internal_call
from local.sandbox.azure_devops.errors import ServiceError
from local.sandbox.azure_devops.seed import apply
from local.sandbox.azure_devops.service import Service
from local.sandbox.azure_devops.wiql import WiqlError, parse
from local.sandbox.state import State
from tests.unit.local.sandbox.azure_devops.support import SEED, fields

QUICK = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW = datetime(2030, 5, 17, 12, tzinfo=UTC)
TITLES = ("alpha", "Beta", "it's", "alpha beta")
ITEMS: list[dict[str, Any]] = [
    {
        "System.Title": TITLES[n % 4],
        "Microsoft.VSTS.Common.Priority": n % 4 + 1,
        "System.State": ("New", "Active", "Closed")[n % 3],
        "System.Tags": ("", "red", "red; blue")[n % 3],
        "System.AreaPath": ("Shop", "Shop\\Web", "Shop\\Web\\Cart", "Shop\\Website")[n % 4],
        "Microsoft.VSTS.Scheduling.RemainingWork": (None, 0.5, 2.0)[n % 3],
    }
    for n in range(24)
]


def world() -> Call:
    """A call of the administrator in the project Shop, which holds ITEMS."""
    state = State()
    apply(state, SEED)
    build_azure_devops(state, base_url="http://x")
    service = Service(state, "http://x", clock=lambda: NOW)
    org = service.organizations["fabrikam"]
    project = next(p for p in org["projects"].values() if p["name"] == "Shop")
    user = next(u for u in org["users"].values() if u["token"] == "admin-token")
    call = internal_call(service, org, user)
    call.scope = ("Shop",)
    from local.sandbox.azure_devops.classification import new_node

    web = new_node(service, org, "Web", "area")
    web["children"].append(new_node(service, org, "Cart", "area"))
    project["areas"]["children"] = [web, new_node(service, org, "Website", "area")]
    for values in ITEMS:
        given_fields = {k.replace(".", "_"): v for k, v in values.items() if v not in {None, ""}}
        create_item(call, project, "Task", fields(**given_fields))
    return call


CALL = world()
IDS = sorted(w["id"] for w in CALL.org["work_items"].values())
type Naive = Callable[[dict[str, Any]], bool]
type Case = tuple[str, Naive]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def texts() -> st.SearchStrategy[Case]:
    def build(field: str, operator: str, value: str) -> Case:
        def test(item: dict[str, Any]) -> bool:
            held, wanted = str(item[field]).lower(), value.lower()
            return {
                "=": held == wanted,
                "<>": held != wanted,
                "CONTAINS": wanted in held,
                "NOT CONTAINS": wanted not in held,
            }[operator]

        return f"[{field}] {operator} {quoted(value)}", test

    values = st.sampled_from((*TITLES, "ALPHA", "New", "active", "none", "a"))
    return st.builds(
        build,
        st.sampled_from(("System.Title", "System.State")),
        st.sampled_from(("=", "<>", "CONTAINS", "NOT CONTAINS")),
        values,
    )


def numbers() -> st.SearchStrategy[Case]:
    def build(operator: str, value: int) -> Case:
        def test(item: dict[str, Any]) -> bool:
            held = item["Microsoft.VSTS.Common.Priority"]
            return {
                "=": held == value,
                "<>": held != value,
                "<": held < value,
                "<=": held <= value,
                ">": held > value,
                ">=": held >= value,
            }[operator]

        return f"[Microsoft.VSTS.Common.Priority]{operator}{value}", test

    return st.builds(build, st.sampled_from(("=", "<>", "<", "<=", ">", ">=")), st.integers(-1, 5))


def lists() -> st.SearchStrategy[Case]:
    def build(values: list[str], negated: bool) -> Case:
        held = {v.lower() for v in values}
        text = f"[State] {'NOT IN' if negated else 'in'} ({', '.join(quoted(v) for v in values)})"
        return text, lambda item: (item["System.State"].lower() in held) is not negated

    return st.builds(
        build, st.lists(st.sampled_from(("New", "ACTIVE", "Closed", "x")), min_size=1, max_size=3), st.booleans()
    )


def others() -> st.SearchStrategy[Case]:
    def under(path: str, negated: bool) -> Case:
        def test(item: dict[str, Any]) -> bool:
            inside = (item["System.AreaPath"].lower() + "\\").startswith(path.lower() + "\\")
            return inside is not negated

        return f"[System.AreaPath] {'NOT ' * negated}UNDER {quoted(path)}", test

    def tag(name: str) -> Case:
        return f"[System.Tags] = {quoted(name)}", lambda item: name.lower() in item["System.Tags"].lower().split("; ")

    def empty(negated: bool) -> Case:
        field = "Microsoft.VSTS.Scheduling.RemainingWork"
        return f"[{field}] IS {'NOT ' * negated}EMPTY", lambda item: (item[field] is None) is not negated

    def less(value: float) -> Case:
        field = "Microsoft.VSTS.Scheduling.RemainingWork"
        return f"[{field}] < {value}", lambda item: item[field] is not None and item[field] < value

    return st.one_of(
        st.builds(under, st.sampled_from(("Shop", "shop\\web", "Shop\\Web\\Cart", "Other")), st.booleans()),
        st.builds(tag, st.sampled_from(("red", "BLUE", "green"))),
        st.builds(empty, st.booleans()),
        st.builds(less, st.sampled_from((0.25, 1.0, 3.5))),
    )


def joined(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    def both(a: Case, b: Case) -> Case:
        return f"({a[0]}) AND ({b[0]})", lambda item: a[1](item) and b[1](item)

    def either(a: Case, b: Case) -> Case:
        return f"({a[0]}) or ({b[0]})", lambda item: a[1](item) or b[1](item)

    def neither(a: Case) -> Case:
        return f"NOT ({a[0]})", lambda item: not a[1](item)

    return st.one_of(st.builds(both, inner, inner), st.builds(either, inner, inner), st.builds(neither, inner))


CASES = st.recursive(st.one_of(texts(), numbers(), lists(), others()), joined, max_leaves=6)


def ask(where: str, rest: str = "") -> list[int]:
    answer = queries.run(CALL, " ".join(("SELECT [System.Id], [Title] FROM WorkItems WHERE", where, rest)))
    return [w["id"] for w in answer["workItems"]]


@QUICK
@given(CASES, st.booleans())
def test_a_query_finds_what_a_naive_reading_finds(case: Case, descending: bool) -> None:
    text, test = case
    expected = [i for i, item in zip(IDS, ITEMS, strict=True) if test(item)]
    found = ask(text, f"ORDER BY [System.Id] {'DESC' if descending else 'ASC'}")
    assert found == (expected[::-1] if descending else expected)


@QUICK
@given(st.lists(st.tuples(st.sampled_from(("AND", "OR")), numbers()), min_size=2, max_size=6))
def test_and_binds_tighter_than_or(parts: list[tuple[str, Case]]) -> None:
    text = " ".join(f"{joiner} {case[0]}" if n else case[0] for n, (joiner, case) in enumerate(parts))
    groups: list[list[Naive]] = []
    for n, (joiner, case) in enumerate(parts):
        if n == 0 or joiner == "OR":
            groups.append([])
        groups[-1].append(case[1])
    expected = [i for i, item in zip(IDS, ITEMS, strict=True) if any(all(t(item) for t in g) for g in groups)]
    assert sorted(ask(text)) == expected


HEAD = "SELECT [System.Id] FROM WorkItems WHERE"
WORDS = st.sampled_from(
    [
        *[
            "SELECT",
            "FROM",
            "WHERE",
            "WorkItems",
            "WorkItemLinks",
            "[System.Id]",
            "[Source].[System.Id]",
            "[No.Such]",
            "AND",
            "OR",
            "NOT",
            "IN",
            "(",
            ")",
            ",",
            "=",
            "<>",
            ">",
        ],
        *[
            "'a'",
            "'",
            "1",
            "-1",
            "1.5",
            "@project",
            "@me",
            "@nothing",
            "ORDER",
            "BY",
            "MODE",
            "UNDER",
            "EVER",
            "IS",
            "EMPTY",
            "ASOF",
            "CONTAINS",
            "WORDS",
            "true",
            "²",
        ],
        *("9" * 5000, "@today - 1", "@today - 99999", "\x00"),
    ]
)


@QUICK
@given(
    st.one_of(st.lists(WORDS, max_size=14).map(" ".join), st.text(alphabet=string.printable, max_size=60)),
    st.booleans(),
)
def test_garbage_is_refused_in_words_or_is_a_query_after_all(text: str, started: bool) -> None:
    query = f"{HEAD} {text}" if started else text
    try:
        answer = queries.run(CALL, query)
    except ServiceError as refusal:
        assert refusal.status == 400
        assert refusal.message.startswith(("TF51", "VS40"))
    else:
        assert answer["queryResultType"] in {"workItem", "workItemLink"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT", "ends too early"),
        ("SELECT 'x' FROM WorkItems", "expected a field"),
        ("SELECT [System.Id] WHERE", "expected FROM"),
        ("SELECT [System.Id] FROM WorkItems MODE (Recursive", "ends too early"),
        ("SELECT [System.Id] FROM WorkItems extra", "unexpected 'extra'"),
        ("SELECT [System.Id] FROM WorkItems WHERE [A] LIKE 'x'", "expected an operator"),
        ("SELECT [System.Id] FROM WorkItems WHERE [A] = [B]", "expected a value"),
        ("SELECT [System.Id] FROM WorkItems WHERE [A] = 'open", "unexpected text"),
        ("SELECT [System.Id] FROM WorkItems WHERE " + "(" * 5000, "64 levels"),
        ("SELECT [System.Id] FROM WorkItems WHERE " + "NOT " * 5000 + "[A] = 1", "64 levels"),
        ("SELECT [System.Id] FROM WorkItems WHERE [A] = " + "9" * 5000, "too long"),
        ("SELECT [System.Id] FROM WorkItems WHERE [A] > @today - 999999", "too large"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(WiqlError, match=words):
        parse(text)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("[System.Id] > 'abc'", "TF51008"),
        ("[System.CreatedDate] > 'someday'", "TF51008"),
        ("[No.Such] = 1", "TF51005"),
        ("[System.Id] = @moon", "TF51011"),
        ("[System.CreatedDate] < @today - 99999 OR [System.CreatedDate] > @today + 99999", ""),
    ],
)
def test_values_are_held_to_the_type_of_their_field(where: str, words: str) -> None:
    if not words:
        assert ask(where) == []
        return
    with pytest.raises(ServiceError, match=words):
        ask(where)


def test_macros_people_dates_the_past_and_other_clauses() -> None:
    assert ask("[System.TeamProject] = @project AND [System.CreatedBy] = @Me AND [System.CreatedDate] >= @today") == IDS
    assert ask("[System.CreatedBy] = 'Ada Admin' AND [System.CreatedDate] < @Today + 1") == IDS
    assert ask("[System.CreatedDate] < @today - 1") == []
    assert ask("[System.Title] = \"it's\" AND [System.Title] CONTAINS WORDS 'it'") == IDS[2::4]
    assert ask("[System.Title] = \"it''s\"") == []
    assert ask("[System.BoardColumnDone] = true") == []
    item = CALL.org["work_items"][str(IDS[0])]
    item["revisions"].insert(0, {**item["fields"], "System.State": "Resolved"})
    try:
        assert ask("[System.State] EVER 'resolved'") == [IDS[0]]
        assert ask("[System.State] = 'Resolved'") == []
    finally:
        del item["revisions"][0]
    assert len(ask("[System.Id] > 0", "ORDER BY [Remaining Work], [System.Id] DESC ASOF '2030-01-01'")) == 24
    ordered = ask("[System.Id] > 0", "ORDER BY [Microsoft.VSTS.Common.Priority] DESC, [System.Title], [System.Id]")
    keyed = [
        (-ITEMS[IDS.index(i)]["Microsoft.VSTS.Common.Priority"], ITEMS[IDS.index(i)]["System.Title"].lower(), i)
        for i in ordered
    ]
    assert keyed == sorted(keyed)
    CALL.query["$top"] = "2"
    try:
        assert ask("[System.Id] > 0", "ORDER BY [System.Id]") == IDS[:2]
    finally:
        del CALL.query["$top"]


def test_links_by_mode() -> None:
    call = world()
    project = call.project
    items = [call.org["work_items"][str(i)] for i in sorted(int(k) for k in call.org["work_items"])][:4]
    from local.sandbox.azure_devops.work_item_links import add_link

    def connect(child: int, parent: int, rel: str = "System.LinkTypes.Hierarchy-Reverse") -> None:
        url = f"http://x/fabrikam/_apis/wit/workItems/{items[parent]['id']}"
        add_link(call, items[child], {"rel": rel, "url": url})

    connect(1, 0)
    connect(2, 1)
    connect(3, 0, "System.LinkTypes.Related")
    a, b, c, d = (i["id"] for i in items)

    def rows(where: str, mode: str) -> list[tuple[int | None, int]]:
        head = "SELECT [System.Id] FROM WorkItemLinks WHERE [Source].[System.Id] <="
        text = f"{head} {d} AND {where} MODE ({mode})"
        found = queries.run(call, text)["workItemRelations"]
        return [(r["source"]["id"] if r["source"] else None, r["target"]["id"]) for r in found]

    child = "[System.Links.LinkType] = 'System.LinkTypes.Hierarchy-Forward'"
    assert rows(child, "Recursive") == [(None, a), (a, b), (b, c), (None, d)]
    assert rows(child, "MustContain") == [(None, a), (a, b), (None, b), (b, c)]
    assert rows(child, "MayContain") == [(None, a), (a, b), (None, b), (b, c), (None, c), (None, d)]
    assert rows(child, "DoesNotContain") == [(None, c), (None, d)]
    related = "[System.Links.LinkType] IN ('Related')"
    assert rows(f"{related} AND [Target].[System.Id] = {d}", "MustContain") == [(None, a), (a, d)]
    assert project["name"] == "Shop"
