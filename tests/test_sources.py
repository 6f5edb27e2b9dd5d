"""Sources: what a file holds comes out as it is, or is refused with its line and the reason."""

from __future__ import annotations

import csv as python_csv
import gzip
import io
import json
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import Project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlspec.compiler.program import Recipe
from mlspec.compiler.types import BOOL, DATE, FLOAT, INT, TEXT, TIMESTAMP, Column, Columns, Type, optional
from mlspec.runtimes import sources, tables
from mlspec.runtimes.order import Make
from mlspec.runtimes.recipes import read
from mlspec.runtimes.sources import csv
from mlspec.runtimes.sources.typed import Reading
from mlspec.runtimes.store.objects import Objects, digest_of_file
from mlspec.runtimes.trouble import Trouble


class Place:
    """A folder with files, and its store."""

    def __init__(self, root: Path, store: Path) -> None:
        self.root, self.objects = root, Objects(store)

    def write(self, name: str, content: str | bytes) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def order(
        self, word: str, place: str, declared: Columns = (), names: tuple[str, ...] = ("raw",), **arguments: Any
    ) -> Make:
        files = sources.find(self.root, place)
        return Make(
            key="k", names=names, kind="data", recipe=Recipe(word=word, place=place), arguments=arguments,
            declared=declared, expected={file: digest_of_file(self.root / file) for file in files}, root=str(self.root),
        )  # fmt: skip

    def read(self, word: str, place: str, *declared: Column, **arguments: Any) -> pa.Table:
        """What the compiler sees and what is made agree, in every one of these tests."""
        order = self.order(word, place, declared, **arguments)
        seen = sources.inspect(self.root, word, place, arguments, declared)
        made = read.make(order, self.objects).outputs["raw"]
        table = tables.read(self.objects, made.digest)
        renamed = {column.origin or column.name: column for column in declared}
        for column, name in zip(seen, table.column_names, strict=True):
            if column.name in renamed:
                assert (renamed[column.name].name, column.type) == (name, renamed[column.name].type)
            else:
                assert (column.name, tables.to_arrow(column.type)) == (name, table.schema.field(name).type)
                assert column.type.optional == (table.column(name).null_count > 0)
        return table

    def csv(self, content: str | bytes, *declared: Column, **arguments: Any) -> pa.Table:
        return self.read("csv", self.write("x.csv", content), *declared, **arguments)

    def refused(
        self, word: str, place: str, *declared: Column, **arguments: Any
    ) -> tuple[pa.Table, list[dict[str, Any]]]:
        made = read.make(self.order(word, place, declared, ("raw", "rejects"), **arguments), self.objects).outputs
        kept, rejects = (tables.read(self.objects, made[name].digest) for name in ("raw", "rejects"))
        return kept, rejects.to_pylist()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "spec").mkdir()
    return Place(tmp_path / "spec", tmp_path / "store")


def column(name: str, type_: Type, **more: Any) -> Column:
    return Column(name=name, type=type_, declared=True, **more)


def types(table: pa.Table) -> list[str]:
    return [str(tables.from_arrow(field.type)) for field in table.schema]


# --- how rows are written ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,x\n2,y\n",
        b"a,b\n1,x\n2,y",
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        b"a,b\r\n1,x\r\n2,y\r\n",
        b"a,b\r1,x\r2,y\r",
        b"\n\na,b\n\n1,x\n\n\n2,y\n\n",
        b'"a","b"\n"1","x"\n"2","y"\n',
    ],
    ids=["plain", "no last line end", "mark", "crlf", "cr", "empty lines", "quoted"],
)
def test_the_same_rows_in_every_way_of_writing(place: Place, content: bytes) -> None:
    assert place.csv(content).to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


def test_quotes_hold_delimiters_line_ends_and_quotes(place: Place) -> None:
    table = place.csv('a,b\n"x,1","say ""hi"""\n"two\nlines","cr\r\nlf"\n')
    assert table.to_pydict() == {"a": ["x,1", "two\nlines"], "b": ['say "hi"', "cr\r\nlf"]}


def test_a_quote_inside_a_value_is_a_character(place: Place) -> None:
    assert place.csv('a,b\n5" pipe,1\n').to_pydict() == {"a": ['5" pipe'], "b": [1]}


def test_quotes_can_be_turned_off_and_delimiters_chosen(place: Place) -> None:
    table = place.csv('a\tb\n"x\t5" \n', delimiter="\t", quote="")
    assert table.to_pydict() == {"a": ['"x'], "b": ['5" ']}
    assert place.csv("a§b\n1§2\n", delimiter="§").to_pydict() == {"a": [1], "b": [2]}


