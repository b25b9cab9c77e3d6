"""Follows what people with write access write to Doneright on a pull request, once, and answers where it was asked.

Several commands of one comment are followed in their order and answered together; one that is refused stops no other.
Each leaves its record, whether it was followed or refused.
"""

from __future__ import annotations

import logging
from datetime import datetime

from pydantic import Field

from shared.domain.audit import TENANT, AuditTag, NewAuditEvent
from shared.domain.change import ChangeRef, Person
from shared.domain.connection import Connection, TokenCredential
from shared.domain.forge import ForgeName, Frozen
from shared.domain.publication import OWN_MARK
from shared.errors import DonerightError, RefusedError
from shared.projects.ports import CONNECTIONS
from shared.reviews import following, replies, words
from shared.reviews.following import Told
from shared.reviews.grammar import MOST_COMMANDS, Unparsed, parsed
from shared.reviews.hearing import Hearing, same_person
from shared.reviews.ports import ReviewForge, ReviewPorts
from shared.reviews.said import lines_in

_log = logging.getLogger(__name__)


class Said(Frozen):
    """A comment on a pull request."""

    ref: ChangeRef
    project: str = Field(description="Whose record it stands on.")
    connection: str
    comment: str = Field(description="Id of the comment, as the forge's adapter takes it to be answered.")
    author: Person
    body: str
    url: str = ""
    at: datetime
    edited: bool = Field(default=False, description="It was said before and reads otherwise now.")


class Followed(Frozen):
    """What became of a comment."""

    look_again: bool = Field(default=False, description="A review may come to another verdict now.")
    reason: str = ""
    answered: bool = False


def follow(ports: ReviewPorts, said: Said) -> Followed:
    """Do what the comment says, where its author may say it. Following the same comment twice does no more than once.

    Raises ``TransientError`` when the forge or storage does not answer, and while another worker follows it.
    """
    lines = lines_in(said.body)
    if reason := _unheard(said, lines):
        return Followed(reason=reason)
    found = ports.connections.get(CONNECTIONS, said.connection)
    if found is None:
        return Followed(reason=f"there is no connection {said.connection}")
    forge = ports.connect(found[0])[said.ref.forge]
    if _is_ours(forge, found[0], said):
        return Followed(reason="Doneright said it itself")
    before = words.take(ports, said.ref, said.comment)
    if before is not None:
        return Followed(look_again=said.comment in before.heeded, reason="the comment was followed already")
    try:
        told = _told(ports, forge, found[0], said, lines)
        answered = _answer(ports, forge, said, told)
        again = any(one.look_again for one in told)
        words.finish(ports, said.ref, said.comment, heeded=again)
    except DonerightError:
        words.let_go(ports, said.ref, said.comment)
        raise
    refused = [one.problem for one in told if one.problem]
    return Followed(look_again=again, reason="; ".join(refused), answered=answered)


def _unheard(said: Said, lines: tuple[str, ...]) -> str:
    """Why nothing follows, whoever speaks; empty when something may."""
    if not lines:
        return "the comment says nothing to Doneright"
    if said.edited:
        return "an edited comment is no new command"
    return "programs give no commands" if said.author.bot else ""


def _is_ours(forge: ReviewForge, connection: Connection, said: Said) -> bool:
    own = forge.own_identity()
    if own.id.lower() != said.author.id.lower() and not same_person(own.login, said.author.login):
        return False
    # With a person's token, Doneright and that person have one name: only what it marks as its own is not the person's.
    return own.bot or not _by_token(connection, said.ref.forge) or said.body.lstrip().startswith(OWN_MARK)


def _by_token(connection: Connection, forge: ForgeName) -> bool:
    side = connection.github if forge is ForgeName.GITHUB else connection.azure_devops
    return side is not None and isinstance(side.credential, TokenCredential)


def _told(
    ports: ReviewPorts, forge: ReviewForge, connection: Connection, said: Said, lines: tuple[str, ...]
) -> tuple[Told, ...]:
    hearing = Hearing(ports=ports, forge=forge, connection=connection, ref=said.ref, author=said.author, at=said.at)
    if mute := _may_not_speak(hearing):
        told = (following.refused(mute),)
        _record(ports, said, 0, told[0])
        return told
    found: list[Told] = []
    for place, line in enumerate(lines):
        if place == MOST_COMMANDS:
            problem = f"a comment may hold {MOST_COMMANDS} commands; {len(lines) - place} more were left out"
            one = following.refused(RefusedError(problem, "Say the rest in another comment."))
        else:
            one = _one(hearing, line)
        _record(ports, said, place, one)
        found.append(one)
        if place == MOST_COMMANDS:
            break
    return tuple(found)


def _may_not_speak(hearing: Hearing) -> RefusedError | None:
    try:
        if hearing.permission.may_write:
            return None
    except RefusedError as error:
        return error
    login, where = hearing.author.login, hearing.ref.repository
    return RefusedError(f"{login} may not write to {where}", "Ask somebody who may to say it.")


def _one(hearing: Hearing, line: str) -> Told:
    command = parsed(line)
    if isinstance(command, Unparsed):
        return following.unparsed(hearing, command)
    try:
        return following.obey(hearing, command)
    except RefusedError as error:
        return following.refused(error, command.verb)


def _record(ports: ReviewPorts, said: Said, place: int, told: Told) -> None:
    # What is refused now may be followed when the same comment is delivered again: each stands for itself.
    for number, (tag, detail) in enumerate(told.records):
        kind = "refused" if tag is AuditTag.COMMAND_REFUSED else "followed"
        ports.audit.append(
            said.project or TENANT,
            NewAuditEvent.model_validate(
                {
                    "tag": tag,
                    "instance": f"comment-{said.ref.key}-{said.comment}",
                    "step": f"{place}.{number}.{kind}",
                    "subject": said.url or said.ref.key,
                    "actor": ports.pseudonyms.of(said.author.login, said.connection),
                    "detail": detail,
                }
            ),
        )


def _answer(ports: ReviewPorts, forge: ReviewForge, said: Said, told: tuple[Told, ...]) -> bool:
    mark = replies.marker(ports.links.token("answer", f"{said.ref.key} {said.comment}"))
    try:
        # An answer whose answer was lost stands there already.
        if not any(mark in word.body for word in forge.own_words(said.ref)):
            forge.answer(said.ref, said.comment, replies.answer(mark, told, said.ref.forge))
    except RefusedError as error:
        # A locked conversation must not undo what was said in it; the record and the next summary tell the same.
        _log.warning("%s could not be answered: %s", said.url or said.ref.key, error.reason)
        return False
    return True
