"""Program and state -> the actions that would make the world so. Telling and doing read the same actions.

`decide` is the whole logic, for one block whose surroundings are known; `plan` folds it over the program with what is
not yet known left open, and apply calls it again for each block as soon as everything before it is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import identity, verdict
from . import parts as each
from .actions import Accept, Judge, Judged, Make, Plan, Refuse, Retire, Reuse, Serve, Wait
from .answers import Answers
from .due import is_due
from .outlook import Absent, Known, Open, Outlook, Outlooks, digest_of
from .program import Expect, Fact, Node, Program, Rows
from .state import Accepted, Record, Running, State


def plan(program: Program, state: State) -> Plan:
    outlooks: Outlooks = {}
    actions: list[Any] = []
    for node in program.nodes:
        action = decide(node, program, outlooks, state)
        actions.append(action)
        outlooks |= after(action, node, state)
    made = {name for node in program.nodes for name in node.names}
    for name, accepted in state.names.items():
        if name not in made:
            actions.append(
                Retire(
                    names=(name,), kind=accepted.kind, reason=("its block is gone; the artifact stays in the store",)
                )
            )
    where = program.environment
    return Plan(
        spec=program.spec, runtime=where.runtime, environment=where.name, actions=tuple(actions),
        basis=basis(actions, state),
    )  # fmt: skip


def in_force(program: Program, planned: Plan, state: State) -> dict[str, dict[str, str]]:
    """The parts that make each node now, by its name; a node whose inputs have yet to be made has none."""
    found: dict[str, dict[str, str]] = {}
    for node, action in zip(program.nodes, planned.actions, strict=False):
        if isinstance(action, Make | Serve):
            parts = action.parts
        else:
            accepted = state.names.get(node.name)
            record = state.record(getattr(action, "key", "") or (accepted.key if accepted else ""))
            parts = record.parts if record else {}
        if parts:
            found[node.name] = parts
    return found


def basis(actions: Iterable[Any], state: State) -> str:
    """A hash of all that the plan was made from: equal means that applying it does what it says."""
    parts = {f"{i}": _told_again(action, state).model_dump_json() for i, action in enumerate(actions)}
    names = {f"name {name}": accepted.digest for name, accepted in state.names.items()}
    return identity.key_of({**parts, **names})


def _told_again(action: Any, state: State) -> Any:
    """A source whose content is unknown has another key at each look, and is read all the same."""
    if isinstance(action, Make) and _unknown(action.names[0], state):
        return action.model_copy(update={"key": "", "parts": {}})
    return action


def _unknown(name: str, state: State) -> str:
    return state.sources[name].unknown if name in state.sources else ""


def after(action: Any, node: Node, state: State) -> Outlooks:
    """What will be known of a node's artifacts once its action is done."""
    match action:
        case Accept(digests=digests):
            return {name: Known(digest) for name, digest in zip(node.names, digests, strict=True)}
        case Make() | Judge(stays=False) | Serve():
            return {name: Open() for name in node.names}
        case _:
            return {name: _accepted(name, node, action, state) for name in node.names}


def as_it_is(node: Node, state: State) -> Outlooks:
    """Where a node is left alone: what was accepted of it."""
    return after(Reuse(names=node.names, kind=node.kind), node, state)


def _accepted(name: str, node: Node, action: Any, state: State) -> Outlook:
    found = state.names.get(name)
    if found is not None:
        return Known(found.digest)
    if isinstance(action, Wait):
        return Absent(f"{name} waits")
    return Absent(f"{name} was never accepted")


# --- the decision ----------------------------------------------------------------------------------------------


def decide(node: Node, program: Program, outlooks: Mapping[str, Outlook], state: State) -> Any:
    """The next action for one block, given what is known of the artifacts before it."""
    waiting = _waits(node, outlooks, state)
    if waiting is not None:
        return waiting
    new = node.awaits
    open_ = tuple(name for name in new if isinstance(outlooks[name], Open))
    if open_:
        return _later(node, open_, state)
    digests = {name: digest_of(outlooks[name]) for name in new}
    files = state.sources[node.name].files if node.name in state.sources else {}
    parts = identity.making(node, digests, files, state.versions)
    key = identity.key_of(parts)
    if node.kind == "service":
        return _decide_service(node, parts, key, digests, state)
    record = state.record(key)
    if record is None or not all(state.present(made.digest) for made in record.outputs):
        if (node.needs.gpu or 0) > state.gpus:
            return _without_gpu(node, state)
        reason = _reason(node, parts, record, state)
        counted = each.count(node, parts, digests, state) if node.each else ""
        reason = (*reason, counted) if counted else reason
        return _make(node, key, parts, reason, state)
    if node.every is not None and is_due(node.every, record.at, state.now):
        return _make(node, key, parts, (f"due: {node.every.text}",), state)
    return _judge(node, program, record, outlooks, state)


