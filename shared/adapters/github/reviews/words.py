"""Guarantees that Doneright says each thing once on a pull request, finds it again, and touches nobody else's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shared.adapters.github.client import path
from shared.adapters.github.credentials import AppInstallation
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.graph import Answered, ask
from shared.adapters.github.repositories import repository_path
from shared.adapters.github.reviews import documents
from shared.adapters.github.reviews.known import OwnChecks, own_checks, run_told, status_told
from shared.adapters.github.reviews.marks import answer_mark, answers, fingerprint_in, fitting, is_summary
from shared.adapters.github.reviews.people import IdentityCalls
from shared.adapters.github.reviews.standing import issue_path, pull_path
from shared.domain.change import ChangeRef, Part, Unknown
from shared.domain.publication import OWN_CHECK, OwnWord, Stand
from shared.domain.pull_request import PullRequestState
from shared.errors import ConflictError, RefusedError

COMMENT, REVIEW = "comment", "review"
BATCH = 25
"""Mutations in one GraphQL request."""

_ASKED = re.compile(r"(?:(issue|comment|review)[:/])?(\d{1,19})(?:/.*)?")
_RESOLVE = "resolveReviewThread(input: {{threadId: {id}}}) {{ thread {{ isResolved }} }}"
# A plain comment has no state; what is minimised as resolved is folded away with that word.
_MINIMISE = "minimizeComment(input: {{subjectId: {id}, classifier: RESOLVED}}) {{ minimizedComment {{ isMinimized }} }}"


class Place(NamedTuple):
    """What the id of a word of ours says."""

    kind: str
    number: str
    """As REST names it."""
    node: str
    """Of the thread for a comment in the code, else of the comment itself."""


class WordCalls(IdentityCalls):
    """The part of ``GitHubForge`` that speaks."""

    def own_words(self, ref: ChangeRef) -> Sequence[OwnWord]:
        """Everything Doneright said there, oldest first, read anew.

        Of what the owner of a personal access token wrote, only that which carries a mark of ours.
        """
        _, words = self._read(ref, documents.OWN, {})
        if isinstance(words, Unknown):
            raise RefusedError(words.reason, "Grant pull_requests=read")
        return words

    def stand(self, ref: ChangeRef) -> Stand | None:
        """The head, the state and everything Doneright said there, as they are now; ``None`` when it is not there.

        One question, and one for each further hundred comments or discussions.
        """
        credentials = self._client.credentials
        if isinstance(credentials, AppInstallation):
            asked: dict[str, Any] = {"check": OWN_CHECK, "app": credentials.app_id}
            pull, words = self._read(ref, documents.STAND_OF_APP, asked)
        else:
            pull, words = self._read(ref, documents.STAND, {"check": OWN_CHECK})
        if pull is None:
            return None
        head, state = str(pull["headRefOid"]), PullRequestState(str(pull["state"]).lower())
        for node in (pull.get("commits") or {}).get("nodes") or ():
            if node and node["commit"]["oid"] == head:
                self._client.looks.enter(own_checks(ref, head), _own_check(node["commit"]))
        return Stand(head=head, state=state, words=words)

    def _recent_words(self, ref: ChangeRef) -> Sequence[OwnWord]:
        """As ``own_words``, which a caller that has just asked, and changed nothing since, need not do again."""
        known: Sequence[OwnWord] | None = self._client.looks.remembered(("own words", ref.key))
        return self.own_words(ref) if known is None else known

    def _read(
        self, ref: ChangeRef, document: str, given: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any] | None, Part[tuple[OwnWord, ...]]]:
        """The pull request as ``document`` asks for it, and every word of ours there.

        ``None`` when there is none. What GitHub does not show is unknown with its words.
        """
        found: dict[str, tuple[str, OwnWord]] = {}
        first: Mapping[str, Any] | None = None
        variables: dict[str, Any] = {
            "owner": ref.repository.owner,
            "name": ref.repository.name,
            "number": ref.number,
            "said": None,
            "threads": None,
        }
        while True:
            answered = ask(
                self._client, documents.OWN if first else document, variables | ({} if first else dict(given))
            )
            pull = (answered.data.get("repository") or {}).get("pullRequest")
            first = first or pull
            if pull is None or pull.get("comments") is None or pull.get("reviewThreads") is None:
                if pull is None and not all(fault.absent for fault in answered.faults):
                    raise RefusedError(_hidden(ref, answered), "Grant pull_requests=read")
                return first, Unknown(reason=_hidden(ref, answered))
            self._met(answered.data["viewer"])
            for node in filter(self._wrote, pull["comments"]["nodes"]):
                word = _plain(node)
                found[word.id] = (node["createdAt"], word)
            for thread in pull["reviewThreads"]["nodes"]:
                for node in filter(self._wrote, thread["comments"]["nodes"]):
                    word = _in_code(thread, node)
                    found[word.id] = (node["createdAt"], word)
            more = {"said": pull["comments"]["pageInfo"], "threads": pull["reviewThreads"]["pageInfo"]}
            if not any(page["hasNextPage"] for page in more.values()):
                ordered = sorted(found.values(), key=lambda one: (one[0], int(place_of(one[1].id).number)))
                words = tuple(word for _, word in ordered)
                self._client.looks.keep(("own words", ref.key), words)
                return first, words
            variables |= {name: page["endCursor"] or variables[name] for name, page in more.items()}

    def say(self, ref: ChangeRef, body: str, among: Sequence[OwnWord] | None = None) -> OwnWord:
        """A comment about the change as a whole.

        The very same comment is found again, not repeated; a summary takes the place of the summary that is there.
        """
        body = fitting(body)
        there = self._recent_words(ref) if among is None else among
        plain = [word for word in there if place_of(word.id).kind == COMMENT]
        same = next((word for word in plain if _same(word.body, body)), None)
        if same is not None:
            return same
        if is_summary(body) and (old := next((word for word in plain if word.summary), None)):
            self.edit_word(ref, old, body)
            return old.model_copy(update={"body": body})
        data = self._client.request("POST", issue_path(ref) + "/comments", {"body": body})[1]
        return _word(f"{COMMENT}/{data['id']}/{data['node_id']}", body)

    def edit_word(self, ref: ChangeRef, word: OwnWord, body: str) -> None:
        """Let a comment of ours say something else. Raises ``ConflictError`` when it is gone: read again."""
        try:
            self._client.request("PATCH", _word_path(ref, word), {"body": fitting(body)})
        except NotFoundError as error:
            raise ConflictError(f"the comment is gone: {error.reason}") from None

    def delete_word(self, ref: ChangeRef, word: OwnWord) -> None:
        """Take a comment of ours back; without effect when it is gone."""
        try:
            self._client.request("DELETE", _word_path(ref, word))
        except NotFoundError:
            return

    def resolve(self, ref: ChangeRef, words: Iterable[OwnWord]) -> None:
        """Mark remarks as settled: threads in the code are resolved, plain comments folded away as resolved."""
        places = [place_of(word.id) for word in words if not word.resolved]
        wanted = list(dict.fromkeys((place.kind, place.node) for place in places))
        for begin in range(0, len(wanted), BATCH):
            batch = wanted[begin : begin + BATCH]
            parts = [
                f"m{n}: " + (_RESOLVE if kind == REVIEW else _MINIMISE).format(id=f"$i{n}")
                for n, (kind, _) in enumerate(batch)
            ]
            declared = ", ".join(f"$i{n}: ID!" for n in range(len(batch)))
            variables = {f"i{n}": node for n, (_, node) in enumerate(batch)}
            answered = ask(
                self._client, f"mutation Settle({declared}) {{ {' '.join(parts)} }}", variables, changes=True
            )
            refused = [fault.message for fault in answered.faults if not fault.absent]
            if refused:
                raise RefusedError(
                    f"GitHub did not settle remarks on {ref.key}: {'; '.join(refused)}",
                    "Grant the App the permissions pull_requests=write and contents=write",
                )

    def answer(self, ref: ChangeRef, comment: str, body: str) -> None:
        """Answer where something was asked: in the thread of ``comment``, or as a comment of its own, once.

        ``comment`` is a number as GitHub's events and ``ThreadComment`` give it, with ``issue:`` or ``review:`` before it
        where it is known to be of the conversation or in the code.
        """
        found = _ASKED.fullmatch(comment)
        if found is None:
            raise RefusedError(f"{comment!r} is no comment of GitHub", "Give the id that GitHub's event told")
        number = found[2]
        if any(answers(word.body) == number for word in self.own_words(ref)):
            return
        marked = fitting(f"{answer_mark(number)}\n{body}")
        if found[1] in {None, REVIEW} and self._replied(ref, number, marked):
            return
        self._client.request("POST", issue_path(ref) + "/comments", {"body": marked})

    def _replied(self, ref: ChangeRef, number: str, body: str) -> bool:
        """Whether ``number`` is a comment in the code of the pull request, and was replied to."""
        asked = self._client.get(repository_path(ref.repository) + path("/pulls/comments/{}", number))
        if asked is None or not str(asked["pull_request_url"]).endswith(path("/pulls/{}", ref.number)):
            return False
        # Only the first comment of a thread takes replies.
        first = asked.get("in_reply_to_id") or asked["id"]
        try:
            self._client.request("POST", pull_path(ref) + path("/comments/{}/replies", first), {"body": body})
        except NotFoundError:
            return False  # the thread went away meanwhile; the answer is due all the same
        return True


def place_of(word: str) -> Place:
    """What the id of an ``OwnWord`` says. Raises ``RefusedError`` for one of another adapter."""
    kind, _, rest = word.partition("/")
    number, _, node = rest.partition("/")
    if kind not in {COMMENT, REVIEW} or not number.isdecimal() or not node:
        raise RefusedError(f"{word!r} is no comment of ours on GitHub", "Read our words again")
    return Place(kind, number, node)


def _own_check(commit: Mapping[str, Any]) -> OwnChecks:
    """Our check as a look at how a pull request stands tells it: a status, or an App's run."""
    if "status" in commit:
        status = (commit["status"] or {}).get("context")
        return {} if status is None else {OWN_CHECK: status_told(status)}
    run = run_told(commit)
    return {} if run is None else {OWN_CHECK: run}


