"""Reads the ways to build something that were weighed, what was said of each, and which one was taken and why.

Read are tables with an option in each row or column, headings such as *Option 1*, and lists below a heading that speaks of
options; records in the form of MADR are such lists (https://adr.github.io/madr/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from shared.evidence.prose.documents import Item, Paragraph, Section, Table, below, sections_of
from shared.evidence.prose.labelled import labelled, pairs
from shared.evidence.prose.options import Design, Option, aspect_of
from shared.evidence.prose.placeholders import says_something

_KIND = r"(?:design )?(?:option|alternative|variant|approach|solution|proposal)"
_AN_OPTION = re.compile(
    rf"{_KIND}(?:\s*#?(?=\d)|(?:\s+|\s*#)(?=[A-Z](?![A-Za-z])))(?P<number>\d{{1,2}}|[A-Z])\b\s*[:.)\u2013\u2014-]?\s*(?P<name>.*)"
    rf"|{_KIND}\s*[:\u2013\u2014-]\s*(?P<unnumbered>.+)"
    r"|(?P<first>\d{1,2}|[A-Z])[.)]\s+(?P<listed>.+)",
    re.IGNORECASE | re.DOTALL,
)
_OPTIONS = re.compile(r"\b(?:options|alternatives|variants|approaches|solutions)\b|\bpros and cons\b", re.IGNORECASE)
_DECIDED = r"(?:the )?(?:decision(?: outcome)?|choice|chosen(?: option| design| solution)?|selected(?: option)?|outcome|recommendation)"
_DECISION = re.compile(rf"{_DECIDED}\s*(?::.*)?", re.IGNORECASE | re.DOTALL)
"""A heading, or the head of a column."""
_DECISION_LINE = re.compile(
    rf"{_DECIDED}\s*(?::|is\b|was\b)|we (?:choose|chose|take|took|decided|go|went)\b", re.IGNORECASE
)
_REASON = re.compile(r"(?:the )?(?:reasons?|rationale|justification|why)\b", re.IGNORECASE)
_COMMAND = re.compile(
    r"(?:/doneright\s+)?choose\s+design\s+(?P<number>\d{1,2})\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_CHOSEN = re.compile(r"[(\[]\s*(?:chosen|selected|taken|decided)\s*[)\]]|✅|☑", re.IGNORECASE)
_YES = re.compile(r"(?:yes|x|✓|✔|✅|chosen|selected|taken)\W*", re.IGNORECASE)
_FEWEST_ASPECTS = 2
"""A table whose head names fewer is about something else."""


def design(texts: Iterable[str]) -> Design:
    """What ``texts``, such as a ticket's description and its comments, say together."""
    found = Design()
    for one in sections_of(texts):
        _read(found, one)
    return found


def _read(found: Design, all_: Sequence[Section]) -> None:
    for place, section in enumerate(all_):
        for table in section.tables:
            _merge(found, _of_table(table))
        if _is_option(all_, place):
            _merge(found, [_of_section(_extent(all_, place))])
        elif _OPTIONS.search(section.title) and not _DECISION.fullmatch(section.title):
            _merge(found, _of_list(section.items))
        if _DECISION.fullmatch(section.title):
            found.decisions.append(section.title.partition(":")[2] + "\n" + section.prose)
        elif _REASON.match(section.title):
            found.reasons.append(section.prose)
        _decided(found, section)


def _is_option(all_: Sequence[Section], place: int) -> bool:
    section = all_[place]
    if not section.level or _DECISION.fullmatch(section.title) or aspect_of(section.title):
        return False
    if _AN_OPTION.fullmatch(_CHOSEN.sub("", section.title).strip()):
        return bool(re.match(_KIND, section.title, re.IGNORECASE)) or _among_options(section)
    # A heading among the options that says nothing for or against is a comparison, or a note.
    return _among_options(section) and _of_section(_extent(all_, place)).aspects != {}


def _among_options(section: Section) -> bool:
    return bool(section.above) and bool(_OPTIONS.search(section.above[-1])) and not _OPTIONS.search(section.title)


def _extent(all_: Sequence[Section], place: int) -> tuple[Section, ...]:
    """The option's own sections; aspects that stand as headings of the same level belong to the option before them."""
    parts = list(below(all_, place))
    for one in all_[place + len(parts) :]:
        if not aspect_of(one.title):
            break
        parts.append(one)
    return tuple(parts)