def test_encodings(place: Place) -> None:
    assert place.csv("a\nZürich\n".encode("latin-1"), encoding="latin-1")["a"].to_pylist() == ["Zürich"]
    assert place.csv("a\nZürich\n".encode("utf-16"), encoding="utf-16")["a"].to_pylist() == ["Zürich"]


def test_another_encoding_than_said_is_told_with_its_line(place: Place) -> None:
    with pytest.raises(Trouble, match=r"could not read x.csv: line 3 is not utf-8") as told:
        place.csv("a\nx\nZürich\n".encode("latin-1"))
    assert 'encoding = "latin-1"' in told.value.help
    with pytest.raises(Trouble, match="no encoding utf-9"):
        place.csv("a\n1\n", encoding="utf-9")


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_an_empty_file_is_told(place: Place, content: bytes) -> None:
    with pytest.raises(Trouble, match=r"could not read x.csv: it is empty"):
        place.csv(content)


def test_a_header_alone_is_no_rows(place: Place) -> None:
    table = place.csv("a,b\n", column("a", INT))
    assert (table.num_rows, types(table)) == (0, ["int", "text"])


def test_names_twice_are_told_and_no_name_is_its_place(place: Place) -> None:
    with pytest.raises(Trouble, match="two of its columns are named a"):
        place.csv("a,b,a\n1,2,3\n")
    assert place.csv(",b\n0,x\n").column_names == ["c1", "b"]


def test_without_a_header_the_declared_columns_name_the_others_are_numbered(place: Place) -> None:
    assert place.csv("1,x\n2,y\n", header=False).column_names == ["c1", "c2"]
    table = place.csv("1,x,9\n2,y,9\n", column("id", INT), column("word", TEXT), header=False)
    assert table.to_pydict() == {"id": [1, 2], "word": ["x", "y"], "c3": [9, 9]}
    assert place.csv("1,x\n", column("word", TEXT, origin="c2"), header=False).column_names == ["c1", "word"]


def test_a_row_longer_than_any_block(place: Place) -> None:
    long = "x" * (csv.BLOCK + 10)
    assert place.csv(f'a,b\n1,"{long}"\n2,y\n')["b"].to_pylist() == [long, "y"]


def test_rows_and_columns_are_kept_as_they_stand(place: Place) -> None:
    table = place.csv("fixed acidity,pH\n7,3\n6,4\n7,3\n", column("acidity", FLOAT, origin="fixed acidity"))
    assert table.to_pydict() == {"acidity": [7.0, 6.0, 7.0], "pH": [3, 4, 3]}


# --- what values are -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-2", "0"], "int"),
        (["9223372036854775807"], "int"),
        (["9223372036854775808", "1"], "text"),
        (["1", "2.5"], "float"),
        (["1e5", "-.5", "5.", "1E-3"], "float"),
        (["007", "12"], "text"),
        (["-01"], "text"),
        (["00.5"], "text"),
        (["0x10"], "text"),
        (["+5"], "text"),
        ([" 5"], "text"),
        (["5 "], "text"),
        (["1_000"], "text"),
        (["nan", "1.5"], "text"),
        (["inf"], "text"),
        (["1e999"], "text"),
        (["٣"], "text"),
        (["true", "FALSE", "True"], "bool"),
        (["true", "yes"], "text"),
        (["Yes", "No"], "text"),
        (["0", "1"], "int"),
        (["2012-01-01", "2012-02-29"], "date"),
        (["2013-02-29"], "text"),
        (["2012-1-1"], "text"),
        (["2012/01/01"], "text"),
        (["2012-01-01T10:00", "2012-01-01 10:00:01.5"], "timestamp"),
        (["2012-01-01 10:00Z", "2012-01-01T10:00:00+02:00"], "timestamp"),
        (["2012-01-01 10:00Z", "2012-01-01 10:00"], "text"),
        (["2012-01-01 10"], "text"),
        (["2012-01-01", "2012-01-01 10:00"], "text"),
        (["0000-01-01"], "text"),
        (["0001-01-01T00:00+05:00"], "text"),
        (["t", "f"], "text"),
    ],
)
def test_a_column_is_what_all_its_values_are(place: Place, values: list[str], type_: str) -> None:
    table = place.csv("k,a\n" + "".join(f"k,{value}\n" for value in values))
    assert types(table)[1] == type_
    if type_ == "text":
        assert table["a"].to_pylist() == values
    holed = place.csv("k,a\n" + "".join(f"k,{value}\nk,\n" for value in values))
    assert types(holed)[1] == type_
    assert holed["a"].null_count == len(values)


def test_a_column_without_values_is_text(place: Place) -> None:
    table = place.csv("a,b\n1,\n2,\n")
    assert types(table) == ["int", "text"]
    assert table["b"].null_count == 2


