from __future__ import annotations

import argparse
import json
from pathlib import Path

from ...runtimes.trouble import Misuse, Trouble
from .. import frame

TEMPLATES = Path(__file__).parents[1] / "templates"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", help="a csv, jsonl, Parquet or Excel file to start from; an example is made if unsaid"
    )
    parser.add_argument("--name", help="the spec's name (default: the folder's)")


def run(given: argparse.Namespace) -> int:
    name = (given.name or Path.cwd().name).replace(" ", "_").replace("-", "_") or "spec"
    target = Path(f"{name}.mlspec")
    if target.name != str(target) or "\0" in name:
        raise Misuse(
            f"name the spec {name}", "it is a file of this folder: its name holds no /", f"--name {target.stem}"
        )
    if target.exists():
        raise Trouble(f"write {target}", "it is there already")
    if given.file:
        target.write_text(_from(given.file), encoding="utf-8")
    else:
        _example(target)
    frame.say(f"{target} is written. Next: mlspec plan, then mlspec apply")
    return frame.DONE


def _example(target: Path) -> None:
    data = Path("flowers.csv")
    if not data.exists():
        data.write_text((TEMPLATES / "flowers.csv").read_text(encoding="utf-8"), encoding="utf-8")
    target.write_text((TEMPLATES / "example.mlspec").read_text(encoding="utf-8"), encoding="utf-8")


def _from(path: str) -> str:
    from ...compiler.load import mark_between
    from ...compiler.meant import dotted
    from ...grammar.kinds import SOURCES
    from ...runtimes import sources

    ending = Path(path.lower().removesuffix(".gz").removesuffix(".zip")).suffix
    word = next((word for word in ("jsonl", "parquet", "excel") if ending in SOURCES[word].endings), "csv")
    columns = sources.inspect(Path(), word, path, {}, ())
    mark = mark_between([column.name for column in columns]) if word == "csv" else ""
    if mark:
        columns = sources.inspect(Path(), word, path, {"delimiter": mark}, ())
    named = [(dotted(column.name)[1:], str(column.type)) for column in columns]
    width = max(len(name) for name, _ in named) + 1
    lines = "\n".join(f"  {name + ':':{width}} {type_}" for name, type_ in named)
    apart = f"  delimiter = {json.dumps(mark)}\n" if mark else ""
    return f"mlspec 1\n\ndata rows from {word} {json.dumps(path, ensure_ascii=False)} {{\n{apart}{lines}\n}}\n"
