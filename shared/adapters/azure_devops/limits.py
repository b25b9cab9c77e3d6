"""Decides how fast Azure DevOps may be asked, from what its answers say.

Consumption is counted in units (TSTUs) whose number a caller cannot work out: 200 in any five minutes, before answers
are delayed, then blocked. The service tells how many are left before it delays anything; from then on the calls of the
last five minutes tell how many more of their kind fit. https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from shared.adapters.pacing.budget import NOTHING, Advice, Capacity, Costs
from shared.adapters.pacing.pace import Pace, Pacing
from shared.adapters.pacing.windows import Limit
from shared.errors import DonerightError, TransientError

FIVE_MINUTES = 300.0
CALLS = "calls"
COSTS: Costs = {CALLS: 1.0}
LIMITS = (Limit(CALLS, math.inf, FIVE_MINUTES, "200 throughput units in five minutes"),)
# The service names no limit on calls at a time; this keeps one process from being the burst that is delayed.
CONCURRENT = 100
# Without a time named, as long as the service says delays last after consumption stops is too long for one refusal.
UNNAMED_WAIT = 30.0
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def pace_of(pacing: Pacing, organization_url: str, *identity: str) -> Pace:
    """The pace of ``identity`` in an organisation; its parts must be free of secrets."""
    parts = urlsplit(organization_url)
    return pacing.pace(
        "Azure DevOps",
        (parts.netloc, parts.path, *identity),
        LIMITS,
        concurrent=CONCURRENT,
        window=FIVE_MINUTES,
    )


def advice_of(status: int, headers: Mapping[str, str], failure: DonerightError | None = None) -> Advice:
    """What an answer says about pace; ``failure`` is what it was translated to, if anything.

    ``Retry-After`` comes with successes as well. ``X-RateLimit-Resource`` is shown to people and not relied on.
    """
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    waits = [seconds for name in ("retry-after", "x-ratelimit-delay") if (seconds := _number(lower, name))]
    if status == 429 and isinstance(failure, TransientError) and failure.retry_after:
        waits.append(failure.retry_after)
    unnamed = status == 429 and not waits
    left, of = _number(lower, "x-ratelimit-remaining"), _number(lower, "x-ratelimit-limit")
    capacity = None
    if left is not None and of:
        capacity = Capacity(CALLS, min(1.0, max(0.0, 1 - left / of)), _number(lower, "x-ratelimit-reset"))
    elif status < 400:
        # The service says how much is left as soon as a limit is near.
        capacity = Capacity(CALLS, 0.0)
    if not waits and not unnamed and capacity is None:
        return NOTHING
    resource = lower.get("x-ratelimit-resource", "")
    return Advice(
        hold=UNNAMED_WAIT if unnamed else max(waits, default=None),
        unnamed_hold=unnamed,
        capacity=capacity,
        words="limit was met" + (f" ({resource[:80]})" if resource.isprintable() and resource else ""),
    )


def _number(headers: Mapping[str, str], name: str) -> float | None:
    value = headers.get(name, "")
    return float(value) if _NUMBER.fullmatch(value) else None