def test_a_value_far_down_counts_too(place: Place) -> None:
    table = place.csv("a\n" + "1\n" * 300_000 + "x\n")
    assert types(table) == ["text"]


def test_missing_is_the_empty_field_or_the_words_said(place: Place) -> None:
    assert types(place.csv("a,k\n1,x\n ,x\n")) == ["text", "text"]
    assert place.csv("a,k\n1,x\n ,x\n", missing=(" ",))["a"].to_pylist() == [1, None]
    assert place.csv("a,k\n1,x\nNA,x\n,x\n", missing=("NA", ""))["a"].to_pylist() == [1, None, None]


def test_timestamps_are_utc_without_a_zone(place: Place) -> None:
    table = place.csv("a,b\n2012-01-01T10:00:00+02:00,2012-01-01 10:00:00.123456789\n")
    assert table.to_pylist() == [{"a": datetime(2012, 1, 1, 8), "b": datetime(2012, 1, 1, 10, 0, 0, 123456)}]


def test_decimals_and_thousands(place: Place) -> None:
    table = place.csv("a;b\n1.234.567,5;1.000\n-2,25;20\n", delimiter=";", decimal=",", thousands=".")
    assert table.to_pydict() == {"a": [1234567.5, -2.25], "b": [1000, 20]}
    assert types(place.csv("a;b\n1.5;x\n", delimiter=";", decimal=",")) == ["text", "text"]
    assert types(place.csv('a\n"1,23"\n', thousands=",")) == ["text"]
    with pytest.raises(Trouble, match="decimal and thousands"):
        place.csv("a\n1\n", decimal=",", thousands=",")


def test_dates_as_they_are_said_to_be_written(place: Place) -> None:
    table = place.csv("a,b\n31.12.2012,31.12\n1.2.2013,x\n", dates="%d.%m.%Y")
    assert table.to_pydict() == {"a": [date(2012, 12, 31), date(2013, 2, 1)], "b": ["31.12", "x"]}
    assert types(place.csv("a\n30.02.2013\n", dates="%d.%m.%Y")) == ["text"]
    moments = place.csv("a\n31.12.2012 10:30\n", dates="%d.%m.%Y %H:%M")
    assert moments["a"].to_pylist() == [datetime(2012, 12, 31, 10, 30)]
    with pytest.raises(Trouble, match="no way to write dates"):
        place.csv("a\n1\n", dates="%Q")


def test_iso_dates_beside_dates_written_otherwise_are_not_guessed_at(place: Place) -> None:
    name = place.write("x.csv", "a\n2012-13-01\n2012-12-31\n")
    with pytest.raises(Trouble, match=r'line 3 of x.csv: a is "2012-12-31", expected date'):
        place.read("csv", name, column("a", DATE), dates="%Y-%d-%m")


def test_declared_columns_are_read_as_declared(place: Place) -> None:
    table = place.csv(
        "i,f,t,d,m,b,s\n007,3,8001,2012-01-01,2012-01-01,TRUE,pro\n",
        column("i", INT), column("f", FLOAT), column("t", TEXT), column("d", DATE), column("m", TIMESTAMP),
        column("b", BOOL), column("plan", Type(base="text", values=("free", "pro")), origin="s"),
    )  # fmt: skip
    assert table.to_pylist() == [
        {"i": 7, "f": 3.0, "t": "8001", "d": date(2012, 1, 1), "m": datetime(2012, 1, 1), "b": True, "plan": "pro"}
    ]


def test_a_declared_column_that_is_not_there(place: Place) -> None:
    order = place.order("csv", place.write("x.csv", "tenure,n\n1,2\n"), (column("tenur", INT),))
    with pytest.raises(Trouble, match="no column tenur") as told:
        read.make(order, place.objects)
    assert told.value.help == "did you mean tenure?"
    order = place.order("csv", place.write("x.csv", "tenure;n\n1;2\n"), (column("tenure", INT),))
    with pytest.raises(Trouble, match="no column tenure") as told:
        read.make(order, place.objects)
    assert 'delimiter = ";"' in told.value.help


# --- rows that do not fit ------------------------------------------------------------------------------------

ROWS = """id,plan,n
1,pro,5

2,"a
b",6
3,pro
4,pro,7,8
5,free,x
5,free,9
1,pro,9
6,,9
7,pro,99
"""


