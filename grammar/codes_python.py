"""The mistakes in what a person wrote in Python, notebooks and SQL, as far as a spec uses it: E4 and E5."""

from __future__ import annotations

from .code import Code

PYTHON = (
    # --- python and notebooks --------------------------------------------------------------------------------
    Code(
        "E401",
        "{message}",
        (
            "A Python recipe names a function or class in a file of yours, or in an installed package: "
            '"file.py:function" or "package.module:attribute".'
        ),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:claen" {\n  least = 1\n}\n'),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:clean" {\n  least = 1\n}\n'),
        about="a Python function or class that cannot be used",
    ),
    Code(
        "E402",
        "{function}() has no parameter {name}",
        (
            "The parameters of the function are the inputs and arguments, matched by name. What it has no "
            "parameter for would be lost."
        ),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:clean" {\n  leest = 1\n}\n'),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:clean" {\n  least = 1\n}\n'),
    ),
    Code(
        "E403",
        "{function}() needs {missing}, and nothing gives it",
        (
            "The parameters of the function are the inputs and arguments, matched by name. One without a "
            "default must be given."
        ),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:clean"\n'),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:clean" {\n  least = 1\n}\n'),
    ),
    Code(
        "E404",
        "{function} takes {wanted} as {name}, not {found}",
        (
            "What a function or class takes is read from its source: its annotations, its defaults, and "
            "scikit-learn's own rules for its arguments."
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.ensemble:RandomForestClassifier" {\n'
            "  predict .y from .x\n"
            '  criterion = "ginny"\n'
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.ensemble:RandomForestClassifier" {\n'
            "  predict .y from .x\n"
            '  criterion = "gini"\n'
            "}\n"
        ),
    ),
    Code(
        "E405",
        "{function}() takes {name} as {asked}, and data has no such form",
        (
            "The annotation of a parameter chooses the form in which data arrives: a pandas or polars frame, "
            "pyarrow.Table, numpy.ndarray, a DuckDB relation or pathlib.Path; pandas when unsaid."
        ),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:listed"\n'),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:framed"\n'),
    ),
    Code(
        "E406",
        "{function}() returns {returned}, which does not make {name}",
        (
            "Data is made of a table, a path or, for several outputs, a tuple or a dict of them; a model of "
            "an object with predict or a folder's path, with its metrics beside it if there are some."
        ),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:counted"\n'),
        ('data a from csv "a.csv"\ndata b from a by python "m.py:framed"\n'),
    ),
    Code(
        "E410",
        "{name} has no {lacks}, and cannot be the model",
        (
            "A class that makes a model is fitted with fit on the columns that its predict line names, and asked "
            "with predict. What only changes data, as a scaler does, belongs before a model, in one pipeline with it."
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.preprocessing:StandardScaler" {\n'
            "  predict .y from .x\n"
            "}\n"
        ),
        (
            'data a from csv "a.csv"\n'
            'model m from a by python "sklearn.linear_model:LinearRegression" {\n'
            "  predict .y from .x\n"
            "}\n"
        ),
    ),
    Code(
        "E411",
        "{message}",
        "A notebook recipe names a notebook in Python, whose cells can be read without running them.",
        ('data a from csv "a.csv"\ndata b from a by notebook "celan.ipynb" {\n  least = 1\n}\n'),
        ('data a from csv "a.csv"\ndata b from a by notebook "clean.ipynb" {\n  least = 1\n}\n'),
        about="a notebook that cannot be used",
    ),
    Code(
        "E412",
        "{notebook} has no parameter {name}",
        (
            "The cell that is tagged parameters holds the defaults of all that a notebook can be given; "
            "arguments take their place. A notebook without such a cell takes any argument."
        ),
        ('data a from csv "a.csv"\ndata b from a by notebook "clean.ipynb" {\n  leest = 1\n}\n'),
        ('data a from csv "a.csv"\ndata b from a by notebook "clean.ipynb" {\n  least = 1\n}\n'),
    ),
    Code(
        "E413",
        "no cell of {notebook} assigns {name}",
        (
            "What a notebook makes is what it leaves in a variable of the output's name: for several "
            "outputs, one variable each."
        ),
        ('data a from csv "a.csv"\ndata c from a by notebook "clean.ipynb" {\n  least = 1\n}\n'),
        ('data a from csv "a.csv"\ndata b from a by notebook "clean.ipynb" {\n  least = 1\n}\n'),
    ),
)

SQL = (
    # --- sql -------------------------------------------------------------------------------------------------
    Code(
        "E501",
        "{message}",
        (
            "Queries are bound against the columns of their inputs before anything runs, so this is what the "
            "database would say in the middle of the night."
        ),
        ('data a from csv "a.csv"\ndata b from a by sql "select nme from a"\n'),
        ('data a from csv "a.csv"\ndata b from a by sql "select name from a"\n'),
        about="a query that does not fit what it reads",
    ),
    Code(
        "E502",
        "the query has no ${name}",
        (
            "The arguments of a query are bound to the names in it that begin with $. One that the query "
            "does not name would change nothing."
        ),
        ('data a from csv "a.csv"\ndata b from a by sql "select * from a" {\n  least = 1\n}\n'),
        ('data a from csv "a.csv"\ndata b from a by sql "select * from a where x >= $least" {\n  least = 1\n}\n'),
    ),
    Code(
        "E503",
        "the query does not read {name}",
        (
            "What stands after from goes in; an input that is not read makes the artifact depend on it for "
            "nothing, and be made again whenever it changes."
        ),
        ('data a from csv "a.csv"\ndata c from csv "b.csv"\ndata b from a, c by sql "select * from a"\n'),
        (
            'data a from csv "a.csv"\n'
            'data c from csv "b.csv"\n'
            'data b from a, c by sql "select a.*, c.z from a join c using (id)"\n'
        ),
    ),
)
