"""The real specs, run as they stand, with the numbers of their data."""

from __future__ import annotations

import json
import shutil
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from helpers import Project

SPECS = Path(__file__).parents[1] / "specs"


@pytest.fixture
def spec(project: Project, request: pytest.FixtureRequest) -> Project:
    shutil.copytree(
        SPECS / request.param, project.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".mlspec", "compiled")
    )
    ran = project.apply()
    assert ran.code == 0, ran.text
    return project


def metrics(project: Project, name: str) -> dict[str, Any]:
    found: dict[str, Any] = project.data("show", name)["metrics"]
    return found


@pytest.mark.parametrize("spec", ["wine_quality"], indirect=True)
def test_wine_quality(spec: Project) -> None:
    assert 0.10 <= metrics(spec, "taste")["r2"] <= 0.16
    published = metrics(spec, "published")
    assert published["r2"] == pytest.approx(0.126787219728, abs=1e-11)
    assert published["rmse"] == pytest.approx(0.822242849760, abs=1e-11)
    assert published["mae"] == pytest.approx(0.627876141016, abs=1e-11)


@pytest.mark.parametrize("spec", ["spaceflights"], indirect=True)
def test_spaceflights(spec: Project) -> None:
    flights = spec.data("show", "flights")
    assert flights["rows"] == 6027
    assert spec.run("export", "flights", "flights.parquet").code == 0
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    assert pc.sum(pq.read_table(spec.root / "flights.parquet")["price"]).as_py() == 13746855.0
    assert 0.30 <= metrics(spec, "cost")["r2"] <= 0.50


@pytest.mark.parametrize("spec", ["iris"], indirect=True)
def test_iris(spec: Project) -> None:
    numbers = json.loads((SPECS / "iris" / "expected.json").read_text(encoding="utf-8"))
    assert _iris(metrics(spec, "iris")) == pytest.approx(numbers["logreg"]["42"], abs=1e-6)
    assert metrics(spec, "neighbour")["accuracy"] == pytest.approx(numbers["knn1_accuracy"])
    assert spec.apply("--on", "again").code == 0
    best = spec.data("show", "neighbours")["search"]["best"]
    assert best["n_neighbors"] in range(1, 11) and best["weights"] in ("uniform", "distance")
    again = spec.data("show", "iris", "--on", "again")["metrics"]
    assert _iris(again) == pytest.approx(numbers["logreg"]["0"], abs=1e-6)


def _iris(found: dict[str, Any]) -> dict[str, float]:
    return {"accuracy": found["accuracy"], "macro_f1": found["f1_macro"], "log_loss": found["log_loss"]}


@pytest.mark.parametrize("spec", ["movies"], indirect=True)
def test_movies(spec: Project) -> None:
    numbers = json.loads((SPECS / "movies" / "expected.json").read_text(encoding="utf-8"))
    found = {row.pop("genre"): row for row in spec.data("show", "takings", "--rows", "30")["first"]}
    assert {name: {"n": row["films"], "quartiles": [row["q25"], row["q50"], row["q75"]], "total": row["total"]}
            for name, row in found.items()} == numbers  # fmt: skip


@pytest.mark.parametrize("spec", ["seattle_weather"], indirect=True)
def test_seattle_weather(spec: Project) -> None:
    assert metrics(spec, "naive") == {
        "mae": pytest.approx(3.770137, abs=1e-6),
        "rmse": pytest.approx(4.883018, abs=1e-6),
    }
    assert metrics(spec, "warmest") == {
        "mae": pytest.approx(2.129120, abs=1e-6),
        "rmse": pytest.approx(2.701570, abs=1e-6),
    }
    assert sum(row["missed"] for row in spec.data("show", "misses", "--rows", "12")["first"]) == 128
    assert spec.run("export", "misses", "as_it_ran.ipynb").code == 0
    assert "To open it by hand" in (spec.root / "as_it_ran.ipynb").read_text(encoding="utf-8")


ROW = {
    "gender": "Female", "SeniorCitizen": 0, "Partner": "Yes", "Dependents": "No", "tenure": 1, "PhoneService": "No",
    "MultipleLines": "No phone service", "InternetService": "DSL", "OnlineSecurity": "No", "OnlineBackup": "Yes",
    "DeviceProtection": "No", "TechSupport": "No", "StreamingTV": "No", "StreamingMovies": "No",
    "Contract": "Month-to-month", "PaperlessBilling": "Yes", "PaymentMethod": "Electronic check",
    "MonthlyCharges": 29.85, "TotalCharges": 29.85,
}  # fmt: skip


def ask(address: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(address, json.dumps(body).encode(), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.parametrize("spec", ["telco_churn"], indirect=True)
def test_telco_churn(spec: Project) -> None:
    """From the csv to the service: one prediction, a bad request, a refused gate, a new model, and back again."""
    first = metrics(spec, "churn")
    assert first["roc_auc"] >= 0.83
    assert spec.data("show", "scores")["rows"] == 7043
    address = spec.data("show", "churn_api")["answers"]
    code, answer = ask(address, ROW)
    assert code == 200 and answer["prediction"] in (True, False) and 0 <= answer["probability"] <= 1
    code, wrong = ask(address, {**ROW, "tenure": "long"})
    assert code == 422 and wrong["errors"][0]["field"] == "tenure"
    code, wrong = ask(address, {**ROW, "tenure": 101})  # the range that the source declares
    assert code == 422 and wrong["errors"][0]["problem"] == "a value from 0 to 100 needed, got 101"
    assert spec.apply().out.startswith("Nothing to be made")

    text = (spec.root / "telco_churn.mlspec").read_text()
    spec.file("telco_churn.mlspec", text.replace("expect .roc_auc >= 0.83", "expect .roc_auc >= 0.99"))
    ran = spec.apply()
    assert ran.code == 3 and "needs 0.99, short by" in ran.out
    assert ask(address, ROW) == (200, answer)

    changed = text.replace("max_iter = 1000", "max_iter = 12")
    spec.file("telco_churn.mlspec", changed)
    plan = spec.run("plan").out
    assert "max_iter: 1000 -> 12" in plan and "customers  " not in plan
    failures, stop = [], threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            if ask(address, ROW)[0] != 200:
                failures.append(1)
            time.sleep(0.002)

    thread = threading.Thread(target=hammer)
    thread.start()
    ran = spec.apply()
    stop.set()
    thread.join()
    assert ran.code == 0, ran.text
    assert not failures
    assert ask(address, ROW)[1] != answer

    assert spec.run("rollback", "churn_api").code == 0
    assert ask(address, ROW) == (200, answer)
    assert spec.apply().code == 0
    assert ask(address, ROW) == (200, answer)  # what was withdrawn is not taken again
    assert "churn_api" in spec.run("status").out
    assert spec.run("logs", "churn_api").code == 0
    assert spec.run("stop", "churn_api").code == 0
    with pytest.raises(OSError):
        ask(address, ROW)
    assert spec.events()["churn_api"] == "served"


def test_two_applies_at_once_bring_up_one_service(project: Project) -> None:
    ignored = shutil.ignore_patterns(".mlspec", "compiled")
    shutil.copytree(SPECS / "telco_churn", project.root, dirs_exist_ok=True, ignore=ignored)
    both = [project.start("apply"), project.start("apply")]
    told = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert project.apply().out.startswith("Nothing to be made")
