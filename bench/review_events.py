"""Measures 200 pull request events at once: signed webhooks to a running host until every verdict stands on the forge.

The forge limits what anybody may tell it in a minute, and a review tells it something: the limit that stands beside the
rate is how many reviews GitHub's documented limits allow for the very requests that these reviews made. Where the rate is
above it, the forge is what bounds reviews, and not Doneright. The second row counts summary comments: there is one for a pull request, however
many events and rounds there were.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from bench.pull_events import PullEvent, opened
from bench.result import BenchError, Result, compare
from bench.review_world import PROJECT, Seen, World, until, world
from local.sandbox.contract import KEPT_REQUESTS
from local.story.changes import SUMMARY
from shared.adapters.github.limits import SECONDARY, request_of
from shared.domain.forge import ForgeName

EVENTS, QUICK_EVENTS = 200, 40
AT_ONCE = 50
PATIENCE = 600.0
"""Seconds."""
RATE_GOAL, COMMENTS_GOAL = 1.0, 1.0
_STATUS = re.compile(r"/statuses/([0-9a-f]{40})$")
_REPOSITORY = f"/repos/acme/{PROJECT}"


class Pull(NamedTuple):
    """A pull request that an event tells of."""

    number: int
    head: str


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Reviews a second, and summary comments."""
    count = QUICK_EVENTS if quick else EVENTS
    with world(folder) as stage:
        stage.silence()
        pulls = _opened(stage, count + 1)
        _told(stage, pulls[:1])  # imports what it needs
        seconds, seen = _told(stage, pulls[1:])
        summaries = _summaries(stage, pulls[1:])
    return [
        compare(
            f"{count} pull request events at once, until every verdict stands",
            "reviews/s",
            [count / seconds],
            peer_name="GitHub's documented limits for the same requests",
            peer=[allowed(seen, count)],
            goal=RATE_GOAL,
        ),
        compare(
            f"summary comments of {count} pull requests",
            "comments",
            [float(sum(summaries))],
            peer_name="one each",
            peer=[float(count)],
            goal=COMMENTS_GOAL,
        ),
    ]


def allowed(seen: Sequence[Seen], reviews: int) -> float:
    """Reviews a second that GitHub's limits of a minute allow, when each makes its share of the requests.

    Raises:
        BenchError: no request spends anything that is limited.
    """
    spent: Counter[str] = Counter()
    for one in seen:
        for resource, cost in request_of(one.method, one.path).costs.items():
            spent[resource] += cost  # type: ignore[assignment]
    rates = [
        limit.amount / limit.seconds / (spent[limit.meter] / reviews)
        for limit in SECONDARY
        if limit.seconds == 60 and spent[limit.meter]
    ]
    if not rates:
        raise BenchError("the reviews asked nothing of GitHub")
    return min(rates)


def verdicts(seen: Sequence[Seen], heads: frozenset[str]) -> int:
    """How many of ``heads`` have their verdict: a status for the announcement, and another for the conclusion."""
    told = Counter(
        found[1] for one in seen if one.method == "POST" and (found := _STATUS.search(one.path)) and found[1] in heads
    )
    return sum(count >= 2 for count in told.values())


def _opened(stage: World, count: int) -> list[Pull]:
    """Pull requests of two files, each with four calls."""
    headers = {"Authorization": f"token {stage.ready.github_tokens['casey']}"}
    with httpx.Client(base_url=stage.ready.github + _REPOSITORY, headers=headers, timeout=60) as casey:
        base = _json(casey.get("/git/ref/heads/main"))["object"]["sha"]
        tree = _json(casey.get(f"/git/commits/{base}"))["tree"]["sha"]

        def open_one(number: int) -> Pull:
            entries = [
                {"path": path, "mode": "100644", "type": "blob", "content": text}
                for path, text in (
                    (f"src/prices/price_{number}.py", f"def price(cents: int) -> int:\n    return cents * {number}\n"),
                    (f"docs/price_{number}.md", f"# Price {number}\n\nTold in cents.\n"),
                )
            ]
            made = _json(casey.post("/git/trees", json={"base_tree": tree, "tree": entries}))["sha"]
            commit = {"message": f"feat: price {number}", "tree": made, "parents": [base]}
            head = _json(casey.post("/git/commits", json=commit))["sha"]
            _json(casey.post("/git/refs", json={"ref": f"refs/heads/feature/price-{number}", "sha": head}))
            pull = {"title": f"feat: price {number}", "head": f"feature/price-{number}", "base": "main", "body": ""}
            return Pull(_json(casey.post("/pulls", json=pull))["number"], head)

        return [open_one(number) for number in range(count)]


def _told(stage: World, pulls: Sequence[Pull]) -> tuple[float, list[Seen]]:
    """Seconds from the first event to the last verdict, and what GitHub was asked meanwhile."""
    heads = frozenset(pull.head for pull in pulls)
    ready = [opened(stage.ready, stage.ref(ForgeName.GITHUB, pull.number), pull.head) for pull in pulls]
    stage.forget(ForgeName.GITHUB)
    with httpx.Client(limits=httpx.Limits(max_connections=AT_ONCE), timeout=PATIENCE) as forge:

        def deliver(event: PullEvent) -> int:
            return forge.post(event.url, content=event.body, headers=event.headers).status_code

        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = Counter(pool.map(deliver, ready))
    if set(answers) != {202}:
        raise BenchError(f"the events were answered {dict(answers)}")

    def stand() -> list[Seen] | None:
        # Each look costs the simulator something, so they are rare.
        time.sleep(0.5 if len(pulls) > 1 else 0.05)
        seen = stage.requests(ForgeName.GITHUB)
        if len(seen) >= KEPT_REQUESTS:
            raise BenchError("the simulator has forgotten the first requests, and with them verdicts")
        return seen if verdicts(seen, heads) == len(heads) else None

    seen = until(f"{len(pulls)} verdicts", stand, PATIENCE)
    return time.perf_counter() - began, seen


def _summaries(stage: World, pulls: Sequence[Pull]) -> list[int]:
    """How many summary comments each pull request has. Raises ``BenchError`` where there is none."""
    team = stage.teams[ForgeName.GITHUB]
    found = [sum(SUMMARY in comment for comment in team.comments(pull.number)) for pull in pulls]
    if missing := [pull.number for pull, count in zip(pulls, found, strict=True) if not count]:
        raise BenchError(f"{len(missing)} pull requests have no summary comment, the first is {missing[0]}")
    return found


def _json(answer: httpx.Response) -> Any:
    if answer.status_code >= 300:
        raise BenchError(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:300]}")
    return answer.json()
