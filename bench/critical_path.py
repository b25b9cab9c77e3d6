"""Records the calls of one look at a change, and decides which chain of them nobody could have made shorter.

What a call needs is said here by hand, from what its address and body are made of: a comparison needs the commits that the
look at the pull request tells, the texts need the list of files. How long each took is measured in the run itself. The
critical path is the longest chain of needs, each call at the time it really took; whatever was asked one after the other
without need is not in it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bench.result import BenchError
from shared.domain.forge import ForgeName


class Kind(NamedTuple):
    """One kind of call: how it is known, and which kinds it can only be made after."""

    name: str
    pattern: str
    """Of method and path, and for GraphQL of the operation."""
    needs: tuple[str, ...] = ()
    evidence: bool = True
    """Whether the verdict rests on what it answers."""


class Made(NamedTuple):
    """A call that was made."""

    call: str
    seconds: float
    ended: float = 0.0
    """As ``time.perf_counter`` counts."""


KINDS: Mapping[ForgeName, tuple[Kind, ...]] = {
    ForgeName.GITHUB: (
        Kind("look", r"POST .*/graphql Look\b"),
        Kind("further pages", r"POST .*/graphql More\w*", ("look",)),
        Kind("items", r"POST .*/graphql (Named|Lookup|Items)\b", ("look",)),
        Kind("comparison", r"GET .*/compare/", ("look",)),
        # The number of the pull request is known; the pages after the first are counted by its look.
        Kind("files", r"GET .*/pulls/\d+/files\?(?!.*\bpage=)"),
        Kind("files", r"GET .*/pulls/\d+/files$"),
        Kind("further files", r"GET .*/pulls/\d+/files\?.*\bpage=", ("files",)),
        # Texts are asked for by their names at the head, which is known before anything is asked.
        Kind("texts", r"POST .*/graphql Texts\b", ("files", "further files")),
        Kind("texts", r"GET .*/tarball/", ("files", "further files")),
        Kind("analyses", r"GET .*/code-scanning/analyses"),
        Kind("analysed commit", r"GET .*/git/commits/", ("analyses", "look")),
        Kind("alerts", r"GET .*/code-scanning/alerts", ("analyses", "analysed commit")),
        Kind("dependency alerts", r"GET .*/dependabot/alerts"),
        Kind("secret alerts", r"GET .*/secret-scanning/alerts"),
        Kind("policy", r"GET .*/contents/", ("look",)),
        Kind("required checks", r"GET .*/(rules/)?branches/", ("look",)),
        Kind("announcement", r"(GET .*/commits/[0-9a-f]{40}/(status|check-runs)|POST .*/(statuses/|check-runs))", ("look",), evidence=False),
    ),
    ForgeName.AZURE_DEVOPS: (
        # The official client asks a host once where its areas are.
        Kind("areas", r"(OPTIONS .*|GET .*/_apis/ResourceAreas$)"),
        Kind("pull request", r"GET .*/pullRequests/\d+$"),
        Kind("iterations", r"GET .*/pullRequests/\d+/iterations$"),
        Kind("threads", r"GET .*/pullRequests/\d+/threads$"),
        Kind("statuses", r"GET .*/pullRequests/\d+/statuses$"),
        Kind("commits", r"GET .*/pullRequests/\d+/commits$", ("pull request",)),
        Kind("process", r"GET /[^/]+/_apis/(projects|work/processes|process)\b.*"),
        Kind("identity", r"GET .*/_apis/[cC]onnectionData"),
        Kind("evaluations", r"GET .*/policy/evaluations", ("pull request",)),
        Kind("builds", r"GET .*/build/Builds$", ("pull request",)),
        Kind("timelines", r"GET .*/build/builds/\d+/Timeline", ("evaluations", "builds")),
        Kind("statuses of the head", r"GET .*/commits/[0-9a-f]{40}/statuses", ("pull request",)),
        # Those linked are named by the pull request, those above by those linked, and so on: one call after another.
        Kind("items", r"POST .*/wit/workItemsBatch", ("pull request", "items")),
        Kind("words on items", r"GET .*/workItems/\d+/comments", ("items",)),
        Kind("templates", r"GET .*/items$", ("pull request",)),
        Kind("comparison", r"GET .*/diffs/commits", ("pull request",)),
        Kind("changes", r"GET .*/iterations/\d+/changes", ("iterations",)),
        Kind("texts", r"POST .*/blobs$", ("changes",)),
        Kind("announcement", r"POST .*/pullRequests/\d+/statuses$", ("iterations", "statuses"), evidence=False),
    ),
}  # fmt: skip


def kind_of(forge: ForgeName, call: str) -> Kind:
    """The kind of a call. Raises ``BenchError`` for one that nobody has described: it might be on the path."""
    return _kinds_of(forge, (call,))[call]


def _kinds_of(forge: ForgeName, calls: Iterable[str]) -> dict[str, Kind]:
    """The kind of each call. Raises ``BenchError`` that names every one of no known kind."""
    found = {call: next((kind for kind in KINDS[forge] if re.match(kind.pattern, call)), None) for call in calls}
    if unknown := sorted(call for call, kind in found.items() if kind is None):
        raise BenchError(f"bench/critical_path.py does not say what is needed by {forge}: {', '.join(unknown)}")
    return {call: kind for call, kind in found.items() if kind is not None}


def critical_path(forge: ForgeName, made: Sequence[Made]) -> tuple[float, tuple[str, ...]]:
    """Seconds of the longest chain of calls that the evidence needs, and the chain by kinds.

    Calls of one kind can be made together, and count as the slowest of them; a kind that needs itself is a chain of its
    own. Raises ``BenchError`` for a call of no known kind.
    """
    return max(_paths(forge, made).values(), default=(0.0, ()))


def path_to(forge: ForgeName, made: Sequence[Made], kind: str) -> float:
    """Seconds of the longest chain that ends with a call of that kind. Raises ``BenchError`` where none was made."""
    found = _paths(forge, made).get(kind)
    if found is None:
        raise BenchError(f"no call for {kind} was made on {forge}")
    return found[0]


def _paths(forge: ForgeName, made: Sequence[Made]) -> dict[str, tuple[float, tuple[str, ...]]]:
    """The longest chain that ends with each kind."""
    seconds: dict[str, float] = {}
    needs: dict[str, set[str]] = {}
    kinds = _kinds_of(forge, (one.call for one in made))
    for one in made:
        kind = kinds[one.call]
        if not kind.evidence:
            continue
        if kind.name in kind.needs:
            seconds[kind.name] = seconds.get(kind.name, 0.0) + one.seconds
        else:
            seconds[kind.name] = max(seconds.get(kind.name, 0.0), one.seconds)
        needs.setdefault(kind.name, set()).update(other for other in kind.needs if other != kind.name)

    def longest(name: str) -> tuple[float, tuple[str, ...]]:
        before = max((longest(other) for other in needs[name] if other in seconds), default=(0.0, ()))
        return before[0] + seconds[name], (*before[1], name)

    return {name: longest(name) for name in seconds}


class Recorder:
    """Stands before the one way out of each client, and writes down what goes out and how long it takes."""

    def __init__(self, github: Any, azure: Any) -> None:
        self.made: list[Made] = []
        authorised, download, paced = github._authorised, github.download, azure._paced

        def on_github(verb: str, url: str, body: Any, parameters: Any) -> Any:
            operation = re.match(r"\s*(?:query|mutation)\s+(\w+)", (body or {}).get("query", "")) if body else None
            query = "&".join(f"{name}={value}" for name, value in dict(parameters or {}).items())
            call = f"{verb} {url}" + (f"?{query}" if query else "") + (f" {operation[1]}" if operation else "")
            return self._timed(call, lambda: authorised(verb, url, body, parameters))

        def unpacked(url: str) -> Any:
            self.made.append(Made(f"GET {url}", 0.0))
            return download(url)

        github._authorised, github.download = on_github, unpacked
        azure._paced = lambda host, action, send: self._timed(action, lambda: paced(host, action, send))

    def _timed(self, call: str, send: Any) -> Any:
        began = time.perf_counter()
        try:
            return send()
        finally:
            ended = time.perf_counter()
            self.made.append(Made(call, ended - began, ended))


def evidence_calls(forge: ForgeName, made: Iterable[Made]) -> list[Made]:
    """Those of the calls that the verdict rests on."""
    return [one for one in made if kind_of(forge, one.call).evidence]
