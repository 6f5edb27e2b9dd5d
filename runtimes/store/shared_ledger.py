"""The ledger of a bucket. Its documents are the truth; the SQLite file of this machine remembers what was read of them.

    names/SPEC@ENV.json   all names of a spec and environment with their history, moved together by compare-and-swap
    records/KEY.json      put once; replaced only by who holds the key's lease
    facts/ABOUT.json      by the digest that they speak of
    leases/KEY.json       see leases.py

What was seen of files, compiled from them, logged and run stays on this machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ...compiler.state import Accepted, Record
from ..trouble import Trouble
from .bucket import CHANCE, LATER, Got, Listed, at_once
from .leases import Leases, now
from .ledger import REMEMBERED, SENT, Ledger, Past, Young
from .objects import FOLDER
from .shared import SharedObjects

REMEMBER = """
create table if not exists documents (path text primary key, version text, body blob);
create table if not exists marks (place text, name text, mark text, primary key (place, name));
"""
ATTEMPTS = 60  # to move names, while others move theirs
FRESH = 5.0  # seconds for which a list of all keys is believed
FEW, MANY = 8, 10_000  # keys that are asked for one by one, before all are listed; and read, unless they are more

# {"names": {name: Accepted and "made", the time of its record}, "history": {name: [[digest, key, at, event]]},
#  "sent": [digest]}
Names = dict[str, Any]


class SharedLedger(Ledger):
    is_shared = True

    def __init__(self, path: Path, spec: str, env: str, objects: SharedObjects) -> None:
        super().__init__(path, spec, env)
        self.db.executescript(REMEMBER)
        self.objects, self.bucket, self.leases = objects, objects.bucket, Leases(objects.bucket)
        self.place = f"names/{spec}@{env}.json"
        self._held: dict[str, Got | None] = {}  # the record under a key when its lease was taken
        self._asked, self._listed, self._since = 0, frozenset[str](), 0.0
        self._looked: dict[str, float] = {}  # when the facts about something were last looked for

    # --- records and facts ------------------------------------------------------------------------------------

    def record(self, key: str) -> Record | None:
        return super().record(key) or (self._fetched(key) if self._may_have(key) else None)

    def records(self) -> Iterator[Record]:
        keys = list(_keys(self.bucket.list("records/")))
        self.look_for(keys)
        for key in keys:
            record = super().record(key)
            if record is not None:
                yield record

    def look_for(self, keys: Iterable[str], abouts: Iterable[str] = ()) -> None:
        unknown = [key for key in dict.fromkeys(keys) if super(SharedLedger, self).record(key) is None]
        self._read([_record(key) for key in unknown] + [_facts(about) for about in dict.fromkeys(abouts)])

    def put_record(self, record: Record, token: int | None = None) -> bool:
        """With the token of a lease it replaces what was there when the lease was taken, and nothing newer."""
        body = record.model_dump_json().encode()
        if token is None:
            self.bucket.put(_record(record.key), body)
        elif not self.leases.holds(record.key, token) or not self._replaced(record.key, body):
            return False
        return super().put_record(record)

    def _replaced(self, key: str, body: bytes) -> bool:
        before = self._held.pop(key, None)
        if self.bucket.put_if_unchanged(_record(key), body, before.version if before else None):
            return True
        found = self.bucket.get(_record(key))
        return found is not None and found.body == body  # ours of a try that had no answer

    def fact(self, key: str, about: str = "") -> tuple[bool, Any]:
        """Of what others found out since we looked, too: names say when they move, and facts say nothing."""
        found = super().fact(key)
        if found[0] or not about or now() - self._looked.get(about, -FRESH) < FRESH:
            return found
        self._looked[about] = now()
        self._read([_facts(about)])
        return super().fact(key)

    def put_facts(self, values: Mapping[str, Any], about: str = "") -> None:
        if values:
            self._add_facts(about, values)
            super().put_facts(values, about)

    def adopt(self, records: Iterable[Record], facts: Mapping[str, Mapping[str, Any]]) -> None:
        several = list(records)
        at_once(
            lambda record: self.bucket.put_if_absent(_record(record.key), record.model_dump_json().encode()), several
        )
        at_once(lambda one: self._add_facts(*one), [one for one in facts.items() if one[1]])
        for record in several:
            if super().record(record.key) is None:
                super().put_record(record)
        for about, values in facts.items():
            super().put_facts(values, about)

    def _add_facts(self, about: str, values: Mapping[str, Any]) -> None:
        self._merge(_facts(about), None, lambda known: known.update(values))

    def forget_records(self, keys: Iterable[str]) -> None:
        gone = list(keys)
        self.bucket.delete(_record(key) for key in gone)
        super().forget_records(gone)

    def young(self, seconds: float, *, dry: bool) -> Young:
        since = self._bucket_time(dry=dry) - seconds
        return Young(since, frozenset(_keys(one for one in self.bucket.list("records/") if one.at.timestamp() > since)))

    def _bucket_time(self, *, dry: bool) -> float:
        """Who only looks may not be let write, which is how a bucket is asked for its time."""
        try:
            return self.bucket.now()
        except Trouble:
            if not dry:
                raise
            return time.time()

    def _fetched(self, key: str) -> Record | None:
        self._read([_record(key)])
        return super().record(key)

    def _may_have(self, key: str) -> bool:
        """Asked for many keys that nobody made, all that there are is listed at once."""
        if now() - self._since > FRESH:
            self._asked, self._since = 0, now()
        self._asked += 1
        if self._asked == FEW:
            self._listed = frozenset(_keys(self.bucket.list("records/")))
            self.look_for(self._listed if len(self._listed) <= MANY else ())
        return self._asked < FEW or key in self._listed

    def _read(self, paths: list[str]) -> None:
        """Documents of the bucket into the memory of this machine; what a record speaks of is looked for at once."""
        made: list[str] = []
        for path, found in zip(paths, at_once(self.bucket.get, paths), strict=True):
            if path.startswith("records/"):
                record = _record_in(found)
                if record is not None:
                    super().put_record(record)
                    made += [one.digest for one in record.outputs]
            elif found is not None:
                super().put_facts(self._read_in(path, found), path[len("facts/") : -len(".json")])
        self.objects.look_for(made)

    def _merge(self, path: str, found: Got | None, change: Callable[[dict[str, Any]], object]) -> Got:
        """Change a document, whoever else does at the same time; `found` is what is known of it, be it old."""
        for attempt in range(ATTEMPTS):
            document = self._read_in(path, found)
            change(document)
            body = json.dumps(document).encode()
            version = self.bucket.put_if_unchanged(path, body, found.version if found else None)
            if version is not None:
                return Got(body, version)
            time.sleep(CHANCE.uniform(0, min(0.02 * 2**attempt, 1)))
            found = self.bucket.get(path)
        raise Trouble(f"write {self.bucket.url}", f"others write {path} without end", LATER)

    def _read_in(self, path: str, found: Got | None) -> dict[str, Any]:
        """What a document says. Facts that are damaged are found out anew; names are not, so that is told."""
        document = _json(found.body) if found else {}
        if document is None and path.startswith("names/"):
            raise Trouble(f"read {self.bucket.url}", f"{path} is damaged",
                          "bring an earlier version of it back; or take it away, and apply accepts what was made")  # fmt: skip
        return document or {}

    # --- names ------------------------------------------------------------------------------------------------

    def names(self) -> dict[str, Accepted]:
        held = self._document().get("names", {})
        self._bring_records_of(held)
        return {name: _accepted(one) for name, one in sorted(held.items())}

    def accept(self, accepted: Iterable[Accepted], event: str = "accepted") -> None:
        moved = list(accepted)
        made = {one.key: self._made(one.key) for one in moved}
        self._change_names(lambda document: _move(document, moved, event, made), [one.name for one in moved])

    def rekey(self, names: Iterable[str], key: str) -> None:
        made, several = self._made(key), list(names)

        def change(document: Names) -> None:
            for name in several:
                if name in document.get("names", {}):
                    document["names"][name] |= {"key": key, "made": made}

        self._change_names(change, several)

    def retire(self, name: str) -> None:
        self._change_names(lambda document: document.get("names", {}).pop(name, None))

    def history(self, name: str) -> list[Past]:
        return [Past(*entry) for entry in reversed(self._document().get("history", {}).get(name, []))]

    def everyones(self, *, own: bool = False) -> list[tuple[str, str, str]]:
        documents = self._documents([self.place] if own else [one.path for one in self.bucket.list("names/")])
        held = [(name, one["digest"], one["key"]) for each in documents for name, one in each.get("names", {}).items()]
        past = [(name, entry[0], entry[1]) for each in documents for name, entries in each.get("history", {}).items()
                for entry in entries]  # fmt: skip
        return [*held, *past]

    def put_sent(self, digest: str) -> None:
        if self._document().get("sent", [])[-1:] != [digest]:
            self._change_names(lambda document: document.update(sent=_sent(document, digest)))

    def sent(self) -> list[str]:
        documents = self._documents([one.path for one in self.bucket.list("names/")])
        return [digest for each in documents for digest in each.get("sent", [])]

    def _documents(self, paths: list[str]) -> list[Names]:
        return [self._read_in(*found) for found in zip(paths, at_once(self.bucket.get, paths), strict=True)]

    def _document(self) -> Names:
        """One question; the answer is short when nothing has changed."""
        known = self._remembered(self.place)
        found = self.bucket.get(self.place, known)
        if found is None:
            return {}
        if found is not known:
            self._remember(self.place, found)
        return self._read_in(self.place, found)

    def _change_names(self, change: Callable[[Names], object], ours: Iterable[str] = ()) -> None:
        """What is behind the names that are ours is known here; of those that others have moved meanwhile it is not."""
        moved = self._merge(self.place, self._remembered(self.place), change)
        self._remember(self.place, moved)
        held = self._read_in(self.place, moved).get("names", {})
        self._mark(held[name] for name in ours if name in held)

    def _bring_records_of(self, held: Mapping[str, Any]) -> None:
        """Records and facts behind the names that moved since we looked."""
        known = dict(self.db.execute("select name, mark from marks where place = ?", (self.place,)).fetchall())
        moved = [one for one in held.values() if known.get(one["name"]) != _stand(one)]
        if moved:
            self._read(
                list(dict.fromkeys([_record(one["key"]) for one in moved] + [_facts(one["digest"]) for one in moved]))
            )
            self._mark(moved)

    def _mark(self, held: Iterable[Mapping[str, Any]]) -> None:
        with self._change():
            rows = [(self.place, one["name"], _stand(one)) for one in held]
            self.db.executemany("insert or replace into marks values (?, ?, ?)", rows)

    def _made(self, key: str) -> float:
        record = self.record(key)
        return record.at if record else 0.0

    def _remembered(self, path: str) -> Got | None:
        row = self.db.execute("select version, body from documents where path = ?", (path,)).fetchone()
        return Got(row[1], json.loads(row[0])) if row else None

    def _remember(self, path: str, found: Got) -> None:
        with self._change():
            row = (path, json.dumps(found.version), found.body)
            self.db.execute("insert or replace into documents values (?, ?, ?)", row)

    # --- leases -----------------------------------------------------------------------------------------------

    def lease(self, key: str, process: str) -> int | None:
        """None also when another machine has made it since we looked: what is known of the key is then new."""
        token = self.leases.take(key, process)
        if token is None:
            return None
        found, facts = at_once(self.bucket.get, [_record(key), _facts(key)])
        record = _record_in(found)
        known = super().record(key)
        self._held[key] = found
        if facts is not None:
            super().put_facts(self._read_in(_facts(key), facts), key)
        if record is not None and (known is None or record.at > known.at):
            super().put_record(record)
            self.leases.release(key, token)
            return None
        return token

    def release(self, key: str, token: int) -> None:
        self.leases.release(key, token)

    def is_leased(self, key: str) -> bool:
        return self.leases.is_taken(key)

    def leased(self) -> set[str]:
        return set(_keys(self.bucket.list("leases/")))


def _keys(listed: Iterable[Listed]) -> Iterator[str]:
    return (one.path.rpartition("/")[2].removesuffix(".json") for one in listed)


def _record_in(found: Got | None) -> Record | None:
    """None also of one that is damaged: then it is made again."""
    try:
        return Record.model_validate_json(found.body) if found else None
    except ValueError:
        return None


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _record(key: str) -> str:
    return f"records/{key}.json"


def _facts(about: str) -> str:
    return f"facts/{about.removeprefix(FOLDER)}.json"


def _stand(one: Mapping[str, Any]) -> str:
    return f"{one['digest']} {one['key']} {one['at']} {one['made']}"


def _accepted(one: Mapping[str, Any]) -> Accepted:
    return Accepted.model_validate({name: value for name, value in one.items() if name != "made"})


def _sent(document: Names, digest: str) -> list[str]:
    return [*(one for one in document.get("sent", []) if one != digest), digest][-SENT:]


def _move(document: Names, moved: Iterable[Accepted], event: str, made: Mapping[str, float]) -> None:
    names, history = document.setdefault("names", {}), document.setdefault("history", {})
    for one in moved:
        names[one.name] = {**one.model_dump(mode="json"), "made": made[one.key]}
        past = history.setdefault(one.name, [])
        entry = [one.digest, one.key, one.at, event]
        if entry not in past[-1:]:  # there it is where a try before came through, and its answer did not
            past.append(entry)
        del past[:-REMEMBERED]
