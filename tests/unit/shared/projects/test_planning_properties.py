"""Of every request: a valid one is planned, an invalid one is refused by field, and a plan that was applied plans nothing."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.faults import faults_of
from shared.domain.forge import ForgeName, MergeKind, NotificationEvent
from shared.domain.plan import Plan, ReversalState, blocked, ready
from shared.domain.project import Process, ProjectRequest, Stack, TeamRole, Visibility, name_faults, slug_of
from shared.projects import bundle, request_form
from shared.projects.admission import faults_with
from shared.projects.drawing import Surroundings, digest_of, draw
from shared.projects.further_repositories import FirstFiles
from shared.projects.planning import plan_for
from shared.projects.previewing import Change, StepPreview, preview
from shared.projects.steps import definitions
from tests.fakes.app import App, a_connection, form
from tests.fakes.steps import Bench

PEOPLE = ("casey", "mona", "robin")
PRINTED = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"])
LINES = st.text(PRINTED, max_size=60)
NAMES = st.text(PRINTED, min_size=1, max_size=64).filter(lambda name: not name_faults(name))
TITLES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "minimum_reviewers": st.integers(0, 6),
        "author_may_approve": st.booleans(),
        "reset_approvals_on_push": st.booleans(),
        "require_resolved_comments": st.booleans(),
        "allowed_merges": st.lists(st.sampled_from([kind.value for kind in MergeKind]), min_size=1, unique=True),
    },
)
TEAMS = st.lists(
    st.fixed_dictionaries(
        {"name": st.from_regex(r"[A-Z][a-z]{1,12}( [a-z]{1,8})?", fullmatch=True)},
        optional={
            "members": st.lists(st.sampled_from([f"{name}@acme.example" for name in PEOPLE]), unique=True),
            "role": st.sampled_from([role.value for role in TeamRole]),
        },
    ),
    max_size=3,
    unique_by=lambda team: team["name"].lower(),
)
ENVIRONMENTS = st.lists(
    st.fixed_dictionaries(
        {"name": st.from_regex(r"[a-z][a-z0-9]{0,10}", fullmatch=True)},
        optional={
            "approvers": st.lists(
                st.sampled_from([{"github": name, "azure_devops": f"{name}@acme.example"} for name in PEOPLE]),
                max_size=3,
                unique_by=lambda approver: approver["github"],
            )
        },
    ),
    max_size=3,
    unique_by=lambda environment: environment["name"],
)
NOTIFICATIONS = st.lists(
    st.fixed_dictionaries(
        {"event": st.sampled_from([event.value for event in NotificationEvent])},
        optional={"to": st.lists(st.sampled_from([f"{name}@acme.example" for name in PEOPLE]), unique=True)},
    ),
    max_size=3,
    unique_by=lambda notification: notification["event"],
)
NOTIFICATIONS = st.lists(
    st.fixed_dictionaries(
        {"event": st.sampled_from([event.value for event in NotificationEvent])},
        optional={
            "to": st.lists(st.sampled_from([f"{name}@acme.example" for name in PEOPLE]), max_size=2, unique=True)
        },
    ),
    max_size=3,
)
REPOSITORIES = st.lists(
    st.fixed_dictionaries(
        {"name": st.from_regex(r"[A-Za-z][0-9][._][A-Za-z0-9_-]{0,12}[0-9]", fullmatch=True)},
        optional={
            "description": LINES,
            "stack": st.sampled_from([stack.value for stack in Stack]),
            "forges": st.just("one of the project's"),
        },
    ),
    max_size=3,
    unique_by=lambda repository: slug_of(repository["name"]),
)


def _fitting(values: dict[str, Any]) -> dict[str, Any]:
    """What a project's repositories take from the project itself: forges it is on, and names it has not."""
    if "repositories" not in values:
        return values
    forge = values.get("forges", ["github"])[0]
    repositories = [one | ({"forges": [forge]} if "forges" in one else {}) for one in values["repositories"]]
    main = slug_of(values["name"])
    return values | {"repositories": [one for one in repositories if slug_of(one["name"]) != main]}


