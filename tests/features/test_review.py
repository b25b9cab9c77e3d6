"""Steps of review.feature, played on the running stack."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from local.story import discount
from local.story.changes import Opened
from shared.domain.project import slug_of
from tests.e2e.world import World
from tests.features.changes_at_work import FORGES, Offered, blocking

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]
scenarios("review.feature")

CONNECTION = "/api/connections/acme"
POLICY = "stages:\n  integration:\n    changelog_has_entry: enforced\n"
QUIET_SECONDS = 2.0
"""Longer than an event takes from a forge to its end."""
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


def _leaks(world: World, story: dict[str, Any], forge: str) -> Offered:
    """A change with a key in its code, to a file of its own."""
    change: Offered = Offered.on(world, story["name"], forge)
    story["change"], story["key"] = change, discount.leaked_key()
    change.open(discount.careless(story["key"]))
    return change


def _own_module(code: str) -> dict[str, str]:
    return {f"src/payments_api/part_{secrets.token_hex(4)}.py": code}


def _events(world: World, story: dict[str, Any]) -> list[dict[str, Any]]:
    """The whole record of the project."""
    found: list[dict[str, Any]] = []
    cursor: str | None = "0"
    while cursor is not None:
        asked = {"cursor": cursor, "limit": 500}
        page = world.api.get(f"/api/audit/{story['project']}", params=asked).json()
        found += page["events"]
        cursor = page["next_cursor"]
    return found


def _of_instance(world: World, story: dict[str, Any], instance: str) -> list[dict[str, Any]]:
    return [event for event in _events(world, story) if event["instance"].startswith(instance)]


# a change from its opening to its merge


@when(
    parsers.parse("Casey offers a change with a leaked key on {forge}, with no test and no line in the changelog"),
)
def _careless_and_built(world: World, story: dict[str, Any], forge: str) -> None:
    change = _leaks(world, story, forge)
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
    tags = [event["tag"] for event in _events(world, story) if event["subject"] == change.ref.key]
    assert "doneright:review:judged" in tags
    assert f"{key}:review:published" in tags
    assert tags.count(f"{key}:change:merged") == 1
    (merged,) = (
        event
        for event in _events(world, story)
        if (event["tag"], event["subject"]) == (f"{key}:change:merged", change.ref.key)
    )
    # The forge began the workflow or pipeline that deploys by itself, and Doneright saw that it did.
    assert [one for one in merged["detail"]["followed"] if one.startswith("the merge began ")], merged["detail"]
    assert world.api.get(f"/api/audit/{slug}/verify").json()["ok"] is True


# a connection that only advises


@given("the connection only advises")
def _advises(world: World) -> None:
    changed = world.api.patch(CONNECTION, json={"review_mode": "advisory"})
    assert changed.status_code == 200, changed.text


@when(parsers.parse("Casey offers a change without a test on {forge}"))
def _untested(world: World, story: dict[str, Any], forge: str) -> None:
    change = story["change"] = Offered.on(world, story["name"], forge)
    change.open(_own_module(discount.mended()[discount.MODULE]))
    change.run_checks()


@then(parsers.parse('the summary names "{criterion}" and says that nothing is blocked'))
def _advice(world: World, story: dict[str, Any], criterion: str) -> None:
    change = _offered(story)
    verdict = change.verdict("a verdict", lambda found: criterion in blocking(found))
    assert verdict["advisory"] is True

    def look() -> str | None:
        return next((one for one in change.summaries() if criterion in one), None)

    summary = world.until("the summary", look)
    assert summary is not None
    assert "This connection only advises: nothing is blocked." in summary
    assert "What would block" in summary


@then("the check is green")
def _green(story: dict[str, Any]) -> None:
    _offered(story).check("success")


@then("Mona can merge it by hand")
def _by_hand(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    change.team.approve(change.number, "It may wait for its tests, which come with the next change.")
    change.merge_by_hand()
    world.until("the merge", lambda: change.team.state(change.number) == "merged")


# commands


@given(parsers.parse("Casey offered a change with a leaked key on {forge}, and it was blocked"))
def _blocked_before(world: World, story: dict[str, Any], forge: str) -> None:
    change = _leaks(world, story, forge)
    change.run_checks()
    change.verdict("a verdict that names the key", lambda found: "no_secrets" in blocking(found))
    change.check("failure")
    world.until("the summary", change.summaries)
    story["wanted rounds"] = _quiet(world, change)["wanted"]


def _quiet(world: World, change: Offered) -> dict[str, Any]:
    """The record once its review is at rest and no delivery has arrived for a while."""
    before: set[str] = set()
    since = time.monotonic()

    def look() -> dict[str, Any] | None:
        nonlocal before, since
        rows = world.api.get("/api/deliveries", params={"limit": 300}).json()["deliveries"]
        arrived = {f"{row['id']} {row['state']}" for row in rows}
        if arrived != before:
            before, since = arrived, time.monotonic()
        record = change.at_rest()
        at_rest = time.monotonic() - since > QUIET_SECONDS and record["done"] == record["wanted"]
        return record if at_rest else None

    found = world.until("the end of every delivery", look)
    assert found is not None
    return found


@when(parsers.parse('Casey asks "{words}" beside the code'))
def _asks_beside(story: dict[str, Any], words: str) -> None:
    story["discussion"] = _offered(story).ask_beside(discount.MODULE, 3, words)


@then("the answer stands in the same discussion, and tells the reason, what was found and what to do")
def _answered_there(world: World, story: dict[str, Any]) -> None:
    change, ident = _offered(story), story["discussion"]
    said = world.until("the answer", lambda: (there := change.discussion(ident)) and len(there) > 1 and there)
    assert said
    assert len(said) == 2
    for part in ("**Why:**", "not met (enforced, blocks)", "- To do:"):
        assert part in said[1]
    assert story["key"] not in said[1]


@then("the answer started no further round of the review")
@then("no further round was asked for")
def _no_round(world: World, story: dict[str, Any]) -> None:
    assert _quiet(world, _offered(story))["wanted"] == story["wanted rounds"]


@when(parsers.re(r'(?P<who>Casey|Mona) comments "(?P<words>.+)"'))
def _comments(story: dict[str, Any], who: str, words: str) -> None:
    _say(story, who.lower(), words)


def _say(story: dict[str, Any], who: str, words: str) -> None:
    change, tomorrow = _offered(story), datetime.now(UTC).date() + timedelta(days=1)
    story["tomorrow"] = tomorrow.isoformat()
    story["answered"] = len(_answers(change))
    change.team.say(change.number, words.replace("TOMORROW", story["tomorrow"]), by=who)


def _answers(change: Offered) -> list[str]:
    return [one for one in change.comments() if "<!-- doneright:reply:" in one]


@when(parsers.parse('the stranger says "{words}"'))
def _stranger(world: World, story: dict[str, Any], words: str) -> None:
    change = _offered(story)
    if FORGES["GitHub"] == change.forge:
        with change.client("mona") as mona:
            assert mona.put("/collaborators/stranger", json={"permission": "pull"}).status_code < 300
        _say(story, "stranger", words)
        return
    # Readers of Azure Repos write no comments at all; a script may still name one.
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    asked = world.api.post(
        "/api/reviews",
        json={
            "project": story["project"],
            "forge": change.forge.value,
            "number": change.number,
            "by": "sam.stranger@acme.example",
            "command": words.removeprefix("/doneright ").replace("TOMORROW", tomorrow.isoformat()),
        },
    )
    assert asked.status_code == 409, asked.text
    story["refused"] = asked.text


@then(parsers.parse('{who} is answered "{words}"'))
def _is_answered(world: World, story: dict[str, Any], who: str, words: str) -> None:
    if refused := story.pop("refused", ""):
        assert words in refused
        return
    change = _offered(story)
    said = world.until("the answer", lambda: _answers(change)[story["answered"] :])
    assert len(said) == 1
    assert words in said[0]


@then(parsers.parse('"{criterion}" still blocks'))
def _still(world: World, story: dict[str, Any], criterion: str) -> None:
    change = _offered(story)
    _quiet(world, change)
    shown = change.review()
    assert shown is not None
    assert criterion in blocking(shown["verdict"])
    change.check("failure")


@then(parsers.parse('"{criterion}" blocks no more, and the summary says who let it go, until when and why'))
def _let_go(world: World, story: dict[str, Any], criterion: str) -> None:
    change = _offered(story)
    verdict = change.verdict("a verdict without it", lambda found: criterion not in blocking(found))
    finding = next(one for one in verdict["findings"] if one["criterion"] == criterion)
    assert finding["outcome"] == "unmet", "what was found stands, whoever lets it go"
    assert finding["waiver"]["until"].startswith(story["tomorrow"])

    def look() -> str | None:
        row = re.compile(rf"`{criterion}`.*mona.*{story['tomorrow']}.*only a key of the tests")
        return next((one for one in change.summaries() if row.search(one)), None)

    assert world.until("the summary that says so", look)


@then(parsers.parse('"{criterion}" is met by the word of Mona'))
def _attested(story: dict[str, Any], criterion: str) -> None:
    def holds(found: dict[str, Any]) -> bool:
        one = next(one for one in found["findings"] if one["criterion"] == criterion)
        return bool(one["outcome"] == "met" and one["attestation"]["by"] in APPROVERS)

    verdict = _offered(story).verdict("a verdict with her word", holds)
    assert "https://example.com/notes/42" in str(verdict)


@then(parsers.parse('the record of "{name}" holds that word and the refusal'))
def _word_on_record(world: World, story: dict[str, Any], name: str) -> None:
    found = _of_instance(world, story, f"comment-{_offered(story).ref.key}-")
    tags = [event["tag"] for event in found]
    assert tags == ["doneright:command:refused", "doneright:attestation:recorded"], tags
    assert world.api.get(f"/api/audit/{slug_of(name)}/verify").json()["ok"] is True


# the policy of the target branch

TIGHTER = "stages:\n  development:\n    branch_names_its_ticket: enforced\n"
NAMED = "branch_names_its_ticket"


@when(
    parsers.parse(
        "Casey offers a change on {forge} that brings a policy which asks for a ticket in the name of the branch"
    )
)
def _brings(world: World, story: dict[str, Any], forge: str) -> None:
    change = story["change"] = Offered.on(world, story["name"], forge)
    branch = f"nameless-{secrets.token_hex(4)}"
    change.branch_with(branch, {".doneright/policy.yaml": TIGHTER})
    change.open_between(branch, "main")


@then("that policy has no say")
def _no_say(story: dict[str, Any]) -> None:
    verdict = _offered(story).verdict("a verdict", bool)
    assert verdict["policy_source"] == ""
    assert NAMED not in blocking(verdict)
    found = next(one for one in verdict["findings"] if one["criterion"] == NAMED)
    assert (found["enforcement"], found["outcome"]) == ("advisory", "unmet")


@when(parsers.parse("Casey offers a change on {forge} to a branch that holds this policy, and takes it away"))
def _takes_away(world: World, story: dict[str, Any], forge: str) -> None:
    change = story["change"] = Offered.on(world, story["name"], forge)
    token = secrets.token_hex(4)
    held = change.branch_with(f"strict-{token}", {".doneright/policy.yaml": TIGHTER})
    change.point(f"looser-{token}", held)
    change.team.push(f"looser-{token}", {".doneright/policy.yaml": TIGHTER.replace("enforced", "off")}, "chore: looser")
    change.open_between(f"looser-{token}", f"strict-{token}")
    story["held"] = held


@then("that policy decides")
def _decides(story: dict[str, Any]) -> None:
    verdict = _offered(story).verdict("a verdict", bool)
    assert verdict["policy_source"] == f"{story['held']}:.doneright/policy.yaml"
    assert NAMED in blocking(verdict)


# what happens to the branch meanwhile

LOOKS = {
    "GitHub": {"method": "POST", "path": "/graphql"},
    "Azure DevOps": {"method": "GET", "path": r"(?i)/pullrequests/\d+\?"},
}
"""Where a review first asks for its pull request."""


@given(parsers.parse("{forge} is slow to show pull requests"))
def _slow(world: World, story: dict[str, Any], forge: str) -> None:
    story["slow"] = LOOKS[forge]


@when(parsers.parse("Casey offers a change with a leaked key on {forge}, and while it is looked at {event}"))
def _meanwhile(world: World, story: dict[str, Any], forge: str, event: str) -> None:
    change: Offered = Offered.on(world, story["name"], forge)
    story["change"], story["key"] = change, discount.leaked_key()
    world.fault(change.forge.value, kind="latency", seconds=4, **story["slow"])
    change.open(discount.careless(story["key"]))
    world.until("the begin of the review", lambda: change.review(change.heads[0]))
    match event:
        case "pushes the mended code":
            change.push(discount.mended(), "fix: without the key")
        case "rewrites the branch":
            change.rewrite(discount.mended())
        case "deletes the branch":
            change.point(change.branch, "0" * 40, change.head)


@then(parsers.parse('the review of the first head ends quietly as "{state}"'))
def _superseded(story: dict[str, Any], state: str) -> None:
    change = _offered(story)
    record = change.at_rest(change.heads[0])
    assert record["state"] == state, record
    assert change.at_rest()["state"] == "completed"


@then("nothing was said about the first head")
def _silent(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    # A later summary may well name the commit; none is of it.
    assert not [one for one in change.comments() if f"of `{change.heads[0][:8]}`" in one]
    shown = change.review(change.heads[0])
    assert shown is not None
    told = [event["tag"] for event in _of_instance(world, story, f"review-{shown['id']}.")]
    assert not [tag for tag in told if tag.endswith(("review:judged", "review:published", "review:failed"))], told


@then("the review ends without having broken")
def _unbroken(world: World, story: dict[str, Any]) -> None:
    record = _offered(story).at_rest()
    assert record["state"] in {"completed", "superseded"}, record
    assert world.host_errors()[story["errors"] :] == []


@then("there is at most one summary comment")
def _one_at_most(story: dict[str, Any]) -> None:
    assert len(_offered(story).summaries()) <= 1


@given(parsers.parse("{forge} sends its events twice and in another order"))
def _disordered(world: World, forge: str) -> None:
    name = FORGES[forge].value
    world.fault(name, kind="webhook_reordered", count=3)
    world.fault(name, kind="webhook_duplicated", count=40)


@when(parsers.parse("Casey offers a change with a leaked key on {forge} and pushes twice"))
def _pushes_twice(world: World, story: dict[str, Any], forge: str) -> None:
    change = _leaks(world, story, forge)
    change.push({**discount.mended(), "docs/notes.md": f"# Notes {secrets.token_hex(4)}\n"}, "docs: notes")
    change.push(discount.careless(story["key"]), "fix: the key again")


@then("the verdict about the newest head is there")
def _newest(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    change.verdict("the newest verdict", lambda found: "no_secrets" in blocking(found))
    change.check("failure")
    for head in change.heads[:-1]:
        if change.review(head):
            change.at_rest(head)
    _quiet(world, change)


# troubles while the verdict is told

TOLD = {
    "GitHub": r"/issues/\d+/comments|/pulls/\d+/(comments|reviews)",
    "Azure DevOps": r"(?i)/pullrequests/\d+/threads",
}
TROUBLES: dict[str, dict[str, Any]] = {
    "is down": {"kind": "unavailable", "count": 4, "seconds": 1},
    "asks for patience": {"kind": "rate_limited", "count": 2, "seconds": 1},
    "loses its answers": {"kind": "answer_lost", "count": 2},
}


@given(
    parsers.re(
        r"(?P<forge>GitHub|Azure DevOps) (?P<trouble>is down|asks for patience|loses its answers) when it is told the verdict"
    )
)
def _trouble(world: World, story: dict[str, Any], forge: str, trouble: str) -> None:
    world.fault(FORGES[forge].value, method="POST", path=TOLD[forge], **TROUBLES[trouble])


@when(parsers.re(r"Casey offers a change with a leaked key on (?P<forge>GitHub|Azure DevOps)"))
def _offers(world: World, story: dict[str, Any], forge: str) -> None:
    _leaks(world, story, forge)


@then("the check blocks")
def _check_blocks(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    change.check("failure")
    assert _quiet(world, change)["state"] == "completed"


@then("the trouble was met")
def _met(world: World, story: dict[str, Any]) -> None:
    ready, change = world.ready, _offered(story)
    base = ready.github if change.forge is FORGES["GitHub"] else ready.azure_devops
    assert [rule["fired"] for rule in httpx.get(f"{base}/_faults", timeout=30).json()] != [0]


# forks


@when("a stranger offers a change with a policy of its own from a fork on GitHub")
def _forks(world: World, story: dict[str, Any]) -> None:
    change = story["change"] = Offered.on(world, story["name"], "GitHub")
    stranger, slug = world.github("stranger"), story["project"]
    with change.client("mona") as mona:
        assert mona.put("/collaborators/stranger", json={"permission": "pull"}).status_code < 300
    forked = stranger.post(f"/repos/acme/{slug}/forks", json={})
    assert forked.status_code == 202, forked.text
    fork, branch = f"/repos/{forked.json()['full_name']}", f"fix-{secrets.token_hex(4)}"
    base = change.team.base()
    files = {".doneright/policy.yaml": TIGHTER, **discount.mended()}
    entries = [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()]
    below = stranger.get(f"{fork}/git/commits/{base}").json()["tree"]["sha"]
    tree = stranger.post(f"{fork}/git/trees", json={"base_tree": below, "tree": entries}).json()["sha"]
    body = {"message": "fix: from outside", "tree": tree, "parents": [base]}
    head = stranger.post(f"{fork}/git/commits", json=body).json()["sha"]
    made = stranger.post(f"{fork}/git/refs", json={"ref": f"refs/heads/{branch}", "sha": head})
    assert made.status_code == 201, made.text
    asked = {"title": discount.TITLE, "body": discount.BODY, "head": f"stranger:{branch}", "base": "main"}
    opened = stranger.post(f"/repos/acme/{slug}/pulls", json=asked)
    assert opened.status_code == 201, opened.text
    change.opened = Opened(number=opened.json()["number"], url=opened.json()["html_url"], head=head)
    change.heads.append(head)
    change.run_checks()
    story["fork"], story["fork head"] = fork, head


@then("it is reviewed like any other, and the policy of the fork has no say")
def _reviewed_fork(story: dict[str, Any]) -> None:
    verdict = _offered(story).verdict("a verdict", lambda found: "change_is_approved" in blocking(found))
    assert verdict["policy_source"] == ""
    assert NAMED not in blocking(verdict)


@when("Mona approves it and lets go whatever stands in its way")
def _lets_everything_go(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    change.team.approve(change.number, "It is small, its tests cover both ends, and nothing of it surprises.")

    def look() -> bool:
        shown = change.review()
        assert shown is not None
        left = [
            one["criterion"]
            for one in shown["verdict"]["findings"]
            if one["enforcement"] == "enforced"
            and not one["waiver"]
            and one["outcome"] not in {"met", "not_applicable"}
        ]
        left = [one for one in left if one not in asked and one != "change_is_approved"]
        if left:
            asked.update(left)
            words = "\n".join(
                f"/doneright waive {one} until TOMORROW because it comes from outside" for one in left[:20]
            )
            _say(story, "mona", words)
        return bool(shown["verdict"]["ruling"] == "passed")

    asked: set[str] = set()
    world.until("a verdict that passes", look)


@then("nobody has merged it, and nothing was written to the fork")
def _unmerged(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    assert _quiet(world, change)["ruling"] == "passed"
    assert change.team.state(change.number) == "open"
    theirs = [one for one in world.requests("github") if one["path"].startswith(story["fork"])]
    assert not [one for one in theirs if _is_ours(one) and one["method"] != "GET"]
    # Other pull requests hand their findings over at the same time; of this one, each round tells that it did not.
    subject = f"#{change.number}"
    told = [
        one
        for one in _events(world, story)
        if one["tag"] == "github:review:published" and one["subject"].endswith(subject)
    ]
    assert told
    assert all(any("about a fork are not uploaded" in line for line in one["detail"]["trouble"]) for one in told)


def _is_ours(request: dict[str, Any]) -> bool:
    """Whether the product sent it: the stranger's own calls are those of the preparation."""
    return "/git/" not in request["path"]


