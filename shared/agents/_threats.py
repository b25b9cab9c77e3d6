"""Finds data flows that a change brings, and drafts for each what STRIDE asks: the threat, a control, and a test of it.

STRIDE: spoofing, tampering, repudiation, information disclosure, denial of service, elevation of privilege
(https://learn.microsoft.com/azure/security/develop/threat-modeling-tool-threats).
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from shared.agents._dependencies import text_of
from shared.domain.change import ChangedFile, FileStatus, Unknown
from shared.domain.definition import Severity
from shared.evidence.changes.functions import touched
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.changes.lines import added
from shared.evidence.changes.versions import before


class FlowKind(StrEnum):
    """How data crosses a boundary of trust."""

    ROUTE = "route"
    OUTBOUND = "outbound call"
    STORAGE = "storage"
    DATABASE = "database"
    SUBPROCESS = "subprocess"
    DESERIALISATION = "deserialisation"


class Threat(NamedTuple):
    """One threat with what is done about it."""

    category: str
    threat: str
    control: str
    test: str


class Flow(NamedTuple):
    """A data flow that was not there before."""

    kind: FlowKind
    path: str
    line: int
    what: str
    """The call or route, as written."""


SEVERITIES = {
    FlowKind.ROUTE: Severity.MEDIUM, FlowKind.OUTBOUND: Severity.MEDIUM, FlowKind.STORAGE: Severity.LOW,
    FlowKind.DATABASE: Severity.MEDIUM, FlowKind.SUBPROCESS: Severity.HIGH, FlowKind.DESERIALISATION: Severity.HIGH,
}  # fmt: skip

THREATS: dict[FlowKind, tuple[Threat, ...]] = {
    FlowKind.ROUTE: (
        Threat("Spoofing", "Somebody calls it under another's name, or under none", "Authenticate every caller before anything is read", "A call without, and one with an expired credential are answered 401"),
        Threat("Tampering", "Fields that the caller should not set are taken from the body", "Validate the body against a closed schema", "Unknown and wrongly typed fields are refused and change nothing"),
        Threat("Repudiation", "Nobody can say later who asked for it", "Record caller, time and effect in the log", "One call leaves exactly one record that names its caller"),
        Threat("Information disclosure", "An error or another tenant's object is shown", "Answer errors without internals; ask for ownership of each object", "An object of somebody else is answered 404, a failure without a trace"),
        Threat("Denial of service", "Large or many requests keep others out", "Bound the size of bodies and the rate of callers", "A body beyond the bound is answered 413, too many calls 429"),
        Threat("Elevation of privilege", "A caller with few rights reaches what needs more", "Check the right for this very action, not only the sign-in", "A caller with the next lower role is answered 403"),
    ),
    FlowKind.OUTBOUND: (
        Threat("Spoofing", "Another server answers in its place", "Verify certificates; allow https alone and pinned hosts", "A server with a wrong certificate is refused"),
        Threat("Tampering", "An address from input makes the app call inside (SSRF)", "Take hosts from an allow list; refuse private addresses and redirects to them", "Addresses such as 169.254.169.254 and redirects to them are refused"),
        Threat("Information disclosure", "Tokens or personal data leave with the request or its log", "Send what the other side needs; keep headers out of logs", "The log of a call holds neither token nor body"),
        Threat("Denial of service", "The other side is slow, endless or down", "Set timeouts, bound the answer's size, retry with back-off", "A silent server and an endless answer end within the bound"),
    ),
    FlowKind.STORAGE: (
        Threat("Tampering", "A name from input leaves its folder (../) or replaces a file", "Build paths from names of a closed form; write beside and rename", "Names with .., / and absolute paths are refused"),
        Threat("Information disclosure", "The file can be read by others, or outlives its use", "Set owner-only rights, encrypt what is personal, delete after its term", "The file has no rights for others and is gone afterwards"),
        Threat("Denial of service", "Files fill the disk", "Bound size and number", "Content beyond the bound is refused and nothing of it stays"),
    ),
    FlowKind.DATABASE: (
        Threat("Tampering", "Input becomes part of a statement (injection)", "Bind parameters; never build statements from text", "Input with quotes and statements is stored as it is and runs nothing"),
        Threat("Repudiation", "A change leaves no trace of who made it", "Keep who and when beside what", "A change names its author afterwards"),
        Threat("Information disclosure", "Rows of another tenant are read", "Bind every query to the caller's tenant", "A query of one tenant never returns another's row"),
        Threat("Denial of service", "A query without bound or index stalls the rest", "Page results, set statement timeouts", "A request for everything returns a page"),
    ),
    FlowKind.SUBPROCESS: (
        Threat("Tampering", "Input becomes a command or an option", "Pass arguments as a list without a shell, after `--`; allow known values", "Input such as `; id` and `--output=x` arrives as plain text"),
        Threat("Information disclosure", "The child sees secrets in its environment or arguments", "Hand on only the variables it needs, secrets through a pipe", "The child's environment and arguments hold no secret"),
        Threat("Denial of service", "The child never ends, or answers without end", "Set a timeout, bound its output, end its whole group", "A child that hangs is ended within the bound"),
        Threat("Elevation of privilege", "The child runs with all rights of the app", "Run it as another user, in a sandbox, without network where it needs none", "The child cannot read the app's secrets or files of others"),
    ),
    FlowKind.DESERIALISATION: (
        Threat("Tampering", "Bytes from outside make objects that run code", "Read data-only formats (JSON, safe YAML) into a closed schema", "A payload that would run code is refused and runs nothing"),
        Threat("Denial of service", "Small input expands to fill memory (bombs, deep nesting)", "Bound size, depth and number of values before reading", "Nested and expanding input is refused within the bound"),
        Threat("Elevation of privilege", "Types named by the input are made", "Allow a closed list of types", "An unlisted type is refused"),
    ),
}  # fmt: skip

_PYTHON: tuple[tuple[FlowKind, re.Pattern[str]], ...] = (
    (FlowKind.DESERIALISATION, re.compile(r"(?:c?pickle|dill|cloudpickle|marshal|jsonpickle|joblib)\.(?:loads?|decode|Unpickler)|yaml\.(?:load|load_all|unsafe_load|full_load)|shelve\.open|eval|exec|(?:etree|ElementTree|ET|minidom|sax)\.(?:parse|fromstring|parseString|XML)|pandas\.read_pickle|torch\.load")),
    (FlowKind.SUBPROCESS, re.compile(r"subprocess\.\w+|os\.(?:system|popen|exec\w+|spawn\w+|posix_spawn\w*)|asyncio\.create_subprocess_\w+|pexpect\.\w+|pty\.spawn")),
    (FlowKind.OUTBOUND, re.compile(r"(?:requests|httpx2?|aiohttp|urllib3|session|http_client)\.(?:get|post|put|patch|delete|head|request|stream|ClientSession|PoolManager|Client|AsyncClient)|(?:urllib\.)?request\.urlopen|urlopen|socket\.(?:create_connection|socket)|smtplib\.SMTP\w*|boto3\.(?:client|resource)|paramiko\.\w+|ftplib\.\w+|websockets\.connect|grpc\.\w*channel")),
    (FlowKind.DATABASE, re.compile(r"(?:\w+\.)*(?:cursor|cur|connection|conn|session|db|database|engine)\.(?:execute|executemany|executescript|add|merge|raw)|sqlite3\.connect|psycopg2?\.connect|asyncpg\.\w+|pymongo\.MongoClient|(?:\w+\.)*objects\.(?:raw|extra)|create_engine|redis\.\w+")),
    (FlowKind.STORAGE, re.compile(r"(?:\w+\.)*(?:write_text|write_bytes|upload_blob|put_object|upload_file|upload_fileobj|save_file)|shutil\.(?:copy\w*|move)|tarfile\.open|zipfile\.ZipFile|(?:\w+\.)*extractall")),
)  # fmt: skip
_HINT = re.compile(
    r"pickle|dill|marshal|joblib|yaml|shelve|eval|exec|tree|ET\.|minidom|sax|torch|subprocess|system|popen|spawn|pexpect|requests|httpx|"
    r"aiohttp|urllib3|session|http_client|urlopen|socket|smtplib|boto3|paramiko|ftplib|grpc|cursor|cur\.|conn|db\.|database|engine|"
    r"sqlite3|psycopg|asyncpg|pymongo|objects|redis|write_|upload|put_object|save_file|shutil|tarfile|zipfile|extractall|open"
)
"""A word of each call, to pass over files without any quickly."""
_SCRIPT: tuple[tuple[FlowKind, re.Pattern[str]], ...] = (
    (FlowKind.ROUTE, re.compile(r"\b(?:app|router|server|fastify)\.(?:get|post|put|patch|delete|all|use)\(\s*[\"'`](?P<what>/[^\"'`]{0,100})")),
    (FlowKind.DESERIALISATION, re.compile(r"\b(?P<what>eval|new Function|unserialize|deserialize|yaml\.load|vm\.runIn\w+)\s*\(")),
    (FlowKind.SUBPROCESS, re.compile(r"\b(?P<what>(?:child_process\.)?(?:execSync|execFile|execFileSync|spawn|spawnSync|fork)|child_process\.exec)\s*\(")),
    (FlowKind.OUTBOUND, re.compile(r"(?<![\w.])(?P<what>fetch|axios(?:\.\w+)?|got|https?\.(?:get|request)|XMLHttpRequest|new WebSocket|navigator\.sendBeacon)\s*\(")),
    (FlowKind.STORAGE, re.compile(r"\b(?P<what>fs\.(?:promises\.)?(?:writeFile|appendFile|createWriteStream)(?:Sync)?|(?:local|session)Storage\.setItem|indexedDB\.open|document\.cookie\s*=)")),
    (FlowKind.DATABASE, re.compile(r"\b(?P<what>(?:db|pool|client|connection|knex|sequelize|prisma)\.(?:query|raw|execute|\$queryRawUnsafe|\$executeRawUnsafe))\s*\(")),
)  # fmt: skip
_SCRIPT_SUFFIXES = frozenset([".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte"])
_WRITING = re.compile(r"[wax+]")


def flows(files: tuple[ChangedFile, ...]) -> tuple[Flow, ...]:
    """New flows in the code of the change, in the order of files and lines; tests are no boundary of trust."""
    found: list[Flow] = []
    for file in files:
        if kind_of(file.path) not in {FileKind.CODE, FileKind.MIGRATION} or file.status is FileStatus.REMOVED:
            continue
        if file.path.endswith(".py"):
            found += _python(file)
        elif PurePosixPath(file.path).suffix in _SCRIPT_SUFFIXES:
            found += _script(file)
    return tuple(found)


def _python(file: ChangedFile) -> Iterator[Flow]:
    what = touched(file)
    for one in () if isinstance(what, Unknown) else what.touched:
        old = {route.text for route in one.before.routes} if one.before else set()
        for route in one.after.routes if one.after else ():
            if route.text not in old:
                yield Flow(FlowKind.ROUTE, file.path, one.declaration.line, route.text)
    new = {line.number for line in added(file)}
    if not any(_HINT.search(line.text) for line in added(file)):
        return
    earlier = before(file)
    known = Counter(name for _, _, name in _calls(earlier)) if isinstance(earlier, str) else Counter[str]()
    now = list(_calls(text_of(file)))
    total = Counter(name for _, _, name in now)
    for kind, line, name in now:
        # A call that only moved is no new flow.
        if line in new and total[name] > known[name]:
            yield Flow(kind, file.path, line, name)


def _calls(text: str) -> Iterator[tuple[FlowKind, int, str]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
            kind = _kind(name, node)
            if kind is not None:
                yield kind, node.lineno, name


def _kind(name: str, node: ast.Call) -> FlowKind | None:
    if name == "open" or name.endswith(".open"):
        mode = (
            node.args[1]
            if name == "open" and len(node.args) > 1
            else node.args[0]
            if name != "open" and node.args
            else None
        )
        mode = next((one.value for one in node.keywords if one.arg == "mode"), mode)
        if (
            isinstance(mode, ast.Constant)
            and isinstance(mode.value, str)
            and len(mode.value) <= 4
            and _WRITING.search(mode.value)
        ):
            return FlowKind.STORAGE
    if name in {"yaml.load", "yaml.load_all"} and any(
        "Safe" in ast.unparse(one) for one in (*node.args[1:], *(word.value for word in node.keywords))
    ):
        return None
    return next((kind for kind, pattern in _PYTHON if pattern.fullmatch(name)), None)


def _script(file: ChangedFile) -> Iterator[Flow]:
    earlier = before(file)
    for line in added(file):
        text = line.text.strip()
        if text.startswith(("//", "*", "/*")):
            continue
        for kind, pattern in _SCRIPT:
            found = pattern.search(text)
            if found and not (isinstance(earlier, str) and text in earlier):
                yield Flow(kind, file.path, line.number, found["what"])
