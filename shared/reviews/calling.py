"""Follows a command that a script gives for a person: the same words, the same permissions, answered in the call itself.

Who may call at all is decided before; what the person may do is decided here, on the forge, exactly as for a comment.
"""

from __future__ import annotations

from pydantic import Field

from shared.domain.audit import NewAuditEvent
from shared.domain.change import ChangeRef, Person
from shared.domain.forge import Frozen
from shared.errors import RefusedError
from shared.reviews import following
from shared.reviews.collecting import connection_of, forge_of
from shared.reviews.following import Told
from shared.reviews.grammar import Unparsed, parsed
from shared.reviews.hearing import Hearing
from shared.reviews.ports import ReviewPorts


class Call(Frozen):
    """A command as a script gives it."""

    ref: ChangeRef
    project: str
    connection: str
    words: str = Field(description="What a comment would say after `/doneright`.")
    by: Person = Field(description="For whom it is given, as the forge knows them.")
    caller: str = Field(description="Who called, as the record names them.")
    call: str = Field(description="Id of the call; the same call again is recorded once.")


class Carried(Frozen):
    """What became of it."""

    text: str = Field(description="Markdown, as a comment would be answered.")
    look_again: bool = False
    problem: str = ""


def carry_out(ports: ReviewPorts, call: Call) -> Carried:
    """Do what the command says, where the person it is given for may say it.

    Raises ``TransientError`` when the forge or storage does not answer.
    """
    connection = connection_of(ports, call.connection)
    forge = forge_of(ports, connection, call.ref.forge)
    hearing = Hearing(
        ports=ports, forge=forge, connection=connection, ref=call.ref, author=call.by, at=ports.clock.now()
    )
    told = _told(hearing, call.words)
    for number, (tag, detail) in enumerate(told.records):
        ports.audit.append(
            call.project,
            NewAuditEvent.model_validate(
                {
                    "tag": tag,
                    "instance": f"call-{call.call}",
                    "step": str(number),
                    "subject": call.ref.key,
                    "actor": ports.pseudonyms.of(call.by.login, call.connection),
                    "detail": {**detail, "by_call_of": ports.pseudonyms.of(call.caller, call.connection)},
                }
            ),
        )
    return Carried(text=told.text, look_again=told.look_again, problem=told.problem)


def _told(hearing: Hearing, words: str) -> Told:
    if not hearing.permission.may_write:
        refused = RefusedError(
            f"{hearing.author.login} may not write to {hearing.ref.repository}",
            "Name somebody who may, whom the command is given for.",
        )
        return following.refused(refused)
    command = parsed(words)
    if isinstance(command, Unparsed):
        return following.unparsed(hearing, command)
    try:
        return following.obey(hearing, command)
    except RefusedError as error:
        return following.refused(error, command.verb)
