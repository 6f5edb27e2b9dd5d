"""What the workers of an apply import once, before they are forked."""

from __future__ import annotations

from ...compiler.program import Program


def preload(program: Program) -> list[str]:
    """The modules that steps of this program import, to import them once."""
    words = {node.recipe.word for node in program.nodes}
    wanted = ["pyarrow.parquet", "pyarrow.compute"]
    if words & {"sql", "split"} or any(node.expects and node.kind == "data" for node in program.nodes):
        wanted.append("duckdb")
    if words & {"python", "predict"}:
        wanted.append("pandas")
    codes = [node.recipe.code for node in program.nodes if node.kind == "model"]
    wanted += ["sklearn.metrics"] if codes else []
    if any(code is not None and (code.is_class or not code.files) for code in codes):
        wanted.append("skrub")  # the encoder before a class with fit and predict
    return wanted
