"""An accepted artifact as files of one's own: a table by the ending of its path, a model as its native file, a folder;
and the notebook that made it, as it came out of its run."""

from __future__ import annotations

import shutil
from pathlib import Path

from ...compiler.state import Accepted
from .. import tables
from ..trouble import Trouble
from .world import World

NOTEBOOK = "notebook"  # where `about` says which object is the notebook that made an artifact


def take_out(world: World, accepted: Accepted, path: Path) -> Path:
    """Writes aside and renames; returns what was written."""
    if accepted.kind == "service":
        raise Trouble(f"export {accepted.name}", "a service is no file", "export its model")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _written(world, accepted, path)
    except OSError as error:
        raise Trouble(f"export {accepted.name} to {path}", error.strerror or str(error)) from None


def _written(world: World, accepted: Accepted, path: Path) -> Path:
    is_notebook = path.suffix.lower() == ".ipynb"
    if not is_notebook and (accepted.kind == "model" or tables.is_folder(world.objects, accepted.digest)):
        return _folder(world, accepted, path)
    if path.is_dir():
        file = path / f"{accepted.name}{'.ipynb' if is_notebook else '.csv'}"
        raise Trouble(f"export {accepted.name} to {path}", "it is a folder", f"name a file, as in {file}")
    return _notebook(world, accepted, path) if is_notebook else _table(world, accepted, path)


def _table(world: World, accepted: Accepted, path: Path) -> Path:
    aside = path.with_name(path.name + ".part")
    match path.suffix.lower():
        case ".parquet":
            tables.copy(world.objects, accepted.digest, aside)
        case ".csv":
            import pyarrow.csv as csv

            csv.write_csv(tables.read(world.objects, accepted.digest), aside)
        case ".jsonl" | ".ndjson":
            table = tables.read(world.objects, accepted.digest)
            frame = table.to_pandas(date_as_object=True)
            frame.to_json(aside, orient="records", lines=True, date_format="iso", force_ascii=False)
        case other:
            raise Trouble(f"export {accepted.name} to {path}", f"a table is not written as {other or 'a file without an ending'}",
                          "end the path with .parquet, .csv or .jsonl")  # fmt: skip
    aside.replace(path)
    return path


def _notebook(world: World, accepted: Accepted, path: Path) -> Path:
    record = world.ledger.record(accepted.key)
    kept = next((made.about[NOTEBOOK] for made in record.outputs if NOTEBOOK in made.about), "") if record else ""
    if not kept or not world.objects.has(kept):
        cause = "it is no longer in the store" if kept else "none made it"
        raise Trouble(f"export the notebook of {accepted.name}", cause)
    aside = path.with_name(path.name + ".part")
    shutil.copyfile(world.objects.path(kept), aside)
    aside.chmod(0o644)
    aside.replace(path)
    return path


def _folder(world: World, accepted: Accepted, path: Path) -> Path:
    names, folder = sorted(world.objects.listing(accepted.digest)), world.objects.folder(accepted.digest)
    if accepted.kind == "model" and path.suffix:
        native = [name for name in names if not name.endswith(".json")]
        if len(native) == 1:
            shutil.copyfile(folder / native[0], path)
            return path
    if path.exists():
        raise Trouble(
            f"export {accepted.name} to {path}", "it is there already", f"name a new one, as in {path / accepted.name}"
        )
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, path / name)
    return path