def test_rows_that_do_not_fit_go_to_the_second_output_with_line_and_reason(place: Place) -> None:
    kept, rejects = place.refused(
        "csv", place.write("x.csv", ROWS),
        column("id", INT, unique=True), column("plan", Type(base="text", values=("pro", "free"))),
        column("n", INT, low=0, high=10),
    )  # fmt: skip
    assert kept.to_pydict() == {"id": [1, 5], "plan": ["pro", "free"], "n": [5, 9]}
    plans = '"pro" | "free"'
    assert [(r["line"], r["column"], r["value"], r["reason"], r["row"]) for r in rejects] == [
        (4, "plan", "a\nb", f"expected {plans}", '2,"a\nb",6'),
        (6, None, None, "expected 3 values, found 2", "3,pro"),
        (7, None, None, "expected 3 values, found 4", "4,pro,7,8"),
        (8, "n", "x", "expected int", "5,free,x"),
        (10, "id", "1", "expected unique, stands in an earlier row", "1,pro,9"),
        (11, "plan", None, f"missing, expected {plans}", "6,,9"),
        (12, "n", "99", "expected 0..10", "7,pro,99"),
    ]
    assert {r["file"] for r in rejects} == {"x.csv"}


def test_without_a_second_output_the_first_one_is_told_with_ways_out(place: Place) -> None:
    name = place.write("telco.csv", "id,TotalCharges\n1,2.5\n" + "2, \n" * 42)
    with pytest.raises(Trouble) as told:
        place.read("csv", name, column("TotalCharges", FLOAT))
    assert str(told.value) == (
        'could not read telco.csv: line 3 of telco.csv: TotalCharges is " ", expected float, and 41 more rows'
    )
    assert 'TotalCharges: float? with missing = [" "]' in told.value.help
    assert 'data raw, rejects from csv "telco.csv"' in told.value.help


def test_a_missing_value_is_told_with_its_way_out(place: Place) -> None:
    with pytest.raises(Trouble, match=r"line 3 of x.csv: n is missing, expected int$") as told:
        place.csv("k,n\nx,1\ny,\n", column("n", INT))
    assert "n: int?" in told.value.help


def test_a_ragged_row_is_never_padded_nor_dropped(place: Place) -> None:
    with pytest.raises(Trouble, match=r"line 3 of x.csv: expected 2 values, found 1, and 1 more row$"):
        place.csv("a,b\n1,2\n3\n4,5,6\n")


@pytest.mark.parametrize("end", ["", "\n", "\n3,4\n"])
def test_a_quote_that_is_never_closed_is_refused(place: Place, end: str) -> None:
    name = place.write("x.csv", f'a,b\n1,2\n5" pipe,"open{end}')
    kept, rejects = place.refused("csv", name)
    assert kept.num_rows == 1
    assert [(r["line"], r["reason"]) for r in rejects] == [(3, "a quote is opened and never closed")]


def test_undeclared_columns_are_what_they_are_with_the_refused_rows(place: Place) -> None:
    """So that the compiler, which does not look for rows to refuse, and the job are of one mind."""
    kept, _ = place.refused("csv", place.write("x.csv", "a,b\n1,2\nx,y\n"), column("a", INT))
    assert types(kept) == ["int", "text"]


# --- many files, and packed ones -----------------------------------------------------------------------------


def test_many_files_are_one_table_in_order_of_their_names(place: Place) -> None:
    place.write("in/2.csv", "b,a\ny,2.5\n")
    place.write("in/1.csv", "a,b\n1,x\n")
    place.write("in/deep/3.csv", "a,b\n3,z\n")
    place.write("in/.hidden.csv", "nothing")
    assert sources.find(place.root, "in/**/*.csv") == ("in/1.csv", "in/2.csv", "in/deep/3.csv")
    assert place.read("csv", "in/**/*.csv").to_pydict() == {"a": [1.0, 2.5, 3.0], "b": ["x", "y", "z"]}


def test_a_line_is_told_in_its_own_file(place: Place) -> None:
    place.write("1.csv", "a\n1\n2\n")
    place.write("2.csv", "a\n3\nx\n")
    with pytest.raises(Trouble, match=r'line 3 of 2.csv: a is "x"'):
        place.read("csv", "*.csv", column("a", INT))


def test_files_of_one_table_have_the_same_columns(place: Place) -> None:
    place.write("1.csv", "a,b\n1,2\n")
    place.write("2.csv", "a,c\n1,2\n")
    with pytest.raises(Trouble, match=r"2.csv lacks b and also has c, unlike 1.csv"):
        sources.inspect(place.root, "csv", "*.csv", {}, ())