def _without_gpu(node: Node, state: State) -> Wait:
    has = f"there {'is' if state.gpus == 1 else 'are'} {state.gpus or 'none'} here"
    help_ = "run it where there are more, or take needs gpu away"
    return Wait(
        names=node.names,
        kind=node.kind,
        reason=(f"it needs {node.needs.gpu} GPU, and {has}",),
        trouble=True,
        help=help_,
    )


def _make(node: Node, key: str, parts: dict[str, str], reason: tuple[str, ...], state: State) -> Make:
    return Make(names=node.names, kind=node.kind, key=key, parts=parts, reason=reason, seconds=_seconds(node, state))


def _waits(node: Node, outlooks: Mapping[str, Outlook], state: State) -> Wait | None:
    source = state.sources.get(node.name)
    if source is not None and source.trouble:
        return Wait(names=node.names, kind=node.kind, reason=(source.trouble,), trouble=True, help=source.help)
    for name in node.awaits:
        outlook = outlooks.get(name, Absent(f"{name} has mistakes"))
        if isinstance(outlook, Absent):
            return Wait(names=node.names, kind=node.kind, reason=(outlook.why,))
    return None


def _later(node: Node, open_: tuple[str, ...], state: State) -> Make | Serve:
    reason = (f"{_and(open_)} change{'s' if len(open_) == 1 else ''}",)
    if node.kind == "service":
        return Serve(names=node.names, kind=node.kind, reason=reason, after=open_)
    return Make(
        names=node.names,
        kind=node.kind,
        reason=reason if node.name in state.names else ("new",),
        after=open_,
        seconds=_seconds(node, state),
    )


