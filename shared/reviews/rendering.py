"""Says a verdict as the summary comment and the check of a pull request: what blocks first, and each with its remedy.

The same review gives the same text. Whatever a change, a person or a tool wrote in it is harmless words (see ``markdown``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.forge import Frozen
from shared.domain.publication import OWN_MARK, SUMMARY_MARKER
from shared.domain.review import AgentName, AgentReport, Finding, Opinion, Outcome, Reviewed, Ruling
from shared.reviews.markdown import (
    COMMENT_LIMITS,
    Section,
    code,
    composed,
    fenced,
    linked,
    place_url,
    plain,
    prose,
    visible,
)
from shared.reviews.saying import Voiced
from shared.reviews.verdicts import Sorted, attestable, counted, role, sorted_findings, verdict

MOST_BYTES_OF_A_CHECK = 65_000
"""A little below what GitHub takes as the summary of a check run: https://docs.github.com/rest/checks/runs"""

_BAR = 24
"""Characters of the longest bar."""
_MOST_PATCH_LINES = 60
MOST_ROWS = 1_500
"""Remarks that a list is written of; no comment holds more."""

COMMANDS = (
    "review", "explain CRITERION", "attest CRITERION LINK", "waive CRITERION until DATE because …", "help",
)  # fmt: skip
"""What people may say in a comment, as the last lines of a summary name it."""


class Shown(Frozen):
    """What a summary names beside the review itself."""

    page: str
    """Address of the whole review."""
    digest: str
    """Of the review in the artifact store."""
    beside: int = 0
    """Remarks that stand in comments of their own."""
    rest: tuple[Voiced, ...] = ()
    """Remarks that stand nowhere else."""


def summary(reviewed: Reviewed, shown: Shown, *, limit: int | None = None) -> str:
    """The one comment that is updated in place: its first line is the marker it is found by."""
    room = limit or COMMENT_LIMITS[reviewed.ref.forge]
    return f"{SUMMARY_MARKER}\n{_words(reviewed, shown, room - len(SUMMARY_MARKER) - 1)}"


def check_summary(reviewed: Reviewed, shown: Shown) -> str:
    """The same words without the marker, for the page of the check."""
    limit = MOST_BYTES_OF_A_CHECK
    while len((text := _words(reviewed, shown, limit)).encode()) > MOST_BYTES_OF_A_CHECK:
        limit = limit * 3 // 4
    return text


def _words(reviewed: Reviewed, shown: Shown, limit: int) -> str:
    found = sorted_findings(reviewed.findings)
    green = reviewed.ruling is Ruling.PASSED
    sections = [
        *([] if green and not found.advice and not found.let_go else [_picture(found)]),
        *_blocking(found.blocking, reviewed),
        *_undecided(found.undecided),
        *_advice(found.advice),
        *_let_go(found.let_go, reviewed),
        *_attested(found.attested, reviewed),
        *_tickets(reviewed),
        *_rest(shown, reviewed),
        *_agents(reviewed),
        *_policy(reviewed),
    ]
    first = f"### {verdict(reviewed)}."
    if reviewed.advisory:
        first += "\n\nThis connection only advises: nothing is blocked."
    elif green:
        first += _plainly(found)
    last = "\n\n".join([*([] if green else [_commands()]), _foot(reviewed, shown)])
    return composed(first, sections, last, limit=limit, whole=shown.page)


def _plainly(found: Sorted) -> str:
    said = counted(len(found.met) + len(found.attested), "criterion is met", "criteria are met")
    if found.attested:
        said += f", {len(found.attested)} of them by the word of somebody"
    if found.not_asked:
        said += f"; {len(found.not_asked)} {'is' if len(found.not_asked) == 1 else 'are'} not asked of this change"
    return f"\n\n{said}."


def _picture(found: Sorted) -> Section:
    rows = [
        ("Not met, blocks", len(found.blocking)), ("Not determined, blocks", len(found.undecided)),
        ("Advice", len(found.advice)), ("Waived", len(found.let_go)), ("Met by attestation", len(found.attested)),
        ("Met", len(found.met)), ("Not asked here", len(found.not_asked)),
    ]  # fmt: skip
    most = max(count for _, count in rows) or 1
    lines = [f"| {name} | {count} | `{'█' * max(1, round(_BAR * count / most))}` |" for name, count in rows if count]
    return Section(title="Counts", before="| Criteria | | |\n|---|--:|---|", rows=lines)