REQUESTS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "owner": st.sampled_from(["casey", "acme/leads", "casey@acme.example"]),
        "stack": st.sampled_from([stack.value for stack in Stack]),
    },
    optional={
        "description": LINES,
        "process": st.sampled_from([process.value for process in Process]),
        "visibility": st.sampled_from([visibility.value for visibility in Visibility]),
        "forges": st.lists(st.sampled_from([name.value for name in ForgeName]), min_size=1, unique=True),
        "rules": RULES,
        "teams": TEAMS,
        "environments": ENVIRONMENTS,
        "repositories": REPOSITORIES,
        "notifications": NOTIFICATIONS,
        "topics": st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), max_size=4, unique=True),
        "areas": st.lists(st.from_regex(r"[A-Z][a-z]{2,8}", fullmatch=True), max_size=3, unique=True),
        "iterations": st.lists(st.from_regex(r"Sprint [1-9]", fullmatch=True), max_size=3, unique=True),
        "backlog": st.lists(TITLES, max_size=4),
    },
).map(_fitting)
AROUND = Surroundings(
    connection="acme",
    github_owner="acme",
    github_hook_url="https://doneright.example/api/webhooks/github",
    azure_devops_hook_url="https://doneright.example/api/webhooks/azure-devops",
    scaffold="sha256:" + "0" * 64,
    template_version="1.0.0",
    checks=("lint",),
)


def around(request: ProjectRequest) -> Surroundings:
    """Surroundings with first files for each of the request's repositories."""
    files = {one.slug: FirstFiles(scaffold=f"sha256:{place:064}") for place, one in enumerate(request.repositories, 1)}
    return AROUND.model_copy(update={"further": files})


# valid


@settings(max_examples=150, deadline=None)
@given(REQUESTS)
def test_any_valid_request_is_planned_as_a_graph_whose_every_step_can_be_reached(values: dict[str, Any]) -> None:
    request = ProjectRequest.model_validate(values)
    plan = draw(request, around(request))
    ids = [step.id for step in plan.steps]
    assert ids
    assert len(set(ids)) == len(ids)
    assert {step.forge for step in plan.steps} == request.forges
    known = definitions()
    for place, step in enumerate(plan.steps):
        assert step.kind in known
        assert step.id.startswith(f"{step.forge}.")
        assert set(step.depends_on) <= set(ids[:place])
        assert step.title.strip()
    graph = [(step.id, step.depends_on) for step in plan.steps]
    succeeded: set[str] = set()
    while can := ready(graph, succeeded, succeeded):
        succeeded.update(can)
    assert succeeded == set(ids)
    assert draw(request, around(request)) == plan
    assert digest_of(Plan.model_validate_json(plan.model_dump_json())) == digest_of(plan)


@settings(max_examples=100, deadline=None)
@given(REQUESTS, st.data())
def test_whatever_fails_all_that_needs_it_and_nothing_else_is_left_out(
    values: dict[str, Any], data: st.DataObject
) -> None:
    request = ProjectRequest.model_validate(values)
    plan = draw(request, around(request))
    failing = data.draw(st.sampled_from([step.id for step in plan.steps]))
    graph = [(step.id, step.depends_on) for step in plan.steps]
    left_out = set(blocked(graph, [failing], [failing]))
    needs = {step.id: set(step.depends_on) for step in plan.steps}
    for step, needed in needs.items():
        if step != failing:
            assert (step in left_out) == bool(needed & (left_out | {failing}))


@pytest.mark.parametrize("field", ProjectRequest.model_fields)
def test_requests_are_made_with_and_without_every_field(field: str) -> None:
    """A field that is added to requests must be added above, or nothing here says anything of it."""
    seen: set[bool] = set()

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(REQUESTS)
    def look(values: dict[str, Any]) -> None:
        seen.add(field in values)

    look()
    assert seen == ({True} if ProjectRequest.model_fields[field].is_required() else {True, False})


# invalid

