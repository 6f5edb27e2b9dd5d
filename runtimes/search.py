"""A search over arguments: what to try next, and how well one trial does. The same in every backend.

What is proposed follows from the search, the seed and the scores of earlier rounds alone: so it is the same however
many trials run beside each other, and a search that was interrupted goes on as it began.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..compiler.program import Among, Predict, Search, Value
from . import job
from .order import Judge, Make, Proposals, Propose, Question, Scoring, Trial, Tried
from .store.aside import Aside
from .store.objects import Objects
from .trouble import Trouble

if TYPE_CHECKING:
    import pyarrow as pa

ROUND = 8  # trials that are proposed at once, whatever the number of workers
COUNTABLE = 10_000  # combinations
DIGITS = 6  # of a number that is proposed, so that a person can copy it

Arguments = dict[str, Value]


def best_of(search: Search, tried: Sequence[Tried]) -> Tried | None:
    """The first of the best; None where all failed."""
    scored = [one for one in tried if one.score is not None]
    sign = 1 if search.best == "max" else -1
    return max(scored, key=lambda one: sign * (one.score or 0.0), default=None)


# --- what to try --------------------------------------------------------------------------------------------------


def grid(search: Search) -> Iterator[Arguments]:
    """All combinations, the last argument changing first."""
    names = [among.name for among in search.space]
    for values in itertools.product(*(_values(among) for among in search.space)):
        yield dict(zip(names, values, strict=True))


def _values(among: Among) -> Sequence[Value]:
    return among.values or range(int(among.low), int(among.high) + 1)


def proposed(order: Propose) -> Proposals:
    return Proposals(proposals=tuple(proposals(order.search, order.tried, order.seed)))


def proposals(search: Search, tried: Sequence[Tried], seed: int) -> list[Arguments]:
    """The next round, after `tried`, which is all of the rounds before. No combination is proposed twice."""
    study = _study(search, tried, seed)
    seen = {_text(one.arguments) for one in tried}
    found: list[Arguments] = []
    for _ in range(min(ROUND, search.size - len(tried))):
        found.append(_new(study, search, seen, seed))
        seen.add(_text(found[-1]))
    return found


def _text(arguments: Arguments) -> str:
    """True is not 1 here."""
    return json.dumps(arguments, sort_keys=True)


def _new(study: Any, search: Search, seen: set[str], seed: int) -> Arguments:
    """As the study proposes, unless it stays with what was tried; then any other, where they can be counted."""
    distributions = {among.name: _distribution(among) for among in search.space}
    for _ in range(ROUND):
        asked = _quietly(lambda: study.ask(distributions))
        arguments = {among.name: _taken(among, asked.params[among.name]) for among in search.space}
        if _text(arguments) not in seen:
            return arguments
    if search.combinations is None or search.combinations > COUNTABLE:
        return arguments
    rest = [one for one in grid(search) if _text(one) not in seen]
    return random.Random(f"{seed} {len(seen)}").choice(rest)


def _study(search: Search, tried: Sequence[Tried], seed: int) -> Any:
    """Optuna's, as it is after these trials. A trial that failed counts as the worst that was seen."""
    optuna = _optuna()
    sampler = _quietly(lambda: optuna.samplers.TPESampler(
        seed=(seed * 1_000_003 + len(tried)) % 2**32, n_startup_trials=ROUND, constant_liar=True,
    ))  # fmt: skip
    way = "maximize" if search.best == "max" else "minimize"
    study = optuna.create_study(direction=way, sampler=sampler)
    distributions = {among.name: _distribution(among) for among in search.space}
    scores = [one.score for one in tried if one.score is not None]
    worst = (min if search.best == "max" else max)(scores, default=0.0)
    for one in tried:
        params = {among.name: _given(among, one.arguments[among.name]) for among in search.space}
        score = worst if one.score is None else one.score
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=score))
    return study


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        help_ = 'pip install "mlspec[search]"; or leave out trials, and all combinations are tried'
        raise Trouble("search with trials", "it needs Optuna, which is not installed", help_) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _quietly(ask: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Optuna calls experimental
        return ask()


def _distribution(among: Among) -> Any:
    from optuna import distributions

    if among.values:  # by their places: a value may be a list, and true is equal to 1
        return distributions.CategoricalDistribution(range(len(among.values)))
    if among.whole:
        return distributions.IntDistribution(int(among.low), int(among.high), log=among.log)
    return distributions.FloatDistribution(among.low, among.high, log=among.log)


def _taken(among: Among, value: Any) -> Value:
    if among.values:
        chosen: Value = among.values[value]
        return chosen
    if among.whole:
        return int(value)
    return min(max(float(f"{value:.{DIGITS}g}"), float(among.low)), float(among.high))


def _given(among: Among, value: Value) -> Any:
    if not among.values:
        return value
    return next(at for at, one in enumerate(among.values) if one == value and type(one) is type(value))


# --- one trial ----------------------------------------------------------------------------------------------------


def trial(order: Trial, objects: Objects) -> float:
    """The score. What is made on the way lies aside, and is gone afterwards. Raises Trouble."""
    folder = objects.scratch()
    try:
        aside = Aside(folder, objects)
        if order.scoring.folds:
            return _on_folds(order, aside)
        return _score(order, order.scoring.on, aside)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _score(order: Trial, on: str, objects: Objects) -> float:
    """Of the model that the trial makes, measured on data or as its code says."""
    scoring, name = order.scoring, order.names[0]
    outcome = job.make(Make(**{field: getattr(order, field) for field in Make.model_fields}), objects)
    if scoring.measure is not None:
        question = Question(key="score", measure=scoring.measure, on=on)
        asked = Judge(name=name, digest=outcome.outputs[name].digest, kind="model", predict=order.predict,
                      questions=(question,), needs=order.needs, root=order.root)  # fmt: skip
        score = job.judge(asked, objects).values["score"]
        if isinstance(score, dict):
            raise Trouble(f"score {name}", f"{scoring.metric} is a table, and the best is chosen by a number")
        return float(score)
    if scoring.metric not in outcome.metrics:
        told = ", ".join(outcome.metrics) or "none"
        gain = f'{{"{scoring.metric}": …}}'
        code = f"return (model, {gain})" if order.recipe.word == "python" else f"set metrics = {gain}"
        help_ = f"{code}, or say folds = 5"
        raise Trouble(f"score {name}", f"it gave no metric {scoring.metric}, but {told}", help_)
    return outcome.metrics[scoring.metric]


# --- on folds -----------------------------------------------------------------------------------------------------


def _on_folds(order: Trial, objects: Objects) -> float:
    """The mean over the folds: each is predicted by a model that was made without it."""
    from . import tables

    found = (one for one in order.inputs if one.kind == "data" and not tables.is_folder(objects, one.digest))
    first = next(found, None)
    if first is None:
        raise Trouble(f"make {order.names[0]}", "there is no table to take folds of", "take folds away")
    table = tables.read(objects, first.digest)
    scores = []
    for rest, fold in _folds(table, order.scoring, order.predict, first.name):
        learned = first.model_copy(update={"digest": tables.write(table.take(rest), objects).digest})
        inputs = tuple(learned if one is first else one for one in order.inputs)
        on = tables.write(table.take(fold), objects).digest
        scores.append(_score(order.model_copy(update={"inputs": inputs}), on, objects))
    return sum(scores) / len(scores)


def _folds(table: pa.Table, scoring: Scoring, predict: Predict | None, name: str) -> list[tuple[Any, Any]]:
    """(the places of the rows to learn from, those of the rows to predict), for each fold."""
    import numpy as np

    from .recipes.forms import to_pandas
    from .recipes.predict import truth

    action, groups = f"take {scoring.folds} folds of {name}", None
    if scoring.group:
        if scoring.group not in table.column_names:
            raise Trouble(action, f"it has no column {scoring.group}, by which it was split", "keep that column")
        groups = to_pandas(table.select([scoring.group]))[scoring.group].factorize(use_na_sentinel=False)[0]
    by_class = predict is not None and predict.task == "classification" and len(predict.targets) == 1
    classes = truth(predict, table) if predict is not None and by_class else np.zeros(table.num_rows)
    try:
        dealer = _dealer(by_class, groups is not None, scoring)
        return list(_quietly(lambda: list(dealer.split(np.zeros(table.num_rows), classes, groups))))
    except ValueError as error:  # scikit-learn's word for fewer rows, keys or classes than folds
        raise Trouble(action, str(error).splitlines()[0], "say fewer folds") from None


def _dealer(by_class: bool, by_group: bool, scoring: Scoring) -> Any:
    from sklearn import model_selection as dealers

    dealer: Any = dealers.StratifiedKFold if by_class else dealers.KFold
    if by_group:  # keeping the classes' shares too takes seconds for a hundred thousand keys
        dealer = dealers.GroupKFold
    return dealer(n_splits=scoring.folds, shuffle=True, random_state=scoring.seed % 2**32)
