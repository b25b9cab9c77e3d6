"""Every GraphQL document is held to GitHub's published schema: fields, arguments, and what must be given."""

import json
import re
from pathlib import Path

import pytest

from local.sandbox.github.graphql_parse import Spread, Variable, parse
from shared.adapters.github import pull_requests
from shared.adapters.github.reviews import documents, items, texts, words
from shared.adapters.github.reviews.items import Named
from shared.domain.forge import RepositoryRef

SCHEMA = Path(__file__).parents[5] / "node_modules/@octokit/graphql-schema/schema.json"
NEWER = {("Issue", "parent"), ("Issue", "issueType")}
"""In GitHub's documentation since 2025, and not in the package: https://docs.github.com/graphql/reference/objects#issue"""
DESK = RepositoryRef(owner="contoso", name="desk")


def _mutation() -> str:
    parts = (words._RESOLVE.format(id="$a"), words._MINIMISE.format(id="$b"))
    return f"mutation Settle($a: ID!, $b: ID!) {{ m0: {parts[0]} m1: {parts[1]} }}"


DOCUMENTS = {
    "look": documents.look(modern=True),
    "look at a crowded one": documents.look(modern=True, page=documents.SHORT),
    "look at an old server": documents.look(modern=False),
    **{f"more {name}": documents.more(name, above=True) for name in documents.NODES},
    "more of a thread": documents.MORE_OF_THREAD,
    "look with files": documents.look(modern=True, files=(".doneright/policy.yaml", 'a "quoted" näme')),
    "own": documents.OWN,
    "stand": documents.STAND,
    "stand of an App": documents.STAND_OF_APP,
    "named": items.lookup([Named("contoso", "desk", 7)], "0" * 40, DESK, documents.item(above=True)),
    "template alone": items.lookup([], "0" * 40, DESK, documents.item(above=True)),
    "texts": texts.document("0" * 40, ["a.py", 'with "quotes" \\ and ü.py']),
    "settle": _mutation(),
    **{f"draft {draft}": text for draft, text in pull_requests._DRAFTS.items()},
}


@pytest.fixture(scope="module")
def types():
    if not SCHEMA.exists():
        pytest.skip(f"no GraphQL schema at {SCHEMA}: run npm ci")
    data = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema = data.get("__schema") or data["data"]["__schema"]
    return {one["name"]: one for one in schema["types"]}


def _named(kind):
    while kind.get("ofType"):
        kind = kind["ofType"]
    return kind["name"]


class _Held:
    def __init__(self, types, document):
        self.types, self.document, self.faults, self.used = types, document, [], set()

    def selections(self, kind, selections):
        for one in selections:
            if isinstance(one, Spread):
                fragment = self.document.fragments[one.fragment] if one.fragment else one
                self.used.add(one.fragment)
                on = fragment.on or kind
                possible = {entry["name"] for entry in self.types[kind].get("possibleTypes") or ()} | {kind}
                if on not in possible and kind not in {e["name"] for e in self.types[on].get("interfaces") or ()}:
                    self.faults.append(f"{on} cannot be a {kind}")
                self.selections(on, fragment.selections)
            elif one.name != "__typename":
                self.field(kind, one)

    def field(self, kind, one):
        if (kind, one.name) in NEWER:
            self.selections(kind if one.name == "parent" else "Label", one.selections)
            return
        found = next((f for f in self.types[kind].get("fields") or () if f["name"] == one.name), None)
        if found is None:
            self.faults.append(f"{kind} has no field {one.name}")
            return
        known = {argument["name"]: argument for argument in found["args"]}
        self.faults += [f"{kind}.{one.name} takes no {name}" for name in one.arguments if name not in known]
        self.faults += [
            f"{kind}.{one.name} needs {name}"
            for name, argument in known.items()
            if argument["type"]["kind"] == "NON_NULL" and argument["defaultValue"] is None and name not in one.arguments
        ]
        for name, value in one.arguments.items():
            if isinstance(value, dict) and name in known:
                fields = {f["name"] for f in self.types[_named(known[name]["type"])]["inputFields"]}
                self.faults += [f"{name} has no field {key}" for key in value if key not in fields]
        target = _named(found["type"])
        composite = self.types[target]["kind"] in {"OBJECT", "INTERFACE", "UNION"}
        if composite != bool(one.selections):
            self.faults.append(f"{kind}.{one.name}: selections {'missing' if composite else 'on a scalar'}")
        elif composite:
            if target.endswith("Connection") and not {"first", "last"} & set(one.arguments):
                self.faults.append(f"{kind}.{one.name}: no page is asked for")
            self.selections(target, one.selections)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_published_schema_knows_all_that_is_asked(types, name):
    document = parse(DOCUMENTS[name])
    held = _Held(types, document)
    held.selections("Mutation" if document.operation == "mutation" else "Query", document.selections)
    assert held.faults == []
    assert set(document.fragments) <= held.used, "GitHub refuses a fragment that is not used"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_variable_is_declared_and_used(name):
    text = DOCUMENTS[name]
    declared = set(re.findall(r"\$(\w+):", text.partition("{")[0]))
    used = set()

    def collect(value):
        if isinstance(value, Variable):
            used.add(value.name)
        elif isinstance(value, dict):
            for one in value.values():
                collect(one)

    def walk(selections):
        for one in selections:
            collect(getattr(one, "arguments", {}))
            walk(one.selections)

    document = parse(text)
    walk(document.selections)
    for fragment in document.fragments.values():
        walk(fragment.selections)
    assert used == declared


def test_the_node_limit_is_kept():
    """https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api: 500,000 nodes a call."""

    def nodes(selections, fragments, times):
        total = 0
        for one in selections:
            inner = times
            if isinstance(one, Spread):
                one_selections = fragments[one.fragment].selections if one.fragment else one.selections
                total += nodes(one_selections, fragments, times)
                continue
            page = one.arguments.get("first") or one.arguments.get("last")
            if isinstance(page, int):
                inner = times * page
                total += inner
            total += nodes(one.selections, fragments, inner)
        return total

    for text in DOCUMENTS.values():
        document = parse(text)
        assert nodes(document.selections, document.fragments, 1) < 100_000