def _option(title: str) -> Option:
    plain = _CHOSEN.sub("", title).strip()
    found = _AN_OPTION.fullmatch(plain)
    told = found.groupdict() if found else {"name": plain}
    name = told.get("name") or told.get("unnumbered") or told.get("listed") or ""
    number = told.get("number") or told.get("first") or ""
    return Option(name=name.split("\n")[0].strip(" .:\"'"), number=number, chosen=bool(_CHOSEN.search(title)))


def _of_section(parts: Sequence[Section]) -> Option:
    option = _option(parts[0].title)
    option.said = "\n".join(part.text for part in parts)
    _say(option, pairs(parts[0].blocks))
    for part in parts[1:]:
        if aspect := aspect_of(part.title):
            option.aspects.setdefault(aspect, part.text)
        _say(option, pairs(part.blocks))
    return option


def _of_list(items: Sequence[Item]) -> Iterator[Option]:
    groups: list[list[Item]] = []
    for item in items:
        if item.depth == 0 or not groups:
            groups.append([])
        groups[-1].append(item)
    for head, *rest in groups:
        first, _, more = head.text.partition("\n")
        if ":" in first and aspect_of(first.partition(":")[0]):
            continue
        title, mark, said = first, "", ""
        # All of it may stand in the one line: "CSV: effort: 2 days; cost: none".
        for cut in (" - ", " \u2013 ", " \u2014 ", ": "):
            name, mark, said = first.partition(cut)
            if mark and any(aspect_of(label) for label, _ in labelled(said)):
                title = name
                break
        option = _option(title)
        option.chosen = option.chosen or bool(head.checked)
        option.said = "\n".join([more, *(one.text for one in rest)])
        if title != first:
            _say(option, labelled(said))
        _say(option, labelled(more))
        _say(option, pairs(tuple(rest)))
        yield option


def _of_table(table: Table) -> Iterator[Option]:
    heads = [aspect_of(cell) for cell in table.head]
    if len({one for one in heads if one}) >= _FEWEST_ASPECTS:
        name_at = next((at for at, one in enumerate(heads) if one is None), 0)
        mark_at = next((at for at, cell in enumerate(table.head) if _DECISION.fullmatch(cell)), None)
        for row in table.rows:
            option = _option(row[name_at])
            option.chosen = option.chosen or (mark_at is not None and bool(_YES.fullmatch(row[mark_at].strip())))
            _say(option, zip(table.head, row, strict=False))
            if option.key:
                yield option
        return
    rows = {aspect: row for row in table.rows if row and (aspect := aspect_of(row[0]))}
    # Two columns are an aspect and what is said of it, of the option the table stands under.
    if len(rows) >= _FEWEST_ASPECTS and len(table.head) > _FEWEST_ASPECTS:
        for at, title in enumerate(table.head[1:], start=1):
            option = _option(title)
            option.aspects = {aspect: row[at] for aspect, row in rows.items()}
            marks = [row[at] for row in table.rows if row and _DECISION.fullmatch(row[0])]
            option.chosen = option.chosen or any(_YES.fullmatch(one.strip()) for one in marks)
            if option.key:
                yield option


def _say(option: Option, said: Iterable[tuple[str, str]]) -> None:
    for label, value in said:
        aspect = aspect_of(label)
        if aspect and (aspect not in option.aspects or not says_something(option.aspects[aspect])):
            option.aspects[aspect] = value


def _merge(found: Design, options: Iterable[Option]) -> None:
    for option in options:
        if not option.key:
            continue
        same = next((one for one in found.options if _same(one, option)), None)
        if same is None:
            found.options.append(option)
            continue
        # What was said later holds; what was said before is not lost.
        same.said = "\n".join(filter(None, (same.said, option.said)))
        same.aspects.update({one: text for one, text in option.aspects.items() if says_something(text)})
        same.chosen = same.chosen or option.chosen
        same.name, same.number = same.name or option.name, same.number or option.number


def _same(one: Option, other: Option) -> bool:
    if one.key == other.key:
        return True
    return bool(one.number) and one.number.casefold() == other.number.casefold() and not (one.name and other.name)


def _decided(found: Design, section: Section) -> None:
    """Decisions that stand in a line of their own: ``Chosen option: CSV, because …``."""
    for block in section.blocks:
        if not isinstance(block, Paragraph | Item):
            continue
        lines = [one.strip() for one in block.text.split("\n")]
        for place, line in enumerate(lines):
            if command := _COMMAND.match(line):
                found.commanded = int(command["number"])
                found.decisions.append(" ".join(lines[place:]))
            elif _DECISION_LINE.match(line):
                found.decisions.append(line)
            elif _REASON.match(line) and ":" in line:
                found.reasons.append(line.partition(":")[2])
