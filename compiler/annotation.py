"""An annotation, as written -> what values it takes, in which form it wants data, what a function says it returns.

Only what is certain is said: a name that the user made, or a library's, may be anything.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache

from .program import Scalar

Answer = bool | None  # None: the annotation does not tell


@lru_cache(maxsize=1024)
def read(annotation: str) -> ast.expr | None:
    """The annotation as a tree; None for none, and for what is no Python."""
    try:
        return _unquoted(ast.parse(annotation.strip(), mode="eval").body) if annotation.strip() else None
    except (SyntaxError, ValueError, RecursionError):
        return None


def _unquoted(written: ast.expr) -> ast.expr:
    if isinstance(written, ast.Constant) and isinstance(written.value, str):
        return read(written.value) or written
    return written


def last_name(written: ast.expr | None) -> str:
    """`DataFrame` of pd.DataFrame and of DataFrame[Row]; "" where there is no name."""
    match written:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return last_name(value)
    return ""


def options(written: ast.expr) -> list[ast.expr]:
    """The members of a union; None is one of them."""
    match written:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return [*options(_unquoted(left)), *options(_unquoted(right))]
        case ast.Subscript(slice=inside) if last_name(written) == "Optional":
            return [*options(_unquoted(inside)), ast.Constant(None)]
        case ast.Subscript() if last_name(written) == "Union":
            return [one for part in _inside(written) for one in options(part)]
        case ast.Subscript() if last_name(written) in ("Annotated", "Final", "Required"):
            return options(_inside(written)[0])
    return [written]


def _inside(written: ast.expr) -> list[ast.expr]:
    """What stands between the brackets of `tuple[A, B]`."""
    if not isinstance(written, ast.Subscript):
        return []
    parts = written.slice.elts if isinstance(written.slice, ast.Tuple) else [written.slice]
    return [_unquoted(part) for part in parts]


def is_nothing(written: ast.expr | None) -> bool:
    return isinstance(written, ast.Constant) and written.value is None


# --- values ---------------------------------------------------------------------------------------------------


def takes(annotation: ast.expr | None, value: object) -> Answer:
    """Whether a parameter with this annotation takes a value of the spec, dates as such. Its lists are Python's."""
    if annotation is None:
        return None
    return _any(_takes_one(one, value) for one in options(annotation))


def _any(answers: Iterable[Answer]) -> Answer:
    answers = list(answers)
    return True if True in answers else None if None in answers else False


def _all(answers: Iterable[Answer]) -> Answer:
    answers = list(answers)
    return False if False in answers else None if None in answers else True


def _takes_one(written: ast.expr, value: object) -> Answer:
    if is_nothing(written):
        return value is None
    name = last_name(written)
    if name == "Literal":
        return value in literals(written) if literals(written) else None
    if name in _LISTS:
        return _takes_list(written, value)
    if name in ("dict", "Dict", "Mapping", "bytes", "Callable") and not isinstance(value, str):
        return False
    if isinstance(written, ast.Name) and name in _IS:
        return _IS[name](value)
    if name in _MADE_OF and not isinstance(value, _MADE_OF[name]):
        return False
    return None


_LISTS = ("list", "List", "Sequence", "Iterable", "Collection", "tuple", "Tuple", "set", "Set", "frozenset")
_MADE_OF: dict[str, tuple[type, ...]] = {"Timestamp": (str, date), "Path": (str,), "PathLike": (str,)}
_IS: dict[str, Callable[[object], bool]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "bytes": lambda value: False,
    "date": lambda value: isinstance(value, date),
    "datetime": lambda value: isinstance(value, datetime),
    "object": lambda value: True,
    "Any": lambda value: True,
}


def literals(written: ast.expr) -> list[Scalar]:
    """The values of Literal["a", "b"], none where one of them is no plain value."""
    inside = written.slice if isinstance(written, ast.Subscript) else None
    parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    return values if len(values) == len(parts) else []  # type: ignore[return-value]


def _takes_list(written: ast.expr, value: object) -> Answer:
    if not isinstance(value, tuple):
        return False
    inside = [part for part in _inside(written) if not (isinstance(part, ast.Constant) and part.value is ...)]
    if len(inside) > 1:  # tuple[int, str]: one for each
        return _all(takes(part, item) for part, item in zip(inside, value, strict=False)) and len(inside) == len(value)
    return _all(takes(inside[0], item) for item in value) if inside else True