def test_packed_files(place: Place) -> None:
    place.write("x.csv.gz", gzip.compress(b"a\n1\n"))
    assert place.read("csv", "x.csv.gz")["a"].to_pylist() == [1]
    with zipfile.ZipFile(place.root / "x.zip", "w") as archive:
        archive.writestr("b.csv", "a\n2\n")
        archive.writestr("a.csv", "a\n1\nx\n")
        archive.writestr("README.md", "no table")
        archive.writestr("__MACOSX/a.csv", "junk")
    assert place.read("csv", "x.zip")["a"].to_pylist() == ["1", "x", "2"]
    _, rejects = place.refused("csv", "x.zip", column("a", INT))
    assert [(r["file"], r["line"]) for r in rejects] == [("x.zip/a.csv", 3)]
    place.write("bad.csv.gz", gzip.compress(b"a\n1\n")[:-6])
    with pytest.raises(Trouble, match="cannot be unpacked"):
        place.read("csv", "bad.csv.gz")


def test_a_place_where_nothing_is(place: Place) -> None:
    place.write("data/customers.csv", "a\n1\n")
    with pytest.raises(Trouble, match=r"could not read data/costumers.csv: there is no such file") as told:
        sources.find(place.root, "data/costumers.csv")
    assert told.value.help == "did you mean data/customers.csv?"
    with pytest.raises(Trouble) as told:
        sources.find(place.root, "dat/customers.csv")
    assert told.value.help == "did you mean data?"
    with pytest.raises(Trouble, match="it is a folder"):
        sources.find(place.root, "data")
    with pytest.raises(Trouble, match="no file is named so"):
        sources.find(place.root, "data/*.tsv")
    absolute = str(place.root / "data" / "*.csv")
    assert sources.find(place.root, absolute) == ((place.root / "data" / "customers.csv").as_posix(),)


def test_what_changes_while_it_is_read_is_refused(place: Place) -> None:
    place.write("1.csv", "a\n1\n")
    order = place.order("csv", "*.csv")
    place.write("2.csv", "a\n1\n")
    with pytest.raises(Trouble, match="it changed while it was being read"):
        read.make(order, place.objects)
    order = place.order("csv", "*.csv")
    place.write("2.csv", "a\n2\n")
    with pytest.raises(Trouble, match="it changed while it was being read"):
        read.make(order, place.objects)


# --- other formats -------------------------------------------------------------------------------------------


def test_jsonl(place: Place) -> None:
    rows = [
        {"i": 1, "f": 1, "t": "007", "b": True, "d": "2012-01-01", "l": [1, 2], "m": 1},
        {"i": 2, "f": 2.5, "t": "x\u2028y", "b": False, "d": "2012-01-02", "l": [], "m": "x", "late": None},
    ]
    text = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    for content in (text, text.replace("\n", "\r\n"), json.dumps(rows, indent=1)):
        table = place.read("jsonl", place.write("x.jsonl", content))
        assert types(table) == ["int", "float", "text", "bool", "text", "list[int]", "text", "text"]
        assert table["l"].to_pylist() == [[1, 2], []]
        assert table["m"].to_pylist() == ["1", "x"]
    assert types(place.read("jsonl", "x.jsonl", column("d", DATE), column("i", FLOAT)))[:5:4] == ["float", "date"]
    assert types(place.read("jsonl", "x.jsonl", dates="%Y-%m-%d"))[4] == "date"


def test_jsonl_refuses_with_the_line(place: Place) -> None:
    name = place.write("x.jsonl", '{"a": 1}\n\n[2]\n{"a": \n{"a": "x"}\n{"a": NaN}\n{"a": 2.0}\n')
    kept, rejects = place.refused("jsonl", name, column("a", INT))
    assert kept["a"].to_pylist() == [1, 2]
    assert [(r["line"], r["reason"]) for r in rejects] == [
        (3, "expected a JSON object"), (4, "expected a JSON object"), (5, "expected int"),
        (6, "expected a JSON object"),
    ]  # fmt: skip
    odd = place.write("odd.jsonl", '{"a": "\\ud800"}\n{"a": 1e999}\n{"a": "\\ud83d\\ude00"}\n')
    assert [r["line"] for r in place.refused("jsonl", odd)[1]] == [1, 2]
    array = place.write("x.json", '[\n{"a": 1},\n3,\n{"a": "x"}\n]')
    assert [r["line"] for r in place.refused("jsonl", array, column("a", INT))[1]] == [3, 4]
    with pytest.raises(Trouble, match="column a holds objects"):
        place.read("jsonl", place.write("n.jsonl", '{"a": {"b": 1}}\n'))