# what starts nothing


@when('Doneright\'s own account writes "/doneright review" as its own words')
def _own_words(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    words = f"<!-- doneright:note {secrets.token_hex(4)} -->\n/doneright review"
    story["before"] = _unheard(world)
    change.team.say(change.number, words, by="doneright")


@when('a bot comments "/doneright review"')
def _bot(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    story["before"] = _unheard(world)
    payload = {
        "action": "created",
        "issue": {
            "id": 1, "number": change.number, "title": discount.TITLE, "state": "open", "labels": [],
            "user": {"login": "casey"}, "html_url": "https://github.example/1", "pull_request": {"url": "https://github.example/1"},
        },
        "comment": {
            "id": 4711, "body": "/doneright review", "html_url": "https://github.example/2",
            "user": {"login": "dependabot[bot]", "type": "Bot"},
        },
        "repository": {"full_name": f"acme/{story['project']}"},
    }  # fmt: skip
    assert world.deliver(payload, "issue_comment").status_code == 202


def _unheard(world: World) -> int:
    rows = world.api.get("/api/deliveries", params={"state": "ignored", "limit": 1000}).json()["deliveries"]
    return sum(row["reason"] in {"Doneright wrote it", "programs give no commands"} for row in rows)


@then("nothing follows from it")
def _nothing_follows(world: World, story: dict[str, Any]) -> None:
    world.until("its being ignored", lambda: _unheard(world) > story["before"])


# policies that are tried


@when("a call tries a policy that enforces what was only advised")
def _tries(world: World, story: dict[str, Any]) -> None:
    change = _offered(story)
    shown = change.review()
    assert shown is not None
    advised = next(
        one
        for one in shown["verdict"]["findings"]
        if one["enforcement"] == "advisory" and one["outcome"] == "unmet" and not one["waiver"]
    )
    story["advised"], story["verdict"] = advised["criterion"], shown["verdict"]
    policy = f"stages:\n  {advised['stage']}:\n    {advised['criterion']}: enforced\n"
    body = {"project": story["project"], "forge": change.forge.value, "policy": policy, "last": 5}
    story["answer"] = world.api.post("/api/policies/simulate", json=body)


@then("it is answered at once with an address to look at")
def _accepted(world: World, story: dict[str, Any]) -> None:
    answer = story["answer"]
    assert answer.status_code == 202, answer.text
    address = answer.json()["status_url"]
    assert answer.headers["location"] == address
    asked = world.until(
        "the answer", lambda: (found := world.api.get(address).json()) and found["state"] != "running" and found
    )
    assert asked
    assert asked["state"] == "completed", asked
    story["simulated"] = asked["result"]


@then("there stands that the change would be blocked by that as well")
def _would_block(story: dict[str, Any]) -> None:
    number = _offered(story).number
    told = next(one for one in story["simulated"]["changes"] if one["ref"]["number"] == number)
    assert (told["before"], told["after"]) == ("failed", "failed")
    difference = next(one for one in told["differences"] if one["criterion"] == story["advised"])
    assert (difference["blocks_before"], difference["blocks_after"]) == (False, True)


@then("nothing has changed for the change itself")
def _as_before(world: World, story: dict[str, Any]) -> None:
    shown = _offered(story).review()
    assert shown is not None
    assert shown["verdict"] == story["verdict"]
    assert shown["record"]["wanted"] == story["wanted rounds"]


# changes of unusual size and kind


def _aside(
    world: World, story: dict[str, Any], forge: str, added: dict[str, bytes], moved: dict[str, str] | None = None
) -> None:
    change = story["change"] = Offered.on(world, story["name"], forge)
    branch = f"fix/{secrets.token_hex(4)}"
    change.push_aside(branch, added, moved or {})
    change.open_between(branch, "main")


def _leaking() -> bytes:
    return f'"""Told to nobody."""\n\nKEY = "{discount.leaked_key()}"\n'.encode()


@when(parsers.parse("Casey offers a change of 3000 files on {forge}, and the last leaks a key"))
def _many(world: World, story: dict[str, Any], forge: str) -> None:
    folder = f"src/many_{secrets.token_hex(4)}"
    added = {f"{folder}/part_{n:04}.py": f'"""Part {n}."""\n\nVALUE = {n}\n'.encode() for n in range(2_999)}
    _aside(world, story, forge, added | {f"{folder}/the_last.py": _leaking()})


@then(parsers.parse('the verdict counts {count:d} files and is in the way for "{criterion}"'))
def _counted(story: dict[str, Any], count: int, criterion: str) -> None:
    verdict = _offered(story).verdict("a verdict", bool)
    assert criterion in blocking(verdict)
    (size,) = (one for one in verdict["findings"] if one["criterion"] == "change_is_small")
    assert f"in {count} files" in str(size), size


@when(parsers.parse("Casey offers a change of 10 MB on {forge}, and the last file leaks a key"))
def _big(world: World, story: dict[str, Any], forge: str) -> None:
    mark = secrets.token_hex(4)
    lines = 10_000_000 // 23 // len(f"Line 00000 of 00 {mark}, told once.\n") + 1
    text = {n: "".join(f"Line {line:05} of {n:02} {mark}, told once.\n" for line in range(lines)) for n in range(23)}
    assert sum(map(len, text.values())) >= 10_000_000
    added = {f"docs/{mark}/big_{n:02}.md": told.encode() for n, told in text.items()}
    _aside(world, story, forge, added | {f"src/{mark}.py": _leaking()})


@when(parsers.parse("Casey offers a change on {forge} with a picture, bytes of no kind and a file that moved"))
def _odd(world: World, story: dict[str, Any], forge: str) -> None:
    mark = secrets.token_hex(4)
    story["bytes"], story["picture"] = f"data/{mark}.blob", f"docs/{mark}.png"
    added = {
        story["picture"]: b"\x89PNG\r\n\x1a\n\0" + secrets.token_bytes(100_000),
        story["bytes"]: b"\0" + secrets.token_bytes(3_000),
        f"src/{mark}.py": b'"""Moved, and nothing else."""\n',
    }
    _aside(world, story, forge, added, {"docs/threat-model.md": f"docs/threats-{mark}.md"})


@then(parsers.parse('the bytes of no kind keep the verdict on "{criterion}" open, and the picture does not'))
def _not_looked_at(story: dict[str, Any], criterion: str) -> None:
    verdict = _offered(story).verdict("a verdict", bool)
    (found,) = (one for one in verdict["findings"] if one["criterion"] == criterion)
    assert found["outcome"] == "not_available", found
    assert story["bytes"] in str(found)
    assert story["picture"] not in str(found)