SPOILT: Mapping[str, list[Any]] = {
    "name": ["", "a/b", "x" * 65, "_x", "CON", "漢字"],
    "owner": ["", "not a login", "@casey", "x" * 300],
    "stack": ["cobol", ""],
    "description": ["x" * 351, "a\u200bb"],
    "process": ["waterfall"],
    "visibility": ["internal"],
    "forges": [[]],
    "rules.minimum_reviewers": [-1, 7, "many"],
    "rules.allowed_force": [True],
    "teams.0.name": ["", "x" * 65],
    "teams.0.role": ["king"],
    "repositories.0.name": ["", "-x", "1x", "a b", "CON", "reverse", "x.git", "x" * 65],
    "repositories.0.stack": ["cobol"],
    "repositories.0.description": ["x" * 351],
    "repositories.0.forges": [[]],
    "environments.0.name": ["", "-x", "x" * 101],
    "environments.0.approvers": ["casey"],
    "environments": [[{"name": "a b"}, {"name": "a-b"}]],
    "notifications.0.event": ["somebody_sneezed"],
    "notifications.0.to": ["casey@acme.example"],
    "topics.0": ["Upper", "", "x" * 51],
    "areas.0": ["", "a//b"],
    "backlog": [["x" * 256], ["x"] * 51, ["hidden \u202e text"]],
    "surprise": [1],
}
"""By field: values it cannot have. Beside them every field is given what is of no kind that any field takes."""
NO_KIND = 7.5


STOOD_IN: Mapping[str, Any] = {
    "rules": {},
    "teams": [{"name": "Crew"}],
    "repositories": [{"name": "web-shop"}],
    "environments": [{"name": "staging"}],
    "notifications": [{"event": "build_failed"}],
    "topics": ["orders"],
    "areas": ["Checkout"],
}
"""What a field within another is put into when the request has no such thing."""


def _spoilt(values: dict[str, Any], field: str, value: Any) -> None:
    """Put ``value`` where ``field`` is."""
    first, *path = field.split(".")
    if not path:
        values[first] = value
        return
    at = values[first] = copy.deepcopy(values.get(first) or STOOD_IN[first])
    *path, last = (int(part) if part.isdigit() else part for part in path)
    for part in path:
        at = at[part]
    at[last] = value


@st.composite
def broken(draw: st.DrawFn) -> tuple[dict[str, Any], set[str]]:
    """A request with a number of fields at fault, and their names."""
    values = draw(REQUESTS)
    chosen = draw(st.lists(st.sampled_from(sorted({*SPOILT, *ProjectRequest.model_fields})), min_size=1, unique=True))
    # A list that is none hides what is wrong within.
    chosen = [name for name in chosen if not any(other != name and name.startswith(f"{other}.") for other in chosen)]
    for field in chosen:
        bad = [*SPOILT.get(field, []), *([NO_KIND] if field in ProjectRequest.model_fields else [])]
        _spoilt(values, field, draw(st.sampled_from(bad)))
    missing = draw(st.lists(st.sampled_from(["name", "owner", "stack"]), unique=True))
    for field in missing:
        values.pop(field, None)
    return values, {*chosen, *missing}


@settings(max_examples=250, deadline=None)
@given(broken())
def test_any_invalid_request_is_refused_with_exactly_the_fields_at_fault(case: tuple[dict[str, Any], set[str]]) -> None:
    values, fields = case
    with pytest.raises(ValidationError) as caught:
        ProjectRequest.model_validate(values)
    faults = faults_of(caught.value, None, ProjectRequest)
    assert {fault.field for fault in faults} == fields
    assert len(faults) == len(fields)
    assert all(fault.problem for fault in faults)


SPOILT_ANSWERS: Mapping[str, tuple[str, list[str]]] = {
    "Project name": ("name", ["", "a/b", "_x"]),
    "Owner": ("owner", ["", "not a login"]),
    "Process": ("process", ["Waterfall"]),
    "Stack": ("stack", ["", "Cobol"]),
    "Visibility": ("visibility", ["Internal"]),
    "Repositories on": ("forges", ["Bitbucket"]),
    "Minimum reviewers": ("rules.minimum_reviewers", ["7", "many", "-1"]),
    "Description": ("description", ["x" * 351]),
    "Backlog seeds": ("backlog", ["x" * 256]),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(SPOILT_ANSWERS)), min_size=1, unique=True), st.data())
