"""Steps of review.feature, played on the running stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from local.story import discount
from shared.domain.project import slug_of
from tests.e2e.world import World
from tests.features.changes_at_work import FORGES, Offered, blocking

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]
scenarios("review.feature")

CONNECTION = "/api/connections/acme"
POLICY = "stages:\n  integration:\n    changelog_has_entry: enforced\n"
APPROVERS = ["mona", "mona@acme.example"]


@pytest.fixture
def story(world: World) -> Iterator[dict[str, Any]]:
    """What the steps of one scenario tell each other; the connection advises again afterwards, as the other features know it."""
    before = world.api.get(CONNECTION).json()
    yield {"errors": len(world.host_errors())}
    kept = {name: before[name] for name in ("review_mode", "merge_on_green", "roles")}
    assert world.api.patch(CONNECTION, json=kept).status_code == 200


@given(parsers.parse('reviews block in the project "{name}"'))
def _blocks(world: World, story: dict[str, Any], name: str) -> None:
    wanted = {"review_mode": "enforced", "merge_on_green": True, "roles": {"approver": APPROVERS}}
    changed = world.api.patch(CONNECTION, json=wanted)
    assert changed.status_code == 200, changed.text
    slug = story["project"] = slug_of(name)
    story["name"] = name
    if world.project(slug) is None:
        body = {"name": name, "owner": "casey", "stack": "fastapi", "process": "scrum", "connection": "acme"}
        body["backlog"] = ["Take a card payment"]
        asked = world.api.post("/api/projects", json=body)
        assert asked.status_code == 202, asked.text
    assert world.ended(slug)["state"] == "completed"
    kept = world.api.put(f"/api/policies/{slug}", content=POLICY, headers={"content-type": "application/yaml"})
    assert kept.status_code == 200, kept.text


def _offered(story: dict[str, Any]) -> Offered:
    found: Offered = story["change"]
    return found


# a change from its opening to its merge


@when(
    parsers.parse("Casey offers a change with a leaked key on {forge}, with no test and no line in the changelog"),
)
def _careless(world: World, story: dict[str, Any], forge: str) -> None:
    change = story["change"] = Offered.on(world, story["name"], forge)
    story["key"] = discount.leaked_key()
    change.open(discount.careless(story["key"]))
    change.report(change.team.base(), with_change=False)
    change.report(change.head, with_change=True)
    change.run_checks()


@then(parsers.parse('it is blocked by "{one}", "{two}" and "{three}", each with its remedy'))
def _blocked(story: dict[str, Any], one: str, two: str, three: str) -> None:
    change, wanted = _offered(story), {one, two, three}
    verdict = change.verdict(f"a verdict that names {sorted(wanted)}", lambda found: wanted <= blocking(found))
    remedies = {found["criterion"]: found["remedy"] for found in verdict["findings"]}
    assert all(len(remedies[criterion]) > 10 for criterion in wanted)
    change.check("failure")
    summary = change.world.until("the summary", change.summaries)[0]
    assert change.team.state(change.number) == "open"
    for criterion in wanted:
        assert criterion in summary, summary
    story["wanted"] = wanted


@then("the key stands in no comment")
def _not_repeated(story: dict[str, Any]) -> None:
    assert not [one for one in _offered(story).comments() if story["key"] in one]


@when("Casey takes the key out, adds tests and writes the line in the changelog")
def _mends(story: dict[str, Any]) -> None:
    change = _offered(story)
    change.push(discount.mended(), "test: hold discounts to whole cents")
    change.push(discount.told(change.team.text(discount.CHANGELOG)), "docs: tell of whole cents")
    change.report(change.head, with_change=True)
    change.run_checks()


@then(parsers.parse('nothing of that blocks any more, but "{criterion}"'))
def _mended(story: dict[str, Any], criterion: str) -> None:
    _offered(story).verdict(f"a verdict in which {criterion} is missing", lambda found: blocking(found) == {criterion})


@when("Mona reads it and approves")
def _approves(story: dict[str, Any]) -> None:
    words = "Both ends of the percentage are covered, and rounding down favours the customer."
    _offered(story).team.approve(_offered(story).number, words)


@then("the check is green and the change is merged without anybody pressing a button")
def _merged(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    world.until("the merge", lambda: change.team.state(change.number) == "merged")
    change.check("success")


@then("there is exactly one summary comment, about the newest head")
def _one_summary(story: dict[str, Any]) -> None:
    _offered(story).assert_said_once()


@then("no remark was made twice")
def _no_twins(story: dict[str, Any]) -> None:
    _offered(story).assert_said_once()


@then(parsers.parse('the record of "{name}" holds the verdicts and the merge on {forge}, and verifies'))
def _on_record(world: World, story: dict[str, Any], name: str, forge: str) -> None:
    slug, change = slug_of(name), _offered(story)
    key = FORGES[forge].value
    change.at_rest()
    page = world.api.get(f"/api/audit/{slug}", params={"limit": 500}).json()
    tags = [event["tag"] for event in page["events"] if event["subject"] == change.ref.key]
    assert "doneright:review:judged" in tags
    assert f"{key}:review:published" in tags
    assert tags.count(f"{key}:change:merged") == 1
    assert world.api.get(f"/api/audit/{slug}/verify").json()["ok"] is True
