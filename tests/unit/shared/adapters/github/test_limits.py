"""What requests cost on GitHub, and what its answers say about pace."""

from datetime import UTC, datetime

import pytest

from shared.adapters.github.errors import translated
from shared.adapters.github.limits import SECONDARY, advice_of, limits, request_of, writing
from shared.adapters.pacing import Allowance
from shared.errors import TransientError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = str(int(NOW.timestamp()) + 900)
SPENT = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": LATER}


def _advice(status, headers, message="You have exceeded a secondary rate limit."):
    failure = translated(status, headers, {"message": message}, action="POST /x", now=NOW) if status >= 400 else None
    return advice_of(status, headers, "core", failure)


@pytest.mark.parametrize(
    ("verb", "url", "points", "content"),
    [
        ("GET", "/repos/acme/shop", 1, 0),
        ("HEAD", "/repos/acme/shop", 1, 0),
        ("POST", "/repos/acme/shop/labels", 5, 1),
        ("POST", "/repos/acme/shop/git/trees", 5, 1),
        ("PUT", "/repos/acme/shop/contents/a/b?ref=x", 5, 1),
        ("PUT", "/repos/acme/shop/branches/main/protection", 5, 0),
        ("PATCH", "/repos/acme/contents/git/refs/heads/main", 5, 0),
        ("DELETE", "/repos/acme/shop/hooks/1", 5, 0),
        ("POST", "/app/installations/1/access_tokens", 5, 0),
        ("POST", "/app-manifests/abc/conversions", 5, 0),
        ("POST", "/graphql", 5, 0),
    ],
)
def test_reads_are_a_point_writes_five_and_what_creates_is_counted(verb, url, points, content):
    costs = request_of(verb, url).costs
    assert (costs["points"], costs.get("content", 0)) == (points, content)


def test_allowances_are_told_apart():
    assert request_of("GET", "/search/issues?q=x").resource == "search"
    assert request_of("POST", "/graphql").resource == "graphql"
    assert request_of("POST", "https://ghe.example/api/graphql").resource == "graphql", (
        "it is asked by its whole address"
    )
    assert request_of("GET", "/repos/a/b").resource == "core"
    assert request_of("GET", "/app", as_app=True).resource == "app core"


@pytest.mark.parametrize(
    ("url", "limited"),
    [
        ("https://api.github.com", True),
        ("https://api.contoso.ghe.com", True),
        ("https://github.contoso.com/api/v3", False),
        ("https://api.github.com.example.org", False),
        ("http://127.0.0.1:7081", False),
    ],
)
def test_the_documented_limits_are_those_of_githubs_cloud(url, limited):
    assert limits(url) == (SECONDARY if limited else ())


def test_every_answer_may_tell_what_is_left():
    left = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999", "x-ratelimit-reset": LATER}
    assert _advice(200, left).allowance == Allowance("core", 4999, float(LATER), 5000)
    assert _advice(404, left, "Not Found").allowance is not None
    assert _advice(404, left, "Not Found").hold is None
    assert _advice(200, {"x-ratelimit-remaining": "many", "x-ratelimit-reset": LATER}) == _advice(200, {})


def test_a_spent_allowance_holds_its_own_resource_alone():
    advice = _advice(403, SPENT, "API rate limit exceeded")
    assert advice.hold is None
    assert advice.allowance == Allowance("core", 0, float(LATER), 5000)


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_holds_everything_as_long_as_it_says(status):
    advice = _advice(status, {"retry-after": "17"})
    assert (advice.hold, advice.unnamed_hold) == (17.0, False)


def test_a_secondary_limit_without_a_time_holds_a_minute_that_may_grow():
    advice = _advice(403, {})
    assert (advice.hold, advice.unnamed_hold) == (60.0, True)


def test_a_missing_permission_holds_nothing():
    assert _advice(403, {}, "Resource not accessible by integration").hold is None


def test_a_batch_counts_one_change_besides_what_it_creates():
    assert writing(3) == {"content": 3.0, "points": 20.0}


def test_translated_throttles_are_what_holds():
    assert isinstance(translated(429, {}, None, action="GET /x", now=NOW), TransientError)
