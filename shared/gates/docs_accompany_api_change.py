"""A change of the public interface changes its reference.

The public interface is what others can call: public functions and classes with their fields, exports, HTTP routes. Of a
function, its own docstring is its reference where it was written or changed with it; of a route, the documentation or
the OpenAPI description has to name it. Whatever was added, removed or got another signature is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.declared import Route
from shared.evidence.changes.functions import Move, Touched, Touching, language_of, touched
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.changes.lines import added, removed
from shared.evidence.changes.versions import after
from shared.gates import Asked, Gate
from shared.gates._concerns import named, of_kind

_NO_REFERENCE = re.compile(
    r"(?:^|/)(?:changelog|history|news|licen[cs]e|contributing|code_of_conduct)[^/]*$", re.IGNORECASE
)
_TOLD = {Move.ADDED: "is new", Move.REMOVED: "is gone", Move.SIGNATURE: "is called otherwise now"}
_NO_INTERFACE = frozenset({".sh", ".ps1", ".sql"})
_MOST_NAMED = 3


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether everything public that the change adds, removes or gives another signature is documented with it.

    Public are functions and classes without a leading underscore (and in ``__all__`` where there is one), exports of
    JavaScript, and HTTP routes. Lines that documentation gains have to name them, routes by their path; the changelog
    is no reference. A function's own docstring counts where it was written or changed with it.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    code = of_kind(evidence, FileKind.CODE, removed=True)
    read, unread = _read(code)
    moved = [one for each in read for one in each.touched if _is_interface(one)]
    documents = [file for file in evidence.files if _documents(file)]
    written, lost = _written(documents)
    words = frozenset(re.findall(r"[\w$]+", written))
    open_ = [one for one in moved if not _documented(one, written, words)]
    measured = {"changed": len(moved), "undocumented": len(open_)}
    if open_ and not lost:
        more = f" and {len(open_) - _MOST_NAMED} more" if len(open_) > _MOST_NAMED else ""
        names = ", ".join(_name(one) for one in open_[:_MOST_NAMED])
        return Judgement.unmet(
            f"no reference tells of {names}{more}", remarks=[_remark(one) for one in open_], measured=measured
        )
    if gaps := [*(lost if open_ else ()), *unread]:
        return Judgement.not_available("; ".join(gaps)[:2_000], measured=measured)
    if not moved:
        return Judgement.not_applicable("reference: the change leaves the public interface as it is")
    where = f"in {named(documents)}" if documents else "by their docstrings"
    return Judgement.met(f"{len(moved)} changes of the public interface are documented {where}", measured=measured)


def _read(code: Iterable[ChangedFile]) -> tuple[list[Touching], list[str]]:
    read: list[Touching] = []
    unread: list[str] = []
    for file in code:
        found = touched(file)
        if not isinstance(found, Unknown):
            read.append(found)
        elif language_of(file.path) is not None or _could_declare(file):
            unread.append(found.reason)
    return read, unread


def _could_declare(file: ChangedFile) -> bool:
    """Whether a file in a language that is not read can hold an interface, and gains or loses lines at all."""
    if PurePosixPath(file.path).suffix.lower() in _NO_INTERFACE:
        return False
    return file.patch is None or bool(added(file) or removed(file))


def _is_interface(one: Touched) -> bool:
    if one.move is Move.BODY:
        return False
    public = any(version is not None and version.public for version in (one.before, one.after))
    return public and (not one.name.rsplit(".", 1)[-1].startswith("__") or one.name.endswith("__init__"))


def _documents(file: ChangedFile) -> bool:
    return kind_of(file.path) is FileKind.DOCUMENTATION and not _NO_REFERENCE.search(file.path)


def _written(documents: Iterable[ChangedFile]) -> tuple[str, list[str]]:
    """What the change writes into its documentation, and what of it could not be had. A line taken out tells of what is gone."""
    parts: list[str] = []
    lost: list[str] = []
    for file in documents:
        if file.patch is not None:
            parts += [line.text for line in (*added(file), *removed(file))]
        elif file.status is FileStatus.ADDED and isinstance(text := after(file), str):
            parts.append(text)
        elif file.status is not FileStatus.REMOVED:
            lost.append(f"what changed in {file.path} could not be had")
    return "\n".join(parts), lost


def _documented(one: Touched, written: str, words: frozenset[str]) -> bool:
    routes = _changed_routes(one)
    if routes:
        return all(_names_path(written, route) for route in routes)
    last = one.name.rsplit(".", 1)[-1]
    name = one.name.split(".")[-2] if last == "__init__" and "." in one.name else last
    if name in words:
        return True
    if one.after is None or not one.after.docstring:
        return False
    return one.before is None or one.before.docstring != one.after.docstring


def _changed_routes(one: Touched) -> list[Route]:
    """Routes that came or went; of a function whose signature changed, all it has."""
    before = set(one.before.routes) if one.before else set()
    now = set(one.after.routes) if one.after else set()
    return sorted((before ^ now) or now, key=lambda route: route.text)


def _names_path(written: str, route: Route) -> bool:
    # Frameworks write a parameter as {id}, <int:id> or :id; a reference may use another of the three.
    parts = [
        r"(?:\{[^}]*\}|<[^>]*>|:\w+)" if re.fullmatch(r"\{.*\}|<.*>|:\w+", part) else re.escape(part)
        for part in route.path.strip("/").split("/")
    ]
    return bool(re.search(rf"/{'/'.join(parts)}/?(?![\w/{{<])", written)) if parts != [""] else "/" in written


def _name(one: Touched) -> str:
    routes = _changed_routes(one)
    return routes[0].text if routes else one.name


def _remark(one: Touched) -> Remark:
    return Remark(
        message=f"{_name(one)} {_TOLD[one.move]}, and no reference of this change tells of it."[:2_000],
        path=one.path,
        line=one.after.line if one.after else None,
        severity=Harm.MEDIUM,
        rule="undocumented_interface",
    )


GATE = Gate(
    id=GateId.DOCS_ACCOMPANY_API_CHANGE,
    motivation="Whoever uses an interface reads its reference, not its code; where the two part, the reference misleads.",
    reads=("files",),
    effort=Effort.MINUTES,
    remedy="Write what is new, gone or called otherwise into the reference or the docstring, in this same change.",
    evaluate=evaluate,
)
