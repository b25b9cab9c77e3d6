"""Starts runs, for whoever asks: one that the engine knows is left alone, one that ended unheard is put on record."""

from __future__ import annotations

from enum import StrEnum

import azure.durable_functions as df

from orchestrations.durable import ended, start
from shared.domain.run import RunInput
from shared.projects import lost
from shared.projects.ports import ProjectPorts


class Begun(StrEnum):
    """What became of a start."""

    BEGUN = "begun"
    TAKEN_UP = "taken up"
    UNDER_WAY = "under way"
    ENDED = "ended"


def begin(client: df.SyncDurableFunctionsClient, ports: ProjectPorts, run: RunInput, *, again: bool) -> Begun:
    """Start ``run``; with ``again`` it was begun before, and only a run the engine has lost is started.

    Raises ``TransientError`` when the engine does not answer.
    """
    # Some engines would replace an instance that has ended, among them one that a person ended on purpose.
    if again and (how := ended(client, run.instance)):
        lost.settle(ports, run, how)
        return Begun.ENDED
    if not start(client, run.runbook, run.instance, run):
        return Begun.UNDER_WAY
    if not again:
        return Begun.BEGUN
    lost.taken_up(ports, run)
    return Begun.TAKEN_UP
