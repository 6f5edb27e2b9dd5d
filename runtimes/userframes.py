"""The user's own code: imported by its plain name, called, and what goes wrong in it told by the user's own frames."""

from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any, TypeVar

from .store.objects import Damaged
from .trouble import Trouble

T = TypeVar("T")
MOST_FRAMES = 20
_OURS = Path(__file__).resolve().parents[1]
_INSTALLED = {"site-packages", "dist-packages"}


def load(entry: str, files: Iterable[str], root: Path, action: str) -> Any:
    """What `entry` names: "file.py:function" below `root`, or "package.module:attribute"."""
    place, _, attribute = entry.rpartition(":")
    own = place.endswith(".py")
    if own and not (root / place).is_file():
        raise Trouble(action, f"there is no file {place}")
    forget({*files, place} if own else files)
    come_first(((root / place).parent, root) if own else (root,))
    name = Path(place).stem if own else place
    found = guarded(lambda: import_module(name), action, root)
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise Trouble(action, f"{place} has no {attribute}")
        found = getattr(found, part)
    return found


def forget(files: Iterable[str]) -> None:
    """Let modules of these files be imported anew: a worker lives through edits, and two folders may hold a train.py."""
    invalidate_caches()
    linecache.checkcache()
    for file in files:
        for name in _names(file):
            module = sys.modules.get(name)
            where = Path(getattr(module, "__file__", None) or "")
            if module is not None and where.name == Path(file).name and not _INSTALLED & set(where.parts):
                del sys.modules[name]


def _names(file: str) -> set[str]:
    """The names under which a file may have been imported: plain, or from any folder above it."""
    parts = Path(file).with_suffix("").parts
    if parts and parts[-1] == "__init__":
        parts = parts[:-1]
    return {".".join(parts[start:]) for start in range(len(parts))}


def come_first(folders: Iterable[Path]) -> None:
    """Let imports look into these folders, in this order, before all others."""
    first = list(dict.fromkeys(str(folder) for folder in folders))
    sys.path[:] = first + [path for path in sys.path if path not in first]


def kept_code(code: Path, entry: str) -> list[str]:
    """Let imports find first the code that was kept with a model. Returns the folders; [] where none was kept."""
    if not entry:
        return []
    forget(file.relative_to(code).as_posix() for file in code.rglob("*.py"))
    folders = ((code / entry).parent, code)
    come_first(folders)
    return [str(folder) for folder in folders]


def guarded(work: Callable[[], T], action: str, root: Path) -> T:
    """What the user's code returns; what it raises as Trouble in its own words."""
    try:
        return work()
    except (Trouble, Damaged, MemoryError):
        raise
    except SystemExit as error:
        raise Trouble(
            action, f"it called exit({'' if error.code is None else error.code})", detail=frames(error, root)
        ) from None
    except ModuleNotFoundError as error:
        help_ = f"install {error.name.partition('.')[0]} where mlspec runs" if error.name else ""
        raise Trouble(action, cause(error), help_, frames(error, root)) from None
    except Exception as error:
        raise Trouble(action, cause(error), detail=frames(error, root)) from None


def cause(error: BaseException) -> str:
    """The error's type and the first line of its message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def frames(error: BaseException, root: Path) -> str:
    """The traceback with the frames of files below `root` alone, the innermost last; then all that the error says."""
    root = root.resolve()
    told = [_frame(frame, root) for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename, root)]
    if isinstance(error, SyntaxError) and error.filename and _is_own(error.filename, root):
        told.append(f"{_within(error.filename, root)}:{error.lineno}\n    {(error.text or '').strip()}")
    told = _shortened(told)
    return "\n".join([*told, f"{type(error).__name__}: {error}".rstrip(": ")]) if told else ""


def _shortened(told: list[str]) -> list[str]:
    """Of a recursion that has no end the beginning and the end: a thousand times the same says nothing more."""
    if len(told) <= MOST_FRAMES:
        return told
    half = MOST_FRAMES // 2
    left_out = told[half:-half]
    again = ", the same again and again" if set(left_out) <= {*told[:half], *told[-half:]} else ""
    return [*told[:half], f"… {len(left_out)} more{again} …", *told[-half:]]


def _frame(frame: traceback.FrameSummary, root: Path) -> str:
    return f"{_within(frame.filename, root)}:{frame.lineno} in {frame.name}\n    {frame.line or ''}".rstrip()


def _within(file: str, root: Path) -> str:
    return Path(file).resolve().relative_to(root).as_posix()


def _is_own(file: str, root: Path) -> bool:
    path = Path(file).resolve()
    if file.startswith("<") or not path.is_relative_to(root) or _INSTALLED & set(path.parts):
        return False
    return not path.is_relative_to(_OURS) or root.is_relative_to(_OURS / "specs")
