"""Mistakes about services: how they are asked, and what is kept of it."""

from __future__ import annotations

from .code import Code

SERVICES = (
    Code(
        "E223",
        "{name} keeps no log, so nothing can be read from it",
        (
            "What a service saw is read from the log that it keeps of its requests and answers. With log = false it "
            "keeps none."
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
            "service api from m by http {\n"
            "  log = false\n"
            "}\n"
            "data seen from api\n"
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
            "service api from m by http\n"
            "data seen from api\n"
        ),
    ),
    Code(
        "E224",
        "nothing says which columns {name} has",
        (
            "What a service saw has the columns that its model is asked about. Where that model is itself made from "
            "what was seen, they are not known yet, and the block has to name those that it reads."
        ),
        (
            "data seen from last api\n"
            'data a from seen by sql "select spend, prediction as y from seen"\n'
            'model m from a by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .spend\n"
            "}\n"
            "service api from m by http\n"
        ),
        (
            "data seen from last api {\n"
            "  spend:      float\n"
            "  prediction: float\n"
            "}\n"
            'data a from seen by sql "select spend, prediction as y from seen"\n'
            'model m from a by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .spend\n"
            "}\n"
            "service api from m by http\n"
        ),
    ),
    Code(
        "E225",
        "nothing says what to ask {name}, so how long it takes cannot be found out",
        (
            "A new release is tried before it answers. A model is tried with rows of its data; a function of yours "
            "with the request that example names."
        ),
        ('service api by python "m.py:answer" {\n  expect .p95 < 50ms\n}\n'),
        ('service api by python "m.py:answer" {\n  example = "request.json"\n  expect .p95 < 50ms\n}\n'),
    ),
    Code(
        "E226",
        "{file} is no request of {name}: {problem}",
        "The example is sent to each new release as a client would send it, so it must be one JSON value that fits.",
        ('service api by python "m.py:answer" {\n  example = "broken.json"\n}\n'),
        ('service api by python "m.py:answer" {\n  example = "request.json"\n}\n'),
    ),
    Code(
        "E227",
        'the service cannot answer at "{route}": {problem}',
        "A service answers at its route, and at /, /health, /ready, /metrics and /openapi.json with what it is and does.",
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
            "service api from m by http {\n"
            '  route = "score"\n'
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
            "service api from m by http {\n"
            '  route = "/score"\n'
            "}\n"
        ),
    ),
    Code(
        "E407",
        "{function}() has no parameter request",
        (
            "A service by python is a function that gets its inputs and arguments by name, and each request in the "
            "parameter that is named request."
        ),
        ('service api by python "m.py:clean" {\n  a = 1\n  least = 2\n}\n'),
        ('service api by python "m.py:answer"\n'),
    ),
    Code(
        "E408",
        "{place} holds {field}: {type}, which mlspec cannot check a request by",
        (
            "The fields of a request that is a class are int, float, str, bool, date, datetime, a list of these, a "
            "Literal of texts, or dict and Any for any JSON; with | None where null may stand."
        ),
        ('service api by python "nested.py:answer"\n'),
        ('service api by python "m.py:answer"\n'),
    ),
    Code(
        "E409",
        "{entry} is a class, and a service is answered by a function",
        "What answers is called once for each request, with the request in the parameter of that name.",
        ('service api by python "m.py:Answer"\n'),
        ('service api by python "m.py:answer"\n'),
    ),
)
