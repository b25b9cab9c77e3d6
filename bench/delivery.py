"""Measures verifying and parsing a delivery in this process beside bare ``hmac`` and ``json.loads`` of the same bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.payload import issues_body, signed_headers
from bench.result import BenchError, Result, compare
from shared.domain.forge import ForgeName
from shared.intake import envelopes, events, signatures
from shared.settings import Settings

GOAL = 0.5
SECRET = "a secret of the bench alone"
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"


class _NoArtifacts:
    """Refuses: a body that goes to the store would not be measured like the peer's."""

    def put(self, content: bytes, media_type: str) -> str:
        raise BenchError(f"a body of {len(content)} bytes was to be stored; the payload of the bench must be smaller")

    def get(self, digest: str) -> bytes:
        raise BenchError(f"nothing was stored under {digest}")

    def exists(self, digest: str) -> bool:
        return False


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Deliveries a second."""
    del folder
    rounds, number = (5, 1000) if quick else (15, 3000)
    body = issues_body().encode()
    header = signed_headers(SECRET, body.decode(), DELIVERY)["X-Hub-Signature-256"]
    large = Settings.model_fields["large_body_bytes"].default
    artifacts = _NoArtifacts()
    now = datetime.now(UTC)

    def ours() -> Any:
        if not signatures.github_signature_is_valid([SECRET], body, header):
            raise BenchError("our side refused the delivery")
        text = envelopes.payload_text(body, "application/json")
        envelope = envelopes.wrap(
            forge=ForgeName.GITHUB,
            delivery=DELIVERY,
            event="issues",
            text=text,
            received_at=now,
            correlation=DELIVERY,
            artifacts=artifacts,
            large=large,
        )
        return events.parse(ForgeName.GITHUB, "issues", envelopes.unwrap(envelope, artifacts))

    secret = SECRET.encode()

    def peer() -> Any:
        if not hmac.compare_digest("sha256=" + hmac.digest(secret, body, hashlib.sha256).hex(), header):
            raise BenchError("the peer refused the delivery")
        return json.loads(body)

    if not isinstance(ours(), events.GitHubIssues):
        raise BenchError("our side did not parse the delivery as an issues event")
    mine: list[float] = []
    theirs: list[float] = []
    for side, rates in ((ours, mine), (peer, theirs)) * (rounds + 1):
        rates.append(_rate(side, number))
    return [
        compare(
            f"verify and parse a delivery of {len(body) / 1024:.0f} KiB in process",
            "deliveries/s",
            mine[1:],  # the first round warms up
            peer_name="bare hmac + json.loads",
            peer=theirs[1:],
            goal=GOAL,
        )
    ]


def _rate(side: Callable[[], Any], number: int) -> float:
    began = time.perf_counter()
    for _ in range(number):
        side()
    return number / (time.perf_counter() - began)
