"""Looks at a pull request of GitHub with three questions: one query for nearly all, then a comparison and what it names at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from shared.adapters.ahead import file_there, files_expected
from shared.adapters.github.client import path
from shared.adapters.github.graph import Answered, UnknownFieldError, ask
from shared.adapters.github.repositories import branch_segments, repository_path
from shared.adapters.github.reviews import documents
from shared.adapters.github.reviews.items import CLOSES, NAMES, Named, linked, lookup, named
from shared.adapters.github.reviews.known import own_among, own_checks
from shared.adapters.github.reviews.nodes import (
    change_of,
    checks_of,
    commits_of,
    plain_threads,
    required_by_protection,
    required_by_rules,
    reviews_of,
    thread_of,
    with_unreported,
)
from shared.adapters.github.reviews.people import IdentityCalls
from shared.adapters.later import later
from shared.domain.change import Change, ChangeRef, LinkedItem, Looked, Part, Thread, Unknown
from shared.domain.forge import RepositoryRef
from shared.errors import RefusedError, TransientError

PULL = ("repository", "pullRequest")
_LINK = 0o120000
"""Mode of a symbolic link in Git."""
_TEMPLATE = re.compile(r"pull_request_template(?:\.(?:md|txt))?", re.IGNORECASE)

type Nodes = Part[tuple[Mapping[str, Any], ...]]


class LookCalls(IdentityCalls):
    """The part of ``GitHubForge`` that looks at a pull request."""

    _modern: bool = True
    """Whether this GitHub knows what an issue is part of, and tells the rules of a branch by GraphQL."""

    def look_at(self, ref: ChangeRef) -> Looked | None:
        """The pull request with its commits, people's words, checks and issues; ``None`` when it is not there.

        A part that this credential may not see is ``Unknown`` with GitHub's words; ``AB#7`` is left to the tracker.
        """
        files: Sequence[str] = self._client.looks.remembered(files_expected(ref)) or ()
        answered = self._looked(ref, files)
        pull = (answered.data.get("repository") or {}).get("pullRequest")
        if pull is None:
            if refused := answered.refusal("repository"):
                raise RefusedError(refused.reason, "Give the credential access to the repository's pull requests")
            return None
        self._met(answered.data["viewer"])
        asked_comparison = later(lambda: self._compared(ref, pull))
        base: Mapping[str, Any] = pull.get("baseRef") or {}
        self._keep_files(ref, base, files, refused=answered.refusal(*PULL, "baseRef"))
        asked_required = self._required(ref, pull["baseRefName"], base)
        items, template = self._items(ref, pull, answered)
        commits = self._all(ref, pull, answered, "commits")
        reviews = self._all(ref, pull, answered, "reviews")
        threads = self._threads(ref, pull, answered)
        checks = self._all(ref, pull, answered, "contexts")
        if not isinstance(checks, Unknown):
            # Whoever announces the review next need not ask how our check stands.
            self._client.looks.enter(own_checks(ref, pull["headRefOid"]), own_among(checks))
        return Looked(
            change=asked_comparison.result(),
            commits=_then(commits, commits_of),
            items=items,
            reviews=_then(reviews, lambda nodes: reviews_of(node for node in nodes if not self._wrote(node))),
            threads=threads,
            checks=_then(
                checks,
                lambda nodes: with_unreported(
                    checks_of(nodes, pull["headRefOid"]),
                    frozenset().union(*(asked.result() for asked in asked_required)),
                    pull["headRefOid"],
                ),
            ),
            template=template,
        )

    def _looked(self, ref: ChangeRef, files: Sequence[str]) -> Answered:
        try:
            return self._asked_whole(ref, documents.LONG, files)
        except TransientError as error:
            if error.retry_after is not None:
                raise
            # GitHub gives up on a query after ten seconds; of a crowded pull request it can tell less at once.
            # https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#timeouts
            return self._asked_whole(ref, documents.SHORT, files)

    def _asked_whole(self, ref: ChangeRef, page: int, files: Sequence[str]) -> Answered:
        variables = {"owner": ref.repository.owner, "name": ref.repository.name, "number": ref.number}
        try:
            return ask(self._client, documents.look(modern=self._modern, page=page, files=files), variables)
        except UnknownFieldError:
            if not self._modern:
                raise
            self._modern = False
            return ask(self._client, documents.look(modern=False, page=page, files=files), variables)

    def _compared(self, ref: ChangeRef, pull: Mapping[str, Any]) -> Change:
        """The change, with how it stands to its target as that is now."""
        base = ((pull.get("baseRef") or {}).get("target") or {}).get("oid") or pull["baseRefOid"]
        # Only the first page lists files and commits, of which none is needed here.
        # https://docs.github.com/rest/commits/commits#compare-two-commits
        url = repository_path(ref.repository) + path("/compare/{}...{}", base, pull["headRefOid"])
        found = self._client.get(url, per_page=1, page=2) or {}
        merge_base = (found.get("merge_base_commit") or {}).get("sha") or ""
        return change_of(ref, pull, behind=found.get("behind_by"), merge_base=merge_base, base=base)

    def _keep_files(
        self, ref: ChangeRef, base: Mapping[str, Any], files: Sequence[str], *, refused: Unknown | None
    ) -> None:
        """Remember the files of the target branch that came with the look; what it does not tell whole is asked later."""
        target: Mapping[str, Any] = base.get("target") or {}
        for n, name in enumerate(files):
            if refused or f"f{n}" not in target:
                continue
            entry = target[f"f{n}"]
            blob = (entry or {}).get("object") or {}
            if entry is None:
                self._client.looks.enter(file_there(ref.repository, name, target["oid"]), (None,))
            # Where a link leads, only REST says.
            elif (
                entry["mode"] != _LINK
                and blob.get("text") is not None
                and not blob["isBinary"]
                and not blob["isTruncated"]
            ):
                self._client.looks.enter(file_there(ref.repository, name, target["oid"]), (blob["text"].encode(),))

    def _required(self, ref: ChangeRef, branch: str, base: Mapping[str, Any]) -> Sequence[Future[frozenset[str]]]:
        """Names of the checks that the target branch requires, by its protection and by rulesets.

        What the look does not tell is asked by REST, which tells it to whoever may read:
        https://docs.github.com/rest/branches/branches#get-a-branch and
        https://docs.github.com/rest/repos/rules#get-rules-for-a-branch
        """
        place, name = repository_path(ref.repository), branch_segments(branch)

        def by_protection() -> frozenset[str]:
            told = self._client.get(f"{place}/branches/{name}") or {}
            required = (told.get("protection") or {}).get("required_status_checks") or {}
            return frozenset(required.get("contexts") or ())

        def by_rules() -> frozenset[str]:
            rules = self._client.get(f"{place}/rules/branches/{name}") or ()
            asked = (
                (rule.get("parameters") or {}).get("required_status_checks") or ()
                for rule in rules
                if rule.get("type") == "required_status_checks"
            )
            return frozenset(str(check["context"]) for checks in asked for check in checks)

        # An older server, or a branch that is gone, refuses: then what reported is all there is to tell.
        return (
            _known_or_later(required_by_protection(base), lambda: _or_none(by_protection)),
            _known_or_later(required_by_rules(base), lambda: _or_none(by_rules)),
        )

    def _all(self, ref: ChangeRef, pull: Mapping[str, Any], answered: Answered, name: str) -> Nodes:
        """Every node of a connection; further pages are asked for where there are."""
        where = ("statusCheckRollup", "contexts") if name == "contexts" else (name,)
        if refused := answered.refusal(*PULL, where[0]):
            return refused
        held = _below(pull, where)
        if held is None:
            # Nothing ever reported on the head; a refusal was told apart above.
            return () if name == "contexts" else Unknown(reason=f"GitHub does not tell {name}")
        nodes = [node for node in held["nodes"] if node]
        while held["pageInfo"]["hasNextPage"]:
            variables = {
                "owner": ref.repository.owner,
                "name": ref.repository.name,
                "number": ref.number,
                "after": held["pageInfo"]["endCursor"],
            }
            further = ask(self._client, documents.more(name, above=self._modern), variables)
            if refused := further.refusal(*PULL, where[0]):
                return refused
            held = _below((further.data.get("repository") or {}).get("pullRequest") or {}, where)
            if held is None or not held["nodes"]:
                return Unknown(reason=f"GitHub stopped telling {name} after {len(nodes)}")
            nodes += [node for node in held["nodes"] if node]
        if name == "commits" and len(nodes) < held["totalCount"]:
            # https://docs.github.com/rest/pulls/pulls#list-commits-on-a-pull-request: 250 at most
            return Unknown(reason=f"GitHub tells {len(nodes)} of {held['totalCount']} commits")
        return tuple(nodes)

    def _threads(self, ref: ChangeRef, pull: Mapping[str, Any], answered: Answered) -> Part[tuple[Thread, ...]]:
        in_code = self._all(ref, pull, answered, "reviewThreads")
        plain = self._all(ref, pull, answered, "comments")
        for part in (in_code, plain):
            if isinstance(part, Unknown):
                return part
        assert not isinstance(in_code, Unknown) and not isinstance(plain, Unknown)  # noqa: S101
        threads = [thread_of(node, tuple(self._comments(node))) for node in in_code]
        return (*threads, *plain_threads(node for node in plain if not self._wrote(node)))

    def _comments(self, thread: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        held = thread["comments"]
        yield from held["nodes"]
        while held["pageInfo"]["hasNextPage"]:
            variables = {"id": thread["id"], "after": held["pageInfo"]["endCursor"]}
            held = ask(self._client, documents.MORE_OF_THREAD, variables).data["node"]["comments"]
            yield from held["nodes"]

    def _items(
        self, ref: ChangeRef, pull: Mapping[str, Any], answered: Answered
    ) -> tuple[Part[tuple[LinkedItem, ...]], Part[str]]:
        closing = self._all(ref, pull, answered, "closingIssuesReferences")
        found: dict[Named, LinkedItem] = {}
        if not isinstance(closing, Unknown):
            found = {_key(item): item for item in (linked(node, CLOSES) for node in closing)}
        repository, texts = ref.repository, (pull["title"], pull.get("body") or "")
        wanted = [one for one in named(repository, ref.number, texts, pull["headRefName"]) if one not in found]
        blob = _template(pull)
        if not wanted and not blob:
            return (closing if isinstance(closing, Unknown) else tuple(found.values())), ""
        fragment = documents.item(above=self._modern)
        further = ask(self._client, lookup(wanted, blob, repository, fragment), {})
        refused = self._refused(further, wanted, repository)
        for key, data in further.data.items():
            for alias, node in (data or {}).items():
                if key != "t" and alias.startswith("i") and node and node["__typename"] == "Issue":
                    item = linked(node, NAMES)
                    found.setdefault(_key(item), item)
        text = ((further.data.get("t") or {}).get("object") or {}).get("text")
        template: Part[str] = text or ""
        if blob and text is None:
            template = further.refusal("t") or Unknown(reason="GitHub does not show the pull request template")
        if isinstance(closing, Unknown):
            return closing, template
        return refused or tuple(found.values()), template

    def _refused(self, further: Answered, wanted: Sequence[Named], repository: RepositoryRef) -> Unknown | None:
        """Why issues of the repository itself could not be had; others' need not be open to us."""
        own = (repository.owner.lower(), repository.name.lower())
        places = dict.fromkeys((one.owner, one.name) for one in wanted)
        keys = [f"r{index}" for index, place in enumerate(places) if place == own]
        return next((refused for key in keys if (refused := further.refusal(key))), None)


