"""The labels every project's repository has, read from the definitions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from shared.definitions.reading import trusted
from shared.domain.forge import Label

DEFINITION = Path(__file__).parent.parent / "definitions" / "labels.yaml"


@cache
def labels() -> Sequence[Label]:
    """Every label, in the order of the file."""
    raw = trusted(DEFINITION.read_text(encoding="utf-8"))
    return tuple(Label.model_validate(item) for item in raw["labels"])
