"""Makes of what scanners found the answers that gates read: what was found, and separately what nobody could look at."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from shared.domain.change import Scan, Unknown
from shared.domain.evidence import Finding
from shared.errors import RefusedError
from shared.evidence.limits import LIMITS
from shared.evidence.scanning.placing import Unseen
from shared.evidence.scanning.ports import ScanLimits

_MOST_NAMED = 5
_SHORTEST = 6


class UnansweredError(RefusedError):
    """A scanner could not answer; the reason and the remedy hold nothing of what it looked at."""


def answered(
    scanner: str,
    version: str,
    findings: Sequence[Finding],
    limits: ScanLimits,
    *,
    seen: Iterable[str] = (),
    unseen: Sequence[Unseen] = (),
    figures: dict[str, float] | None = None,
    most: int | None = None,
) -> tuple[Scan, ...]:
    """The answer of a scanner; where it could not look at everything, a second one says so.

    The two stay apart, so that what was found is told, and that nothing else was found is concluded by nobody.

    Args:
        most: how many findings are told, where it is not as the limits say.
    """
    most = limits.findings if most is None else most
    files = tuple(seen)
    scans: list[Scan] = []
    if files or not unseen:
        scans.append(
            Scan(
                scanner=scanner,
                version=version,
                findings=tuple(findings[:most]),
                figures=figures or {},
                components=files,
            )
        )
    if unseen:
        scans.append(Scan(scanner=scanner, version=version, findings=Unknown(reason=_told(scanner, unseen))))
    if len(findings) > most:
        cut = f"{scanner} has {len(findings)} findings; {most} are told. Split the change, or mend these first."
        scans.append(Scan(scanner=scanner, version=version, findings=Unknown(reason=cut)))
    return tuple(scans)


def unanswered(scanner: str, reason: str, remedy: str = "", version: str = "") -> Scan:
    """What stands in place of the findings of a scanner that could not answer."""
    return Scan(
        scanner=scanner, version=version, findings=Unknown(reason=f"{reason}. {remedy}".strip() if remedy else reason)
    )


def fingerprint(key: bytes, *parts: str) -> str:
    """Equal for the same thing wherever its line moves; tells nothing of ``parts`` to whoever lacks the key."""
    # Lengths keep ("ab", "c") and ("a", "bc") apart.
    told = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.new(key, told.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def line_of(text: str | None, number: int) -> str:
    """The line without its outer spaces, for a fingerprint that survives reformatting around it; empty where unknown."""
    if text is None:
        return ""
    lines = text.split("\n")
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def shortened(message: str) -> str:
    """A message of at most the length that is kept."""
    return message if len(message) <= LIMITS.text else message[: LIMITS.text - 1] + "…"


def without(secrets: Iterable[str], scan: Scan) -> Scan:
    """``scan`` with none of ``secrets`` in its words; those of fewer than 6 characters would blot out ordinary ones."""
    found = scan.findings
    told = sorted((one for one in secrets if len(one) >= _SHORTEST), key=len, reverse=True)
    if not told or isinstance(found, Unknown):
        return scan

    def blotted(text: str) -> str:
        for secret in told:
            text = text.replace(secret, "…")
        return text

    cleaned = tuple(
        one.model_copy(
            update={
                "rule": blotted(one.rule),
                "message": blotted(one.message),
                "source_severity": blotted(one.source_severity),
            }
        )
        for one in found
    )
    return scan.model_copy(update={"findings": cleaned})


def _told(scanner: str, unseen: Sequence[Unseen]) -> str:
    named = "; ".join(f"{one.path[:200]}: {one.reason}" for one in unseen[:_MOST_NAMED])
    more = f"; and {len(unseen) - _MOST_NAMED} more" if len(unseen) > _MOST_NAMED else ""
    return f"{scanner} could not look at {len(unseen)} of the changed files: {named}{more}"
