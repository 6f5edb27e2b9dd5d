"""Objects in a bucket -> their ETags, and their content, in a file. Settings are the usual AWS_* of the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.state import SourceFiles
from ..store.bucket import cause_and_help, connect, import_obstore
from ..trouble import Trouble
from .unseen import changed_meanwhile, is_unknown, unknown

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Store

SCHEME = "s3://"


def look(place: str) -> SourceFiles:
    """One question for a key, and one for all that a pattern names."""
    import_obstore("read from s3")
    import obstore

    bucket, key = _parts(place)
    with said_plainly(place):
        if _is_pattern(key):
            found = _matching(_store(bucket), key)
        else:
            found = [obstore.head(_store(bucket), key)]
    if not found:
        raise Trouble(f"read {place}", "no object is named so")
    files = {f"{SCHEME}{bucket}/{meta['path']}": meta["e_tag"] for meta in sorted(found, key=lambda meta: meta["path"])}
    if not all(files.values()):
        return unknown(files, "the store gives no ETag")
    return SourceFiles(files={file: f"etag {tag}" for file, tag in files.items()})


def fetch(place: str, expected: str, target: Path) -> None:
    """An object is replaced as a whole: the one that is asked for by its ETag is that one to its end."""
    import_obstore("read from s3")
    import obstore

    bucket, key = _parts(place)
    options = {} if is_unknown(expected) else {"if_match": expected.removeprefix("etag ")}
    with said_plainly(place), target.open("wb") as file:
        for chunk in obstore.get(_store(bucket), key, options=options).stream():  # type: ignore[arg-type]
            file.write(chunk)


def _parts(place: str) -> tuple[str, str]:
    bucket, _, key = place[len(SCHEME) :].partition("/")
    if not bucket or not key or key.endswith("/"):
        example = f"{SCHEME}{bucket or 'bucket'}/{key}*.parquet"
        raise Trouble(f"read {place}", "it names no object", f'name one, or many by a pattern, as in "{example}"')
    return bucket, key


def _store(bucket: str) -> S3Store:
    store: S3Store = connect(f"{SCHEME}{bucket}")
    return store


# --- patterns ------------------------------------------------------------------------------------------------------


def _is_pattern(key: str) -> bool:
    return any(mark in key for mark in "*?[")


def _matching(store: S3Store, pattern: str) -> list[ObjectMeta]:
    """The objects of a pattern, as on disk: `*` stays within a folder, `**` goes through all below."""
    import obstore

    folders = pattern.split("/")[:-1]
    plain = next((index for index, folder in enumerate(folders) if _is_pattern(folder)), len(folders))
    fits = re.compile(_expression(pattern)).fullmatch
    pages = obstore.list(store, prefix="/".join(folders[:plain]) or None)
    return [meta for page in pages for meta in page if fits(meta["path"])]


def _expression(pattern: str) -> str:
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]/]+\])", pattern)
    return "".join(
        signs.get(part) or (part.replace("[!", "[^") if _is_set(part) else re.escape(part)) for part in parts
    )


def _is_set(part: str) -> bool:
    return part.startswith("[") and part.endswith("]") and len(part) > 2


# --- what goes wrong -----------------------------------------------------------------------------------------------


@contextmanager
def said_plainly(place: str) -> Iterator[None]:
    from obstore import exceptions

    try:
        yield
    except exceptions.PreconditionError:
        raise changed_meanwhile(place) from None
    except FileNotFoundError:  # NotFoundError of obstore is one
        raise Trouble(f"read {place}", "there is no such object, or no such bucket") from None
    except (exceptions.BaseError, OSError) as error:
        raise Trouble(f"read {place}", *cause_and_help(error)) from None
