"""Shows where a large change can be cut, and what it leaves undocumented: functions, settings, options and routes.

Reads changed files and commits. Returns a way to cut (``split``), and documentation that is missing with a draft of it
(``proposal``). Style and faults are for linters, whose reports are evidence already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.agents import Agent
from shared.agents._calling import Source
from shared.agents._dependencies import text_of
from shared.agents._docstrings import suggestion
from shared.agents._splitting import Seam, Split, is_large, size, split, written
from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.definition import Severity
from shared.domain.review import AgentName, Opinion, OpinionKind
from shared.evidence.changes.declared import DeclarationKind, Language
from shared.evidence.changes.functions import Move, Touched, touched
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.changes.lines import Line, added

MOST_UNDOCUMENTED = 10
_MOST_PATHS = 8
_SETTING = re.compile(
    r"""(?:environ(?:\.get)?\s*[\[(]|getenv\s*\(|process\.env(?:\.|\[)|Environment\.GetEnvironmentVariable\s*\(|System\.getenv\s*\()\s*["']?(?P<name>[A-Z][A-Z0-9_]{2,60})\b"""
)
_OPTION = re.compile(
    r"""(?:add_argument|option|Option)\s*\(\s*(?:["'][^"'\s]{1,20}["']\s*,\s*)?["'](?P<name>--[a-z][a-z0-9-]{1,40})["']"""
)
_TOLD = {
    Seam.COMMITS: "Its commits fall into groups that share no file",
    Seam.INDEPENDENCE: "Its files fall into parts that need nothing of each other",
    Seam.FOLDERS: "Its folders can be brought one after the other",
}


def analyse(evidence: ChangeEvidence) -> tuple[Opinion, ...]:
    """The opinions of the development agent."""
    return (*_split(evidence), *_unexplained(evidence), *_undocumented(evidence))


def _split(evidence: ChangeEvidence) -> Iterator[Opinion]:
    files = written(evidence.known_files)
    if not is_large(files):
        return
    commits = () if isinstance(evidence.commits, Unknown) else evidence.commits
    found = split(files, commits)
    if found is None:
        return
    lines = size(files)
    yield Opinion(
        agent=AgentName.DEVELOPMENT,
        kind=OpinionKind.SPLIT,
        title=f"{lines} lines in {len(files)} files: bring them as {len(found.parts)} changes",
        message="\n".join([f"{_TOLD[found.seam]}:", "", *_parts(found)])[:4_000],
        severity=Severity.MEDIUM,
        confidence={Seam.COMMITS: 0.9, Seam.INDEPENDENCE: 0.8, Seam.FOLDERS: 0.5}[found.seam],
    )


def _parts(found: Split) -> Iterator[str]:
    for number, part in enumerate(found.parts, 1):
        needed = f", after {' and '.join(str(one) for one in part.needs)}" if part.needs else ""
        yield f"{number}. **{part.title}**: {part.lines} lines in {len(part.paths)} files{needed}"
        shown = [f"`{path}`" for path in part.paths[:_MOST_PATHS]]
        more = len(part.paths) - len(shown)
        yield "   " + ", ".join(shown) + (f" and {more} more" if more else "")
        if part.commits:
            yield "   `git cherry-pick " + " ".join(one[:12] for one in part.commits[:20]) + "`"


def _undocumented(evidence: ChangeEvidence) -> Iterator[Opinion]:
    told = 0
    for file in evidence.known_files:
        what = touched(file) if kind_of(file.path) is FileKind.CODE else None
        if what is None or isinstance(what, Unknown) or what.language is not Language.PYTHON:
            continue
        for one in what.touched:
            if _wants_docstring(one):
                yield _docstring(file, one)
                told += 1
            if told == MOST_UNDOCUMENTED:
                return


def _wants_docstring(one: Touched) -> bool:
    declaration = one.declaration
    name = declaration.name.rpartition(".")[2]
    return (
        one.move in {Move.ADDED, Move.SIGNATURE}
        and declaration.public
        and not declaration.docstring
        and not (name.startswith("__") and name.endswith("__"))
        and not any(
            decorator.endswith(("overload", "override", ".setter", ".deleter")) for decorator in declaration.decorators
        )
    )


def _docstring(file: ChangedFile, one: Touched) -> Opinion:
    declaration = one.declaration
    drafted = None
    if declaration.kind is not DeclarationKind.CLASS:
        text = text_of(file)
        source = Source.read(text)
        node = source.function(declaration) if source else None
        drafted = suggestion(file, text, declaration, node) if node is not None else None
    first, last, replacement = drafted or (declaration.line, None, None)
    what = "class" if declaration.kind is DeclarationKind.CLASS else "function"
    return Opinion(
        agent=AgentName.DEVELOPMENT,
        kind=OpinionKind.PROPOSAL,
        title=f"{declaration.name} does not say what it does"[:200],
        message=f"`{declaration.name}` is a public {what} that is {'new' if one.move is Move.ADDED else 'called differently now'} "
        "and has no docstring. Say what it decides or guarantees, in what units, and what it refuses."[:4_000],
        path=file.path,
        line=first,
        end_line=last,
        severity=Severity.LOW,
        confidence=0.9,
        suggestion=replacement,
    )


def _unexplained(evidence: ChangeEvidence) -> Iterator[Opinion]:
    """Settings, options and routes that are new and that no document in the change names."""
    if isinstance(evidence.files, Unknown):
        return
    documents = "\n".join(
        f"{file.patch or ''}\n{text_of(file)}"
        for file in evidence.files
        if kind_of(file.path) is FileKind.DOCUMENTATION
    )
    known = "\n".join(file.before or "" for file in evidence.files)
    for what, name, file, line in _new_names(evidence.files):
        if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", documents) and name not in known:
            yield Opinion(
                agent=AgentName.DEVELOPMENT,
                kind=OpinionKind.PROPOSAL,
                title=f"The {what} {name} is not documented"[:200],
                message=f"This change brings the {what} `{name}`, and no document in it says what it does, which values it "
                "takes and what holds without it."[:4_000],
                path=file.path,
                line=line.number,
                severity=Severity.LOW,
                confidence=0.7,
            )


def _new_names(files: tuple[ChangedFile, ...]) -> Iterator[tuple[str, str, ChangedFile, Line]]:
    seen: set[str] = set()
    for file in files:
        if kind_of(file.path) is not FileKind.CODE or file.status is FileStatus.REMOVED:
            continue
        for line in added(file):
            for what, pattern in (("setting", _SETTING), ("option", _OPTION)):
                for found in pattern.finditer(line.text):
                    if found["name"] not in seen:
                        seen.add(found["name"])
                        yield what, found["name"], file, line
        what_changed = touched(file)
        for one in () if isinstance(what_changed, Unknown) else what_changed.touched:
            old = {route.text for route in one.before.routes} if one.before else set()
            for route in one.after.routes if one.after else ():
                if route.text not in old and route.path not in seen:
                    seen.add(route.path)
                    yield "route", route.path, file, Line(one.declaration.line, "")


AGENT = Agent(
    name=AgentName.DEVELOPMENT,
    examines="Whether a large change can be brought in parts, and what people would look for in the documentation and not find.",
    reads=("change", "files", "commits"),
    returns=(OpinionKind.SPLIT, OpinionKind.PROPOSAL, OpinionKind.CONCERN),
    analyse=analyse,
    asks="Name what in the changed code will be hard to change or to understand later: hidden coupling, a second "
    "implementation of something that is there, a name that misleads, an error that is lost. Leave style to linters.",
)
