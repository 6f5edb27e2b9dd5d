"""A spec whose artifacts lie in a bucket: two machines that share it, and what may go wrong between them."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from buckets import SECRET, Line, Server
from helpers import Project, until
from mlspec.runtimes import elsewhere, shipping
from mlspec.runtimes.local import sweep
from mlspec.runtimes.local.copying import push_sources
from mlspec.runtimes.local.session import Session
from mlspec.runtimes.store.objects import Damaged
from mlspec.runtimes.store.opening import open_store

SPEC = """
data raw from csv "a.csv" {
  id: int, unique
  x: int
}

data big from raw by sql "select * from raw where x > 50" {
  expect .rows > 10
}

data slow from big by shell "sleep 1; echo made >> count; cp $big $OUTPUT" {
  id: int
  x: int
}

env prod on local { store = "s3://acme/team" }
"""


def clone(root: Path, spec: str = SPEC, rows: int = 100) -> Project:
    project = Project(root)
    project.file("x.mlspec", spec)
    project.file("a.csv", "id,x\n" + "".join(f"{i},{i * 2}\n" for i in range(rows)))
    return project


def test_a_fresh_clone_has_what_another_machine_made(s3_server: Server, tmp_path: Path) -> None:
    here, there = clone(tmp_path / "here"), clone(tmp_path / "there")
    applied = here.apply("--on", "prod")
    assert applied.code == 0 and "3 made" in applied.out, applied.text
    planned = there.run("plan", "--on", "prod")
    assert "Nothing to be made" in planned.out, planned.text
    assert "slow" in there.run("status", "--on", "prod").out
    shown = there.data("show", "slow", "--on", "prod")
    assert (shown["rows"], shown["first"][0]) == (74, {"id": 26, "x": 52})
    assert there.run("export", "big", "big.csv", "--on", "prod").code == 0
    assert not (there.root / "count").exists()
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    kept = b"".join([*s3_server.contents("acme").values(), "".join(s3_server.contents("acme")).encode()])
    told = applied.text + planned.text
    assert SECRET.encode() not in everything + kept + told.encode()


def test_two_machines_at_once_make_each_block_once(s3_server: Server, tmp_path: Path) -> None:
    projects = [clone(tmp_path / name) for name in ("a", "b", "c")]
    running = [project.start("apply", "--on", "prod") for project in projects]
    ended = [process.communicate(timeout=100) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], ended
    made = [project.root / "count" for project in projects if (project.root / "count").exists()]
    assert len(made) == 1 and made[0].read_text() == "made\n", ended
    assert all("Nothing to be made" in project.run("plan", "--on", "prod").out for project in projects)


def test_an_apply_that_is_killed_leaves_the_rest_to_the_next(s3_server: Server, tmp_path: Path) -> None:
    here = clone(tmp_path / "here", SPEC.replace("sleep 1", "echo begun > begun; sleep 1"))
    running = here.start("apply", "--on", "prod")
    until((here.root / "begun").exists)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert any("/leases/" in path for path in s3_server.contents("acme"))
    assert here.events("--on", "prod") == {"raw": "reused", "big": "reused", "slow": "made"}
    assert not any("/leases/" in path for path in s3_server.contents("acme"))


def test_keys_that_expire_in_the_middle_stop_an_apply_and_lose_nothing(line: Line, tmp_path: Path) -> None:
    here = clone(tmp_path / "here", SPEC.replace("sleep 1", "echo begun > begun; sleep 1"))
    running = here.start("apply", "--on", "prod")
    until((here.root / "begun").exists)
    line.answer("403 Forbidden", "ExpiredToken")
    out, error = running.communicate(timeout=60)
    assert running.returncode == 4 and "the credentials have expired" in out + error, out + error
    assert "Traceback" not in out + error and SECRET not in out + error
    line.says = b""
    assert here.events("--on", "prod")["slow"] == "made"
    assert "Nothing to be made" in here.run("plan", "--on", "prod").out


@pytest.mark.parametrize(
    ("store", "variables", "said"),
    [
        ("s3://nobody/x", {}, "could not read s3://nobody/x: there is no such bucket"),
        (
            "s3://acme/x",
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            "could not read s3://acme/x: the store cannot be reached",
        ),
        ("s3://", {}, 'could not open the store: "s3://" is no address of one'),
    ],
)
def test_what_is_wrong_with_a_store_is_one_line(
    s3_server: Server, tmp_path: Path, store: str, variables: dict[str, str], said: str
) -> None:
    ran = clone(tmp_path, SPEC.replace("s3://acme/team", store)).run("apply", "--on", "prod", env=variables)
    assert ran.code == 4 and ran.err.startswith(f"error: {said}\n") and len(ran.err.splitlines()) <= 2, ran.text


def test_who_may_only_read_may_look_and_not_apply(
    s3_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone(tmp_path / "here").apply("--on", "prod")
    keys = s3_server.keys()
    s3_server.look_at_keys(0)
    there, reader = clone(tmp_path / "there", rows=99), s3_server.environment(*keys["reader"])
    assert there.run("status", "--on", "prod", env=reader).code == 0
    applied = there.run("apply", "--on", "prod", env=reader)
    assert (
        applied.code == 4
        and "these credentials may not write there" in applied.text
        and "Traceback" not in applied.text
    )


def test_push_and_pull_copy_what_was_made_and_move_no_name(s3_server: Server, tmp_path: Path) -> None:
    here, there = clone(tmp_path / "here"), clone(tmp_path / "there")
    assert "nothing to copy" in here.run("push", "--on", "prod").out
    assert here.apply().code == 0
    pushed = here.run("push", "--on", "prod")
    assert pushed.code == 0 and "local -> prod: 2 of 2 artifacts moved" in pushed.out and "No name moved" in pushed.out
    assert (
        "with 1 file of sources" in pushed.out
        and (here.root / "a.csv").read_bytes() in s3_server.contents("acme").values()
    )
    assert "all 2 artifacts were there" in here.run("push", "--on", "prod").out
    assert not any("/names/" in path for path in s3_server.contents("acme"))
    assert here.events("--on", "prod") == dict.fromkeys(("raw", "big", "slow"), "accepted")
    pulled = there.data("pull", "--on", "prod")
    assert (pulled["artifacts"], pulled["moved"], pulled["lost"]) == (2, 2, 0)
    assert there.events() == dict.fromkeys(("raw", "big", "slow"), "accepted")
    assert not (there.root / "count").exists()
    same = here.run("push", "--on", "local")
    assert same.code == 4 and "local is both" in same.err


def test_gc_of_a_bucket_takes_what_nothing_holds_and_is_old(
    s3_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = clone(tmp_path / "here"), clone(tmp_path / "there", SPEC.replace("> 50", "> 60"))
    there.file("y.mlspec", SPEC.replace("> 50", "> 70").replace("sleep 1; ", ""))
    assert here.apply("--on", "prod").code == 0
    assert there.run("apply", "y.mlspec", "--on", "prod").code == 0
    session = Session(there.root / "y.mlspec", "prod")
    session.check()
    junk = session.world.objects.put_bytes(b"nobody names this")
    kept = set(s3_server.contents("acme"))
    assert sweep.sweep(session.world, dry=False).objects == 0 and set(s3_server.contents("acme")) == kept
    monkeypatch.setattr(sweep, "AN_HOUR", -60.0)
    told = sweep.sweep(session.world, dry=True)
    assert told.objects == 1 and set(s3_server.contents("acme")) == kept
    assert sweep.sweep(session.world, dry=False) == told
    gone = kept - set(s3_server.contents("acme"))
    assert [path.replace("/", "") for path in gone] == [f"teamobjects{junk}"]
    assert "Nothing to be made" in here.run("plan", "--on", "prod").out
    assert "Nothing to be made" in there.run("plan", "y.mlspec", "--on", "prod").out
    ran = here.run("gc", "--on", "prod", "--dry-run")
    assert ran.code == 0 and "0 objects would go" in ran.out, ran.text


def test_a_damaged_object_is_made_again_by_who_reads_it(s3_server: Server, tmp_path: Path) -> None:
    here, there = clone(tmp_path / "here"), clone(tmp_path / "there", SPEC.replace("sleep 1;", "true;"))
    assert here.apply("--on", "prod").code == 0
    digest = here.data("status", "--on", "prod")["names"]["big"]["digest"]
    s3_server.put("acme", f"team/objects/{digest[:2]}/{digest[2:]}", b"damaged")
    assert there.events("--on", "prod") == {"raw": "reused", "big": "made", "slow": "made"}
    assert s3_server.contents("acme")[f"team/objects/{digest[:2]}/{digest[2:]}"] != b"damaged"


def test_show_of_a_large_table_fetches_little(line: Line, tmp_path: Path) -> None:
    spec = SPEC[: SPEC.index("data big")] + SPEC[SPEC.index("env prod") :]
    here, there = clone(tmp_path / "here", spec, rows=400_000), clone(tmp_path / "there", spec, rows=400_000)
    assert here.apply("--on", "prod").code == 0
    size = max(map(len, Server(f"http://{line.target[0]}:{line.target[1]}").contents("acme").values()))
    before = line.down
    shown = there.data("show", "raw", "--on", "prod")
    assert shown["rows"] == 400_000 and shown["first"][1] == {"id": 1, "x": 2}
    assert line.down - before < size / 2
    assert not list(there.root.rglob("objects/*/*"))


def test_sources_are_sent_along(s3_server: Server, tmp_path: Path) -> None:
    here = clone(tmp_path / "here")
    session = Session(here.root / "x.mlspec", "prod")
    assert push_sources(session.check().program, session.world) == 1
    assert (here.root / "a.csv").read_bytes() in s3_server.contents("acme").values()


def test_a_store_that_is_a_folder_by_its_address(tmp_path: Path) -> None:
    spec = SPEC.replace("s3://acme/team", f"file://{tmp_path}/far")
    here, there = clone(tmp_path / "here", spec), clone(tmp_path / "there", spec)
    assert here.apply("--on", "prod").code == 0
    began = time.monotonic()
    assert "Nothing to be made" in there.run("plan", "--on", "prod").out
    assert time.monotonic() - began < 20 and (tmp_path / "far/names/x.mlspec@prod.json").is_file()


@pytest.mark.parametrize("number", [1, 40])  # of files: more are packed
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_gc_keeps_what_a_schedule_takes_out_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, number: int
) -> None:
    """The last two projects of each spec, with what their sources had; the one before them goes."""
    monkeypatch.setattr(sweep, "AN_HOUR", -60.0)
    here = Project(tmp_path / "here")
    digests = []
    for rows in (1, 2, 3):
        here.file("x.mlspec", f'data raw from csv "*.csv" {{ id: int }}\n# {rows}\n'
                  f'env prod on prefect {{ store = "{scheme}{tmp_path}/far" }}')  # fmt: skip
        for one in range(number):
            here.file(f"{one}.csv", "id\n" + f"{one}\n" * rows)
        digests.append(_sent(here))
    session = Session(here.root / "x.mlspec", "prod")
    session.check()
    assert sweep.sweep(session.world).objects > 0
    for before, digest in enumerate(digests):
        cache = tmp_path / f"cache{before}"
        monkeypatch.setenv("MLSPEC_CACHE", str(cache))
        objects = open_store(cache, f"{scheme}{tmp_path}/far", "", "")[0]
        if before == 0:
            with pytest.raises(Damaged):
                objects.listing(digest)
            continue
        folder = elsewhere.receive(digest, objects, cache / "projects", cache / ".mlspec") / "project"
        [files] = shipping.read(folder).files.values()
        shipping.lay_out(folder, files, objects)
        assert (folder / "0.csv").read_text() == "id\n" + "0\n" * (before + 1)


def _sent(project: Project) -> str:
    """As an apply sends it to a platform."""
    session = Session(project.root / "x.mlspec", "prod")
    program = session.check().program
    _, shipment = session.project(program)
    files = {f"project/{path}": text for path, text in shipment.texts.items()}
    digest = elsewhere.send(files, shipment.sources, session.world.objects)
    session.world.ledger.put_sent(digest)
    return digest


@pytest.mark.parametrize("number", [1, 40])  # of files: more are packed
@pytest.mark.parametrize("content", [b"damaged", None])
def test_of_a_sent_project_what_is_damaged_or_lost_is_sent_again(
    tmp_path: Path, content: bytes | None, number: int
) -> None:
    here, far = Project(tmp_path / "here"), tmp_path / "far"
    here.file("x.mlspec", f'data raw from csv "*.csv" {{ id: int }}\nenv prod on prefect {{ store = "file://{far}" }}')
    for one in range(number):
        here.file(f"{one}.csv", f"id\n{one}\n")
    digest = _sent(here)

    def pulls(cache: Path) -> Path:
        objects = open_store(cache, f"file://{far}", "", "")[0]
        folder = elsewhere.receive(digest, objects, cache / "projects", cache / ".mlspec") / "project"
        [files] = shipping.read(folder).files.values()
        shipping.lay_out(folder, files, objects)
        return folder

    whole = {path: path.read_bytes() for kind in ("objects", "packs") for path in (far / kind).rglob("*")
             if path.is_file()}  # fmt: skip
    for at, (path, body) in enumerate(whole.items()):
        path.chmod(0o644)
        path.write_bytes(content) if content else path.unlink()
        with pytest.raises(Damaged):
            pulls(tmp_path / f"one{at}")
        assert not list((tmp_path / f"one{at}" / "projects").glob("*.*"))
        assert _sent(here) == digest and path.read_bytes() == body
        assert (pulls(tmp_path / f"two{at}") / "0.csv").read_text() == "id\n0\n"