def test_excel(place: Place) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    rows: list[list[Any]] = [
        ["a report"], ["n", "whole", "day", "moment", "yes", "word", "price", "code"],
        [1.5, 3, date(2020, 1, 2), datetime(2020, 1, 2, 3, 4, 5), True, "x", "1,234.5", 8001], [None] * 8,
        [2, 4, None, datetime(2020, 1, 3), False, None, "7", 8002],
    ]  # fmt: skip
    for row in rows:
        sheet.append(row)
    book.create_sheet("second").append(["a"])
    book.save(place.root / "x.xlsx")
    table = place.read("excel", "x.xlsx", skip=1)
    assert types(table) == ["float", "int", "date", "timestamp", "bool", "text", "text", "int"]
    assert table["day"].to_pylist() == [date(2020, 1, 2), None]
    assert place.read("excel", "x.xlsx", skip=1, thousands=",")["price"].to_pylist() == [1234.5, 7.0]
    assert place.read("excel", "x.xlsx", column("code", TEXT), skip=1)["code"].to_pylist() == ["8001", "8002"]
    assert place.read("excel", "x.xlsx", sheet="second").column_names == ["a"]
    _, rejects = place.refused("excel", "x.xlsx", column("whole", INT, high=3), column("word", TEXT), skip=1)
    assert [(r["line"], r["column"], r["reason"]) for r in rejects] == [(5, "whole", "expected ..3")]
    with pytest.raises(Trouble, match="no sheet secnd") as told:
        place.read("excel", "x.xlsx", sheet="secnd")
    assert told.value.help == "did you mean second?"
    with pytest.raises(Trouble, match="no workbook"):
        place.read("excel", place.write("y.xlsx", "nonsense"))


def test_parquet(place: Place) -> None:
    table = pa.table({
        "i": pa.array([1, 2], pa.int32()), "f": [1.0, None], "t": pa.array(["x", "y"]).dictionary_encode(),
        "d": pa.array([datetime(2012, 1, 1)] * 2, pa.timestamp("ns", "UTC")), "l": [[1], None],
        "n": pa.array([1, 2], pa.decimal128(38, 0)),
    })  # fmt: skip
    pq.write_table(table, place.root / "x.parquet")
    assert types(place.read("parquet", "x.parquet")) == ["int", "float", "text", "timestamp", "list[int]", "int"]
    turned = place.read("parquet", "x.parquet", column("i", FLOAT), column("f", optional(INT)), column("d", DATE))
    assert types(turned)[:4] == ["float", "int", "text", "date"]
    _, rejects = place.refused("parquet", "x.parquet", column("f", FLOAT))
    assert [(r["line"], r["reason"]) for r in rejects] == [(2, "missing, expected float")]
    another = column("t", INT)
    with pytest.raises(Trouble, match="column t is text, declared int"):
        sources.inspect(place.root, "parquet", "x.parquet", {}, (another,))
    with pytest.raises(Trouble, match="column t is text, declared int"):
        read.make(place.order("parquet", "x.parquet", (another,)), place.objects)


def test_parquet_of_many_files(place: Place) -> None:
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), place.root / "1.parquet")
    pq.write_table(pa.table({"b": pa.array([None], pa.string()), "a": [2.5]}), place.root / "2.parquet")
    assert place.read("parquet", "*.parquet").to_pydict() == {"a": [1.0, 2.5], "b": ["x", None]}
    pq.write_table(pa.table({"a": ["x"], "b": ["x"]}), place.root / "3.parquet")
    with pytest.raises(Trouble, match="another type"):
        place.read("parquet", "*.parquet")


def test_the_folder_of_the_spec_itself(project: Project) -> None:
    project.write(a__mlspec='data everything from folder "."\n', b__txt="b")
    project.file("sub/c.txt", "c")
    project.file("sub/.git/d.txt", "d")
    assert project.apply().code == 0
    assert project.data("show", "everything")["files"] == ["a.mlspec", "b.txt", "sub/c.txt"]
    assert "Nothing to be made" in project.apply().out


def test_a_folder_is_kept_as_it_is(place: Place) -> None:
    place.write("pictures/a.png", b"\x89")
    place.write("pictures/deep/b.png", b"b")
    place.write("pictures/.hidden", b"")
    expected = {f"pictures/{name}": digest_of_file(place.root / "pictures" / name) for name in ("a.png", "deep/b.png")}
    recipe = Recipe(word="folder", place="pictures")
    order = Make(key="k", names=("raw",), kind="data", recipe=recipe, expected=expected, root=str(place.root))
    made = read.make(order, place.objects).outputs["raw"]
    assert (made.kind, made.bytes) == ("folder", 2)
    assert sorted(place.objects.listing(made.digest)) == ["a.png", "deep/b.png"]
    assert (place.root / "pictures" / "a.png").exists()
    place.write("pictures/a.png", b"other")
    with pytest.raises(Trouble, match="it changed"):
        read.make(order, place.objects)
    assert list(place.objects.aside.iterdir()) == []


# --- properties ----------------------------------------------------------------------------------------------

