"""The rules by which issues are categorised, as data: versioned, validated, and the same for everybody."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from shared.definitions.reading import trusted
from shared.domain.forge import Frozen, Label

DEFINITION = Path(__file__).parent.parent / "definitions" / "issue_categories.yaml"
SET_BY = "Set by Doneright"


class Points(Frozen):
    """What each kind of rule gives."""

    word: int = Field(ge=1)
    phrase: int = Field(ge=1)
    title_factor: int = Field(ge=1)
    form: int = Field(ge=1)
    type: int = Field(ge=1)
    path: int = Field(ge=1)
    most_words: int = Field(
        ge=1, description="So many points at most for words, so that long texts do not win by length."
    )


class Category(Frozen):
    """One category with the rules that speak for it; everything in lower case."""

    id: str = Field(pattern=r"^[a-z][a-z-]{1,29}$")
    description: str = Field(min_length=1, max_length=80)
    color: str = Field(pattern=r"^[0-9a-f]{6}$")
    labels: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


class Rules(Frozen):
    """One version of the rules. Raises ``pydantic.ValidationError`` for rules that contradict each other."""

    version: int = Field(ge=1)
    least: int = Field(ge=1)
    lead: int = Field(ge=1)
    points: Points
    label_prefix: str = Field(min_length=1, max_length=20)
    uncategorised: str
    categories: tuple[Category, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _tells_categories_apart(self) -> Self:
        for field in ("id", "labels", "types", "words", "phrases", "forms", "paths"):
            seen: dict[str, str] = {}
            for category in self.categories:
                given = (category.id,) if field == "id" else getattr(category, field)
                for name in given:
                    if name != name.lower() and field != "paths":
                        raise ValueError(f"{field} of {category.id}: {name!r} is not in lower case")
                    if name in seen:
                        raise ValueError(f"{field}: {name!r} speaks for {seen[name]} and for {category.id}")
                    seen[name] = category.id
        return self

    def label_of(self, category: str) -> str:
        """The label by which Doneright says the category."""
        return self.label_prefix + category

    def category_of(self, label: str) -> str:
        """The category that one of Doneright's labels says; empty for other labels."""
        name = label.casefold()
        prefix = self.label_prefix.casefold()
        told = name.removeprefix(prefix).strip() if name.startswith(prefix) else ""
        return told if any(category.id == told for category in self.categories) else ""

    def label(self, category: str) -> Label:
        """The label with its colour and description."""
        found = next(one for one in self.categories if one.id == category)
        return Label(
            name=self.label_of(category), color=found.color, description=f"{SET_BY}: {found.description}"[:100]
        )


@cache
def rules() -> Rules:
    """The rules in force."""
    return Rules.model_validate(trusted(DEFINITION.read_text(encoding="utf-8")))