def test_any_form_with_wrong_answers_is_refused_with_each_of_them_and_an_example(
    labels: list[str], data: st.DataObject
) -> None:
    given_answers = {label: data.draw(st.sampled_from(SPOILT_ANSWERS[label][1])) for label in labels}
    parsed = request_form.parse(form(**given_answers))
    assert isinstance(parsed, tuple)
    assert {fault.field for fault in parsed} == {SPOILT_ANSWERS[label][0] for label in labels}
    assert len(parsed) == len(labels)
    assert all(fault.problem and fault.example for fault in parsed)


# applied


class Made:
    """A plan over forges in memory, and what a look at it says."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.app = App()
        self.app.connect_to()
        for name in PEOPLE:
            self.app.azure.put_person(f"{name}@acme.example")
        request = ProjectRequest.model_validate(values)
        assume(not faults_with(request, a_connection()))
        self.plan, self.scaffolds = plan_for(self.app.ports, request, a_connection(), 2026)
        for packed in self.scaffolds.values():
            self.app.artifacts.put(packed, bundle.MEDIA_TYPE)
        self.bench = Bench(self.app, self.plan)
        self.ids = [step.id for step in self.plan.steps]

    def look(self) -> list[StepPreview]:
        """What every step would do now."""
        seen = preview(self.app.ports, a_connection(), self.plan, self.scaffolds)
        assert [step.id for step in seen] == self.ids
        return seen

    def apply(self, *ids: str) -> None:
        """Bring steps to their end; one the forge does not offer has none to come to."""
        for step in ids or self.ids:
            for _ in range(10):
                outcome = self.bench.attempt(step)
                if outcome.state != "waiting":
                    break
            assert outcome.state in {"applied", "confirmed", "unsupported"}, (step, outcome)

    def changes(self) -> list[str]:
        """Every changing call so far, to either forge."""
        return [*self.app.github.changes(), *self.app.azure.changes()]


@settings(max_examples=40, deadline=None)
@given(REQUESTS)
def test_a_plan_that_was_applied_plans_nothing_and_applying_it_again_changes_nothing(values: dict[str, Any]) -> None:
    made = Made(values)
    assert {step.change for step in made.look()} == {Change.MAKE}
    made.apply()
    assert {step.change for step in made.look()} <= {Change.NONE, Change.NOT_SUPPORTED}
    before = made.changes()
    made.apply()
    assert made.changes() == before


@settings(max_examples=40, deadline=None)
@given(REQUESTS, st.data())
def test_what_was_applied_and_taken_back_is_planned_as_it_was_at_first(
    values: dict[str, Any], data: st.DataObject
) -> None:
    made = Made(values)
    before = made.look()
    # As far as a run came: whatever needs nothing that is missing, in an order that the plan allows.
    reached = data.draw(st.integers(0, len(made.ids)))
    if reached:
        made.apply(*made.ids[:reached])
    for step in reversed(made.ids):
        if definitions()[made.plan.step(step).kind].reverse is None:
            continue
        assert made.bench.reversed(step).state is not ReversalState.FAILED
    assert made.look() == before
    assert made.bench.intents() == []
    assert made.app.github.names() == made.app.azure.names() == []


@settings(max_examples=30, deadline=None)
@given(REQUESTS, st.data())
def test_of_what_an_earlier_run_made_a_later_one_takes_nothing_back(
    values: dict[str, Any], data: st.DataObject
) -> None:
    made = Made(values)
    made.apply()
    stood = made.look()
    made.bench.of_an_earlier_run()
    made.apply()
    for step in data.draw(st.permutations(made.ids)):
        if definitions()[made.plan.step(step).kind].reverse is not None:
            assert made.bench.reversed(step).state is ReversalState.KEPT
    assert made.look() == stood