FORM = st.tuples(st.sampled_from(",;\t|§ "), st.sampled_from("\"'"), st.sampled_from(["\n", "\r\n"]))
WORDS = st.text(st.sampled_from("ab01 ,;\t|§\"'\n\r.é\u2028-"), min_size=1, max_size=6)
TABLES = st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(WORDS, min_size=n, max_size=n), min_size=1, max_size=6))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES, FORM)
def test_what_is_written_is_read(place: Place, rows: list[list[str]], form: tuple[str, str, str]) -> None:
    delimiter, quote, end = form
    names = [f"n{index}" for index in range(len(rows[0]))]
    out = io.StringIO()
    # Python's writer forgets to quote a lone carriage return.
    quoting = python_csv.QUOTE_ALL if any("\r" in word for row in rows for word in row) else python_csv.QUOTE_MINIMAL
    writer = python_csv.writer(out, delimiter=delimiter, quotechar=quote, lineterminator=end, quoting=quoting)
    writer.writerows([names, *rows])
    declared = tuple(column(name, TEXT) for name in names)
    table = place.csv(out.getvalue(), *declared, delimiter=delimiter, quote=quote)
    assert [list(row.values()) for row in table.to_pylist()] == rows


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('a1,"\n\r '), max_size=30), st.sampled_from(['"', ""]))
def test_the_fast_reader_and_the_exact_one_see_the_same_rows(text: str, quote: str) -> None:
    form = csv.Form(True, ",", quote, "utf-8", Reading())
    body = ("h,i\n" + text).encode()
    raw = csv.read("x.csv", body, form, ())
    fitting = [row for row in list(csv.walk(body.decode(), form))[1:] if len(row.fields) == 2 and not row.is_open]
    assert [[raw.columns[n].shown(i) for n in "hi"] for i in range(raw.rows)] == [row.fields for row in fitting]
    assert [spot.line for spot in raw.spots(range(raw.rows))] == [row.line for row in fitting]


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "date": st.dates(),
    "timestamp": st.datetimes(),
    "bool": st.booleans(),
}
COLUMNS = st.sampled_from(sorted(SCALARS)).flatmap(
    lambda base: st.tuples(st.just(base), st.lists(SCALARS[base], min_size=1))
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COLUMNS)
def test_values_of_every_type_come_back(place: Place, drawn: tuple[str, list[Any]]) -> None:
    base, values = drawn
    content = "k,a\n" + "".join(f"k,{value}\n" for value in values)
    table = place.csv(content)
    assert (types(table)[1], table["a"].to_pylist()) == (base, values)


# --- what a person is told of a place that cannot be read -------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "told"),
    [('csv "empty.csv"', "help: its first row should hold the names of its columns"),
     ('csv "empt.csv"', "help: did you mean empty.csv?"),
     ('excel "a.csv"', 'help: write from csv "a.csv"'),
     ('parquet "a.csv"', 'it is no Parquet file\n'),
     ('csv "book.xlsx"', 'help: write from excel "book.xlsx"'),
     ('excel "book.xlsx" { sheet = "Foo" }', "help: it has Sheet"),
     ('excel "book.xlsx" { sheet = "Shet" }', "help: did you mean Sheet?")],
)  # fmt: skip
def test_the_way_out_of_what_cannot_be_read(project: Project, source: str, told: str) -> None:
    import openpyxl

    project.write(a__mlspec=f"data d from {source}\n", empty__csv="", a__csv="a,b\n1,2\n")
    openpyxl.Workbook().save(project.root / "book.xlsx")
    ran = project.run("check")
    assert ran.code == 1 and told in ran.text


@pytest.mark.parametrize("source", ["csv", "folder", "sqlite", "parquet"])
def test_a_place_longer_than_any_name_of_a_file_is_told(project: Project, source: str) -> None:
    more = ' { table = "t" }' if source == "sqlite" else ""
    project.write(a__mlspec=f'data d from {source} "{"x" * 300}"{more}\n')
    ran = project.run("check")
    assert "E701" in ran.text and "Traceback" not in ran.text


def test_a_spec_is_begun_from_any_file_of_data(project: Project) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, "x"])
    book.save(project.root / "book.xlsx")
    assert project.run("init", "book.xlsx", "--name", "it").code == 0
    assert 'data rows from excel "book.xlsx" {\n  a: int\n  b: text\n}' in (project.root / "it.mlspec").read_text()
    assert project.run("check").code == 0