def takes_as_default(default: ast.expr | None, value: object) -> Answer:
    """Where nothing is annotated the default tells a little: a text is no number."""
    if not isinstance(default, ast.Constant) or isinstance(value, tuple):
        return None
    if isinstance(default.value, str):
        return None if isinstance(value, str) else False
    if isinstance(default.value, int | float):
        return False if isinstance(value, str) else None
    return None


def default_words(default: ast.expr | None) -> str:
    value = default.value if isinstance(default, ast.Constant) else None
    return "a text" if isinstance(value, str) else "true or false" if isinstance(value, bool) else "a number"


def words(annotation: ast.expr) -> str:
    """What it takes, for people: a whole number or a text."""
    said = list(dict.fromkeys(word for one in options(annotation) if not is_nothing(one) for word in _words_of(one)))
    return ", ".join(said[:-1]) + " or " + said[-1] if len(said) > 1 else "".join(said)


def _words_of(written: ast.expr) -> list[str]:
    name = last_name(written)
    if name == "Literal":
        return [f'"{value}"' if isinstance(value, str) else str(value).lower() for value in literals(written)]
    if name in _LISTS:
        inside = _inside(written)
        return [f"a list of {_MANY[last_name(inside[0])]}" if inside and last_name(inside[0]) in _MANY else "a list"]
    return [_WORDS.get(name) or f"a value of type {ast.unparse(written)}"]


_WORDS = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false", "date": "a date",
          "datetime": "a date and time"}  # fmt: skip
_MANY = {"int": "whole numbers", "float": "numbers", "str": "texts", "bool": "truths"}

# --- data -----------------------------------------------------------------------------------------------------

# What certainly is no form of a table. Of libraries only what people take for one.
_NO_FORMS = ("int", "float", "bool", "bytes", "list", "List", "dict", "Dict", "set", "Set", "tuple", "Tuple",
             "Series", "Sequence", "Iterable", "Mapping", "complex")  # fmt: skip


def has_form(annotation: str) -> bool:
    """Whether data, or a model, may come in what a parameter asks for."""
    written = read(annotation)
    if written is None:
        return True
    asked = [one for one in options(written) if not is_nothing(one)]
    return not asked or any(last_name(one) not in _NO_FORMS for one in asked)


# --- what is returned -----------------------------------------------------------------------------------------

_NO_TABLES = ("int", "float", "bool", "bytes", "complex", "tuple", "Tuple", "set", "Set")
_NO_MODELS = ("int", "float", "bool", "bytes", "complex", "list", "List", "dict", "Dict", "set", "Set", "DataFrame",
              "LazyFrame", "Series", "Table", "ndarray", "NDArray", "DuckDBPyRelation")  # fmt: skip


def wrong_return(annotation: str, kind: str, outputs: int) -> str:
    """What is to be returned instead, where an annotated function returns what cannot become its block; else ""."""
    written = read(annotation)
    if written is None:
        return ""
    found = [_wrong(one, kind, outputs) for one in options(written)]
    return found[0] if all(found) else ""


def _wrong(written: ast.expr, kind: str, outputs: int) -> str:
    one = "an object with predict, or the path of a folder" if kind == "model" else "a table, or a path"
    many = f"a tuple of {outputs}, or a dict with a value for each output"
    if is_nothing(written) or last_name(written) in ("NoReturn", "Never"):
        return many if outputs > 1 else one
    name, parts = last_name(written), _inside(written)
    if name in ("tuple", "Tuple"):
        return _wrong_tuple(parts, kind, outputs, one, many)
    if outputs > 1:
        single = (*_NO_MODELS, "str", "Path")
        return many if name in single and name not in ("list", "List", "dict", "Dict") else ""
    return one if name in (_NO_MODELS if kind == "model" else _NO_TABLES) else ""


def _wrong_tuple(parts: list[ast.expr], kind: str, outputs: int, one: str, many: str) -> str:
    if not parts or any(isinstance(part, ast.Constant) and part.value is ... for part in parts):
        return one if outputs == 1 and kind == "data" else ""
    if outputs > 1:
        return many if len(parts) != outputs else ""
    if kind == "data":
        return one
    with_metrics = len(parts) == 2 and last_name(parts[1]) in ("dict", "Dict", "Mapping", "Any", "")
    return _wrong(parts[0], kind, 1) if with_metrics else f"{one}; or a tuple of it and a dict of its metrics"


def returns_number(annotation: str) -> bool:
    """False where a metric of the user's certainly returns something else."""
    written = read(annotation)
    if written is None:
        return True
    return any(not is_nothing(one) and last_name(one) not in (*_NO_MODELS[4:], "str", "tuple", "Tuple", "Path")
               for one in options(written))  # fmt: skip
