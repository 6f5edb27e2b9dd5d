"""Words of other languages and tools, and what is meant by them here."""

from __future__ import annotations

from .kinds import RECIPES

STATEMENTS = {
    "import": "use", "include": "use", "module": "use", "variable": "param", "var": "param", "let": "param",
    "const": "param", "parameter": "param", "dataset": "data", "table": "data", "frame": "data", "source": "data",
    "df": "data", "estimator": "model", "classifier": "model", "regressor": "model", "endpoint": "service",
    "api": "service", "deploy": "service", "environment": "env", "profile": "env", "password": "secret",
}  # fmt: skip
LINES = {
    "metric": "measure", "metrics": "measure", "evaluate": "measure", "score": "measure", "target": "predict",
    "label": "predict", "learn": "predict", "assert": "expect", "check": "expect", "require": "expect",
    "ensure": "expect", "test": "expect", "validate": "expect", "schedule": "every", "cron": "every",
    "resources": "needs", "requires": "needs", "tune": "search", "optimize": "search", "partition": "each",
}  # fmt: skip
OTHER_TYPES = {
    "str": "text", "string": "text", "varchar": "text", "char": "text", "object": "text", "category": "text",
    "integer": "int", "int64": "int", "int32": "int", "bigint": "int", "smallint": "int", "long": "int",
    "number": "float", "double": "float", "float64": "float", "float32": "float", "decimal": "float", "real": "float",
    "numeric": "float", "boolean": "bool", "datetime": "timestamp", "datetime64": "timestamp", "time": "timestamp",
    "array": "list",
}  # fmt: skip
OTHER_FUNCTIONS = {
    "avg": "mean", "average": "mean", "stddev": "std", "stdev": "std", "nunique": "distinct", "n_unique": "distinct",
    "count_distinct": "distinct", "isnull": "nulls", "isna": "nulls", "null_count": "nulls", "missing": "nulls",
    "percentile": "quantile", "is_unique": "unique", "minimum": "min", "maximum": "max", "total": "sum",
}  # fmt: skip
OTHER_ARGUMENTS = {
    "sep": "delimiter", "separator": "delimiter", "na_values": "missing", "null": "missing", "na": "missing",
    "date_format": "dates", "sheet_name": "sheet", "skiprows": "skip", "quotechar": "quote", "random_state": "seed",
    "group": "by", "groups": "by", "key": "by", "order_by": "order", "sort": "order", "cpus": "cpu", "cores": "cpu",
    "mem": "memory", "ram": "memory", "timeout": "time", "gpus": "gpu", "retry": "retries", "max_retries": "retries",
    "n_trials": "trials", "cv": "folds", "endpoint": "route", "url": "route", "workers": "replicas",
}  # fmt: skip
OTHER_UNITS = {
    "k": "kB", "kb": "kB", "m": "MB", "mb": "MB", "g": "GB", "gb": "GB", "t": "TB", "tb": "TB", "ki": "KiB",
    "mi": "MiB", "gi": "GiB", "ti": "TiB", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m",
    "mins": "m", "minute": "m", "minutes": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d",
    "days": "d", "percent": "%", "pct": "%", "msec": "ms", "millis": "ms",
}  # fmt: skip
OTHER_RECIPES = {
    "rest": "http", "fastapi": "http", "flask": "http", "api": "http", "query": "sql", "duckdb": "sql", "select": "sql",
    "bash": "shell", "sh": "shell", "script": "shell", "command": "shell", "cmd": "shell", "jupyter": "notebook",
    "ipynb": "notebook", "train_test_split": "split", "function": "python", "py": "python", "tsv": "csv",
    "xlsx": "excel", "xls": "excel", "json": "jsonl", "ndjson": "jsonl", "pq": "parquet", "postgresql": "postgres",
    "pg": "postgres", "sqlite3": "sqlite", "directory": "folder", "dir": "folder", "files": "folder",
}  # fmt: skip
ARGUMENTS = frozenset(argument.name for recipe in RECIPES.values() for argument in recipe.arguments)
NOTHING = frozenset({"null", "None", "none", "NULL", "nil", "nan", "NaN", "NA"})
