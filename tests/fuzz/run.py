"""`make fuzz`: judge so many texts, or for so long. A text that fails is kept in `found/`, and the run fails.

`--guided` lets atheris look for texts that reach code which none has reached (`pip install -e '.[fuzz]'`).
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

GIGABYTE = 1024**3
MEMORY = 3 * GIGABYTE
THOROUGHLY = 16  # of one text in so many the fixes are made, and the layout; all go through the whole compiler


@dataclass(slots=True)
class Tally:
    judged: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


def main() -> int:
    given = arguments()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if given.guided:
        from guided import run

        return run(given.inputs, given.seconds, given.seed)
    from texts import texts

    tally = judge_all(islice(texts(given.seed), given.inputs), given.seconds)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"{tally.judged} texts, slowest {tally.slowest:.2f} s, {memory:.0f} MB at most, {len(tally.failures)} failures")
    return 1 if tally.failures else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="how many texts")
    parser.add_argument("--seconds", type=float, default=600, help="stop after so long")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true", help="by coverage, with atheris")
    return parser.parse_args()


def judge_all(found: Iterable[str], seconds: float) -> Tally:
    from judge import judge

    tally, end = Tally(), time.monotonic() + seconds
    for text in found:
        if time.monotonic() > end:
            break
        started = time.process_time()
        try:
            judge(text, thoroughly=tally.judged % THOROUGHLY == 0)
        except Exception:
            keep(text, tally)
        tally.slowest = max(tally.slowest, time.process_time() - started)
        tally.judged += 1
    return tally


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def keep(text: str, tally: Tally) -> None:
    folder = HERE / "found"
    folder.mkdir(exist_ok=True)
    content = text.encode("utf-8", errors="surrogatepass")
    path = folder / f"{sha256(content).hexdigest()[:12]}.mlspec"
    path.write_bytes(content)
    tally.failures.append(path.name)
    say(f"{path}:\n{traceback.format_exc(limit=-3)}")


if __name__ == "__main__":
    sys.exit(main())