def _blocking(found: Sequence[Finding], reviewed: Reviewed) -> list[Section]:
    if not found:
        return []
    title = "What would block" if reviewed.advisory else "What blocks the merge"
    rows = [f"| {_named(one)} | {_found(one)} | {_remedy(one)} | {_otherwise(one)} |" for one in found]
    head = f"#### {title}\n\n| Criterion | What was found | What to do | Otherwise |\n|---|---|---|---|"
    return [Section(title=title, before=head, rows=rows)]


def _undecided(found: Sequence[Finding]) -> list[Section]:
    if not found:
        return []
    title = "What nobody could tell"
    rows = [
        f"| {_named(one)} | {_found(one)} | {role(one.owner)} | {_remedy(one)} | {_otherwise(one)} |" for one in found
    ]
    head = (
        f"#### {title}\n\nNot determined is not passed: somebody who can tell is asked.\n\n"
        "| Criterion | Why | Who is asked | What to do | Otherwise |\n|---|---|---|---|---|"
    )
    return [Section(title=title, before=head, rows=rows)]


def _advice(found: Sequence[Finding]) -> list[Section]:
    if not found:
        return []
    rows = [f"| {_named(one)} | {_outcome(one)}{_found(one)} | {_remedy(one)} |" for one in found]
    return [_collapsed("Advice", len(rows), "| Criterion | What was found | What to do |\n|---|---|---|", rows)]


def _let_go(found: Sequence[Finding], reviewed: Reviewed) -> list[Section]:
    rows = [
        f"| {_named(one)} | {plain(one.waiver.by)} | {one.waiver.until:%Y-%m-%d} | {plain(one.waiver.because)} "
        f"| {_found(one)} |"
        for one in found
        if one.waiver is not None
    ]
    head = "| Criterion | By | Until | Because | What was found |\n|---|---|---|---|---|"
    return [_collapsed("Waived", len(rows), head, rows)] if rows else []


def _attested(found: Sequence[Finding], reviewed: Reviewed) -> list[Section]:
    rows = []
    for one in found:
        if (said := one.attestation) is None:
            continue
        about = "this head" if said.head == reviewed.head else f"`{said.head[:8]}`, an earlier push"
        who = f" ({role(said.role)})" if said.role else ""
        evidence = linked("what was shown", said.link)
        link = evidence if evidence != "what was shown" else plain(said.link)
        rows.append(f"| {_named(one)} | {plain(said.by)}{who} | {about} | {link} |")
    head = "| Criterion | By | Said about | With |\n|---|---|---|---|"
    return [_collapsed("Attested", len(rows), head, rows)] if rows else []


def _tickets(reviewed: Reviewed) -> list[Section]:
    rows = [f"- {prose(words, 1_200)}" for words in reviewed.tickets]
    return [Section(title="Tickets", before="#### Tickets\n", rows=rows)] if rows else []


def _policy(reviewed: Reviewed) -> list[Section]:
    rows = [f"- {plain(fault)}" for fault in reviewed.policy_faults]
    rows += [f"- {plain(weakening.text)} (line {weakening.line})" for weakening in reviewed.weakenings]
    if not rows:
        return []
    title = "The repository's policy is at fault"
    if not reviewed.policy_faults:
        title = "The repository's policy asks for less than is demanded"
    return [Section(title=title, before=f"#### {title}\n\nThe wider level's word holds.\n", rows=rows)]


def _rest(shown: Shown, reviewed: Reviewed) -> list[Section]:
    count = counted(shown.beside, "remark stands in a comment of its own", "remarks stand in comments of their own")
    beside = f"{count}, beside the code where it can be reached." if shown.beside else ""
    if not shown.rest:
        return [Section(title="Remarks", before=beside)] if beside else []
    rows = [f"| {_where(one, reviewed)} | {_said_by(one)} | {prose(one.remark.message, 300)} |" for one in shown.rest]
    title = "Further remarks" if shown.beside else "Remarks"
    beyond = len(shown.rest) - len(rows)
    section = replace(_collapsed(title, len(shown.rest), "| Where | Of | What |\n|---|---|---|", rows), beyond=beyond)
    return [Section(title="Remarks", before=beside), section] if beside else [section]


def _agents(reviewed: Reviewed) -> list[Section]:
    return [_agent(report, reviewed) for report in reviewed.agents if report.opinions or report.trouble]


