"""The grammar -> a syntax file for Vim and Neovim. The rules are those of `textmate.py`, in the same words."""

from __future__ import annotations

from collections.abc import Iterator

from .classes import Class
from .looks import LOOKS
from .words import any_of, words

HEAD = """\
" Vim syntax file
" Language: mlspec
" Generated from the grammar by `python -m mlspec.grammar.editors`; edit that, not this.

if exists("b:current_syntax")
  finish
endif

syntax include @mlspecQuery syntax/sql.vim
unlet! b:current_syntax
syntax case match
syntax iskeyword @,48-57,_,192-255
syntax sync fromstart
"""
TAIL = """
let b:current_syntax = "mlspec"
"""

NAME = r"\K\k*"
LIST_ENDS = r"%(,\s*%(#.*)?)@<!$|%(,\s*)@<!#"  # not after a comma, and the comment behind it
IN_REGIONS: tuple[Class, ...] = ("name", "type", "function", "date")  # what a plain word is there
LINE_START = r"%(%(^|[{;])\s*)@99<="


def syntax() -> str:
    """At one place the item that is defined last wins, so the general stands before the special."""
    rules = [*_words_and_values(), *_recipes(), *_keywords(), *_queries(), *_regions(), *_names(), *_comments()]
    links = [f"highlight default link {_group(of)} {look.vim}" for of, look in LOOKS.items() if look.vim]
    return HEAD + "\n" + "\n".join(rules) + "\n\n" + "\n".join(links) + "\n" + TAIL


def _words_and_values() -> Iterator[str]:
    patterns = {name: _translated(pattern) for name, pattern in words().patterns.items()}
    number, unit = patterns["NUMBER"].removesuffix("?").rsplit("%(", 1)
    yield _match("reference", f"<{NAME}")
    for of in IN_REGIONS:
        yield _match(of, NAME, "contained")
    yield _match("punctuation", _any_of(words().punctuation))
    yield _match("operator", _any_of(words().operators))
    yield _match("function", rf"<{NAME}\ze\s*\(")
    yield _match("number", number, "nextgroup=mlspecUnit")
    yield _match("unit", f"%({unit}", "contained")
    yield _match("date", patterns["DATE"])
    yield _match("date", patterns["TIME"])
    yield _match("column", patterns["COLUMN"])
    yield _match("string", '"[^"]*$')
    yield _match("string", patterns["STRING"])
    yield _region("string", "string", '"""', '"""')


def _recipes() -> Iterator[str]:
    """After `by` a recipe is one by its word alone; elsewhere a quoted place, or a param that holds one, tells."""
    yield _match("recipe", rf'<{NAME}\ze\s+"')
    yield _match("recipe", rf"<{NAME}\ze\s+%(%({any_of(words().all)})>)@!\K")


def _keywords() -> Iterator[str]:
    yield _match("keyword", f"<%({any_of(words().keywords)})>")
    yield _match("boolean", f"<%({any_of(words().booleans)})>")
    yield _match("recipe", rf'{_after("<by")}%({any_of(words().recipes)})>%(\s*[.=:"])@!')
    yield _match("recipe", _after(rf"<env\s+{NAME}\s+on", 99) + NAME)


def _queries() -> Iterator[str]:
    """Behind `sql`, and as an argument `query =`. A stray quote in one ends where the query ends: `keepend`."""
    inside = "keepend contains=@mlspecQuery"
    for before in (r"%(<sql\s+)@9<=", r"%(<query\s*\=\s*)@19<="):
        one_line = before + r'"%(%([^"\\]|\\.)*\.\csql\C\s*"|"")@!'
        yield _region("sql", "string", one_line, '"', rf"skip=/\\./ oneline {inside}")
        yield _region("sql", "string", before + '"""', '"""', inside)


def _regions() -> Iterator[str]:
    """What stands in a list of names, in types, metrics and periods."""
    plain = "mlspecString,mlspecOperator,mlspecPunctuation,mlspecComment,mlspecDoc"
    yield _match("name", _after("<%(param|env|as)") + NAME)
    yield _region("type", "punctuation", ":", r"[=,;}#]|<%(in|from)>|%(\|\s*)@<!$", f"contains=mlspecType,{plain}")
    kinds = rf"<%({any_of(words().kinds)})>"
    yield _region("name", "kind", kinds, rf"<%(from|by)>|[{{;]|{LIST_ENDS}", f"contains=mlspecName,{plain}")
    yield _region("name", "keyword", "<secret>", LIST_ENDS, f"contains=mlspecName,{plain}")
    metrics = f"contains=mlspecFunction,mlspecRecipe,mlspecKeyword,mlspecName,{plain}"
    yield _region("function", "keyword", "<measure>", rf"<on>|[;}}]|{LIST_ENDS}", metrics)
    period = "contains=mlspecDate,mlspecNumber,mlspecKeyword," + plain
    yield _region("date", "keyword", "<every>", "[;}#]|$", period)


def _names() -> Iterator[str]:
    """Where nearly every word is free to be a name."""
    free = f"<%(%({any_of(words().always)})>)@!{NAME}"
    yield _match("keyword", rf"%(,\s*)@9<=%({any_of(words().flags)})>%(\s*\()@!")
    yield _match("column", rf"{free}\ze\s*:")
    yield _match("column", _translated(words().patterns["STRING"]) + r"\ze\s*:")
    yield _match("argument", rf"{free}\ze\s*\=%(\=)@!")
    yield _match("argument", rf"{LINE_START}{free}\ze\s+in>")
    yield _match("name", _after("<param") + NAME)


def _comments() -> Iterator[str]:
    yield _match("comment", "#.*$")
    yield _match("doc", "##.*$")


# --- items -----------------------------------------------------------------------------------------------------------


def _group(of: Class) -> str:
    return "mlspec" + of.capitalize()


def _match(of: Class, pattern: str, options: str = "") -> str:
    return _item("match", of, f"/{_escaped(pattern)}/ {options}")


def _region(of: Class, ends: Class, start: str, end: str, options: str = "") -> str:
    """An end that is only looked at is left to what follows: it is a bracket, a word or the end of the line."""
    closes = end in ('"', '"""')
    end_ = f"end=/{_escaped(end)}/" if closes else f"end=/{_escaped(end)}/me=s-1"
    return _item("region", of, f"matchgroup={_group(ends)} start=/{_escaped(start)}/ {end_} {options}")


def _after(pattern: str, within: int = 19) -> str:
    """Looking back is slow where Vim is not told how far."""
    return rf"%({pattern}\s+)@{within}<="


def _item(form: str, of: Class, rest: str) -> str:
    return f"syntax {form} {_group(of)} {rest}".rstrip()


def _escaped(pattern: str) -> str:
    return r"\v" + pattern.replace("/", r"\/")


def _any_of(literals: tuple[str, ...]) -> str:
    """Vim takes more signs for its own than Python does."""
    ordered = sorted(literals, key=lambda one: (-len(one), one))
    return "|".join("".join(sign if sign in "/-,:;" else rf"\{sign}" for sign in literal) for literal in ordered)


def _translated(pattern: str) -> str:
    """A pattern of the grammar, "very magic"."""
    for ours, vims in (("%", r"\%"), ("(?:", "%("), (r"[^\W\d]", r"\K"), (r"[\d_]", "[0-9_]"), (r"\w", r"\k")):
        pattern = pattern.replace(ours, vims)
    return pattern