def _hidden(ref: ChangeRef, answered: Answered) -> str:
    words = "; ".join(fault.message for fault in answered.faults) or "no such pull request"
    return f"GitHub does not show {ref.key}: {words}"


def _word_path(ref: ChangeRef, word: OwnWord) -> str:
    place = place_of(word.id)
    family = "pulls" if place.kind == REVIEW else "issues"
    return repository_path(ref.repository) + path("/{}/comments/{}", family, place.number)


def _plain(node: Mapping[str, Any]) -> OwnWord:
    word = _word(f"{COMMENT}/{node['fullDatabaseId']}/{node['id']}", node["body"])
    return word.model_copy(update={"resolved": node["isMinimized"]})


def _in_code(thread: Mapping[str, Any], node: Mapping[str, Any]) -> OwnWord:
    word = _word(f"{REVIEW}/{node['fullDatabaseId']}/{thread['id']}", node["body"])
    line = thread.get("line") or thread.get("originalLine")
    stands = {"resolved": thread["isResolved"], "discussion": True, "path": thread["path"], "line": line}
    return word.model_copy(update=stands)


def _word(identifier: str, body: str) -> OwnWord:
    return OwnWord(id=identifier, body=body, fingerprint=fingerprint_in(body), summary=is_summary(body))


def _same(one: str, other: str) -> bool:
    """GitHub takes carriage returns and outer blanks away."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
