"""argv -> a command, an exit code. Thin: each command is one small file, imported when it is called."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from importlib import import_module

COMMANDS = {
    "init": "start a spec in this folder",
    "check": "tell every mistake in a spec",
    "fmt": "bring a spec into the one layout",
    "plan": "show what apply would do, and why",
    "apply": "make the world as the spec says",
    "show": "show a data's rows, a model's metrics, a service's address",
    "why": "tell why an artifact would be made again, or was",
    "status": "show what each name points at, and what runs",
    "logs": "show the log of an artifact or a service",
    "graph": "draw what is made from what",
    "export": "take an artifact out as a file",
    "rollback": "move a name back to the artifact before",
    "stop": "stop a service",
    "push": "copy what a spec has made into another environment's store",
    "pull": "copy what was made elsewhere into the store here",
    "gc": "remove what nothing refers to",
    "compile": "write the plan as files for a platform",
    "runtime": "tell which runtimes there are, or test one",
    "explain": "explain an error code",
    "lsp": "serve an editor, over standard input and output",
    "job": "do one action of a compiled plan",
}
GROUPS = (
    ("write", ("init", "check", "fmt", "explain", "lsp")),
    ("run", ("plan", "apply", "compile", "job", "runtime")),
    ("look", ("show", "why", "status", "logs", "graph", "export")),
    ("keep", ("rollback", "stop", "push", "pull", "gc")),
)


def script() -> int:
    """The command as a process of its own."""
    ending = _Ending()
    atexit.register(ending)  # the first, and so the last to be called
    ending.code = main()
    return ending.code


class _Ending:
    """Ends the process before Python takes itself apart: a thread of Arrow's that lets go of a Python object meanwhile
    aborts it, seldom and with all the work done (github.com/apache/arrow/issues/34314)."""

    code: int | None = None

    def __call__(self) -> None:
        if self.code is None:
            return  # main did not come to its end, and Python tells why
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:  # who read it has gone
            pass
        os._exit(self.code)


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if words[:1] in (["--version"], ["-V"]):
        from .. import __version__

        return _say(f"mlspec {__version__}")
    if not words or words[0] in ("-h", "--help", "help"):
        return _say(_usage())
    if words[0] not in COMMANDS:
        return _unknown(words[0])
    return _run(words[0], words[1:])


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return 0


def _usage() -> str:
    lines = ["usage: mlspec COMMAND [SPEC] …", "", "A name stands for an artifact, made from others by a recipe."]
    for title, names in GROUPS:
        lines += ["", title, *(f"  {name:10}{COMMANDS[name]}" for name in names)]
    return "\n".join(
        [
            *lines,
            "",
            "mlspec COMMAND --help tells more. Exit codes: 0 done, 1 mistake in the spec, 2 wrong usage,",
            "3 refused by an expectation, 4 the world failed.",
        ]
    )


def _unknown(word: str) -> int:
    from ..grammar.diagnostic import nearest

    close = nearest(word, COMMANDS)
    sys.stderr.write(f"mlspec: there is no command {word}" + (f"; did you mean {close}?" if close else "") + "\n")
    return 2


def _run(name: str, words: list[str]) -> int:
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for them costs as much as all the rest
    gc.set_threshold(
        100_000, 50, 100
    )  # a command builds much and soon ends: looking for garbage is a third of its time
    command = import_module(f".commands.{name}", __package__)
    parser = argparse.ArgumentParser(
        prog=f"mlspec {name}", description=COMMANDS[name][0].upper() + COMMANDS[name][1:] + "."
    )
    command.arguments(parser)
    try:
        given = parser.parse_args(words)
    except SystemExit as end:
        return int(end.code or 0)
    from .frame import guarded

    code = guarded(lambda: command.run(given))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code
