"""What is wrong with an input, field by field and in plain words, with what is accepted and an example."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from shared.domain.forge import Frozen
from shared.domain.shapes import SHAPES

_LONGEST_SHOWN = 40


class FieldFault(Frozen):
    """One field at fault."""

    field: str
    problem: str
    example: str = ""


def faults_of(
    error: ValidationError, examples: Mapping[str, str] | None = None, model: type[BaseModel] | None = None
) -> tuple[FieldFault, ...]:
    """Every fault of a pydantic validation in plain words, with an example where one is known for the field.

    ``model`` is what was validated: its fields carry examples, and the path of a field is told as its JSON has it.
    """
    return tuple(_fault(detail, examples or {}, model) for detail in error.errors(include_url=False))


def _fault(detail: Mapping[str, Any], examples: Mapping[str, str], model: type[BaseModel] | None) -> FieldFault:
    place = _place(detail["loc"], model)
    field = ".".join(place.path)
    wording = _WORDINGS.get(detail["type"], _unknown)(detail)
    example = place.example or examples.get(field) or wording.example
    return FieldFault(field=field or "(whole)", problem=wording.problem, example=example)


class _Wording(NamedTuple):
    problem: str
    example: str = ""


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def _joined(choices: Sequence[str], word: str) -> str:
    return f" {word} ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))


def _always(problem: str, example: str = "") -> Callable[[Mapping[str, Any]], _Wording]:
    return lambda _: _Wording(problem, example)


def _choice(detail: Mapping[str, Any]) -> _Wording:
    choices = re.findall(r"'([^']*)'", detail["ctx"].get("expected", detail["ctx"].get("expected_tags", "")))
    given = detail["ctx"].get("tag", detail["input"])
    return _Wording(f"{_shown(given)} is not one of the choices: {_joined(choices, 'or')}", choices[0])


def _kind(detail: Mapping[str, Any]) -> _Wording:
    chosen = _choice(detail)
    return _Wording(f"its kind {chosen.problem}")


def _pattern(detail: Mapping[str, Any]) -> _Wording:
    shape = SHAPES.get(detail["ctx"]["pattern"])
    return _Wording(f"is not {shape.accepts}", shape.example) if shape else _unknown(detail)


def _too_short(detail: Mapping[str, Any]) -> _Wording:
    least = detail["ctx"]["min_length"]
    return _Wording("is empty" if least == 1 else f"is too short; it takes {least} or more")


def _too_long(detail: Mapping[str, Any]) -> _Wording:
    # Text tells its length; a list may have been given up on at the first entry too many.
    most, given = detail["ctx"]["max_length"], detail["input"]
    if isinstance(given, str):
        return _Wording(f"is {len(given)} characters long; {most} are the most")
    return _Wording(f"has more than {most} entries; {most} are the most")


def _bound(name: str, words: str) -> Callable[[Mapping[str, Any]], _Wording]:
    def say(detail: Mapping[str, Any]) -> _Wording:
        limit = detail["ctx"][name]
        return _Wording(f"is {_shown(detail['input'])}; it must be {words.format(limit)}")

    return say


def _whole_number(detail: Mapping[str, Any]) -> _Wording:
    return _Wording(f"{_shown(detail['input'])} is not a whole number", "1")


def _ours(detail: Mapping[str, Any]) -> _Wording:
    return _Wording(str(detail["ctx"]["error"]))


def _unknown(detail: Mapping[str, Any]) -> _Wording:
    return _Wording(f"{_shown(detail['input'])} is not accepted here")


_LIST = _always("is not a list")
_OBJECT = _always("is not an object with fields")
_WORDINGS: Mapping[str, Callable[[Mapping[str, Any]], _Wording]] = {
    "missing": _always("is missing"),
    "extra_forbidden": _always("is not a field that can be given here; leave it out, or correct its name"),
    "value_error": _ours,
    "enum": _choice,
    "literal_error": _choice,
    "union_tag_invalid": _kind,
    "union_tag_not_found": _always("does not say its kind"),
    "string_type": _always("is not text"),
    "string_unicode": _always("holds half a character (an unpaired surrogate)"),
    "string_pattern_mismatch": _pattern,
    "string_too_short": _too_short,
    "string_too_long": _too_long,
    "too_short": _too_short,
    "too_long": _too_long,
    "int_type": _whole_number,
    "int_parsing": _whole_number,
    "int_parsing_size": _whole_number,
    "int_from_float": _whole_number,
    "finite_number": _whole_number,
    "greater_than": _bound("gt", "more than {}"),
    "greater_than_equal": _bound("ge", "{} or more"),
    "less_than": _bound("lt", "less than {}"),
    "less_than_equal": _bound("le", "{} or less"),
    "bool_type": _always("is neither true nor false", "true"),
    "bool_parsing": _always("is neither true nor false", "true"),
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "set_item_not_hashable": _always("is a list or an object where one value is taken"),
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
}
"""By pydantic's name of the error: https://docs.pydantic.dev/latest/errors/validation_errors/"""


class _Place(NamedTuple):
    path: tuple[str, ...]
    example: str


def _place(location: Sequence[int | str], model: type[BaseModel] | None) -> _Place:
    """Where ``location`` is in the JSON that was given: pydantic's names the member of a union too, which has no key.

    Of a name that is no key of an object, the place is that name.
    """
    location = tuple(part for part in location if part != "[key]")
    if model is None:
        return _Place(tuple(str(part) for part in location), "")
    path: list[str] = []
    at: Any = model
    field: FieldInfo | None = None
    for part in location:
        if isinstance(part, str):
            models = list(_models_in(at))
            if any(_is_tag_of(part, each) for each in models) and not any(part in each.model_fields for each in models):
                at = next(each for each in models if _is_tag_of(part, each))
                continue
            field = next((each.model_fields[part] for each in models if part in each.model_fields), None)
            at = field.annotation if field else None
        path.append(str(part))
    entry = bool(location) and isinstance(location[-1], int)
    return _Place(tuple(path), _example(field, entry=entry))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _is_tag_of(part: str, model: type[BaseModel]) -> bool:
    kind = model.model_fields.get("kind")
    return kind is not None and part in get_args(kind.annotation)


def _example(field: FieldInfo | None, *, entry: bool) -> str:
    if field is None or (field.examples is None and field.is_required()):
        return ""
    # A default is right too, and the best example where nobody thought of another.
    first = field.examples[0] if field.examples else to_jsonable_python(field.get_default(call_default_factory=False))
    if entry and isinstance(first, list):
        first = first[0] if first else None
    if first is None:
        return ""
    return first if isinstance(first, str) else json.dumps(first, ensure_ascii=False)
