"""One artifact, looked at: a table's columns and first rows, a model's metrics and lineage, a service's address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..compiler import identity
from ..compiler.actions import Refuse, Warned
from ..compiler.answers import Answers
from ..compiler.outlook import Known
from ..compiler.program import Node, Program
from ..compiler.state import Accepted, Record
from ..runtimes.local.session import Session
from . import words


def look(
    session: Session, program: Program, node: Node, name: str, rows: int, refused: tuple[Accepted, Refuse] | None = None
) -> dict[str, Any]:
    """Everything about it as data; `text` reads the same. `refused` is looked at in place of what was accepted."""
    ledger = session.world.ledger
    accepted = refused[0] if refused else ledger.names().get(name)
    found: dict[str, Any] = {"name": name, "kind": node.kind, "doc": node.doc, "made": _made(node)}
    if accepted is None:
        was_refused = node.kind != "service" and session.refused(program, name)
        return found | {
            "state": f"refused: mlspec show {name} --refused{words.on(session.env)}"
            if was_refused
            else "never accepted"
        }
    found["digest"] = accepted.digest
    found |= {"refused": _broken(refused[1])} if refused else {"accepted": words.moment(accepted.at)}
    record = ledger.record(accepted.key)
    if record and (notebook := record.outputs[node.names.index(name)].about.get("notebook")):
        found["notebook"] = notebook
    told = warned(session, program, node, record) if node.doubts else ()
    if told:
        found["warnings"] = [one.model_dump() for one in told]
    match node.kind:
        case "data":
            return found | _data(session, accepted, record, node, name, rows)
        case "model":
            return found | _model(session, program, node, accepted, record)
        case _:
            return found | _service(session, name, node)


def _broken(action: Refuse) -> str:
    return "; ".join(f"expect {one.text}: {one.shown}" for one in action.judged if not one.holds)


def _made(node: Node) -> dict[str, Any]:
    made: dict[str, Any] = {"by": node.recipe.word}
    if node.recipe.place:
        made["place"] = node.recipe.place
    if node.inputs:
        made["from"] = [item.name for item in node.inputs if item.alias != "model"]
    if node.arguments:
        made["arguments"] = dict(node.arguments)
    return made


def _data(
    session: Session, accepted: Accepted, record: Record | None, node: Node, name: str, rows: int
) -> dict[str, Any]:
    objects = session.world.objects
    from ..runtimes import tables

    if tables.is_folder(objects, accepted.digest):
        return {"files": sorted(objects.listing(accepted.digest))}
    made = record.outputs[node.names.index(name)] if record else None
    if made and made.columns and made.rows is not None:
        from ..runtimes.glance import first_rows

        count, held, first = made.rows, made.columns, first_rows(objects, accepted.digest, rows)
    else:
        table = tables.read(objects, accepted.digest)
        count, held, first = table.num_rows, tables.columns_of(table), table.slice(0, rows).to_pylist()
    columns = [{"name": c.name, "type": str(c.type)} for c in held]
    parts = {"parts": len(found)} if (found := tables.index(objects, accepted.digest)) else {}
    return {"rows": count, **parts, "columns": columns, "first": first}


def _model(session: Session, program: Program, node: Node, accepted: Accepted, record: Record | None) -> dict[str, Any]:
    found: dict[str, Any] = {"metrics": metrics(session, program, node, record)}
    if node.predict:
        found["predicts"] = {"targets": list(node.predict.targets), "positive": node.predict.positive,
                             "features": list(node.predict.features), "task": node.predict.task}  # fmt: skip
    if record:
        about = (_as_searched(session, program, node, accepted) or record).outputs[0].about
        found |= {key: value for key, value in about.items() if value}
        found["took"] = words.duration(record.seconds)
        inputs = {f"input {identity.role(node, item, i)}": item.name for i, item in enumerate(node.inputs)}
        found["lineage"] = {
            inputs[part]: record.parts[part].removeprefix("folder:")[:12] for part in inputs if part in record.parts
        }
    return found


def _as_searched(session: Session, program: Program, node: Node, accepted: Accepted) -> Record | None:
    """What was made last: a longer search that found the same model did not move its name."""
    if node.search is None:
        return None
    state = session.state(program)
    digests = {name: state.names[name].digest for name in node.awaits if name in state.names}
    if len(digests) < len(node.awaits):
        return None
    record = state.record(identity.key_of(identity.making(node, digests, {}, state.versions)))
    return record if record and record.outputs[0].digest == accepted.digest else None


def metrics(session: Session, program: Program, node: Node, record: Record | None) -> dict[str, Any]:
    if record is None:
        return {}
    try:
        return _answers(session, program, node, record).measured()
    except KeyError:
        return dict(record.metrics)


def warned(session: Session, program: Program, node: Node, record: Record | None) -> tuple[Warned, ...]:
    """What the data told of it that may ruin models."""
    try:
        return _answers(session, program, node, record).warned() if record is not None else ()
    except KeyError:
        return ()


def _answers(session: Session, program: Program, node: Node, record: Record) -> Answers:
    state = session.state(program)
    outlooks: dict[str, Any] = {n: Known(a.digest) for n, a in state.names.items()}
    made = dict(zip(node.names, record.outputs, strict=True))
    return Answers(node, program, made, record, outlooks, state)


def _service(session: Session, name: str, node: Node) -> dict[str, Any]:
    status = session.world.status(name)
    found: dict[str, Any] = status.model_dump(exclude=None if status.pid else {"pid", "since", "requests", "errors"})
    if not status.running:
        return {"answers": "it is not running", "running": False}
    return found | {"answers": f"{status.address}{node.arguments.get('route', '/predict')}"}


def text(found: dict[str, Any]) -> str:
    lines = [f"{found['name']}  {found['kind']}"]
    if found.get("doc"):
        lines.append("  " + found["doc"])
    facts = {
        key: value
        for key, value in found.items()
        if key not in ("name", "kind", "doc", "first", "columns", "metrics", "search", "running", "warnings")
    }
    shown = [(key, SHOWN.get(key, _flat)(value)) for key, value in facts.items() if value not in (None, "", [])]
    lines.append(words.table([(key, value) for key, value in shown if value]))  # a `last` of the first time is nothing
    for one in found.get("warnings", ()):
        lines += ["", f"  warning[{one['code']}]: {one['title']}", f"    help: {one['help']}"]
    if found.get("metrics"):
        lines += ["", *(line for name, value in found["metrics"].items() for line in _metric(name, value))]
    if found.get("search"):
        lines += ["", *_search(found["search"])]
    if found.get("columns"):
        lines += ["", words.table([(words.printable(column["name"]), column["type"]) for column in found["columns"]])]
    if found.get("first"):
        lines += ["", grid(found["first"])]
    return "\n".join(lines)


SHOWN: dict[str, Callable[[Any], str]] = {
    "since": words.moment, "p50": words.duration, "p95": words.duration, "pid": str,
    "notebook": lambda digest: f"{digest[:12]}, as it ran: export it to a path that ends in .ipynb",
    "digest": lambda digest: digest.removeprefix("folder:")[:12], "release": lambda release: release[:12],
}  # fmt: skip


def _flat(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(
            f"{key} = {_flat(item)}" if not isinstance(item, list) else f"{key} {_flat(item)}"
            for key, item in value.items()
            if item not in (None, [], ())
        )
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return words.number(value)


def _metric(name: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [f"  {name:20} {words.number(value)}"]
    labels = [str(label) for label in value["labels"]]
    table = [["", *labels], *([label, *map(str, row)] for label, row in zip(labels, value["rows"], strict=True))]
    return [f"  {name}", words.table(table, indent="    ")]


def _search(search: dict[str, Any], top: int = 5) -> list[str]:
    """The arguments that won, and the best of the other trials."""
    way, metric = search["metric"].removesuffix(")").split("(")
    scored = sorted(
        (one for one in search["trials"] if one[1] is not None), key=lambda one: one[1], reverse=way == "max"
    )
    table = [[*map(_value, arguments.values()), words.number(score)] for arguments, score in scored[:top]]
    failed = len(search["trials"]) - len(scored)
    told = f"  the best of {len(search['trials'])} trials{f', {failed} of which failed' if failed else ''}"
    return [f"{told}, by {search['metric']}:", words.table([[*search["best"], metric], *table], indent="    ")]


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else _flat(value)


def grid(rows: list[dict[str, Any]], width: int = 100) -> str:
    """The first rows as a table; columns that do not fit are counted."""
    names = list(rows[0])
    shown: list[list[str]] = [[words.printable(name), *(_cell(row[name]) for row in rows)] for name in names]
    kept: list[list[str]] = []
    used = 2
    for column in shown:
        used += max(map(len, column)) + 2
        if kept and used > width:
            break
        kept.append(column)
    text_ = words.table([list(line) for line in zip(*kept, strict=True)])
    left = len(shown) - len(kept)
    return text_ + (f"\n  … and {left} more column{'s' * (left != 1)}" if left else "")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    shown = words.printable(f"{value:.6g}" if isinstance(value, float) else str(value))
    return shown if len(shown) <= 30 else shown[:29] + "…"
