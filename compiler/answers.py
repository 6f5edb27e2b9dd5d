"""What a block's conditions and measures ask: the fact, the key that it is kept under, and its value once it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import doubted, identity, verdict
from .actions import Question, Warned
from .outlook import Outlook, digest_of
from .program import Fact, Measure, Node, Program, Rows
from .state import Made, Record, State


@dataclass(frozen=True, slots=True)
class Answers:
    """The facts that a node's conditions and measures ask for: where each is kept, and its value once known."""

    node: Node
    program: Program
    made: Mapping[str, Made]
    record: Record
    outlooks: Mapping[str, Outlook]
    state: State

    def missing(self) -> Iterator[Question]:
        seen: set[str] = set()
        for question in self._questions():
            if question.key not in seen and not self.state.fact(question.key, question.digest)[0]:
                seen.add(question.key)
                yield question

    def measured(self) -> dict[str, Any]:
        """The node's own metrics by name, those that the function returned among them."""
        found: dict[str, Any] = dict(self.record.metrics)
        for measure in self.node.measures:
            known, value = self.state.fact(self._metric(self.node, measure, self._own_digest()).key, self._own_digest())
            if known:
                found[measure.name] = value
        return found

    def answer(self, fact: Fact | Rows) -> Any:
        if isinstance(fact, Fact) and fact.of != "last" and self._returned(fact):
            return self._returned_value(fact)
        question = self._question(fact)
        if question is None:
            raise verdict.NoLast
        known, value = self.state.fact(question.key, question.digest)
        if not known:
            raise verdict.NotKnown
        return value

    def first(self, rows: Rows) -> list[dict[str, Any]]:
        """The first rows that break a condition, as far as they were kept."""
        question = self._question(rows)
        known, value = self.state.fact(identity.first_key(question.key), question.digest) if question else (False, None)
        return list(value) if known and value else []

    def _questions(self) -> Iterator[Question]:
        for measure in self.node.measures:
            yield self._metric(self.node, measure, self._own_digest())
        for expect in self.node.expects:
            for fact in verdict.facts_in(expect.condition):
                if isinstance(fact, Fact) and self._returned(fact):
                    continue
                question = self._question(fact)
                if question is not None:
                    yield question
        for doubt in self.node.doubts:
            yield doubted.question(doubt, self._digest)

    def warned(self) -> tuple[Warned, ...]:
        """What the data has told that may ruin models."""
        return tuple(doubted.warned(self.node, self._digest, self.state.fact, self.measured()))

    def _own_digest(self) -> str:
        return self.record.outputs[0].digest

    def _last(self) -> str | None:
        """The accepted artifact, if it is another one than the one judged."""
        accepted = self.state.names.get(self.node.name)
        return accepted.digest if accepted and accepted.digest != self._own_digest() else None

    def _question(self, fact: Fact | Rows) -> Question | None:
        if isinstance(fact, Rows):
            digest = self.made[fact.of].digest
            others = {name: self._digest(name) for name in fact.others}
            return Question(
                key=identity.fact_key(fact, digest, others),
                name=self.node.name,
                digest=digest,
                rows=fact,
                others=others,
            )
        node = self.node if fact.of == "last" or fact.of in self.made else self.program.node_of()[fact.of]
        digest_or_none = self._last() if fact.of == "last" else self._digest(fact.of)
        if digest_or_none is None:
            return None
        if node.kind == "model":
            measure = next((m for m in node.measures if m.name == fact.function), None)
            return self._metric(node, measure, digest_or_none) if measure else None
        return Question(
            key=identity.fact_key(fact, digest_or_none),
            name=node.name,
            digest=digest_or_none,
            function=fact.function,
            column=fact.column,
        )

    def _digest(self, name: str) -> str:
        return self.made[name].digest if name in self.made else digest_of(self.outlooks[name])

    def _metric(self, node: Node, measure: Measure, digest: str) -> Question:
        on = self._digest(measure.on)
        key = identity.metric_key(measure, node.predict, digest, on)
        return Question(key=key, name=node.name, digest=digest, measure=measure, on=on)

    def _returned(self, fact: Fact) -> bool:
        """Whether the fact is a metric that the function returned itself, with no measure line for it."""
        node = self.node if fact.of in self.made else self.program.node_of().get(fact.of, self.node)
        return node.kind == "model" and fact.function not in {m.name for m in node.measures}

    def _returned_value(self, fact: Fact) -> Any:
        if fact.of in self.made:
            return self.record.metrics.get(fact.function)
        accepted = self.state.names.get(fact.of)
        record = self.state.record(accepted.key) if accepted else None
        return record.metrics.get(fact.function) if record else None
