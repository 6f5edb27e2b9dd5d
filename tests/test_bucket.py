"""The store on a bucket: a real server that speaks S3, on this machine, and a folder that stands for any other."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from buckets import SECRET, Line, Server
from helpers import until
from mlspec.compiler.state import Accepted, Made, Record
from mlspec.runtimes.store import leases, packs, shared
from mlspec.runtimes.store.bucket import Bucket
from mlspec.runtimes.store.leases import Leases
from mlspec.runtimes.store.objects import FOLDER, Damaged, Objects
from mlspec.runtimes.store.opening import open_store
from mlspec.runtimes.store.shared import SharedObjects, address
from mlspec.runtimes.store.shared_ledger import SharedLedger
from mlspec.runtimes.trouble import Trouble

URL = "s3://acme/a b/ä"


@pytest.fixture(params=["s3", "file"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Bucket:
    if request.param == "file":
        return Bucket(f"file://{tmp_path}/far")
    request.getfixturevalue("s3_server")
    return Bucket(URL)


def machine(root: Path, url: str = URL, env: str = "prod") -> tuple[SharedObjects, SharedLedger]:
    objects, ledger = open_store(root, url, "x.mlspec", env)
    assert isinstance(objects, SharedObjects) and isinstance(ledger, SharedLedger)
    return objects, ledger


def put(objects: Objects, content: bytes) -> str:
    return objects.put_bytes(content)


def folder(objects: Objects, files: dict[str, bytes]) -> str:
    place = objects.scratch()
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return objects.put_folder(place)


def record(key: str, digest: str = "d" * 64, at: float = 1.0) -> Record:
    return Record(key=key, parts={}, outputs=(Made(digest=digest, kind="table", bytes=1),), at=at)


def accepted(name: str, digest: str = "d" * 64, key: str = "k") -> Accepted:
    return Accepted(name=name, kind="data", digest=digest, key=key, at=time.time())


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


# --- documents -----------------------------------------------------------------------------------------------------


def test_a_document_is_put_once_and_moved_only_from_what_it_was(bucket: Bucket) -> None:
    assert bucket.get("n/a.json") is None
    first = bucket.put_if_absent("n/a.json", b"1")
    assert first is not None and bucket.put_if_absent("n/a.json", b"2") is None
    second = bucket.put_if_unchanged("n/a.json", b"2", first)
    assert second is not None and bucket.put_if_unchanged("n/a.json", b"3", first) is None
    assert bucket.put_if_unchanged("n/other.json", b"3", first) is None
    found = bucket.get("n/a.json")
    assert found is not None and found.body == b"2" and bucket.get("n/a.json", found) is found
    assert [(one.path, one.size) for one in bucket.list("n/")] == [("n/a.json", 1)]
    assert (bucket.size("n/a.json"), bucket.size("n/b")) == (1, None)
    bucket.delete(["n/a.json", "n/b"])
    assert bucket.get("n/a.json") is None and abs(bucket.now() - time.time()) < 30


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://acme/x", "is no address of one"),
        ("s3:///x", "is no address of one"),
        ("s3://key:word@acme/x", "its address holds more than a place"),
        ("az://acme/x?sig=word", "its address holds more than a place"),
    ],
)
def test_an_address_names_a_place_and_no_secret(url: str, said: str) -> None:
    with pytest.raises(Trouble, match=said) as caught:
        Bucket(url)
    assert "word" not in str(caught.value) + caught.value.help


# --- objects -------------------------------------------------------------------------------------------------------


def test_what_one_machine_makes_another_has(bucket: Bucket, tmp_path: Path) -> None:
    here, there = (SharedObjects(tmp_path / name, bucket) for name in ("here", "there"))
    small, large = put(here, b"small"), put(here, noise(20 << 20))
    several = folder(here, {"a/b.txt": b"b", "c": b"", "d": b"small"})
    assert several == folder(Objects(tmp_path / "plain"), {"a/b.txt": b"b", "c": b"", "d": b"small"})
    assert all(there.has(digest) for digest in (small, large, several)) and not there.has("0" * 64)
    assert not list(there.digests())
    assert there.path(small).read_bytes() == b"small"
    assert hashlib.sha256(there.path(large).read_bytes()).hexdigest() == large
    place = there.folder(several)
    assert {p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()} == {
        "a/b.txt": b"b", "c": b"", "d": b"small"
    }  # fmt: skip
    assert SharedObjects(tmp_path / "there", bucket).has(large) and not list(there.aside.iterdir())


def test_what_was_seen_to_be_there_is_not_asked_for_again(line: Line, tmp_path: Path) -> None:
    digests = [put(SharedObjects(tmp_path / "here", Bucket(URL)), f"{i}".encode()) for i in range(5)]
    there = SharedObjects(tmp_path / "there", Bucket(URL))
    there.look_for(digests)
    asked = line.requests
    assert all(there.has(digest) for digest in digests)
    assert all(SharedObjects(tmp_path / "there", Bucket(URL)).has(digest) for digest in digests)
    assert line.requests == asked


def test_a_flipped_byte_in_the_bucket_is_found_and_made_again(s3_server: Server, tmp_path: Path) -> None:
    here, there = (SharedObjects(tmp_path / name, Bucket(URL)) for name in ("here", "there"))
    digest = put(here, b"what was made")
    s3_server.put("acme", f"a b/ä/{address(digest)}", b"what was mode")
    assert there.has(digest)
    with pytest.raises(Damaged, match="its bytes have changed"):
        there.path(digest)
    assert not there.has(digest)
    put(here, b"what was made")
    assert there.path(digest).read_bytes() == b"what was made"


def test_a_flipped_byte_in_the_cache_is_fetched_anew(bucket: Bucket, tmp_path: Path) -> None:
    here = SharedObjects(tmp_path / "here", bucket)
    digest = put(here, b"what was made")
    place = here.path(digest)
    place.chmod(0o644)
    place.write_bytes(b"what was mode")
    assert here.path(digest).read_bytes() == b"what was made"


def test_a_damaged_file_of_a_folder_makes_the_folder_again(s3_server: Server, tmp_path: Path) -> None:
    here, there = (SharedObjects(tmp_path / name, Bucket(URL)) for name in ("here", "there"))
    files = {"a": b"aa", "b": b"bb"}
    digest = folder(here, files)
    s3_server.put("acme", f"a b/ä/{address(here.listing(digest)['a'])}", b"ab")
    with pytest.raises(Damaged) as caught:
        there.folder(digest)
    assert caught.value.digest == digest and not there.has(digest)
    assert folder(there, files) == digest and (there.folder(digest) / "a").read_bytes() == b"aa"


MANY = int(os.environ.get("MLSPEC_MANY", "3000"))


def test_many_small_files_are_few_requests(line: Line, tmp_path: Path) -> None:
    here, there = (SharedObjects(tmp_path / name, Bucket(URL)) for name in ("here", "there"))
    files = {f"{i % 100:02}/{i}.txt": f"{i} ".encode() * 50 for i in range(MANY)} | {"large": noise(2 << 20)}
    began = time.monotonic()
    digest = folder(here, files)
    up, pushed = time.monotonic() - began, line.requests
    assert digest == FOLDER + hashlib.sha256((tmp_path / "here" / address(digest)).read_bytes()).hexdigest()
    began = time.monotonic()
    place = there.folder(digest)
    sys.stdout.write(
        f"{MANY} files: up {up:.1f} s, {pushed} requests; down {time.monotonic() - began:.1f} s, {line.requests - pushed}\n"
    )
    assert pushed < 20 + MANY / 500 and line.requests - pushed < 20 + MANY / 500
    assert all((place / name).read_bytes() == content for name, content in files.items())
    again = line.requests
    assert folder(here, files) == digest and line.requests == again + 1


def test_one_of_many_files_is_found_in_its_pack_and_a_damaged_pack_is_made_again(
    s3_server: Server, tmp_path: Path
) -> None:
    here, there = (SharedObjects(tmp_path / name, Bucket(URL)) for name in ("here", "there"))
    files = {f"{i}": noise(100, i) for i in range(100)}
    digest = folder(here, files)
    assert there.path(there.listing(digest)["7"]).read_bytes() == files["7"]
    pack = next(path for path in s3_server.contents("acme") if "/packs/" in path)
    s3_server.put("acme", pack, b"x")
    other = SharedObjects(tmp_path / "other", Bucket(URL))
    with pytest.raises(Damaged) as caught:
        other.folder(digest)
    assert caught.value.digest == digest and not other.has(digest)
    assert folder(other, files) == digest and (other.folder(digest) / "7").read_bytes() == files["7"]


def test_a_folder_with_a_few_files_more_shares_most_of_its_packs(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    digests = [put(objects, noise(100_000, i)) for i in range(300)]
    one = {pack.digest for pack, _ in packs.packs(digests, objects._place)}
    other = {pack.digest for pack, _ in packs.packs([digests[7], *digests], objects._place)}
    assert len(one) > 3 and len(one & other) >= len(one) - 2


def test_files_of_this_machine_are_found_by_their_digests_elsewhere(bucket: Bucket, tmp_path: Path) -> None:
    here, there = (SharedObjects(tmp_path / name, bucket) for name in ("here", "there"))
    for count in (3, 50):
        files = {}
        for i in range(count):
            path = tmp_path / f"{i}.csv"
            path.write_bytes(noise(50, 1000 * count + i))
            files[hashlib.sha256(path.read_bytes()).hexdigest()] = path
        here.put_files(files)
        wanted = list(files)[1]
        there.bring_files([wanted], files)
        assert there.path(wanted).read_bytes() == files[wanted].read_bytes()
    with pytest.raises(Trouble, match="it was changed meanwhile"):
        here.put_files({"0" * 64: tmp_path / "0.csv"})


def test_only_the_ends_of_a_large_object_are_read_to_look_into_it(line: Line, tmp_path: Path) -> None:
    here, there = (SharedObjects(tmp_path / name, Bucket(URL)) for name in ("here", "there"))
    content = noise(6 << 20)
    digest = put(here, content)
    before = line.down
    with there.open(digest) as file:
        file.seek(-8, 2)
        assert file.read() == content[-8:]
        file.seek(1 << 20)
        assert file.read(100) == content[1 << 20 : (1 << 20) + 100]
    assert line.down - before < 1 << 19 and not list(there.digests())


def test_from_one_store_to_another_and_back(bucket: Bucket, tmp_path: Path) -> None:
    local, far, other = (
        Objects(tmp_path / "local"),
        SharedObjects(tmp_path / "cache", bucket),
        Objects(tmp_path / "other"),
    )
    digest = folder(local, {f"{i}": noise(10, i) for i in range(60)})
    far.take(digest, local)
    other.take(digest, SharedObjects(tmp_path / "fresh", bucket))
    assert other.listing(digest) == local.listing(digest) and other.size(digest) == 600


# --- what goes wrong on the way ------------------------------------------------------------------------------------


def test_a_cut_line_in_the_middle_of_an_upload(line: Line, tmp_path: Path) -> None:
    objects = SharedObjects(tmp_path / "here", Bucket(URL))
    line.cuts, line.cut_after = 2, 3 << 20
    digest = put(objects, noise(24 << 20))
    assert line.cuts == 0
    assert (
        hashlib.sha256(SharedObjects(tmp_path / "there", Bucket(URL)).path(digest).read_bytes()).hexdigest() == digest
    )
    line.cuts, line.cut_after = 1000, 1 << 20
    content = noise(20 << 20, 2)
    with pytest.raises(Trouble, match=r"the connection broke|the store cannot be reached") as caught:
        put(objects, content)
    assert "apply again" in caught.value.help
    line.cuts = 0
    digest = hashlib.sha256(content).hexdigest()
    assert not SharedObjects(tmp_path / "other", Bucket(URL)).has(digest)
    assert put(objects, content) == digest and SharedObjects(tmp_path / "other", Bucket(URL)).has(digest)


CHILD = """
import sys
from pathlib import Path
from mlspec.runtimes.store.bucket import Bucket
from mlspec.runtimes.store.shared import SharedObjects
objects = SharedObjects(Path(sys.argv[1]), Bucket(sys.argv[2]))
path = objects.scratch()
path.write_bytes(Path(sys.argv[3]).read_bytes())
print("begins", flush=True)
objects.put_file(path)
print("ended", flush=True)
"""


def test_a_writer_that_is_killed_half_way_leaves_nothing_to_be_seen(
    line: Line, s3_server: Server, tmp_path: Path
) -> None:
    content = noise(40 << 20)
    (tmp_path / "content").write_bytes(content)
    line.slow = 0.01
    words = [sys.executable, "-c", CHILD, str(tmp_path / "here"), URL, str(tmp_path / "content")]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "begins\n"
    until(lambda: line.up > 10 << 20)
    child.send_signal(signal.SIGKILL)
    child.wait()
    line.slow = 0.0
    digest = hashlib.sha256(content).hexdigest()
    assert not s3_server.contents("acme") and not SharedObjects(tmp_path / "there", Bucket(URL)).has(digest)
    assert put(SharedObjects(tmp_path / "here", Bucket(URL)), content) == digest
    assert SharedObjects(tmp_path / "there", Bucket(URL)).has(digest)


@pytest.mark.parametrize(
    ("status", "code", "said", "way_out"),
    [
        ("403 Forbidden", "ExpiredToken", "the credentials have expired", "renew them"),
        ("403 Forbidden", "RequestTimeTooSkewed", "this machine's clock is not right", "set it"),
        ("403 Forbidden", "AccessDenied", "these credentials may not write there", "ask for the right to write"),
        ("301 Moved Permanently", "PermanentRedirect", "the bucket is in another region", "AWS_REGION"),
        ("400 Bad Request", "SomethingElse", "the store answers SomethingElse", ""),
        ("503 Slow Down", "SlowDown", "the store answers SlowDown", ""),
    ],
)
def test_what_the_store_answers_is_one_line(
    line: Line, tmp_path: Path, status: str, code: str, said: str, way_out: str
) -> None:
    objects = SharedObjects(tmp_path, Bucket(URL))
    put(objects, b"before")
    line.answer(status, code)
    with pytest.raises(Trouble) as caught:
        put(objects, b"now")
    assert caught.value.cause == said and way_out in caught.value.help and SECRET not in repr(caught.value.__reduce__())
    line.says = b""
    put(objects, b"now")


def test_no_bucket_no_network_and_no_key(s3_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for work in (lambda o, _: put(o, b"x"), lambda _, ledger: ledger.names(), lambda _, ledger: list(ledger.records())):
        with pytest.raises(Trouble, match="there is no such bucket"):
            work(*machine(tmp_path / "a", "s3://nobody/x"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(Trouble, match="the store cannot be reached"):
        machine(tmp_path / "b")[1].names()
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.address)
    keys = s3_server.keys()
    s3_server.look_at_keys(0)
    with pytest.raises(Trouble, match="the store does not accept the credentials"):
        machine(tmp_path / "c")[1].names()
    for name, value in s3_server.environment(*keys["reader"]).items():
        monkeypatch.setenv(name, value)
    objects, ledger = machine(tmp_path / "d")
    assert ledger.names() == {} and not objects.has("0" * 64)
    with pytest.raises(Trouble, match="these credentials may not write there"):
        put(objects, b"x")
    with pytest.raises(Trouble, match="these credentials may not write there"):
        ledger.lease("k", "me:1:1")


def test_a_store_that_takes_and_never_answers_is_given_up_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)
    for name, value in Server(f"http://127.0.0.1:{silent.getsockname()[1]}").environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("mlspec.runtimes.store.bucket.ANSWER", 1.0)
    monkeypatch.setattr("mlspec.runtimes.store.bucket.LONG", 2.0)
    began = time.monotonic()
    for request in (lambda: Bucket(URL).get("names/x"), lambda: Bucket(URL).size("objects/x")):
        with pytest.raises(Trouble, match="the store cannot be reached"):
            request()
    assert time.monotonic() - began < 20
    silent.close()


def test_keys_of_a_profile_are_taken(s3_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = s3_server.keys()
    s3_server.look_at_keys(0)
    file = tmp_path / "credentials"
    id_, secret = keys["writer"]
    file.write_text(f"[team]\naws_access_key_id = {id_}\naws_secret_access_key = {secret}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "team")
    assert put(SharedObjects(tmp_path / "here", Bucket(URL)), b"x")


OTHERS = {
    "gs": {"GOOGLE_BASE_URL": "{address}", "GOOGLE_BEARER_TOKEN": SECRET},
    "az": {"AZURE_STORAGE_ENDPOINT": "{address}/acme", "AZURE_STORAGE_ACCOUNT_NAME": "acme",
           "AZURE_STORAGE_ACCOUNT_KEY": "c2VjcmV0"},
}  # fmt: skip


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest, line: Line, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of Google's or Azure's, at an address of this machine where a line is spoken into."""
    for name in {name for variables in OTHERS.values() for name in variables} | {"GOOGLE_APPLICATION_CREDENTIALS"}:
        monkeypatch.delenv(name, raising=False)
    for name, value in OTHERS[request.param].items():
        monkeypatch.setenv(name, value.format(address=line.address))
    return Bucket(f"{request.param}://acme/x")


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("404 Not Found", "NoSuchBucket", "there is no such bucket"),
        ("404 Not Found", "ContainerNotFound", "there is no such bucket"),
        ("401 Unauthorized", "AuthenticationRequired", "the store does not accept the credentials"),
        ("403 Forbidden", "AuthenticationFailed", "the store does not accept the credentials"),
        ("403 Forbidden", "AccessDenied", "these credentials may not read there"),
    ],
)
def test_a_service_of_google_or_azure_may_be_elsewhere(
    line: Line, other: Bucket, status: str, code: str, said: str
) -> None:
    line.answer("404 Not Found", "NoSuchKey")
    assert other.get("n/a.json") is None and line.requests
    line.answer(status, code)
    with pytest.raises(Trouble) as caught:
        other.get("n/a.json")
    assert caught.value.cause == said and SECRET not in repr(caught.value.__reduce__())


