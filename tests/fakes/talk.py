"""A pull request that people talk about: ports over fakes, one open change, and whoever may write to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.agents.health import AgentHealth
from shared.audit.people import Pseudonyms
from shared.definitions.load import definition_of_done
from shared.domain.audit import AuditEvent
from shared.domain.connection import Connection
from shared.domain.definition import KnownByGate
from shared.domain.evidence import EvidenceRecord
from shared.domain.forge import ForgeName
from shared.domain.policy import Enforcement, KeptPolicy
from shared.domain.publication import Permission
from shared.domain.review import Finding, Outcome, Reviewed, ReviewRecord, SeenHead, Spoken
from shared.domain.run import ProjectRecord
from shared.domain.simulation import SimulationRecord
from shared.evidence.ports import EvidencePorts
from shared.policies.pinning import pin
from shared.projects.links import Links
from shared.reviews import recording
from shared.reviews.commands import Followed, Said, follow
from shared.reviews.judging import ruled
from shared.reviews.ports import ReviewPorts
from tests.fakes.app import KEY, a_connection
from tests.fakes.changes import HEAD, a_change, person
from tests.fakes.review_forge import MemoryReviewForge
from tests.fakes.storage import MemoryArtifacts, MemoryAuditLog, MemoryClock, MemoryRecords

PROJECT = "order-desk"


def a_finding(criterion: str, outcome: Outcome = Outcome.UNMET, **rest: Any) -> Finding:
    """What a review found about a criterion of the shipped definition, enforced unless it is said otherwise."""
    known = definition_of_done().by_id()[criterion]
    usual = {
        "criterion": criterion,
        "stage": known.stage,
        "statement": known.statement,
        "owner": known.owner,
        "severity": known.severity,
        "enforcement": Enforcement.ENFORCED,
        "known_by": known.known_by.kind,
        "gate": known.known_by.gate if isinstance(known.known_by, KnownByGate) else None,
        "outcome": outcome,
        "reason": "as it was seen",
        "remedy": "" if outcome in {Outcome.MET, Outcome.NOT_APPLICABLE} else known.remedy,
    }
    return Finding.model_validate(usual | rest)


class Talk:
    """Pull request 7 by ``mira``; ``noor`` administers its repository, ``otis`` may write to it, ``ruth`` may read."""

    def __init__(self, forge: ForgeName = ForgeName.GITHUB, **connection: Any) -> None:
        self.clock = MemoryClock()
        self.audit = MemoryAuditLog(self.clock)
        self.forge = MemoryReviewForge(forge)
        self.ref = self.forge.open(a_change(forge))
        place = str(self.ref.repository).lower()
        for login, permission in {
            "mira": Permission.WRITE, "noor": Permission.ADMIN, "otis": Permission.WRITE, "ruth": Permission.READ,
        }.items():  # fmt: skip
            self.forge.permissions[place, login] = permission
        self.ports = ReviewPorts(
            clock=self.clock,
            audit=self.audit,
            artifacts=MemoryArtifacts(),
            pseudonyms=Pseudonyms(KEY),
            links=Links("https://doneright.example", KEY),
            projects=MemoryRecords(ProjectRecord),
            connections=MemoryRecords(Connection),
            reviews=MemoryRecords(ReviewRecord),
            heads=MemoryRecords(SeenHead),
            spoken=MemoryRecords(Spoken),
            policies=MemoryRecords(KeptPolicy),
            simulations=MemoryRecords(SimulationRecord),
            health=MemoryRecords(AgentHealth),
            evidence=EvidencePorts(
                clock=self.clock, audit=self.audit, artifacts=MemoryArtifacts(), records=MemoryRecords(EvidenceRecord)
            ),
            connect=lambda _: {forge: self.forge},
        )
        self.connect(**connection)
        self._comments = 0

    def connect(self, **changes: Any) -> Connection:
        """Let the connection be so."""
        connection = a_connection(**changes)
        self.ports.connections.put("connections", connection.id, connection)
        return connection

    def team(self, *members: str) -> None:
        """Let every team have these members."""
        self.ports = replace(self.ports, belongs=lambda _, __, login: login in members)

    def says(self, body: str, by: str = "noor", **rest: Any) -> Followed:
        """Somebody comments; each time another comment unless ``comment`` is given."""
        self._comments += 1
        usual = {
            "ref": self.ref,
            "project": PROJECT,
            "connection": "acme",
            "comment": f"c{self._comments}",
            "author": person(by),
            "body": body,
            "url": f"https://forge.example/7#{self._comments}",
            "at": self.clock.now() + timedelta(seconds=self._comments),
        }
        return follow(self.ports, Said.model_validate(usual | rest))

    def reviewed(self, *findings: Finding, head: str = HEAD, **rest: Any) -> Reviewed:
        """Let a review of ``head`` have come to these findings."""
        record = recording.want(self.ports, self.ref, head, project=PROJECT, connection="acme", reason="a test").record
        ruling, reason = ruled(findings)
        usual = {
            "review": record.id, "instance": record.instance, "ref": self.ref, "project": PROJECT, "connection": "acme",
            "head": head, "base": "b2" * 20, "title": "feat: export orders", "url": "https://forge.example/7",
            "author": "mira", "definition": pin(definition_of_done()), "ruling": ruling, "reason": reason,
            "advisory": False, "findings": findings, "evidence": "sha256:" + "0" * 64, "at": self.clock.now(),
        }  # fmt: skip
        made = Reviewed.model_validate(usual | rest)
        digest = self.ports.artifacts.put(made.model_dump_json().encode(), "application/json")
        recording.changed(self.ports, record, lambda one: one.model_copy(update={"reviewed": digest}))
        return made

    @property
    def answer(self) -> str:
        """The last answer, without its hidden line."""
        return self.forge.answers(self.ref)[-1][1].partition("\n")[2]

    @property
    def answers(self) -> int:
        """How often something was answered."""
        return len(self.forge.answers(self.ref))

    def events(self) -> list[AuditEvent]:
        """The record."""
        return list(self.audit.events(PROJECT, 0, 1000))
