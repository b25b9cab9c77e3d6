"""Says one remark beside its lines: what is wrong, how bad, what to do, and a suggestion that one click takes over."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.publication import OWN_MARK, SETTLED_MARKER, Annotation, OwnWord, PlacedRemark, remark_marker
from shared.domain.review import Finding, Reviewed
from shared.reviews.markdown import code, fenced, linked, paragraphs, plain, prose, visible
from shared.reviews.saying import Voiced

MOST_ANNOTATIONS = 250
"""GitHub takes 50 in one request; the summary lists what is beyond."""

_LONGEST_TITLE = 255
_LONGEST_MESSAGE = 60_000


def placed(one: Voiced, reviewed: Reviewed) -> PlacedRemark:
    """The remark as the forge is given it."""
    remark = one.remark
    suggestion = _suggestion(one)
    return PlacedRemark(
        fingerprint=one.fingerprint,
        path=remark.path,
        line=remark.line,
        end_line=remark.end_line,
        body=body(one, reviewed),
        suggestion=suggestion,
    )


def body(one: Voiced, reviewed: Reviewed) -> str:
    """Markdown, whose first line is the marker that finds it again."""
    findings = _findings(one, reviewed)
    parts = [f"{_headline(one)}\n{paragraphs(one.remark.message, 2_000)}"]
    parts += [f"What to do: {prose(finding.remedy, 500)}" for finding in findings if finding.remedy]
    if one.remark.help_url:
        label = plain(one.remark.rule, 80) or "About it"
        parts.append(linked(label, one.remark.help_url))
    if (suggestion := _suggestion(one)) is not None:
        # An empty text stands for no line at all, and not for an empty one.
        parts.append(fenced(suggestion, "suggestion") if suggestion else "```suggestion\n```")
    return "\n\n".join([remark_marker(one.fingerprint) + "\n" + parts[0], *parts[1:]])


def settled(word: OwnWord, head: str) -> str:
    """What a remark says once it is no longer true: that, and the words people may have answered.

    It carries its fingerprint no more, so that the thing is said anew should it come back. A remark that a person
    resolved keeps it, and is not said again.
    """
    said = word.body.replace("\r\n", "\n").split("\n")
    kept: list[str] = []
    for line in said:
        if line.startswith("```"):
            break  # a suggestion that fixed what is fixed must not be offered again
        if not line.startswith(OWN_MARK):
            kept.append(line)
    before = "\n".join(kept).strip()
    note = f"*Settled: not found any more at {code(head[:8])}.*"
    return "\n\n".join([f"{SETTLED_MARKER}\n{note}", *([before] if before else [])])


def is_settled(word: OwnWord) -> bool:
    """Whether Doneright itself took it for settled."""
    return SETTLED_MARKER in word.body.replace("\r\n", "\n").split("\n")[:3]


def annotated(said: Sequence[Voiced], reviewed: Reviewed) -> tuple[Annotation, ...]:
    """What stands beside the code of the check: plain text, one for each remark that has a line, the worst first."""
    found = []
    for one in said:
        remark = one.remark
        if not remark.path or remark.line is None:
            continue
        remedies = [finding.remedy for finding in _findings(one, reviewed) if finding.remedy]
        text = "\n".join([visible(remark.message), *(f"What to do: {visible(remedy)}" for remedy in remedies)])
        title = one.title or ", ".join(one.criteria) + (f" ({remark.rule})" if remark.rule else "")
        found.append(
            Annotation(
                path=remark.path,
                line=remark.line,
                end_line=max(remark.end_line or remark.line, remark.line),
                severity=remark.severity,
                title=" ".join(visible(title).split())[:_LONGEST_TITLE],
                message=text[:_LONGEST_MESSAGE],
            )
        )
    return tuple(found[:MOST_ANNOTATIONS])


def _headline(one: Voiced) -> str:
    if one.agent:
        how = "a model" if one.source == "model" else "analysis"
        return f"**{plain(one.title, 200)}** ({one.remark.severity}, the {one.agent} agent, by {how})\n"
    names = ", ".join(f"`{name}`" for name in one.criteria)
    if one.blocks:
        return f"**Blocks the merge** ({names}, {one.remark.severity})\n"
    return f"**{'Not determined' if one.undecided else 'Advice'}** ({names}, {one.remark.severity})\n"


def _suggestion(one: Voiced) -> str | None:
    text = one.remark.suggestion
    # Word for word or not at all: a text that holds a marker of ours cannot be both shown and harmless.
    if text is None or one.remark.line is None or OWN_MARK in text:
        return None
    return text


def _findings(one: Voiced, reviewed: Reviewed) -> list[Finding]:
    return [finding for name in one.criteria if (finding := reviewed.of(name)) is not None]
