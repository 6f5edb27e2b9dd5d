"""The grammar -> a TextMate grammar, for VS Code, JetBrains, Sublime, shiki and others.

It is flat: a mistake colours its own line, never the rest of the file. A query in triple quotes is the one thing that
goes on over lines; there SQL is held by begin/while, so that a stray quote in it ends where the query ends.
"""

from __future__ import annotations

from typing import Any

from .classes import Class
from .looks import LOOKS
from .words import any_of, words

Rule = dict[str, Any]

LINE_START = r"(?:^|(?<=[{;]))\s*"
LIST_ENDS = r"(?<![,\n])$"  # not after a comma, nor behind the line end that `_goes_on` took
TYPE_ENDS = r"(?=[=,;}#]|\b(?:in|from)\b)|(?<![|\n])$"
MARKDOWN_FENCE = r"(^|\G)(\s*)(`{3,}|~{3,})\s*(mlspec)\b[^`]*$"


def grammar() -> Rule:
    return {
        "name": "mlspec",
        "scopeName": "source.mlspec",
        "fileTypes": ["mlspec"],
        "patterns": [_include("comment"), *_queries(), _include("line"), _include("header"), _include("value")],
        "repository": {
            "comment": {"patterns": [_match("doc", "##.*$"), _match("comment", "#.*$")]},
            "line": {"patterns": _lines()},
            "header": {"patterns": [*_headers(), *_recipes(), *_keywords()]},
            "value": {"patterns": [*_quoted(), *_values(), *_symbols(), _match("reference", _name())]},
            "names": {"patterns": [_goes_on(), _include("comment"), _match("name", _name()), *_symbols()]},
            "types": {"patterns": [*_quoted(), *_symbols(), _match("type", _name())]},
            "metrics": {"patterns": [_goes_on(), _include("comment"), *_metrics(), *_quoted(), *_symbols()]},
            "period": {
                "patterns": [_include("comment"), *_keywords(), *_quoted(), *_values(), _match("date", _name())]
            },
        },
    }


def markdown() -> Rule:
    """Colours what is fenced as mlspec in Markdown."""
    fenced = {
        "begin": r"(^|\G)",
        "while": r"(^|\G)(?!\s*(`{3,}|~{3,})\s*$)",
        "contentName": "meta.embedded.block.mlspec",
        "patterns": [{"include": "source.mlspec"}],
    }
    block = {
        "name": "markup.fenced_code.block.markdown",
        "begin": MARKDOWN_FENCE,
        "beginCaptures": {
            "3": {"name": "punctuation.definition.markdown"},
            "4": {"name": "fenced_code.block.language"},
        },
        "end": r"(^|\G)(\2|\s{0,3})(\3)\s*$",
        "endCaptures": {"3": {"name": "punctuation.definition.markdown"}},
        "patterns": [fenced],
    }
    return {"scopeName": "markdown.mlspec.codeblock", "injectionSelector": "L:text.html.markdown", "patterns": [block]}


# --- lines of a body; here nearly every word is free to be a name ---------------------------------------------------


def _lines() -> list[Rule]:
    named = rf"({_free_name()}|{words().patterns['STRING']})\s*(:)"
    return [
        # `param x: int` has the form of a column, and is none.
        _between(rf"\b(param)\s+({_name()})\s*(:)", TYPE_ENDS, "types", "keyword", "name", "punctuation"),
        _between(named, TYPE_ENDS, "types", "column", "punctuation"),
        _match("argument", _free_name() + r"(?=\s*=(?!=))"),
        _parts(rf"{LINE_START}({_free_name()})(?=\s+in\b)", "argument"),
        {
            **_between(r"\b(measure)\b", rf"\b(on)\b|(?=[;}}])|{LIST_ENDS}", "metrics", "keyword"),
            **_ended_by("keyword"),
        },
        _between(r"\b(every)\b", "(?=[;}#])|$", "period", "keyword"),
        _parts(rf"(?<=,)\s*({any_of(words().flags)})\b(?!\s*\()", "keyword"),
    ]


def _goes_on() -> Rule:
    """A comma and a comment behind it, with the line end."""
    return _parts(r"(,)\s*(#.*\n)", "punctuation", "comment")


def _metrics() -> list[Rule]:
    return [_parts(rf"\b(as)\s+({_name()})", "keyword", "name"), _placed_recipe(), _match("function", _name())]


# --- headers ---------------------------------------------------------------------------------------------------------


def _headers() -> list[Rule]:
    name = _name()
    return [
        _parts(rf"\b(param)\s+({name})", "keyword", "name"),
        _parts(rf"\b(env)\s+({name})(?:\s+(on)(?:\s+({name}))?)?", "keyword", "name", "keyword", "recipe"),
        _parts(rf"\b(as)\s+({name})", "keyword", "name"),
        _between(rf"\b({any_of(words().kinds)})\b", rf"(?=\b(?:from|by)\b|[{{;])|{LIST_ENDS}", "names", "kind"),
        _between(r"\b(secret)\b", LIST_ENDS, "names", "keyword"),
    ]