def _and(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def _seconds(node: Node, state: State) -> float | None:
    accepted = state.names.get(node.name)
    record = state.record(accepted.key) if accepted else None
    return record.seconds if record else None


def _reason(node: Node, parts: Mapping[str, str], record: Record | None, state: State) -> tuple[str, ...]:
    from .explain import changes  # explain reads plans; a reason is one line of it

    if record is not None:
        return ("what was made is no longer in the store",)
    accepted = state.names.get(node.name)
    before = state.record(accepted.key) if accepted else None
    if before is None:
        why = _unknown(node.name, state)
        return ("new", *((f"{why}: read each time",) if why else ()))
    return tuple(changes(before.parts, parts, node, state)) or ("it was made another way before",)


# --- judgement -------------------------------------------------------------------------------------------------


def _judge(node: Node, program: Program, record: Record, outlooks: Mapping[str, Outlook], state: State) -> Any:
    made = dict(zip(node.names, record.outputs, strict=True))
    waiting = tuple(name for name in node.reads if isinstance(outlooks.get(name), Open))
    if waiting:
        return Judge(
            names=node.names,
            kind=node.kind,
            key=record.key,
            reason=(f"{_and(waiting)} change{'s' if len(waiting) == 1 else ''}",),
            after=waiting,
        )
    absent = next(
        (o.why for name in node.reads if isinstance(o := outlooks.get(name, Absent(f"{name} has mistakes")), Absent)),
        None,
    )
    if absent is not None:
        return Wait(names=node.names, kind=node.kind, reason=(absent,))
    answers = Answers(node, program, made, record, outlooks, state)
    questions = tuple(answers.missing())
    if questions:
        known = node.name in state.names and state.names[node.name].digest == record.outputs[0].digest
        reason = "its conditions or measures changed" if known else "made, and not judged yet"
        stays = known and all(question.doubt for question in questions)
        if stays:
            reason = "what may ruin models is not known of it yet"
        return Judge(
            names=node.names, kind=node.kind, key=record.key, reason=(reason,), questions=questions, stays=stays
        )
    return _verdict(node, record, answers, state)


def _verdict(node: Node, record: Record, answers: Answers, state: State) -> Any:
    verdicts = [verdict.judge(expect, answers.answer, answers.first) for expect in node.expects]
    judged = tuple(Judged(text=v.expect.text, holds=v.holds, shown=v.shown, line=v.expect.span.line) for v in verdicts)
    digests = tuple(made.digest for made in record.outputs)
    accepted = [state.names.get(name) for name in node.names]
    same = all(a is not None and a.digest == digest for a, digest in zip(accepted, digests, strict=True))
    if not all(one.holds for one in verdicts):
        return Refuse(names=node.names, kind=node.kind, key=record.key, judged=judged, keeps=same)
    if same:
        return Reuse(names=node.names, kind=node.kind, seconds=record.seconds)
    if any(a is not None and digest in a.withdrawn for a, digest in zip(accepted, digests, strict=True)):
        return Reuse(
            names=node.names,
            kind=node.kind,
            note=f"rolled back from {digests[0].removeprefix('folder:')[:12]}, which is not taken again",
        )
    return Accept(
        names=node.names, kind=node.kind, key=record.key, digests=digests, judged=judged, reason=("made before",)
    )


# --- services --------------------------------------------------------------------------------------------------


def _decide_service(node: Node, parts: dict[str, str], release: str, digests: Mapping[str, str], state: State) -> Any:
    accepted: Accepted | None = state.names.get(node.name)
    running = state.services.get(node.name)
    told = service_verdict(node, release, state)
    same = accepted is not None and accepted.digest == release
    if accepted is not None and release in accepted.withdrawn:
        rolled_back = _rolled_back(node, accepted, running, state)
        if rolled_back is not None:
            return rolled_back
    failed = told is not None and not all(judged.holds for judged in told)
    if failed and same and told is not None:
        return Refuse(names=node.names, kind=node.kind, key=release, judged=told, keeps=same)
    if same and running is not None and running.release == release and told is not None:
        return Reuse(names=node.names, kind=node.kind)
    reason: tuple[str, ...] = ("new",)
    if failed:  # times differ from run to run, so it is tried again
        reason = ("its conditions did not hold last time",)
    elif accepted is not None:
        before = state.record(accepted.key)
        reason = _service_reason(node, parts, before, same, state)
    return Serve(
        names=node.names,
        kind=node.kind,
        release=release,
        digest=next((digests[item.name] for item in node.inputs if item.kind == "model"), ""),
        parts=parts,
        reason=reason,
    )


def _rolled_back(node: Node, accepted: Accepted, running: Running | None, state: State) -> Reuse | Serve | None:
    """The release that a rollback went to stays, or is started again; None when it is no longer in the store."""
    if running and running.release == accepted.digest:
        return Reuse(names=node.names, kind=node.kind, note="rolled back; the newer release is not taken again")
    before = state.record(accepted.key)
    if before is None or not before.outputs or not all(state.present(made.digest) for made in before.outputs):
        return None
    return Serve(
        names=node.names,
        kind=node.kind,
        release=accepted.digest,
        parts=before.parts,
        reason=("rolled back, and it is not running",),
    )


def _service_reason(
    node: Node, parts: Mapping[str, str], before: Record | None, same: bool, state: State
) -> tuple[str, ...]:
    from .explain import changes  # as in _reason

    if same:
        return ("it is not running, or its conditions changed",)
    return tuple(changes(before.parts, parts, node, state)) if before else ("its release is another",)


def service_verdict(node: Node, release: str, state: State) -> tuple[Judged, ...] | None:
    """How a release's conditions come out, None while its times are not known."""

    def answer(fact: Fact | Rows) -> Any:
        if isinstance(fact, Fact) and fact.of == "last":
            raise verdict.NoLast
        known, value = state.fact(identity.fact_key(fact, release), release)
        if not known:
            raise verdict.NotKnown
        return value

    judged = []
    for expect in node.expects:
        try:
            found = verdict.judge(expect, answer)
        except verdict.NotKnown:
            return None
        judged.append(_told(expect, found))
    return tuple(judged)


def _told(expect: Expect, found: verdict.Verdict) -> Judged:
    return Judged(text=expect.text, holds=found.holds, shown=found.shown, line=expect.span.line)
