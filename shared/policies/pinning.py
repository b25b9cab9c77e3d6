"""Pins a definition by the digest of its canonical JSON, and gives back exactly what was pinned, however old."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ValidationError

from shared.audit.encoding import canonical_json
from shared.domain.definition import DefinitionOfDone, Pin
from shared.domain.lifecycle import TicketLifecycle
from shared.errors import DefectError
from shared.ports import ArtifactStore

Definition = DefinitionOfDone | TicketLifecycle

MEDIA_TYPE = "application/json"
_MOST_CONTENTS = 8
_contents: dict[int, tuple[Definition, bytes]] = {}
"""Of the definitions that were pinned last, since every review pins the same ones more than once."""


def pin(definition: Definition) -> Pin:
    """Name, version and digest of ``definition``. Pure: the same definition has the same pin everywhere."""
    digest = "sha256:" + hashlib.sha256(content_of(definition)).hexdigest()
    return Pin(name=definition.name, version=definition.version, digest=digest)


def content_of(definition: Definition) -> bytes:
    """The bytes that are kept: RFC 8785 canonical JSON."""
    known = _contents.get(id(definition))
    # Held with its definition, whose place in memory nothing else can take meanwhile; none of them ever changes.
    if known is None or known[0] is not definition:
        content = canonical_json(definition.model_dump(mode="json", by_alias=True, exclude_defaults=False))
        known = (definition, content)
        if len(_contents) >= _MOST_CONTENTS:
            _contents.clear()
        _contents[id(definition)] = known
    return known[1]


def keep(artifacts: ArtifactStore, definition: Definition) -> Pin:
    """Keep ``definition`` (again without effect) and give its pin.

    Raises ``TransientError`` when storage does not answer, ``DefectError`` when it names the bytes otherwise.
    """
    pinned = pin(definition)
    if artifacts.put(content_of(definition), MEDIA_TYPE) != pinned.digest:
        raise DefectError(f"the artifact store names {pinned.name} {pinned.version} otherwise than its pin")
    return pinned


def definition_of_done_of(artifacts: ArtifactStore, pinned: Pin) -> DefinitionOfDone:
    """The pinned definition of done.

    Raises ``RefusedError`` when it is past its retention, ``DefectError`` when it is not what the pin says or cannot be
    read any more.
    """
    return _loaded(artifacts, pinned, DefinitionOfDone)


def lifecycle_of(artifacts: ArtifactStore, pinned: Pin) -> TicketLifecycle:
    """The pinned lifecycle; raises as ``definition_of_done_of``."""
    return _loaded(artifacts, pinned, TicketLifecycle)


def _loaded[D: BaseModel](artifacts: ArtifactStore, pinned: Pin, model: type[D]) -> D:
    content = artifacts.get(pinned.digest)
    try:
        found = model.model_validate_json(content)
    except ValidationError as error:
        raise DefectError(
            f"{pinned.digest} cannot be read as {model.__name__}: {error.error_count()} faults"
        ) from error
    told = (getattr(found, "name", ""), getattr(found, "version", 0))
    if told != (pinned.name, pinned.version):
        raise DefectError(f"{pinned.digest} is {told[0]} {told[1]}, and not {pinned.name} {pinned.version}")
    return found
