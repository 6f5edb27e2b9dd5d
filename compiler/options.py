"""What scikit-learn's own source says that an argument takes: `_parameter_constraints`, a dict in the body of a class.

They are what scikit-learn itself holds the arguments against when it fits, so what is refused here would fail there.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache

from .annotation import Answer
from .installed import Found, find, found_in
from .python_file import chain_of

Rules = tuple[ast.expr, ...]


@lru_cache(maxsize=1024)
def of(entry: str) -> Mapping[str, Rules]:
    """By argument; empty where an entry is no class with such a dict. An argument that is not in it may be anything."""
    found = find(entry)
    return _of_class(found, 0) or {} if found is not None else {}


def _of_class(found: Found, depth: int) -> dict[str, Rules] | None:
    """None where nothing is said."""
    if depth > 9 or not isinstance(found.defined, ast.ClassDef):
        return None
    rules: dict[str, Rules] | None = None
    for part in found.defined.body:
        if isinstance(part, ast.Assign | ast.AnnAssign) and isinstance(part.value, ast.Dict) and _is_rules(part):
            rules = _of_dict(part.value, found, depth)
        elif rules is not None:
            _changed(part, rules)
    return rules if rules is not None else _of_bases(found, depth)


def _is_rules(part: ast.Assign | ast.AnnAssign) -> bool:
    target = part.targets[0] if isinstance(part, ast.Assign) else part.target
    return isinstance(target, ast.Name) and target.id == _NAME


_NAME = "_parameter_constraints"


def _of_dict(written: ast.Dict, found: Found, depth: int) -> dict[str, Rules]:
    rules: dict[str, Rules] = {}
    for key, value in zip(written.keys, written.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            rules[key.value] = tuple(value.elts) if isinstance(value, ast.List) else ()
        elif key is None:  # **Base._parameter_constraints
            above = _named(found, value)
            rules |= (_of_class(above, depth + 1) or {}) if above else {}
    return rules


def _named(found: Found, written: ast.expr) -> Found | None:
    chain = chain_of(written)
    return found_in(found.module, chain[0]) if chain and len(chain) == 2 and chain[1] == _NAME else None


def _changed(part: ast.stmt, rules: dict[str, Rules]) -> None:
    """What a later statement of the class speaks of is no longer known."""
    speaks = {one.value for one in ast.walk(part) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    if any(isinstance(one, ast.Name) and one.id == _NAME for one in ast.walk(part)):
        for name in speaks & set(rules):
            del rules[name]


def _of_bases(found: Found, depth: int) -> dict[str, Rules] | None:
    assert isinstance(found.defined, ast.ClassDef)
    for base in found.defined.bases:
        chain = chain_of(base)
        above = found_in(found.module, chain[0]) if chain and len(chain) == 1 else None
        rules = _of_class(above, depth + 1) if above is not None else None
        if rules is not None:
            return rules
    return None


# --- values ---------------------------------------------------------------------------------------------------


def takes(rules: Rules, value: object) -> Answer:
    if not rules:
        return None
    answers = [_takes(rule, value) for rule in rules]
    return True if True in answers else None if None in answers else False


def _takes(rule: ast.expr, value: object) -> Answer:
    match rule:
        case ast.Constant(value=None):
            return value is None
        case ast.Constant(value=str(word)):
            return _WORDS[word][0](value) if word in _WORDS else None
        case ast.Name(id=name):
            return _NAMES[name](value) if name in _NAMES else None
        case ast.Call(func=ast.Name(id="StrOptions")):
            words = _texts(rule)
            return None if words is None else value in words
        case ast.Call(func=ast.Name(id="Interval")):
            return _inside(rule, value)
        case ast.Call(func=ast.Name(id="Hidden"), args=[ast.Name(id=name)]) if name not in _NAMES:
            return False  # an object of a class of the library's
        case ast.Call(func=ast.Name(id="Hidden"), args=[inner]):
            return _takes(inner, value)
        case ast.Call(func=ast.Name(id="HasMethods")):
            return False
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_WORDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "verbose": (lambda value: isinstance(value, bool | int), "true, false or a whole number"),
    "random_state": (_is_whole, "a whole number"),
    "array-like": (lambda value: isinstance(value, tuple), "a list"),
    "cv_object": (lambda value: isinstance(value, int), "a whole number"),
}
_NAMES: dict[str, Callable[[object], bool]] = {
    "Integral": lambda value: isinstance(value, int),
    "Real": lambda value: isinstance(value, int | float),
    "RealNotInt": lambda value: isinstance(value, float),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "list": lambda value: isinstance(value, tuple),
    "tuple": lambda value: False,  # a list of the spec is a list
    "dict": lambda value: False,
    "callable": lambda value: False,
}


def _texts(rule: ast.Call) -> list[str] | None:
    """The texts of StrOptions({"gini", "entropy"}); None where they are made while running."""
    inside = rule.args[0] if rule.args else None
    if not isinstance(inside, ast.Set | ast.List | ast.Tuple):
        return None
    words = [part.value for part in inside.elts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return words if len(words) == len(inside.elts) else None


def _inside(rule: ast.Call, value: object) -> Answer:
    bounds = _interval(rule)
    if bounds is None:
        return None if _is_number(value) else False
    kind, low, high, closed = bounds
    if not _is_number(value) or (kind == "Integral") > _is_whole(value) or (kind == "RealNotInt" and _is_whole(value)):
        return isinstance(value, bool)  # Python's truths are whole numbers
    assert isinstance(value, int | float)
    above = low is None or value > low or (value == low and closed in ("left", "both"))
    return above and (high is None or value < high or (value == high and closed in ("right", "both")))


def _interval(rule: ast.Call) -> tuple[str, float | None, float | None, str] | None:
    try:
        low, high = (None if ast.unparse(part) == "None" else float(ast.literal_eval(part)) for part in rule.args[1:3])
        closed = next(str(ast.literal_eval(keyword.value)) for keyword in rule.keywords if keyword.arg == "closed")
    except (ValueError, TypeError, StopIteration, SyntaxError):  # a bound that is made while running, as np.inf
        return None
    kind = rule.args[0]
    return (kind.id, low, high, closed) if isinstance(kind, ast.Name) else None


# --- words ----------------------------------------------------------------------------------------------------


def choices(rules: Rules) -> list[str]:
    """The texts that an argument takes."""
    found = [
        _texts(rule) or [] for rule in rules if isinstance(rule, ast.Call) and chain_of(rule.func) == ("StrOptions",)
    ]
    return sorted({word for words in found for word in words})


def words(rules: Rules) -> str:
    """What it takes, for people; what no spec can write is left out."""
    said = [f'"{word}"' for word in choices(rules)]
    said += [word for rule in rules if (word := _word(rule))]
    said = list(dict.fromkeys(said))
    return ", ".join(said[:-1]) + " or " + said[-1] if len(said) > 1 else "".join(said) or "another value"


def _word(rule: ast.expr) -> str:
    match rule:
        case ast.Constant(value=str(word)):
            return _WORDS[word][1] if word in _WORDS else ""
        case ast.Name(id=name):
            return _SAID.get(name, "")
        case ast.Call(func=ast.Name(id="Interval")):
            bounds = _interval(rule)
            return _of_interval(*bounds) if bounds else ""
    return ""


_SAID = {"Integral": "a whole number", "Real": "a number", "RealNotInt": "a share such as 0.5", "bool": "true or false",
         "str": "a text", "list": "a list"}  # fmt: skip


def _of_interval(kind: str, low: float | None, high: float | None, closed: str) -> str:
    parts = []
    if low is not None:
        parts.append(f"{'>=' if closed in ('left', 'both') else '>'} {low:g}")
    if high is not None:
        parts.append(f"{'<=' if closed in ('right', 'both') else '<'} {high:g}")
    return " ".join([_SAID.get(kind, "a number") if kind != "RealNotInt" else "a number", " and ".join(parts)]).strip()
