"""What people and scripts see of an adoption: the plan beside live state, and the consent to it."""

from __future__ import annotations

from pydantic import Field

from shared.domain.adoption import AdoptionStep, AdoptionWish, Consent, LiveFact
from shared.domain.forge import Frozen
from shared.domain.run import ProjectRecord, ProjectState
from shared.errors import DefectError
from shared.projects.adopting.planning import shown
from shared.projects.ports import ProjectPorts


class AdoptionView(Frozen):
    """An adoption as it is shown."""

    id: str
    name: str
    connection: str
    state: ProjectState
    digest: str = Field(description="Of the plan; what a consent names.")
    facts: tuple[LiveFact, ...] = Field(description="What was found on the forges.")
    steps: tuple[AdoptionStep, ...]
    wish: AdoptionWish
    consent: Consent | None
    status_url: str


def view_of(ports: ProjectPorts, record: ProjectRecord) -> AdoptionView:
    """The adoption of ``record`` as it is shown."""
    adoption = record.adoption
    if adoption is None:
        raise DefectError(f"the project {record.id} was not adopted")
    return AdoptionView(
        id=record.id,
        name=record.name,
        connection=record.connection,
        state=record.state,
        digest=adoption.shown,
        facts=adoption.facts,
        steps=shown(ports, adoption.shown).steps,
        wish=adoption.wish,
        consent=adoption.consent,
        status_url=ports.links.api(f"projects/{record.id}"),
    )