@pytest.mark.parametrize(
    ("name", "content", "written"),
    [
        ("h.csv", 'a,"q""u, \\ ote"\n1,2\n', '  a: int\n  "q\\"u, \\\\ ote": int\n'),
        ("s.csv", "a;b\n1;x\n", '  delimiter = ";"\n  a: int\n  b: text\n'),
        ("p.csv", "a|b\n1|x\n", '  delimiter = "|"\n  a: int\n  b: text\n'),
        ("t.txt", "a\tb\n1\tx\n", '  delimiter = "\\t"\n  a: int\n  b: text\n'),
        ("t.tsv", "a\tb\n1\tx\n", "{\n  a: int\n  b: text\n"),
        ('q"q.csv', "a,b\n1,x\n", 'csv "q\\"q.csv" {\n'),
    ],
)
def test_a_spec_that_is_begun_from_a_file_is_sound(project: Project, name: str, content: str, written: str) -> None:
    project.file(name, content)
    assert project.run("init", name, "--name", "it").code == 0
    text = (project.root / "it.mlspec").read_text()
    words = " ".join(text.split())
    assert " ".join(written.split()) in words, text
    ran = project.run("check")
    assert ran.code == 0, ran.text


def test_a_spec_is_named_as_a_file_of_the_folder(project: Project) -> None:
    ran = project.run("init", "--name", "a b/c")
    assert ran.code == 2 and "error: could not name the spec a_b/c: it is a file of this folder" in ran.text


@pytest.mark.parametrize(
    ("line", "values", "told"),
    [("v: date", ("01.02.2020", "31.12.2020"), 'say so: dates = "%d.%m.%Y"\n'),
     ("v: date", ("01/02/2020", "03/04/2020"), 'say so: dates = "%d/%m/%Y" or dates = "%m/%d/%Y"\n'),
     ("v: date", ("01/02/2020", "12/31/2020", "?"), 'say so: dates = "%m/%d/%Y"\n'),
     ("v: timestamp", ("01.02.2020 10:30", "31.12.2020 11:00"), 'say so: dates = "%d.%m.%Y %H:%M"\n'),
     ("v: float", ('"2,5"', '"3,5"'), 'say so: decimal = ","\n'),
     ("v: float", ('"1.002,5"',), 'say so: decimal = "," and thousands = "."\n'),
     ("v: int", ("1'000",), 'say so: thousands = "\'"\n'),
     ("v: int", ("9" * 20,), "it is too large for an int, which has 64 bits: declare v: text"),
     ("v: int", ("2.5",), "help: correct the file"),
     ("v: date", ("soon",), "help: correct the file")],
)  # fmt: skip
def test_the_argument_that_reads_a_value_as_it_is_meant(
    project: Project, line: str, values: tuple[str, ...], told: str
) -> None:
    project.write(
        a__mlspec=f'data d from csv "d.csv" {{ {line} }}\n', d__csv="\n".join(("k,v", *(f"x,{v}" for v in values)))
    )
    ran = project.apply()
    assert ran.code == 4 and told in ran.text


@pytest.mark.parametrize(
    ("text", "told"),
    [('data d from csv "d.csv" { a: int }', 'values stand apart by another mark: delimiter = ";"'),
     ('data d from csv "d.csv" { expect mean(.a) > 1 }', 'values of its csv file stand apart by another mark: delimiter = ";"'),
     ('data d from csv "d.csv" { dates = "dd.mm.yyyy hh:mm" }', 'help: write dates = "%d.%m.%Y %H:%M"'),
     ('data d from csv "d.csv" { dates = "%d.%m" }', 'help: as in dates = "%d.%m.%Y"')],
)  # fmt: skip
def test_how_a_file_is_written_is_told_while_it_compiles(project: Project, text: str, told: str) -> None:
    project.write(a__mlspec=text + "\n", d__csv="a;b\n1;2\n")
    ran = project.run("check")
    assert ran.code == 1 and told in ran.text


def test_a_word_for_nothing_may_be_taken_for_missing(project: Project) -> None:
    project.file("a.csv", "id,v\n1,1.5\n2,nan\n")
    project.file("a.mlspec", 'data a from csv "a.csv" {\n  v: float\n}\n')
    assert 'take the value for missing, v: float? with missing = ["nan"]' in project.apply().out
    project.file("a.mlspec", 'data a from csv "ftp://here/a.csv"\n')
    ran = project.run("check")
    assert "there is no way to ftp://" in ran.err and "http://, https:// or s3://" in ran.err


def test_what_would_break_a_table_is_shown_as_it_is_written(project: Project) -> None:
    project.file("a.csv", 'id,"two\nlines"\n1,"a\tb\n\x1b[31mc"\n')
    project.file("a.mlspec", 'data a from csv "a.csv"\n')
    assert project.apply().code == 0
    shown = project.run("show", "a").out
    assert "two\\nlines" in shown and "a\\tb\\n\\x1b[31mc" in shown and "\x1b" not in shown and "\t" not in shown
    assert project.run("show", "a", "--rows", "-1").code == 2
    assert "id" in project.run("show", "a", "--rows", "0").out