def _queries() -> list[Rule]:
    """Behind `sql`, and as an argument `query =`."""
    return [
        *_query(r"\b(sql)\s+()", "recipe", "operator"),  # no operator there: the groups are those of the next
        *_query(r"\b(query)\s*(=)\s*", "argument", "operator"),
    ]


def _query(before: str, *of: Class) -> list[Rule]:
    """In triple quotes, or in one line; one that ends in .sql is a file."""
    one_line = r'(")(?!(?:[^"\\\n]|\\[^\n])*\.(?i:sql)\s*")((?:[^"\\\n]|\\[^\n])+)(")'
    in_one_line: Rule = {"match": before + one_line, "captures": _captures(*of, "string", "sql", "string")}
    in_one_line["captures"]["4"]["patterns"] = _sql()
    in_lines = {
        "begin": before + '(""")',
        "beginCaptures": _captures(*of, "string"),
        "end": '"""',
        "endCaptures": {"0": {"name": LOOKS["string"].textmate}},
        "contentName": LOOKS["sql"].textmate,
        "patterns": [
            # What stands before the closing quotes in their line.
            {"match": r'(?:\G|^)(.*?)(?=""")', "captures": {"1": {"patterns": _sql()}}},
            {"begin": r"\G", "while": r'^(?!.*""")', "patterns": _sql()},
        ],
    }
    return [in_lines, in_one_line]


def _sql() -> list[Rule]:
    param = {"match": rf"\$(?:{_name()})", "name": "variable.parameter.sql"}
    return [param, {"include": "source.sql"}]


def _recipes() -> list[Rule]:
    """After `by` a recipe is one by its word alone; elsewhere a quoted place, or a param that holds one, tells."""
    param = rf"[ \t]+(?!(?:{any_of(words().all)})\b){_name()}"
    return [
        _parts(rf'\b(by)\s+({any_of(words().recipes)})\b(?!\s*[.=:"])', "keyword", "recipe"),
        _placed_recipe(),
        _match("recipe", rf"{_not_a_word()}{_name()}(?={param})"),
    ]


def _placed_recipe() -> Rule:
    return _match("recipe", rf'{_not_a_word()}{_name()}(?=[ \t]+")')


# --- words and values ------------------------------------------------------------------------------------------------


def _keywords() -> list[Rule]:
    return [
        _match("boolean", rf"\b(?:{any_of(words().booleans)})\b"),
        _match("keyword", rf"\b(?:{any_of(words().keywords)})\b"),
    ]


def _quoted() -> list[Rule]:
    text = {"name": LOOKS["string"].textmate, "begin": '"""', "end": '"""'}
    escape = {"match": r"\\.", "name": "constant.character.escape.mlspec"}
    string = {
        "name": LOOKS["string"].textmate,
        "match": words().patterns["STRING"],
        "captures": {"0": {"patterns": [escape]}},
    }
    return [text, string, _match("string", r'"[^"]*$')]


def _values() -> list[Rule]:
    patterns = words().patterns
    number, unit = patterns["NUMBER"].removesuffix("?").rsplit("(?:", 1)
    return [
        _match("column", patterns["COLUMN"]),
        _match("date", patterns["DATE"]),
        _match("date", patterns["TIME"]),
        _parts(rf"({number})({unit}?", "number", "unit"),
        _match("function", _name() + r"(?=\s*\()"),
    ]


def _symbols() -> list[Rule]:
    return [
        _match("operator", any_of(words().operators)),
        _match("punctuation", any_of(words().punctuation)),
    ]


# --- patterns and rules ----------------------------------------------------------------------------------------------


def _name() -> str:
    return rf"\b{words().patterns['NAME']}"


def _free_name() -> str:
    return rf"\b(?!(?:{any_of(words().always)})\b){words().patterns['NAME']}"


def _not_a_word() -> str:
    return rf"\b(?!(?:{any_of(words().all)})\b)"


def _match(of: Class, pattern: str) -> Rule:
    return {"name": LOOKS[of].textmate, "match": pattern}


def _parts(pattern: str, *of: Class) -> Rule:
    return {"match": pattern, "captures": _captures(*of)}


def _between(begin: str, end: str, inside: str, *of: Class) -> Rule:
    return {"begin": begin, "beginCaptures": _captures(*of), "end": end, "patterns": [_include(inside)]}


def _ended_by(of: Class) -> Rule:
    return {"endCaptures": _captures(of)}


def _captures(*of: Class) -> Rule:
    return {str(number): {"name": LOOKS[one].textmate} for number, one in enumerate(of, 1)}


def _include(name: str) -> Rule:
    return {"include": f"#{name}"}
