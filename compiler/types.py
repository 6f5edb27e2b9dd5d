"""The types of columns, as the compiler, the store, the models and the services know them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

Base = Literal["int", "float", "text", "bool", "date", "timestamp", "list"]


class Frozen(BaseModel):
    """What crosses a process or is kept on disk: unchanging, and strict about what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Type(Frozen):
    """`values` closes a text to a set; `item` is what a list holds; `optional` is the `?`: a value may be missing."""

    base: Base
    values: tuple[str, ...] = ()
    item: Type | None = None
    optional: bool = False

    def __str__(self) -> str:
        if self.values:
            word = " | ".join(f'"{value}"' for value in self.values)
            return f"({word})?" if self.optional and len(self.values) > 1 else word + "?" * self.optional
        word = f"list[{self.item}]" if self.base == "list" else self.base
        return word + "?" * self.optional


class Column(Frozen):
    """One column of a table.

    `origin` is its name in the source's file where that is another; `low` and `high` are the declared range, both
    ends included: numbers, or ISO dates as text. Of an `empty` one not a single value tells what type it is meant to be.
    """

    name: str
    type: Type
    unique: bool = False
    low: float | str | None = None
    high: float | str | None = None
    origin: str = ""
    declared: bool = False
    empty: bool = False


Columns = tuple[Column, ...]

INT, FLOAT, TEXT = Type(base="int"), Type(base="float"), Type(base="text")
BOOL, DATE, TIMESTAMP = Type(base="bool"), Type(base="date"), Type(base="timestamp")


def optional(type_: Type) -> Type:
    return type_ if type_.optional else type_.model_copy(update={"optional": True})


def required(type_: Type) -> Type:
    return type_.model_copy(update={"optional": False}) if type_.optional else type_


def is_number(type_: Type) -> bool:
    return type_.base in ("int", "float")


def is_ordered(type_: Type) -> bool:
    return type_.base in ("int", "float", "date", "timestamp")


def by_name(columns: Iterable[Column]) -> dict[str, Column]:
    return {column.name: column for column in columns}
