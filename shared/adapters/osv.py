"""Asks an OSV API which vulnerabilities of packages are known: https://google.github.io/osv.dev/api/"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import batched
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from shared.domain.advisory import Advisory
from shared.errors import RefusedError, TransientError

if TYPE_CHECKING:
    import requests

MOST_AT_ONCE = 1000
"""Questions in one call: https://google.github.io/osv.dev/post-v1-querybatch/"""
MOST_PAGES = 50
MOST_ADVISORIES = 5_000
MOST_BYTES = 32 * 1024 * 1024
MOST_TRIES = 3
KEPT = 5_000
"""Advisories that are remembered, each until it is said to have changed."""
_READERS = 8
_CONNECT = 5.0
_READ = 20.0
_CHUNK = 64 * 1024
_USUAL_WAIT = 1.0
_DIGITS = re.compile(r"[0-9]{1,6}")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{1,99}")


class Osv:
    """One OSV API: the public one, or a mirror.

    Args:
        base_url: such as ``https://api.osv.dev``; http for this machine alone.
        sleep: waits between tries; tests hand in one that does not.

    Raises:
        RefusedError: the address is none.
    """

    def __init__(self, base_url: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(base_url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
        if not secure or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise RefusedError(
                "the address of the OSV API is not https, or holds more than host, port and path",
                "Give DONERIGHT_OSV_URL as https://osv.example.",
            )
        self._base = base_url.rstrip("/")
        self._sleep = sleep
        self._known: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def about(self, packages: Sequence[str], seconds: float) -> Mapping[str, tuple[Advisory, ...]]:
        """The advisories about each package URL; packages without one are left out. Withdrawn ones are none.

        Raises:
            TransientError: not everything was answered within ``seconds``, or an answer cannot be read.
            RefusedError: the API does not take the question.
        """
        import requests

        until = time.monotonic() + seconds
        with requests.Session() as session:
            session.trust_env = False
            adapter = requests.adapters.HTTPAdapter(pool_maxsize=_READERS)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            ids: dict[str, dict[str, str]] = {}
            for batch in batched(dict.fromkeys(packages), MOST_AT_ONCE, strict=False):
                for package, found in self._batch(session, batch, until):
                    ids.setdefault(package, {}).update(found)
            wanted = {(each, modified) for found in ids.values() for each, modified in found.items()}
            if len(wanted) > MOST_ADVISORIES:
                raise RefusedError(
                    f"{len(wanted)} advisories are about the packages; {MOST_ADVISORIES} are read at most",
                    "Raise the oldest dependencies first.",
                )
            details = self._details(session, wanted, until)
        told: dict[str, tuple[Advisory, ...]] = {}
        for package, found in ids.items():
            read = [_advisory(details[one], package) for one in found.items()]
            if kept := tuple(each for each in read if each is not None):
                told[package] = kept
        return told

    def _batch(
        self, session: requests.Session, packages: Sequence[str], until: float
    ) -> Iterator[tuple[str, dict[str, str]]]:
        """Each package with the ids, and when they changed last, page by page until none is left."""
        asked: list[tuple[str, str]] = [(package, "") for package in packages]
        for _ in range(MOST_PAGES):
            if not asked:
                return
            queries = [
                {"package": {"purl": package}, **({"page_token": token} if token else {})} for package, token in asked
            ]
            results = self._call(session, "POST", "v1/querybatch", until, {"queries": queries}).get("results")
            if not isinstance(results, list) or len(results) != len(asked):
                raise TransientError("the OSV API's answer is not to what was asked")
            more: list[tuple[str, str]] = []
            for (package, _token), result in zip(asked, results, strict=True):
                yield package, dict(_named(result))
                if isinstance(result, dict) and (token := result.get("next_page_token")):
                    more.append((package, str(token)))
            asked = more
        raise TransientError("the OSV API's answer does not come to an end")

    def _details(
        self, session: requests.Session, wanted: Iterable[tuple[str, str]], until: float
    ) -> dict[tuple[str, str], Mapping[str, Any]]:
        with self._lock:
            details = {one: self._known[one] for one in wanted if one in self._known}
        missing = sorted(set(wanted) - set(details))
        if not missing:
            return details
        with ThreadPoolExecutor(max_workers=min(_READERS, len(missing))) as pool:
            paths = [f"v1/vulns/{quote(name, safe='')}" for name, _ in missing]
            read = list(pool.map(lambda path: self._call(session, "GET", path, until), paths))
        fresh = dict(zip(missing, read, strict=True))
        with self._lock:
            self._known |= fresh
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return details | fresh

    def _call(
        self, session: requests.Session, method: str, path: str, until: float, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        for tries in range(1, MOST_TRIES + 1):
            try:
                return _read_object(self._read(session, method, path, until, body), path)
            except TransientError as error:
                wait = error.retry_after if error.retry_after is not None else _USUAL_WAIT * tries
                if tries == MOST_TRIES or time.monotonic() + wait >= until:
                    raise
                self._sleep(wait)
        raise TransientError(f"the OSV API did not answer {path}")

    def _read(
        self, session: requests.Session, method: str, path: str, until: float, body: Mapping[str, Any] | None
    ) -> bytes:
        import requests

        left = until - time.monotonic()
        if left <= 0:
            raise TransientError("the OSV API did not answer everything in time")
        try:
            with session.request(
                method,
                f"{self._base}/{path}",
                json=body,
                timeout=(min(_CONNECT, left), min(_READ, left)),
                allow_redirects=False,
                stream=True,
            ) as answer:
                if answer.status_code != 200:
                    raise _failure(answer.status_code, answer.headers.get("Retry-After", ""), path)
                content = bytearray()
                for chunk in answer.iter_content(_CHUNK):
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise RefusedError(
                            f"the OSV API's answer to {path} is larger than {MOST_BYTES} bytes",
                            "Ask the mirror's owner.",
                        )
                    if time.monotonic() > until:
                        raise TransientError("the OSV API did not answer everything in time")
        except requests.RequestException as error:
            raise TransientError(f"the OSV API did not answer {path} ({type(error).__name__})") from error
        return bytes(content)


def _failure(status: int, retry_after: str, path: str) -> Exception:
    if status == 429 or status >= 500:
        wait = float(retry_after) if _DIGITS.fullmatch(retry_after) else None
        return TransientError(f"the OSV API answered {status} to {path}", wait)
    return RefusedError(
        f"the OSV API answered {status} to {path}", "Check that DONERIGHT_OSV_URL is the address of an OSV API."
    )


def _read_object(content: bytes, path: str) -> Mapping[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise TransientError(f"the OSV API's answer to {path} is not JSON") from error
    if not isinstance(value, dict):
        raise TransientError(f"the OSV API's answer to {path} is no object")
    return value


def _named(result: object) -> Iterator[tuple[str, str]]:
    # A package without advisories is an empty object.
    found = result.get("vulns", ()) if isinstance(result, dict) else None
    if not isinstance(found, list | tuple):
        raise TransientError("the OSV API's answer names no advisories")
    for one in found:
        name = one.get("id") if isinstance(one, dict) else None
        if not isinstance(name, str) or not _ID.fullmatch(name):
            raise TransientError("the OSV API's answer names an advisory that is none")
        yield name, str(one.get("modified", ""))


def _advisory(told: Mapping[str, Any], package: str) -> Advisory | None:
    """The advisory as it concerns ``package``; ``None`` when it was withdrawn."""
    if told.get("withdrawn"):
        return None
    try:
        name = str(told["id"])
        score, scale = _scored(told, package)
        return Advisory(
            id=name,
            aliases=tuple(str(one) for one in told.get("aliases", ())),
            summary=str(told.get("summary") or _first_line(str(told.get("details", "")))),
            score=score,
            scale=scale,
            word=str(told.get("database_specific", {}).get("severity", "")),
            fixed=tuple(dict.fromkeys(_fixed(told, package))),
            url=f"https://osv.dev/vulnerability/{quote(name, safe='')}",
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise TransientError("an advisory of the OSV API is not as its schema says") from error


def _scored(told: Mapping[str, Any], package: str) -> tuple[float | None, str]:
    """The worst score, of the newest version of CVSS that it was scored by."""
    entries = [*told.get("severity", ())]
    entries += [each for one in _affected(told, package) for each in one.get("severity", ())]
    scores = [(str(each["type"]), score) for each in entries if (score := _score(str(each["score"]))) is not None]
    newest = max((kind for kind, _ in scores), default="")
    return max((score for kind, score in scores if kind == newest), default=None), newest


def _score(vector: str) -> float | None:
    library: Any = import_module("cvss")
    of = (
        library.CVSS4
        if vector.startswith("CVSS:4")
        else library.CVSS3
        if vector.startswith("CVSS:3")
        else library.CVSS2
    )
    try:
        return float(of(vector).base_score)
    except (library.CVSS4Error, library.CVSS3Error, library.CVSS2Error, ValueError, ArithmeticError):
        return None


def _affected(told: Mapping[str, Any], package: str) -> Iterator[Mapping[str, Any]]:
    """The parts about ``package``: an advisory may concern several."""
    name = _name(package)
    for one in told.get("affected", ()):
        of = one.get("package", {})
        purl = str(of.get("purl", ""))
        if (_name(purl) if purl else str(of.get("name", "")).lower().replace("_", "-").replace(":", "/")) == name:
            yield one


def _name(purl: str) -> str:
    from packageurl import PackageURL

    one = PackageURL.from_string(purl)
    return f"{one.namespace}/{one.name}".lower() if one.namespace else one.name.lower()


def _fixed(told: Mapping[str, Any], package: str) -> Iterator[str]:
    for one in _affected(told, package):
        for span in one.get("ranges", ()):
            if span.get("type") != "GIT":
                yield from (str(event["fixed"]) for event in span.get("events", ()) if "fixed" in event)


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0][:300]
