"""Every fault a public request can have is told in plain words: what is wrong, what is accepted, an example."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from functions.adoptions import NewAdoption, NewConsent
from functions.backlogs import ChosenFixes
from functions.decisions import NewDecision
from functions.openapi import REPORT, ROUTES
from functions.policies import NewPolicy, NewPolicyCheck, NewSimulation
from functions.projects import NewProject
from functions.reviews import NewReview
from functions.stale import NewRemoval
from functions.updates import NewUpdates
from shared.domain.connection import ConnectionPatch, ConnectionSettings
from shared.domain.faults import faults_of
from shared.domain.forge import BranchRules
from shared.domain.portfolio import PortfolioBody
from shared.domain.project import ProjectRequest
from shared.domain.shapes import SHAPES
from shared.projects.request_form import EXAMPLES

PROJECT: dict[str, Any] = {
    "name": "Order Desk",
    "owner": "casey",
    "stack": "fastapi",
    "description": "Takes orders.",
    "process": "agile",
    "visibility": "private",
    "forges": ["azure_devops", "github"],
    "rules": json.loads(BranchRules().model_dump_json()),
    "repositories": [{"name": "web-shop", "description": "Its pages.", "stack": "react", "forges": ["github"]}],
    "teams": [{"name": "Crew", "members": ["casey@acme.example"], "role": "contributor"}],
    "environments": [
        {"name": "production", "approvers": [{"github": "casey", "azure_devops": "casey@acme.example"}, "mona"]}
    ],
    "areas": ["Web/Checkout"],
    "iterations": ["Sprint 1"],
    "notifications": [{"event": "build_failed", "to": ["crew@acme.example"]}],
    "topics": ["orders"],
    "backlog": ["Take an order"],
}
CONNECTION: dict[str, Any] = {
    "id": "acme",
    "github": {
        "organization": "acme",
        "credential": {"kind": "app", "app_id": 1, "private_key_secret": "key"},
        "request_repositories": ["acme/requests"],
        "api_url": "https://api.github.com",
        "web_url": "https://github.com",
    },
    "azure_devops": {
        "organization_url": "https://dev.azure.com/acme",
        "credential": {"kind": "entra", "client_id": "00000000-0000-0000-0000-000000000001"},
        "process_additions": [
            {
                "process": "agile",
                "name": "House Agile",
                "types": [
                    {
                        "type": "User Story",
                        "states": [{"name": "In review", "category": "InProgress", "color": "007acc"}],
                        "fields": [{"name": "Release note", "type": "string", "description": "For customers."}],
                    }
                ],
            }
        ],
    },
    "sonarqube": {
        "url": "https://sonarqube.example.com",
        "token_secret": "sonar",
        "project_key": "{owner}_{repository}",
        "repositories": ["acme/desk"],
    },
    "requesters": ["casey"],
    "roles": {"approver": ["casey"]},
    "least_rules": json.loads(BranchRules().model_dump_json()),
    "mode": "enforced",
    "review_mode": "advisory",
    "paused": False,
    "merge_on_green": False,
    "propose_tests": False,
    "mirror_test_cases": False,
}
TOKENS = CONNECTION | {
    "github": CONNECTION["github"] | {"credential": {"kind": "pat", "token_secret": "gh"}},
    "azure_devops": CONNECTION["azure_devops"] | {"credential": {"kind": "pat", "token_secret": "ado"}},
}
ADOPTION = {
    "connection": "acme",
    "github_repository": "order-desk",
    "azure_devops_project": "Order Desk",
    "azure_devops_repository": "Order Desk",
    "name": "Order Desk",
    "owner": "casey",
    "stack": "fastapi",
    "rules": json.loads(BranchRules().model_dump_json()),
    "teams": [{"name": "Crew", "members": ["casey@example.com"], "role": "reader"}],
    "environments": [{"name": "production", "approvers": ["casey"]}],
    "topics": ["orders"],
    "backlog": ["Take an order"],
}
REQUESTS: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (ProjectRequest, PROJECT),
    (NewProject, PROJECT | {"connection": "acme"}),
    (NewAdoption, ADOPTION),
    (ConnectionSettings, CONNECTION),
    (ConnectionSettings, TOKENS),
    (ConnectionPatch, {name: value for name, value in CONNECTION.items() if name != "id"}),
]
HOSTILE: list[Any] = [
    None, True, 5, 0, -1, 7, 1.5, 10**30, "", " ", "x" * 10_000, "<script>", "@here", "a b", "\ud800", "a\u202eb", "https://",
    "https://h:99999/x", "https://-/x", "https://h/../x", "https://h", [], [None], [[]], [{}], ["x"] * 500, [""], ["<script>"],
    ["x" * 300], {}, {"x": 1}, {"kind": "odd"}, {"kind": None}, {"kind": "pat"}, {"minimum_reviewers": -1},
    {"require_linked_work_items": True},
]  # fmt: skip
JARGON = re.compile(
    r"Input |String should|Value error|Field required|Extra inputs|should (be|have|match)|valid |tuple|frozenset|dictionary"
    r"|instance|pattern|\^|\{\d|\[A-Z|\[a-z|\[0-9|unicode|pydantic|discriminator|tag |not accepted here"
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def broken(sound: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """``sound`` with one thing wrong at a time, at every place a third of what is hostile, each third in its turn."""
    for turn, (*path, last) in enumerate(places(sound)):
        for hostile in (*HOSTILE[turn % 3 :: 3], ...):
            wrong = copy.deepcopy(sound)
            at = wrong
            for key in path:
                at = at[key]
            if hostile is ...:
                del at[last]
            else:
                at[last] = hostile
            if isinstance(at, dict):
                yield copy.deepcopy(wrong)
                at["surprise"] = 1
            yield wrong
    yield sound | {"surprise": 1}
    yield {}


def raised(model: type[BaseModel], sound: dict[str, Any]) -> Iterator[ValidationError]:
    for wrong in broken(sound):
        try:
            model.model_validate(wrong)
        except ValidationError as error:
            yield error


@pytest.mark.parametrize(("model", "sound"), REQUESTS)
def test_every_fault_is_told_in_plain_words_with_an_example_by_the_path_it_was_given_at(model, sound):
    model.model_validate(sound)
    seen = 0
    known = {".".join(map(str, path)) for path in places(sound)}
    for error in raised(model, sound):
        for fault in faults_of(error, EXAMPLES, model):
            seen += 1
            assert fault.problem
            assert not JARGON.search(fault.problem), fault
            assert len(fault.problem) < 300, fault
            surprising = "not a field that can be given" in fault.problem
            assert fault.example or surprising or re.search(r"\.(kind|x)$|^\(whole\)$|^roles\.", fault.field), fault
            # No name of a union's member stands in the path: the JSON has no such key.
            # Names of roles are the caller's own keys, wrong ones too.
            assert (
                surprising
                or re.fullmatch(r"roles\.[^.]+(\.\d+)?", fault.field)
                or re.sub(r"\.\d+", ".0", fault.field)
                in known
                | {
                    f"{field}.{name}"
                    for field in ("github.credential", "azure_devops.credential")
                    for name in ("token_secret", "app_id", "private_key_secret", "client_id")
                }
            ), fault
    assert seen > 500


OTHERS: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (NewDecision, {"decision": "retry"}),
    (NewUpdates, {"connection": "acme", "force": False}),
    (NewConsent, {"digest": "sha256:" + "0" * 64, "steps": ["github.hook"]}),
    (NewRemoval, {"name": "Order Desk", "even_if_active": False}),
    (ChosenFixes, {"fixes": ["azure_devops:12-under-5"], "all": False, "containers": False}),
    (
        PortfolioBody,
        {
            "id": "web-shop",
            "name": "Web shop",
            "connection": "acme",
            "defaults": {"owner": "casey"},
            "projects": [{"name": "Order Desk", "stack": "fastapi"}],
            "epics": [{"title": "Take payments", "projects": ["Order Desk"]}],
        },
    ),
    (NewReview, {"project": "order-desk", "forge": "github", "number": 7}),
    (NewPolicy, {"policy": "version: 1"}),
    (NewPolicyCheck, {"policy": "version: 1", "level": "repository", "project": "order-desk"}),
    (NewSimulation, {"policy": "version: 1", "project": "order-desk", "forge": "github", "last": 20}),
]


def test_every_body_of_the_api_is_walked():
    bodies = {route.body for route in ROUTES} - {
        "",
        "any",
        REPORT,
    }  # reports are no fields: tests of evidence hold them
    assert bodies <= {model.__name__ for model, _ in REQUESTS + OTHERS}


@pytest.mark.parametrize(("model", "sound"), [(ProjectRequest, PROJECT), (ConnectionSettings, CONNECTION), *OTHERS])
def test_without_the_model_the_words_are_as_plain(model, sound):
    for error in raised(model, sound):
        for fault in faults_of(error):
            assert not JARGON.search(fault.problem), fault


@pytest.mark.parametrize(("model", "sound"), REQUESTS)
def test_the_walk_reaches_every_field(model, sound):
    assert set(sound) == set(model.model_fields)
    assert set(PROJECT["rules"]) == set(BranchRules.model_fields)


@pytest.mark.parametrize(("model", "sound"), REQUESTS)
def test_every_pattern_of_a_request_has_words(model, sound):
    schema = json.dumps(model.model_json_schema())
    patterns = {json.loads(f'"{found}"') for found in re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', schema)}
    assert patterns
    assert patterns <= set(SHAPES)


@pytest.mark.parametrize("shape", SHAPES.values())
def test_a_shape_accepts_its_own_example(shape):
    assert re.search(shape.pattern, shape.example)


OCTO = '{"github": "octocat", "azure_devops": "octo@contoso.com"}'


def _approved_by(approver: object) -> dict[str, Any]:
    return {"environments": [{"name": "production", "approvers": [approver]}]}


@pytest.mark.parametrize(
    ("changes", "field", "problem", "example"),
    [
        ({"process": "waterfall"}, "process", "'waterfall' is not one of the choices: agile, basic, cmmi or scrum", "agile"),
        ({"owner": "?"}, "owner", "is not a GitHub login (letters, digits, hyphens; at most 39), an organisation/team or an e-mail address", "octocat"),
        ({"description": "x" * 351}, "description", "is 351 characters long; 350 are the most", "Takes card payments for the shop."),
        ({"rules": {"minimum_reviewers": 7}}, "rules.minimum_reviewers", "is 7; it must be 6 or less", "1"),
        ({"repositories": [{"name": "1st"}]}, "repositories.0.name", "is not a repository's name on both forges: letters, digits, '.', '_' and '-', at most 64, a letter first", "web-shop"),
        ({"repositories": [{"name": "x.wiki"}]}, "repositories.0.name", "ends with '.wiki', which a forge refuses at the end of a repository's name", "web-shop"),
        ({"repositories": [{"name": "nul"}]}, "repositories.0.name", "is 'nul', a name that is reserved", "web-shop"),
        ({"repositories": [{"name": "x"}, {"name": "X"}]}, "repositories", "'X' cannot be told apart from 'x'", '[{"name": "web-shop", "stack": "react"}]'),
        ({"repositories": [{"name": "order.desk"}]}, "repositories", "'order.desk' cannot be told apart from the main repository, 'Order Desk'", '[{"name": "web-shop", "stack": "react"}]'),
        ({"forges": ["github"], "repositories": [{"name": "x", "forges": ["azure_devops"]}], "rules": {}}, "repositories", "'x' is asked for on azure_devops, where the project is not", '[{"name": "web-shop", "stack": "react"}]'),
        ({"topics": ["A B"]}, "topics.0", "is not a GitHub topic: 1 to 50 lower-case letters, digits and hyphens, a letter or digit first", "payments"),
        ({"forges": []}, "forges", "is empty", '["azure_devops", "github"]'),
        ({"teams": [{"name": ""}]}, "teams.0.name", "is empty", "Release crew"),
        ({"backlog": "x"}, "backlog", "is not a list", '["Take a card payment"]'),
        ({"areas": ["Web/"]}, "areas.0", "has a name of 0 characters between its slashes; 1 to 255 can be taken", "Checkout"),
        ({"areas": ["a/b/c/d/e/f"]}, "areas.0", "has 6 levels; 5 are the most", "Checkout"),
        ({"areas": ["A&B: C"]}, "areas.0", "holds & :, which Azure DevOps refuses in areas and iterations", "Checkout"),
        ({"iterations": ["Web/nul"]}, "iterations.0", "holds 'nul', a name Azure DevOps reserves for itself", "Sprint 1"),
        ({"iterations": ["a\u202eb"]}, "iterations.0", "holds an unprintable character", "Sprint 1"),
        (_approved_by("Casey Jones"), "environments.0.approvers.0", "is neither a GitHub login (letters, digits, hyphens; at most 39) or organisation/team, nor an e-mail address, as somebody signs in to Azure DevOps", OCTO),
        (_approved_by({"azure_devops": "casey"}), "environments.0.approvers.0.azure_devops", "is not an e-mail address, as somebody signs in to Azure DevOps", "octo@contoso.com"),
        (_approved_by({"github": ""}), "environments.0.approvers.0", "names nobody, on neither forge", OCTO),
        (_approved_by(5), "environments.0.approvers.0", "is neither a name nor an object with one name for each forge", OCTO),
    ],
)  # fmt: skip
def test_what_a_person_reads(changes, field, problem, example):
    with pytest.raises(ValidationError) as caught:
        ProjectRequest.model_validate(PROJECT | changes)
    (fault,) = faults_of(caught.value, EXAMPLES, ProjectRequest)
    assert (fault.field, fault.problem, fault.example) == (field, problem, example)
