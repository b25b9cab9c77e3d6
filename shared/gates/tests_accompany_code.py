"""New code comes with tests of what works, what is refused and what lies at the limit, in the layers that are asked for.

Which cases a change adds or changes, and what each shows, is read by ``shared.evidence.changes.tests``. Cases that are skipped,
or assert nothing, do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.domain.change import ChangedFile, ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.review import Effort, Judgement, Remark
from shared.domain.threshold import Threshold
from shared.evidence.changes.cases import Case, CaseClass
from shared.evidence.changes.declared import Language
from shared.evidence.changes.functions import Move, Touched, language_of, touched
from shared.evidence.changes.kinds import FileKind, TestLayer
from shared.evidence.changes.lines import added
from shared.evidence.changes.tests import all_touched
from shared.evidence.changes.versions import after
from shared.gates import Asked, Gate
from shared.gates._concerns import named, of_kind
from shared.gates._figures import asked_or, keeps

_USUAL = {"unit_cases": Threshold(required=tuple(CaseClass))}
_LAYERS = {
    "unit_cases": frozenset({TestLayer.UNIT}),
    "functional_cases": frozenset({TestLayer.FUNCTIONAL, TestLayer.END_TO_END}),
    "integration_cases": frozenset({TestLayer.INTEGRATION}),
}
_TALKS = re.compile(
    r"^[ \t]{0,40}(?:import|from)[ \t]{1,9}(?:requests|httpx|aiohttp|urllib|socket|sqlite3|sqlalchemy|psycopg\w*|asyncpg|pymysql|pymongo|redis"
    r"|boto3|botocore|azure|google\.cloud|grpc|kafka|pika|smtplib|ftplib|paramiko|subprocess|elasticsearch|django\.db)\b"
    r"|\bfetch\s{0,9}\(|[\"'](?:axios|pg|mysql2?|mongodb|ioredis|redis|node-fetch|got|undici|kafkajs|amqplib|@azure/[\w-]+|@aws-sdk/[\w-]+)[\"']"
    r"|\b(?:HttpClient|DbContext|DataSource|SqlConnection|RestTemplate|net/http|database/sql)\b",
    re.MULTILINE,
)
_OUTSIDE = re.compile(
    r"(?:^|/)(?:adapters?|clients?|repositories|gateways?|db|database|storage|connectors?|integrations?)(?:/|\.)"
)
_MOST_NAMED = 10


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether each layer has the cases it is asked for, among those that the change adds or changes.

    A case is *negative* when it expects a refusal (``pytest.raises``, ``toThrow``, a status of 400 to 599) or its name has a
    word of refusal; else *edge* when its name has a word of limits, or it is given ``None``, nought, something empty or
    generated values; else *positive*. Each set of parameters and each scenario is a case. One that is skipped, or asserts
    nothing, does not count. The layer follows from the folder; scenarios are functional. Of Python, new functions and
    classes and changed bodies are asked for; integration tests only where the code talks to the outside, by its imports
    and paths. Tests in a language that is not read (Java, Go …) leave it open.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    thresholds = asked_or(asked, _USUAL)
    code = of_kind(evidence, FileKind.CODE)
    new, functions, unread_code = _new_code(code)
    if not new:
        return Judgement.not_applicable("tests: the change adds no code that does anything")
    if set(thresholds) == {"integration_cases"} and not any(map(_talks, new)):
        return Judgement.not_applicable(
            "integration tests: by its imports and paths, the change touches nothing that talks to the outside"
        )
    cases, unread = all_touched(evidence.files)
    lacking = [text for name, threshold in thresholds.items() if (text := _lacking(name, threshold, cases))]
    measured = {name: _counts(name, cases) for name in thresholds}
    if not lacking:
        told = "; ".join(f"{_layer(name)} tests: {_told(measured[name])}" for name in thresholds)
        return Judgement.met(told[:2_000], measured=measured)
    unseen = [one.reason for one in unread] + unread_code
    if unseen:
        return Judgement.not_available(f"{'; '.join(lacking)}; but {'; '.join(unseen)}"[:2_000], measured=measured)
    remarks = [*_untested(functions, cases), *_idle(cases)]
    return Judgement.unmet("; ".join(lacking)[:2_000], remarks=remarks, measured=measured)


def _new_code(code: Iterable[ChangedFile]) -> tuple[list[ChangedFile], list[Touched], list[str]]:
    """Files that gain behaviour, the functions that change in them, and whose tests nobody here can read.

    Of Python, functions and classes are asked for; assignments and imports of a module alone are not.
    """
    files: list[ChangedFile] = []
    functions: list[Touched] = []
    unread: list[str] = []
    for file in code:
        language = language_of(file.path)
        found = touched(file) if language is not None else None
        if found is not None and not isinstance(found, Unknown):
            moved = [one for one in found.touched if one.move is not Move.REMOVED]
            functions += moved
            if not moved and (language is Language.PYTHON or not found.outside):
                continue
        elif not file.additions and not added(file) and file.patch is not None:
            continue
        if language is None:
            unread.append(f"tests of {file.path} are in a language that is not read")
        files.append(file)
    return files, functions, unread


def _talks(file: ChangedFile) -> bool:
    text = after(file)
    return isinstance(text, Unknown) or bool(_OUTSIDE.search(file.path.lower()) or _TALKS.search(text))


def _of_layer(name: str, cases: Iterable[Case]) -> list[Case]:
    layers = _LAYERS.get(name, frozenset())
    return [one for one in cases if one.layer in layers and one.shows]


def _counts(name: str, cases: Iterable[Case]) -> dict[str, int]:
    mine = _of_layer(name, cases)
    return {kind.value: sum(one.kind is kind for one in mine) for kind in CaseClass}


def _lacking(name: str, threshold: Threshold, cases: tuple[Case, ...]) -> str:
    mine = _of_layer(name, cases)
    if threshold.takes_list:
        wanted = threshold.value if isinstance(threshold.value, tuple) else ()
        missing = [kind for kind in wanted if kind not in {one.kind for one in mine}]
        return f"no {' and no '.join(missing)} {_layer(name)} test comes with the code" if missing else ""
    return (
        ""
        if keeps(threshold, len(mine))
        else f"{len(mine)} {_layer(name)} tests come with the code, {threshold.text} is asked"
    )


def _layer(name: str) -> str:
    return name.removesuffix("_cases")


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "none"


def _untested(functions: Iterable[Touched], cases: Iterable[Case]) -> Iterator[Remark]:
    """Functions that no case of the change names: where to begin."""
    words = {word for one in cases for word in re.findall(r"\w+", one.text)}
    left = [
        one
        for one in functions
        if one.declaration.callable
        and one.declaration.public
        and not one.name.endswith("__")
        and one.name.rsplit(".", 1)[-1] not in words
    ]
    for one in left[:_MOST_NAMED]:
        ways = len(one.declaration.branches)
        more = f"; it has {ways} branch{'es'[: 2 * (ways != 1)]}" if ways else ""
        raised = f"; it raises {', '.join(one.declaration.raises)}" if one.declaration.raises else ""
        yield Remark(
            message=f"No test of this change names {one.name}{more}{raised}."[:2_000],
            path=one.path,
            line=one.declaration.line,
            severity=Harm.MEDIUM,
            rule="untested_function",
        )
    if len(left) > _MOST_NAMED:
        rest = named(sorted({f"{one.path}:{one.declaration.line}" for one in left[_MOST_NAMED:]}))
        yield Remark(
            message=f"Nor does one name what stands at {rest}.", severity=Harm.MEDIUM, rule="untested_function"
        )


def _idle(cases: Iterable[Case]) -> Iterator[Remark]:
    for one in cases:
        if not one.shows:
            why = "is skipped" if one.skipped else "asserts nothing that can be seen"
            yield Remark(
                message=f"{one.name} {why}, so it does not count."[:2_000],
                path=one.path,
                line=one.line,
                severity=Harm.LOW,
                rule="idle_test",
            )


GATE = Gate(
    id=GateId.TESTS_ACCOMPANY_CODE,
    motivation="Tests written with the code show what it was meant to do; written later, they show what it happens to do.",
    reads=("files",),
    effort=Effort.HOURS,
    remedy="Add a test of what works, one of what is refused, and one at the limit, named so that each can be told.",
    evaluate=evaluate,
    takes=("unit_cases", "functional_cases", "integration_cases"),
)
