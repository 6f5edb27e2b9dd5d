"""Writes what is generated for editors: `python -m mlspec.grammar.editors`. tests/test_editors.py tells when that is due."""

from __future__ import annotations

import json
from pathlib import Path

from .textmate import grammar, markdown
from .vim import syntax

HERE = Path(__file__).parent


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def files() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    syntaxes = HERE / "vscode" / "syntaxes"
    return {
        syntaxes / "mlspec.tmLanguage.json": _json(grammar()),
        syntaxes / "markdown.tmLanguage.json": _json(markdown()),
        HERE / "vim" / "syntax" / "mlspec.vim": syntax(),
    }


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
