"""Decides what each request costs on GitHub and what an answer of GitHub says about pace.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.adapters.pacing.budget import NOTHING, Advice, Allowance, Costs
from shared.adapters.pacing.pace import Pace, Pacing
from shared.adapters.pacing.windows import Limit
from shared.errors import DonerightError, TransientError

MINUTE, HOUR = 60.0, 3600.0
CONTENT, POINTS = "content", "points"
SECONDARY: tuple[Limit, ...] = (
    Limit(CONTENT, 80, MINUTE, "80 content-creating requests a minute"),
    Limit(CONTENT, 500, HOUR, "500 content-creating requests an hour"),
    Limit(POINTS, 900, MINUTE, "900 points a minute"),
)
CONCURRENT = 100
READS = frozenset({"GET", "HEAD", "OPTIONS"})
_WHOLE = re.compile(r"[0-9]{1,12}")
# An App's own calls, its manifest and GraphQL's queries create nothing that others see.
_NO_CONTENT = re.compile(r"/app/|/app-manifests/|/graphql$")
_CONTENTS = re.compile(r"/repos/[^/]+/[^/]+/contents/")


class Request(NamedTuple):
    """What a request spends, and which allowance GitHub counts it against."""

    costs: Costs
    resource: str


def limits(base_url: str) -> tuple[Limit, ...]:
    """The secondary limits of GitHub's cloud. A server of one's own has none unless its administrator sets them."""
    host = urlsplit(base_url).hostname or ""
    return SECONDARY if host == "api.github.com" or host.endswith(".ghe.com") else ()


def pace_of(pacing: Pacing, base_url: str, *identity: str) -> Pace:
    """The pace of ``identity`` at the API under ``base_url``; its parts must be free of secrets."""
    host = urlsplit(base_url).netloc
    return pacing.pace("GitHub", (host, *identity), limits(base_url), concurrent=CONCURRENT, window=HOUR)


def request_of(verb: str, url: str, *, as_app: bool = False) -> Request:
    """What one request costs. ``url`` is a path under the API's root, or for GraphQL the whole address.

    A read is one point and a write five. GitHub does not say which requests create content: counted here are all POST,
    and PUT of a file's contents.
    """
    route = url.partition("?")[0]
    costs = {POINTS: 1.0 if verb in READS else 5.0}
    creates = verb == "POST" or (verb == "PUT" and _CONTENTS.match(route) is not None)
    if creates and not _NO_CONTENT.search(route):
        costs[CONTENT] = 1.0
    resource = "graphql" if route.endswith("/graphql") else "search" if route.startswith("/search/") else "core"
    return Request(costs, f"app {resource}" if as_app else resource)


def writing(contents: int) -> Costs:
    """What ``contents`` content-creating requests and one change spend together."""
    return {CONTENT: float(contents), POINTS: 5.0 * (contents + 1)}


def advice_of(status: int, headers: Mapping[str, str], resource: str, failure: DonerightError | None = None) -> Advice:
    """What an answer says about pace.

    Args:
        status: HTTP status.
        headers: response headers with lower-case names.
        resource: what ``request_of`` said the request counts against.
        failure: what the answer was translated to, when it is none of success.
    """
    allowance = _allowance(headers, resource)
    if status not in {403, 429} or not isinstance(failure, TransientError):
        return NOTHING if allowance is None else Advice(allowance=allowance)
    named = "retry-after" in headers
    if not named and allowance is not None and allowance.remaining == 0:
        return Advice(allowance=allowance)
    return Advice(
        hold=failure.retry_after,
        unnamed_hold=not named,
        allowance=allowance,
        words="secondary rate limit was met",
    )


def _allowance(headers: Mapping[str, str], resource: str) -> Allowance | None:
    limit, remaining, reset = (headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset"))
    if not _WHOLE.fullmatch(remaining) or not _WHOLE.fullmatch(reset):
        return None
    return Allowance(resource, int(remaining), float(reset), int(limit) if _WHOLE.fullmatch(limit) else None)
