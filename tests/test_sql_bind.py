"""What the compiler knows of a query without running it: the columns that come out, and mistakes at their place."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlspec.compiler import sql
from mlspec.compiler.program import Value
from mlspec.compiler.types import BOOL, DATE, FLOAT, INT, TEXT, TIMESTAMP, Column, Columns, Type, optional

PLAN = Type(base="text", values=("free", "pro"))
INVOICES: Columns = (
    Column(name="id", type=INT),
    Column(name="customer_id", type=INT),
    Column(name="amount", type=FLOAT),
    Column(name="day", type=DATE),
    Column(name="note", type=optional(TEXT)),
)
CUSTOMERS: Columns = (
    Column(name="id", type=INT),
    Column(name="plan", type=PLAN),
    Column(name="active", type=BOOL),
    Column(name="since", type=TIMESTAMP),
    Column(name="tags", type=Type(base="list", item=TEXT)),
    Column(name="fixed acidity", type=FLOAT),
)
TABLES: Mapping[str, Columns | None] = {"invoices": INVOICES, "customers": CUSTOMERS}


def bound(query: str, values: Mapping[str, Value] | None = None) -> sql.Bound:
    found = sql.bind(query, TABLES, values or {})
    assert found.problem is None, found.problem
    return found


def types(query: str, values: Mapping[str, Value] | None = None) -> dict[str, str]:
    columns = bound(query, values).columns
    assert columns is not None
    return {column.name: str(column.type) for column in columns}


def mistake(query: str, values: Mapping[str, Value] | None = None) -> tuple[str, str, str]:
    """The message, the text that is underlined, and the help."""
    found = sql.bind(query, TABLES, values or {})
    assert found.problem is not None
    assert found.columns is None
    problem = found.problem
    return problem.message, query[problem.start : problem.end], problem.help


# --- what comes out -------------------------------------------------------------------------------------------


def test_columns_come_out_with_their_types_in_order() -> None:
    assert types("select day, amount, id, note from invoices") == {
        "day": "date", "amount": "float", "id": "int", "note": "text?",
    }  # fmt: skip


def test_all_types_of_the_language_go_through() -> None:
    assert types("from customers") == {
        "id": "int", "plan": '"free" | "pro"', "active": "bool", "since": "timestamp", "tags": "list[text]",
        "fixed acidity": "float",
    }  # fmt: skip


def test_the_types_of_duckdb_become_those_that_the_store_keeps() -> None:
    found = types(
        "select sum(id) as s, 1.5 as d, 2::decimal(9, 0) as w, 1::utinyint as u, avg(amount) as m, now() as n,"
        " list(id) as l, 'a'::enum('a', 'b') as e, uuid() as k from invoices"
    )
    assert {name: word.rstrip("?") for name, word in found.items()} == {
        "s": "int", "d": "float", "w": "int", "u": "int", "m": "float", "n": "timestamp", "l": "list[int]", "e": "text",
        "k": "text",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("count(*) as n", "int"),
        ("count(*)", "int"),
        ("coalesce(max(note), '') as n", "text"),
        ("max(note) as n", "text?"),
        ("sum(amount) as n", "float?"),
    ],
)
def test_an_aggregate_may_be_missing_unless_it_is_known_otherwise(expression: str, name: str) -> None:
    assert list(types(f"select {expression} from invoices").values()) == [name]


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("amount * 2 + id", "float"),
        ("amount / id", "float?"),
        ("amount > 3 and id = 1", "bool"),
        ("note = 'x'", "bool?"),
        ("note is null", "bool"),
        ("case when note = 'x' then 1 else 0 end", "int"),
        ("case when note = 'x' then 1 end", "int?"),
        ("cast(amount as int)", "int"),
        ("try_cast(note as int)", "int?"),
        ("lower(note)", "text?"),
        ("row_number() over (order by day)", "int"),
        ("lag(amount) over (order by day)", "float?"),
        ("$bonus + amount", "float"),
        ("null::int", "int?"),
    ],
)
def test_what_is_made_of_what_is_there_is_there(expression: str, name: str) -> None:
    assert types(f"select {expression} as x from invoices", {"bonus": 2.5}) == {"x": name}


def test_an_outer_join_makes_its_other_side_optional() -> None:
    query = "select c.id, i.amount, c.plan from customers c {} join invoices i on i.customer_id = c.id"
    assert types(query.format("inner")) == {"id": "int", "amount": "float", "plan": '"free" | "pro"'}
    assert types(query.format("left")) == {"id": "int", "amount": "float?", "plan": '"free" | "pro"'}
    assert types(query.format("right")) == {"id": "int?", "amount": "float", "plan": '("free" | "pro")?'}
    assert types(query.format("full")) == {"id": "int?", "amount": "float?", "plan": '("free" | "pro")?'}


def test_where_it_is_not_null_it_is_not_missing() -> None:
    assert types("select note from invoices where id > 3 and note is not null") == {"note": "text"}
    assert types("select note from invoices where id > 3 or note is not null") == {"note": "text?"}


def test_grouping_sets_leave_keys_out() -> None:
    assert types("select id, plan from customers group by rollup (id, plan)") == {"id": "int?", "plan": "text?"}


def test_facts_go_through_named_queries_and_stars() -> None:
    query = """
      with spent as (select customer_id, sum(amount) as spend, count(*) as n from invoices group by all)
      select c.* exclude (since, tags), s.spend, s.n
      from customers c join (select * from spent) s on s.customer_id = c.id
    """
    assert types(query) == {
        "id": "int", "plan": '"free" | "pro"', "active": "bool", "fixed acidity": "float", "spend": "float?",
        "n": "int",
    }  # fmt: skip


def test_a_named_query_hides_the_input_of_its_name() -> None:
    query = "with invoices as (select id as i, note from invoices) select i, note is null as n from invoices"
    assert types(query) == {"i": "int", "n": "bool"}
    assert bound(query).tables == ("invoices",)


def test_replaced_and_renamed_columns_are_not_taken_for_the_old_ones() -> None:
    assert types("select * replace (note as id) from invoices")["id"] == "text?"
    assert types("select * rename (note as other) from invoices")["other"] == "text?"


def test_union_of_the_same_columns_keeps_what_holds_for_both() -> None:
    assert types("select id, plan from customers union all select id, plan from customers") == {
        "id": "int", "plan": '"free" | "pro"',
    }  # fmt: skip
    assert types("select note as x from invoices union all select plan as x from customers") == {"x": "text?"}
    assert types("select id, amount from invoices union all select customer_id, id from invoices") == {
        "id": "int?", "amount": "float?",
    }  # fmt: skip


def test_it_tells_which_inputs_and_values_are_used_and_whether_rows_are_ordered() -> None:
    query = "select id from Invoices where amount > $least and note in $words and id in (select id from customers)"
    found = bound(query, {"least": 3, "words": ("a", "b"), "other": 1})
    assert (found.tables, found.parameters, found.ordered) == (("invoices", "customers"), ("least", "words"), False)
    assert bound("select id from invoices order by id").ordered
    assert not bound("select id from (select id from invoices order by id)").ordered
    assert not bound("select row_number() over (order by id) as n from invoices").ordered


def test_a_trailing_semicolon_and_comments_are_no_second_query() -> None:
    assert types("-- first\nselect id from invoices; -- last\n") == {"id": "int"}


def test_of_unknown_inputs_only_what_is_certain_is_said() -> None:
    tables: Mapping[str, Columns | None] = {"invoices": INVOICES, "raw": None}
    found = sql.bind("select whatever, $x from raw join invoices using (id)", tables, {"x": 1})
    assert (found.columns, found.problem, found.tables, found.parameters) == (None, None, ("raw", "invoices"), ("x",))
    broken = sql.bind("select whatever from rwa", tables, {}).problem
    assert broken is not None
    assert broken.help == "did you mean raw?"
    assert sql.bind("select id from invoices", tables, {}).columns is not None


def test_the_same_name_may_have_other_columns_the_next_time() -> None:
    assert sql.bind("select a from t", {"t": (Column(name="a", type=INT),)}, {}).columns == (
        Column(name="a", type=INT),
    )
    assert sql.bind("select a from t", {"t": (Column(name="b", type=INT),)}, {}).columns is None
    assert sql.bind("select a from t", {"t": (Column(name="a", type=TEXT),)}, {}).columns == (
        Column(name="a", type=TEXT),
    )


def test_a_table_of_another_bind_is_not_there() -> None:
    bound("select id from customers")
    problem = sql.bind("select id from customers", {"invoices": INVOICES}, {}).problem
    assert problem is not None
    assert problem.message == "no input named customers; the inputs are invoices"


# --- mistakes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "message", "underlined", "way_out"),
    [
        ("select id, amont from invoices", "no column named amont in invoices", "amont", "did you mean amount?"),
        ("select i.amont from invoices i", "no column named amont in invoices", "amont", "did you mean amount?"),
        ('select "fixed acidty" from customers', "no column named fixed acidty in customers", '"fixed acidty"',
         "did you mean fixed acidity?"),
        ("select 'é', 'ü', amont from invoices", "no column named amont in invoices", "amont", "did you mean amount?"),
        ("select x.amount from invoices i", "no table named x here", "x", "known: i"),
        ("select * exclude (amont) from invoices", "no column named amont in invoices", "amont",
         "did you mean amount?"),
        ("select * from invoices join customers using (idd)", "no column named idd in invoices, customers", "idd",
         "did you mean id?"),
        ("select id from invoces", "no input named invoces; the inputs are invoices, customers", "invoces",
         "did you mean invoices?"),
        ("select * from 'data/x.csv'", "no input named data/x.csv; the inputs are invoices, customers", "'data/x.csv'",
         "name it after from in the block's header"),
        ("select * from read_csv('x.csv')", "a query reads its inputs only", "read_csv('x.csv')",
         'make the file data of its own: data x from csv "…"'),
        ("select sum(amount), day from invoices", "day is neither grouped nor aggregated", "day",
         "write group by all, or any_value(day)"),
        ("select sum(note) from invoices", "sum does not take text", "sum",
         "cast what it is given, as in cast(x as double)"),
        ("select flor(amount) from invoices", "no function named flor", "flor", "did you mean floor?"),
        ("select cast(note as inte) from invoices", "no type named inte", "inte", "did you mean int?"),
        ("select id from invoices where day > 5", "date cannot be compared with int", "day > 5", "cast one of them"),
        ("select id from invoices i join customers c on i.customer_id = c.id", "id could be i.id or c.id", "id",
         "write which one"),
        ("select id from invoices where sum(amount) > 2", "where clause cannot hold an aggregate", "sum(amount)",
         "a condition on an aggregate stands after having"),
        ("select id, note as id from invoices", "two columns are named id", "note",
         "leave one out, or give it another name with as"),
        ("select c.*, i.* from customers c, invoices i", "two columns are named id", "i.*",
         "leave one out, or give it another name with as"),
        ("select id, day - since as gap from invoices join customers using (id)",
         "column gap would be of type INTERVAL, which mlspec does not hold", "-",
         "make it a number: date_diff('second', a, b) or epoch(…)"),
        ("select id, {'a': 1} as s from invoices",
         "column s would be of type STRUCT(a INTEGER), which mlspec does not hold", "{'a': 1}",
         "take its fields: x.a, x.b"),
        ("pivot invoices on note using sum(amount)", "the columns of a pivot must be known", "pivot",
         "list its values: pivot … on x in ('a', 'b')"),
        ("selec id from invoices", "selec should not stand here", "selec", "did you mean select?"),
        ("select id from invoices where and true", "and should not stand here", "and", ""),
        ("select 'abc from invoices", "a text without its closing '", "'", ""),
        ("select 1; select 2", "more than one query", "select",
         "write one; a part of it can be named: with x as (select …)"),
        ("drop table invoices", "a query selects rows and changes nothing", "drop", "write a select"),
        ("describe invoices", "a query selects rows; describe and summarize do not", "describe", "write a select"),
        ("", "there is no query", "", "write a select"),
        ("select id from invoices where note = $contry", "$contry has no value", "$contry", "did you mean $country?"),
        ("select id from invoices where note = ?", "a value is named, not numbered", "?", "write $name"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_plain_words_at_its_place(query: str, message: str, underlined: str, way_out: str) -> None:
    assert mistake(query, {"country": "CH"}) == (message, underlined, way_out)


def test_a_mistake_on_a_later_line_is_underlined_there() -> None:
    query = "select id,\n       -- the sum\n       amont as spend\nfrom invoices"
    assert mistake(query)[1] == "amont"


def test_no_message_speaks_duckdbs_jargon() -> None:
    for query in (
        "select nope(",
        "select (select id, note from invoices)",
        "select a.b.c from invoices",
    ):
        message, _, way_out = mistake(query)
        for word in ("Binder", "Catalog", "VARCHAR", "INT64", "LINE", "Candidate", "!", "\n"):
            assert word not in message + way_out


def test_values_take_part_in_the_types() -> None:
    assert mistake("select id from invoices where day > $least", {"least": 3})[0] == "date cannot be compared with int"
    assert types("select id from invoices where day > $least", {"least": "2020-01-01"}) == {"id": "int"}


def test_a_query_deeper_than_python_is_a_mistake_not_a_crash() -> None:
    assert mistake("select " + "+".join(["id"] * 900) + " as x from invoices")[0] == "the query is nested too deeply"


def test_names_that_differ_by_capitals_only_are_told() -> None:
    problem = sql.bind("select * from t", {"t": (Column(name="A", type=INT), Column(name="a", type=INT))}, {}).problem
    assert problem is not None
    assert problem.message == "two columns of an input are named a"


# --- the same query -------------------------------------------------------------------------------------------

WORDS = ("select", "id", ",", "sum", "(", "amount", ")", "as", "s", "from", "invoices", "where", "note", "=", "'A  b'",
         "group", "by", "id", "order", "by", "1")  # fmt: skip
KEYWORDS = {"select", "as", "from", "where", "group", "by", "order"}
GAPS = st.sampled_from((" ", "\n", "\t  ", " /* why */ ", " -- why\n", "\n\n"))
QUERY = " ".join(WORDS)


@settings(max_examples=60, deadline=None)
@given(gaps=st.lists(GAPS, min_size=len(WORDS), max_size=len(WORDS)), capitals=st.booleans())
def test_layout_comments_and_capitals_of_keywords_do_not_count(gaps: list[str], capitals: bool) -> None:
    words = [word.upper() if capitals and word in KEYWORDS else word for word in WORDS]
    written = "".join(gap + word for gap, word in zip(gaps, words, strict=True)) + " ;"
    assert sql.fingerprint(written) == sql.fingerprint(QUERY)


@settings(max_examples=60, deadline=None)
@given(
    one=st.text(st.characters(exclude_categories=("Cs", "Cc"))),
    other=st.text(st.characters(exclude_categories=("Cs", "Cc"))),
)
def test_another_text_is_another_query(one: str, other: str) -> None:
    def written(text: str) -> str:
        return "select id from invoices where note = '" + text.replace("'", "''") + "'"

    assert (sql.fingerprint(written(one)) == sql.fingerprint(written(other))) == (one == other)


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet="selctfromwhi ()*,;'\"$?-/\n1é", max_size=40))
def test_no_text_makes_it_fail(text: str) -> None:
    sql.fingerprint(text)
    problem = sql.bind(text, TABLES, {}).problem
    if problem is not None:
        assert 0 <= problem.start <= problem.end <= len(text)
        assert problem.message


def test_numbers_columns_and_order_count() -> None:
    prints = {
        sql.fingerprint(query)
        for query in (
            "select id from t limit 3", "select id from t limit 4", "select id2 from t limit 3",
            "select id from u limit 3", "select id from t order by id limit 3",
            "select id from t order by id desc limit 3", "select id as x from t limit 3",
        )
    }  # fmt: skip
    assert len(prints) == 7


def test_what_duckdb_cannot_read_has_a_fingerprint_too() -> None:
    assert sql.fingerprint("pivot t on x  using sum(y)") == sql.fingerprint("PIVOT t ON x -- why\n USING sum(y)")
    assert sql.fingerprint("pivot t on x using sum(y)") != sql.fingerprint("pivot t on x using sum(z)")


@pytest.mark.parametrize(
    ("query", "at", "message"),
    [
        ("select * from invoices where amount > $least", "$least", "amount is float, and $least is 'many'"),
        ("select * from invoices where amount = 'ten'", "'ten'", "amount is float, and 'ten' stands here"),
        ("select * from invoices where day in ('2020-01-01', 'soon')", "'soon'", "day is date, and 'soon' stands here"),
        ("select * from customers c where c.since between '2020-01-01' and 'now and then'", "'now and then'",
         "since is timestamp, and 'now and then' stands here"),
    ],
)  # fmt: skip
def test_a_text_that_a_column_can_never_be(query: str, at: str, message: str) -> None:
    problem = sql.bind(query, TABLES, {"least": "many"}).problem
    assert problem is not None and problem.message == message
    assert query[problem.start : problem.end] == at


@pytest.mark.parametrize(
    "query",
    [
        "select * from invoices where amount > '10' and day > '2020-01-01' and note = 'x'",
        "select * from invoices where amount > $least",
        "with b as (select note as amount from invoices) select * from b where amount = 'ten'",
        "select id from invoices i join customers c using (id) where id = '3'",
    ],
)
def test_a_text_that_a_column_can_be(query: str) -> None:
    assert sql.bind(query, TABLES, {"least": "3.5"}).problem is None
