"""What became of every line of the documents the definitions were drawn from: a criterion, a feature, a deviation, or nothing to do."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.domain.definition import Source
from shared.domain.forge import Frozen

FeatureId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{3,49}$")]
FilePath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_.][A-Za-z0-9_./-]{1,120}$")]


class ContextKind(StrEnum):
    """Why a line asks for nothing."""

    INTRODUCTION = "introduction"
    SECTION_TITLE = "section title"
    METADATA = "metadata"
    NAVIGATION = "navigation"
    EXAMPLE = "example"
    SCHEDULE = "schedule"
    SUMMARY = "summary"


MEANINGS = {
    ContextKind.INTRODUCTION: "says what the lines after it are about",
    ContextKind.SECTION_TITLE: "names the lines after it",
    ContextKind.METADATA: "is about the document itself: its version, dates and keepers",
    ContextKind.NAVIGATION: "leads to another section or document",
    ContextKind.EXAMPLE: "shows how something else may look; what it asks for stands beside it",
    ContextKind.SCHEDULE: "says how long work takes, or what it waits for",
    ContextKind.SUMMARY: "repeats what other lines ask for",
}


class SeedDocument(Frozen):
    """One of the documents, by a neutral title."""

    number: str = Field(pattern=r"^00[0-4]$")
    title: str
    lines: int = Field(ge=1)


class CoveredByFeature(Frozen):
    """Lines that Doneright itself answers, and where; without a place, planned."""

    id: FeatureId
    does: str = Field(min_length=15, max_length=200, pattern=r"\.$")
    built: tuple[FilePath, ...] = Field(default=(), description="Where it is built; empty: planned.")
    sources: tuple[Source, ...] = Field(min_length=1)


class Deviation(Frozen):
    """Lines that are answered otherwise than they ask, and the decision that says why."""

    id: FeatureId
    instead: str = Field(min_length=15, max_length=240, pattern=r"\.$")
    decision: FilePath
    sources: tuple[Source, ...] = Field(min_length=1)


class Context(Frozen):
    """Lines that ask for nothing."""

    kind: ContextKind
    sources: tuple[Source, ...] = Field(min_length=1)


class Coverage(Frozen):
    """One version of what became of the lines that no criterion names. Criteria name theirs themselves."""

    name: Literal["coverage"] = "coverage"
    version: int = Field(ge=1)
    documents: tuple[SeedDocument, ...] = Field(min_length=5, max_length=5)
    features: tuple[CoveredByFeature, ...]
    deviations: tuple[Deviation, ...]
    context: tuple[Context, ...]

    @model_validator(mode="after")
    def _stays_within_the_documents(self) -> Self:
        lengths = {document.number: document.lines for document in self.documents}
        for source in self.sources():
            if source.last > lengths.get(source.document, 0):
                raise ValueError(f"{source.text} is beyond its document's end")
        return self

    def sources(self) -> Iterator[Source]:
        """Every source that is named."""
        for group in (self.features, self.deviations, self.context):
            for one in group:
                yield from one.sources
