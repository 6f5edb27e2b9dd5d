"""An annotation of a user's function -> what JSON it takes or gives, by the source of the class that it names.

Read are dataclasses, typed dicts, named tuples and pydantic models of the project's own files. Nothing is imported.
"""

from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass

from . import annotation
from .closure import Closure, ReadText
from .program import RequestField, Shape
from .python_file import Broken, chain_of
from .types import BOOL, DATE, FLOAT, INT, TEXT, TIMESTAMP, Type, optional

ANY, OBJECT, LIST = Shape(), Shape(form="object"), Shape(form="list")


@dataclass(frozen=True, slots=True)
class Unclear:
    """A field whose type is none that JSON is checked by, and where it stands."""

    place: str
    field: str
    type: str


def shape_of(written: str, entry: str, read_text: ReadText) -> Shape | Unclear:
    """Of what the function "file.py:function" names as the type of its request, or of its answer."""
    asked = annotation.read(written)
    name = annotation.last_name(asked)
    if asked is None or isinstance(asked, ast.BinOp) or name in _PLAIN:
        return _PLAIN.get(name, ANY)
    path = posixpath.normpath(entry.rpartition(":")[0])
    closure = Closure(read_text, posixpath.dirname(path))
    try:
        where, defined = closure.definition(path, name) if isinstance(asked, ast.Name) else (path, None)
    except Broken:
        return ANY
    return _of_class(defined, where) if isinstance(defined, ast.ClassDef) else ANY


_PLAIN = {
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping"), OBJECT),
    **dict.fromkeys(("list", "List", "Sequence", "Iterable"), LIST),
    **dict.fromkeys(("Any", "object", "str", "int", "float", "bool", "DataFrame", "Series", "Table", "ndarray"), ANY),
}


def _of_class(defined: ast.ClassDef, path: str) -> Shape | Unclear:
    bases = {(chain_of(base) or ("",))[-1] for base in defined.bases}
    kind = next((base for base in ("TypedDict", "NamedTuple", "BaseModel") if base in bases), "")
    if bases - {kind} or not (kind or _is_dataclass(defined)):
        return (
            OBJECT  # what more it takes stands elsewhere: it is made of any object, and says itself what does not fit
        )
    total = not any(
        key.arg == "total" and isinstance(key.value, ast.Constant) and not key.value.value for key in defined.keywords
    )
    fields = [_field(line, total) for line in defined.body if isinstance(line, ast.AnnAssign) and _is_field(line)]
    unclear = next((one for one in fields if isinstance(one, str)), None)
    if unclear is not None:
        name, _, type_ = unclear.partition(":")
        return Unclear(f"{path}:{defined.name}", name, type_)
    return Shape(form="fields", fields=tuple(one for one in fields if isinstance(one, RequestField)))


def _is_dataclass(defined: ast.ClassDef) -> bool:
    marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in defined.decorator_list]
    return any((chain_of(mark) or ("",))[-1] == "dataclass" for mark in marks)


def _is_field(line: ast.AnnAssign) -> bool:
    return isinstance(line.target, ast.Name) and annotation.last_name(line.annotation) != "ClassVar"


def _field(line: ast.AnnAssign, total: bool) -> RequestField | str:
    """The field; or its name and type, `name:type`, where that is none to check by."""
    name = line.target.id if isinstance(line.target, ast.Name) else ""
    written: ast.expr | None = annotation.read(ast.unparse(line.annotation))
    needed = total and line.value is None
    while isinstance(written, ast.Subscript) and annotation.last_name(written) in (
        "Required",
        "NotRequired",
        "Annotated",
    ):
        word, inside = annotation.last_name(written), written.slice
        needed = needed if word == "Annotated" else word == "Required"
        written = inside.elts[0] if isinstance(inside, ast.Tuple) else inside
    try:
        return RequestField(name=name, type=_type(written), needed=needed)
    except _NoType:
        return f"{name}:{ast.unparse(line.annotation)}"


class _NoType(Exception):
    """No type of the language corresponds."""


_TYPES = {"int": INT, "float": FLOAT, "str": TEXT, "bool": BOOL, "date": DATE, "datetime": TIMESTAMP}
_LISTS = ("list", "List", "Sequence")
_ANYTHING = ("Any", "object", "dict", "Dict", "Mapping")


def _type(written: ast.expr | None) -> Type | None:
    """The type of the language, None for any JSON."""
    options = annotation.options(written) if written is not None else []
    asked = [one for one in options if not annotation.is_nothing(one)]
    if len(asked) != 1:
        raise _NoType
    name, plain = annotation.last_name(asked[0]), isinstance(asked[0], ast.Name | ast.Attribute)
    if name in _ANYTHING or (plain and name in _LISTS):
        return None
    found = _TYPES.get(name) if plain else _made_of(asked[0], name)
    if found is None:
        raise _NoType
    return optional(found) if len(options) > 1 else found


def _made_of(written: ast.expr, name: str) -> Type | None:
    """Of `Literal["a", "b"]` and `list[int]`."""
    if name == "Literal":
        values = annotation.literals(written)
        texts = tuple(one for one in values if isinstance(one, str))
        return Type(base="text", values=texts) if texts and len(texts) == len(values) else None
    if name in _LISTS and isinstance(written, ast.Subscript):
        item = _type(annotation.read(ast.unparse(written.slice)))
        return Type(base="list", item=item) if item is not None else None
    return None
