"""What an item is, and which input may become one."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Databases keep no NUL in their texts.
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$"),
]
Price = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]


class NewItem(BaseModel):
    """An item as its creator sends it; unknown fields are refused, because they are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    price: Annotated[Price, Field(description="In euro, up to two decimals")]


class Item(BaseModel):
    """An item as it is kept."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    price: Decimal
    created_at: datetime


class ItemPage(BaseModel):
    """A page of items, oldest first."""

    items: list[Item]
    total: Annotated[int, Field(ge=0, description="Number of items over all pages")]