def _agent(report: AgentReport, reviewed: Reviewed) -> Section:
    rows = [_opinion(one, reviewed) for one in report.opinions]
    if report.trouble:
        rows.append(f"- Did not answer in full: {plain(report.trouble)}")
    name = f"What the {report.agent} agent thinks"
    # Markdown does not reach into the line that is HTML: nothing that anybody wrote may stand there.
    model = f" Asked: {plain(report.model, 80)}." if report.model else ""
    offered = (
        f" The files go onto the branch {code(reviewed.offered)} next, with a draft pull request into this one whose checks "
        "show which of them hold."
        if reviewed.offered and report.agent is AgentName.QUALITY
        else ""
    )
    many = counted(len(report.opinions), "opinion", "opinions") if report.opinions else "did not answer"
    before = f"<details><summary>{name}: {many}</summary>\n\nOpinions block nothing.{model}{offered}\n"
    return Section(title=name, before=before, rows=rows, after="\n</details>")


def _opinion(one: Opinion, reviewed: Reviewed) -> str:
    url = place_url(reviewed.ref, reviewed.url, reviewed.head, one.path, one.line, one.end_line) if one.path else ""
    place = f" at {_path(one.path, one.line, url)}" if one.path else ""
    sure = (
        f"{one.severity}, {round(one.confidence * 100)} % sure, by {'a model' if one.source == 'model' else 'analysis'}"
    )
    said = f"- **{plain(one.title, 200)}**{place} ({sure}): {prose(one.message, 1_000)}"
    for path, text in sorted(one.patch.items()):
        said += f"\n\n  {code(path)}:\n\n{_indented(_patch(text))}\n"
    return said


def _patch(text: str) -> str:
    # A lone carriage return ends a line of markdown as well, and would leave the indentation behind.
    shown = visible(text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = shown.replace(OWN_MARK, OWN_MARK.replace("!", "!\u200b")).rstrip().split("\n")
    if len(lines) > _MOST_PATCH_LINES:
        lines = [*lines[:_MOST_PATCH_LINES], f"… {len(lines) - _MOST_PATCH_LINES} more lines in the whole review"]
    return fenced("\n".join(line[:400] for line in lines))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _collapsed(title: str, count: int, head: str, rows: Sequence[str]) -> Section:
    before = f"<details><summary>{title}: {count}</summary>\n\n{head}"
    return Section(title=title, before=before, rows=rows, after="\n</details>")


def _commands() -> str:
    said = " · ".join(f"`/doneright {command}`" for command in COMMANDS)
    return f"In a comment, with write access: {said}"


def _foot(reviewed: Reviewed, shown: Shown) -> str:
    policy = f", policy of {code(reviewed.policy_source)}" if reviewed.policy_source else ""
    pin = f"{reviewed.definition.name.replace('_', ' ')} {reviewed.definition.version}"
    return (
        f"{linked('The whole review', shown.page)} of {code(reviewed.head[:8])}, judged by the {pin}{policy}."
        f" On record as {code(shown.digest)}."
    )


def _named(one: Finding) -> str:
    return f"`{one.criterion}`<br>{prose(one.statement)}"


def _found(one: Finding) -> str:
    return prose(one.reason, 800)


def _outcome(one: Finding) -> str:
    return "" if one.outcome is Outcome.UNMET else "Not determined: "


def _remedy(one: Finding) -> str:
    takes = f" (takes {one.effort})" if one.effort else ""
    return f"{prose(one.remedy, 800)}{takes}" if one.remedy else f"Ask the {role(one.owner)}{takes}"


def _otherwise(one: Finding) -> str:
    ways = [f"`/doneright waive {one.criterion} until DATE because …`"]
    if attestable(one):
        ways.insert(0, f"`/doneright attest {one.criterion} LINK`")
    return " or<br>".join(ways)


def _where(one: Voiced, reviewed: Reviewed) -> str:
    remark = one.remark
    if not remark.path:
        return "the change"
    url = place_url(reviewed.ref, reviewed.url, reviewed.head, remark.path, remark.line, remark.end_line)
    return _path(remark.path, remark.line, url)


def _path(path: str, line: int | None, url: str) -> str:
    text = f"{path}:{line}" if line else path
    return linked(code(text), url) if url else code(text)


def _said_by(one: Voiced) -> str:
    if one.agent:
        return f"the {one.agent} agent"
    names = ", ".join(f"`{name}`" for name in one.criteria)
    return f"{names} ({plain(one.remark.rule, 80)})" if one.remark.rule else names