@pytest.mark.parametrize(
    ("variables", "said", "way_out"),
    [
        ({"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere.json"}, "the credentials cannot be read", "GOOGLE_APP"),
        ({"GOOGLE_BASE_URL": "nonsense"}, "the address of its service cannot be used", "GOOGLE_BASE_URL"),
        ({"AZURE_STORAGE_ENDPOINT": "nonsense"}, "the address of its service cannot be used", "AZURE_STORAGE_ENDPOINT"),
        ({"AZURE_STORAGE_ACCOUNT_KEY": SECRET}, "the credentials cannot be read", "AZURE_STORAGE_ACCOUNT_KEY"),
        ({"AZURE_STORAGE_ACCOUNT_NAME": ""}, "nothing says who asks for it", "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_what_is_said_wrong_of_google_or_azure(
    line: Line, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str, way_out: str
) -> None:
    scheme = "gs" if "GOOGLE" in next(iter(variables)) else "az"
    for name in OTHERS["gs"]:
        monkeypatch.delenv(name, raising=False)
    for name, value in (OTHERS["az"] | variables).items():
        monkeypatch.setenv(name, value.format(address=line.address))
    if not variables.get("AZURE_STORAGE_ACCOUNT_NAME", "-"):
        monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME")
    with pytest.raises(Trouble) as caught:
        Bucket(f"{scheme}://acme/x").get("n/a.json")
    assert caught.value.cause == said and way_out in caught.value.help and SECRET not in repr(caught.value.__reduce__())


# --- names ---------------------------------------------------------------------------------------------------------


def test_what_is_young_is_told_by_the_buckets_clock_also_to_who_only_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ledger = machine(tmp_path / "one", f"file://{tmp_path}/bucket")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10_000)
    assert abs(ledger.young(60, dry=True).since - ledger.young(60, dry=False).since) < 60


def test_names_move_together_and_nobodys_moves_are_lost(bucket: Bucket, tmp_path: Path) -> None:
    ledgers = [
        SharedLedger(tmp_path / f"{i}.db", "x.mlspec", "prod", SharedObjects(tmp_path / f"{i}", bucket))
        for i in range(2)
    ]

    def move(who: int) -> None:
        for i in range(8):
            ledgers[who].accept(
                [accepted(f"own{who}", f"{i}"), accepted(f"pair{who}{i}"), accepted("both", f"{who}{i}")]
            )

    threads = [threading.Thread(target=move, args=(who,)) for who in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    fresh = SharedLedger(tmp_path / "fresh.db", "x.mlspec", "prod", SharedObjects(tmp_path / "fresh", bucket))
    names = fresh.names()
    assert set(names) == {"own0", "own1", "both", *(f"pair{who}{i}" for who in range(2) for i in range(8))}
    for who in range(2):
        assert [past.digest for past in fresh.history(f"own{who}")] == [f"{i}" for i in reversed(range(8))]
    assert len(fresh.history("both")) == 10 and fresh.history("both")[0].digest == names["both"].digest


def test_a_name_goes_back_is_known_by_another_key_and_retires(bucket: Bucket, tmp_path: Path) -> None:
    here, there = (
        SharedLedger(tmp_path / f"{i}.db", "x.mlspec", "prod", SharedObjects(tmp_path / i, bucket)) for i in "ab"
    )
    here.accept([accepted("a", "1"), accepted("b", "2")])
    here.accept([accepted("a", "3")])
    there.accept([there.names()["a"].model_copy(update={"digest": "1", "withdrawn": ("3",)})], "rolled back")
    assert here.names()["a"].withdrawn == ("3",) and [past.event for past in here.history("a")] == [
        "rolled back",
        "accepted",
        "accepted",
    ]
    here.rekey(["a", "unknown"], "other")
    there.retire("b")
    assert {name: one.key for name, one in here.names().items()} == {"a": "other"}
    assert {(name, digest) for name, digest, _ in here.everyones()} == {("a", "1"), ("a", "3"), ("b", "2")}


def test_of_names_that_did_not_move_only_that_is_asked(line: Line, tmp_path: Path) -> None:
    objects, ledger = machine(tmp_path / "here")
    for i in range(30):
        digest = put(objects, f"{i}".encode())
        ledger.put_record(record(f"k{i}", digest))
        ledger.put_facts({f"f{i}": i}, digest)
        ledger.accept([accepted(f"n{i}", digest, f"k{i}")])
    objects, ledger = machine(tmp_path / "there")
    names = ledger.names()
    asked = line.requests
    assert all(ledger.record(one.key) for one in names.values()) and all(
        ledger.fact(f"f{i}") == (True, i) for i in range(30)
    )
    assert all(objects.has(one.digest) for one in names.values()) and line.requests == asked
    assert machine(tmp_path / "there")[1].names() == names and line.requests == asked + 1


def test_keys_that_nobody_made_are_not_asked_for_one_by_one(line: Line, tmp_path: Path) -> None:
    _, ledger = machine(tmp_path / "here")
    for i in range(20):
        ledger.put_record(record(f"k{i}"))
    _, there = machine(tmp_path / "there")
    asked = line.requests
    assert not any(there.record(f"unknown{i}") for i in range(500)) and all(there.record(f"k{i}") for i in range(20))
    assert line.requests - asked < 40


def test_a_record_that_was_replaced_is_read_again(bucket: Bucket, tmp_path: Path) -> None:
    here, there = (
        SharedLedger(tmp_path / f"{i}.db", "x.mlspec", "prod", SharedObjects(tmp_path / i, bucket)) for i in "ab"
    )
    here.put_record(record("k", at=1.0))
    here.accept([accepted("a")])
    assert there.names() and there.record("k").at == 1.0  # type: ignore[union-attr]
    token = here.lease("k", "here:1:1")
    assert token and here.put_record(record("k", at=2.0), token)
    here.release("k", token)
    assert there.lease("k", "there:1:1") is None and there.record("k").at == 2.0  # type: ignore[union-attr]
    here.rekey(["a"], "k")
    fresh = SharedLedger(tmp_path / "c.db", "x.mlspec", "prod", SharedObjects(tmp_path / "c", bucket))
    assert fresh.names() and fresh.record("k").at == 2.0  # type: ignore[union-attr]


@pytest.mark.parametrize("body", [b"", b'{"key": "k", "par', b"[1]", b"\xff\xfe"])
def test_damaged_documents_are_made_anew_and_names_are_told(bucket: Bucket, tmp_path: Path, body: bytes) -> None:
    def fresh(name: str) -> SharedLedger:
        return SharedLedger(tmp_path / f"{name}.db", "x.mlspec", "prod", SharedObjects(tmp_path / name, bucket))

    first = fresh("a")
    first.put_record(record("k", at=1.0))
    first.put_facts({"rows": 3}, "k")
    first.accept([accepted("a")])
    for path in ("records/k.json", "facts/k.json", "leases/k.json"):
        bucket.put(path, body)
    second = fresh("b")
    assert second.record("k") is None and list(second.records()) == []
    second.leases.patience = 0.0
    token = second.lease("k", "there:1:1")
    assert token and second.put_record(record("k", at=2.0), token)
    second.put_facts({"rows": 4}, "k")
    third = fresh("c")
    third.look_for(["k"], ["k"])
    assert third.record("k").at == 2.0 and third.fact("rows") == (True, 4)  # type: ignore[union-attr]
    bucket.put(f"{first.place}", body)
    for work in (third.names, lambda: third.accept([accepted("b")]), lambda: list(third.everyones())):
        with pytest.raises(Trouble, match=r"x\.mlspec@prod\.json is damaged"):
            work()


def test_facts_that_are_found_out_later_are_seen_elsewhere(line: Line, tmp_path: Path) -> None:
    objects, ledger = machine(tmp_path / "here")
    digest = put(objects, b"x")
    ledger.put_record(record("k", digest))
    ledger.put_facts({"rows": 1}, digest)
    ledger.accept([accepted("n", digest, "k")])
    there = machine(tmp_path / "there")[1]
    assert there.names() and there.fact("rows", digest) == (True, 1)
    ledger.put_facts({"mean": 2.0}, digest)
    ledger.put_facts({"mean": 3.0}, "of what was refused")
    assert there.fact("mean", digest) == (True, 2.0) and there.fact("mean", "of what was refused")[0]
    asked = line.requests
    assert there.fact("nothing", digest) == (False, None) and line.requests == asked  # it was looked for just now


# --- leases --------------------------------------------------------------------------------------------------------

RACE = """
import os, sys, time
from pathlib import Path
from mlspec.compiler.state import Made, Record
from mlspec.runtimes.store.ledger import this_process
from mlspec.runtimes.store.opening import open_store
import mlspec.runtimes.store.shared_ledger
root, url = Path(sys.argv[1]), sys.argv[2]
children = []
for number in range(16):
    if (pid := os.fork()) == 0:
        objects, ledger = open_store(root / f"{number}", url, "x.mlspec", "prod")
        while ledger.record("key") is None:
            token = ledger.lease("key", this_process())
            if token is None:
                while ledger.is_leased("key"):
                    time.sleep(0.05)
                continue
            with (root / "made").open("a") as file:
                file.write(f"{number}\\n")
            time.sleep(0.3)
            digest = objects.put_bytes(f"made by {number}".encode())
            record = Record(key="key", parts={}, outputs=(Made(digest=digest, kind="table", bytes=1),), at=time.time())
            assert ledger.put_record(record, token)
            ledger.release("key", token)
        digest = ledger.record("key").outputs[0].digest
        (root / f"saw{number}").write_bytes(objects.path(digest).read_bytes())
        os._exit(0)
    children.append(pid)
sys.exit(max(os.waitpid(pid, 0)[1] for pid in children))
"""


def test_sixteen_processes_that_want_the_same_make_it_once(s3_server: Server, tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", RACE, str(tmp_path), URL], timeout=100)
    assert ran.returncode == 0
    made = (tmp_path / "made").read_text().split()
    assert len(made) == 1
    assert {(tmp_path / f"saw{i}").read_text() for i in range(16)} == {f"made by {made[0]}"}


def test_a_lease_lives_by_its_signs_and_by_nobodys_clock(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(leases, "now", lambda: clock[0])
    ours, theirs = Leases(bucket, beat=0.05, patience=30), Leases(bucket, beat=1000, patience=30)
    token = ours.take("k", "elsewhere:1:1")
    assert token == 1 and theirs.take("k", "there:2:2") is None and theirs.is_taken("k")
    for _ in range(4):  # as long as it gives signs, nobody takes it
        clock[0] += 20
        held = ours.held["k"].beats
        until(lambda held=held: ours.held["k"].beats > held + 1)
        assert theirs.is_taken("k") and theirs.take("k", "there:2:2") is None
    ours.beat = 1000
    time.sleep(0.2)
    theirs.take("k", "there:2:2")
    clock[0] += 29
    assert theirs.take("k", "there:2:2") is None
    clock[0] += 2
    assert not theirs.is_taken("k") and theirs.take("k", "there:2:2") == 2
    assert not ours.holds("k", 1)
    ours.release("k", 1)
    assert theirs.holds("k", 2)
    theirs.release("k", 2)
    clock[0] += 2
    assert not ours.is_taken("k") and ours.take("k", "elsewhere:1:1") == 1


def test_who_was_away_too_long_is_refused(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(leases, "now", lambda: clock[0])
    monkeypatch.setattr(leases, "BEAT", 1000)
    here, there = (
        SharedLedger(tmp_path / f"{i}.db", "x.mlspec", "prod", SharedObjects(tmp_path / i, bucket)) for i in "ab"
    )
    for ledger in (here, there):
        ledger.leases.beat = 1000
    first = here.lease("k", "elsewhere:1:1")
    assert first and there.lease("k", "there:2:2") is None
    clock[0] += 31
    second = there.lease("k", "there:2:2")
    assert second == first + 1
    assert not here.put_record(record("k", "1" * 64), first)
    assert there.put_record(record("k", "2" * 64), second)
    there.release("k", second)
    assert here.record("k").outputs[0].digest == "2" * 64  # type: ignore[union-attr]


def test_between_looking_at_a_lease_and_writing_nobody_slips_in(bucket: Bucket, tmp_path: Path) -> None:
    """Our lease seems to hold, and another one has made it: what it has put stays."""
    here = SharedLedger(tmp_path / "a.db", "x.mlspec", "prod", SharedObjects(tmp_path / "a", bucket))
    token = here.lease("k", "elsewhere:1:1")
    bucket.put("records/k.json", record("k", "2" * 64, at=5.0).model_dump_json().encode())
    assert token and not here.put_record(record("k", "1" * 64), token)
    assert json.loads(bucket.get("records/k.json").body)["outputs"][0]["digest"] == "2" * 64  # type: ignore[union-attr]


def test_of_a_process_that_is_gone_on_this_machine_the_lease_goes_at_once(bucket: Bucket) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert Leases(bucket).take("k", f"{os.uname().nodename}:{gone.pid}:1") == 1
    assert Leases(bucket).take("k", "there:2:2") == 2


def test_a_long_transfer_is_told_of(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(shared.Meter, "__init__", _eager(shared.Meter.__init__))
    objects = SharedObjects(tmp_path, Bucket(URL))
    objects.watch = lambda *moving: told.append(moving)
    put(objects, noise(20 << 20))
    assert told and told[-1][0] == "up" and told[-1][2] == 20 << 20 and 0 < told[-1][1] <= 20 << 20


def _eager(init: Any) -> Any:
    def made(self: Any, *given: Any) -> None:
        init(self, *given)
        self.told = 0.0

    return made