def _known_or_later[A](known: A | None, ask: Callable[[], A]) -> Future[A]:
    if known is None:
        return later(ask)
    found: Future[A] = Future()
    found.set_result(known)
    return found


def _or_none(ask: Callable[[], frozenset[str]]) -> frozenset[str]:
    try:
        return ask()
    except RefusedError:
        return frozenset()


def _then[T](nodes: Nodes, read: Callable[[tuple[Mapping[str, Any], ...]], T]) -> T | Unknown:
    return nodes if isinstance(nodes, Unknown) else read(nodes)


def _below(node: Mapping[str, Any], where: Sequence[str]) -> Any:
    found: Any = node
    for key in where:
        found = (found or {}).get(key)
    return found


def _key(item: LinkedItem) -> Named:
    owner, _, name = item.project.lower().partition("/")
    return Named(owner, name, item.id)


def _template(pull: Mapping[str, Any]) -> str:
    """Name of the blob of the target branch's template; empty for none. That of ``.github`` counts first.

    https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests
    """
    target = (pull.get("baseRef") or {}).get("target") or {}
    folders = [
        (target.get("github") or {}).get("object"),
        target.get("tree"),
        (target.get("docs") or {}).get("object"),
    ]
    for folder in folders:
        for entry in (folder or {}).get("entries") or ():
            if entry["type"] == "blob" and _TEMPLATE.fullmatch(entry["name"]):
                return str(entry["oid"])
    return ""
