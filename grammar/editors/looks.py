"""What each class of token is called in each editor, once. Colours belong to the reader's theme; these names ask for them."""

from __future__ import annotations

from dataclasses import dataclass

from .classes import Class


@dataclass(frozen=True, slots=True)
class Look:
    """`textmate` is a scope, of which no two are the same; `vim` a highlight group, "" for the colour of plain text; `pygments` a token; `semantic` a
    token type of the Language Server Protocol, "" for what a server need not tell."""

    textmate: str
    vim: str
    pygments: str
    semantic: str


LOOKS: dict[Class, Look] = {
    "comment": Look("comment.line.number-sign.mlspec", "Comment", "Comment.Single", "comment"),
    "doc": Look("comment.line.documentation.mlspec", "SpecialComment", "Comment.Special", "comment"),
    "kind": Look("storage.type.kind.mlspec", "Structure", "Keyword.Declaration", "modifier"),
    "keyword": Look("keyword.control.mlspec", "Statement", "Keyword", "keyword"),
    "boolean": Look("constant.language.boolean.mlspec", "Boolean", "Keyword.Constant", "enumMember"),
    "name": Look("entity.name.function.mlspec", "Function", "Name.Class", "class"),
    "reference": Look("variable.other.readwrite.mlspec", "", "Name", "variable"),
    "recipe": Look("support.class.recipe.mlspec", "Special", "Name.Builtin", "macro"),
    "type": Look("support.type.mlspec", "Type", "Keyword.Type", "type"),
    "column": Look("variable.other.enummember.column.mlspec", "Identifier", "Name.Attribute", "property"),
    "argument": Look("variable.parameter.mlspec", "", "Name.Property", "parameter"),
    "function": Look("support.function.mlspec", "Function", "Name.Function", "function"),
    "number": Look("constant.numeric.mlspec", "Number", "Number", "number"),
    "unit": Look("keyword.other.unit.mlspec", "Number", "Number.Unit", "number"),
    "date": Look("constant.numeric.date.mlspec", "Constant", "Literal.Date", "number"),
    "string": Look("string.quoted.double.mlspec", "String", "String", "string"),
    "sql": Look("meta.embedded.block.sql", "", "Text", ""),
    "operator": Look("keyword.operator.mlspec", "Operator", "Operator", "operator"),
    "punctuation": Look("punctuation.mlspec", "Delimiter", "Punctuation", ""),
}
