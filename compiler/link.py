"""A document and the specs that it uses -> one document, in which a used spec's names are `alias.name`.

A spec with params is a function, and using it is calling it: its params get the values given, its names a prefix,
its places lead from its own folder. What comes behind knows nothing of files.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic, Fix, Label, listing, nearest
from ..grammar.kinds import RECIPES
from ..grammar.parse import Parsed
from ..grammar.source import Source
from .lines import said
from .load import Files, undecoded

Read = Callable[[Source], Parsed]


@dataclass(frozen=True, slots=True)
class Linked:
    """`document` holds the statements of all files; `uses` are the aliases in force, as `eu` and `eu.inner`."""

    document: tree.Document
    uses: frozenset[str]
    lost: frozenset[str]
    sources: Mapping[str, Source]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class _Module:
    """One use of one file: what its names are called from outside, and where its places lead from."""

    prefix: str
    folder: str
    declared: frozenset[str]
    aliases: frozenset[str]
    secrets: Mapping[str, str]  # declared here -> the secret that it stands for

    def name(self, text: str) -> str:
        return f"{self.prefix}.{text}" if self.prefix else text


def link(
    source: Source, parsed: Parsed, files: Files, read: Read, sources: Mapping[str, Source] | None = None
) -> Linked:
    linker = _Linker(files, read, posixpath.dirname(source.path))
    linker.sources |= {source.path: source, **(sources or {})}
    linker.add(parsed, _outermost(parsed.document), (posixpath.basename(source.path),))
    document = replace(parsed.document, statements=tuple(linker.statements))
    return Linked(document, frozenset(linker.uses), frozenset(linker.lost), linker.sources, tuple(linker.diagnostics))


def _outermost(document: tree.Document) -> _Module:
    return _Module("", "", frozenset(declared(document)), frozenset(_aliases(document)), {})


def declared(document: tree.Document) -> list[str]:
    """The names of blocks and params of one file."""
    found = []
    for statement in document.statements:
        match statement:
            case tree.Block():
                found += [name.text for name in statement.names]
            case tree.Param():
                found.append(statement.name.text)
            case _:
                pass
    return found


def _aliases(document: tree.Document) -> list[str]:
    return [s.alias.text for s in document.statements if isinstance(s, tree.Use)]


class _Linker:
    """Gathers the statements of a spec and, behind them, of what it uses."""

    def __init__(self, files: Files, read: Read, shown_from: str) -> None:
        self.files, self.read, self.shown_from = files, read, shown_from
        self.statements: list[tree.Statement] = []
        self.diagnostics: list[Diagnostic] = []
        self.sources: dict[str, Source] = {}
        self.uses: set[str] = set()
        self.lost: set[str] = set()
        self.parsed: dict[str, Parsed] = {}

    def add(self, parsed: Parsed, module: _Module, chain: tuple[str, ...]) -> None:
        """What is used comes first to be read, so that `a.b.name` is understood, and stands behind."""
        self.diagnostics += parsed.diagnostics
        self.lost |= {module.name(name.text) for name in parsed.lost}
        self.uses |= {module.name(alias) for alias in module.aliases}
        named, start = _Qualify(module, self.uses), len(self.statements)
        for use in parsed.document.statements:
            if isinstance(use, tree.Use):
                self._use(use, module, named, chain)
        own = [named.statement(s) for s in parsed.document.statements]
        self.statements[start:start] = own

    def _use(self, use: tree.Use, outer: _Module, named: _Qualify, chain: tuple[str, ...]) -> None:
        prefix = outer.name(use.alias.text)
        if any(
            d.span.path == use.span.path and use.span.start <= d.span.start <= use.span.end for d in self.diagnostics
        ):
            self.lost.add(prefix)  # a line of it could not be read: what the spec was given is not known
            return
        place = posixpath.normpath(posixpath.join(outer.folder, use.place.value))
        if place in chain:
            circle = " uses ".join([*chain[chain.index(place) :], place])
            self._unread(prefix, Diagnostic("E112", use.place.span, {"file": use.place.value, "circle": circle}))
            return
        parsed = self._parsed(place)
        if parsed is None:
            known = [name for name in self.files.names() if name.endswith(".mlspec")]
            self._unread(prefix, _no_such_file(use.place, known))
            return
        wrong = undecoded(place, self.sources[parsed.document.path].text)
        if wrong is not None:
            self._unread(prefix, Diagnostic("E701", use.place.span, {"why": wrong.why}, help=wrong.help))
            return
        given = self._given(use, parsed.document)
        module = _Module(
            prefix, posixpath.dirname(place), frozenset(declared(parsed.document)), frozenset(_aliases(parsed.document)),
            _secrets(parsed.document, given),
        )  # fmt: skip
        start = len(self.statements)
        self.add(replace(parsed, document=_only_what_is_used(parsed.document)), module, (*chain, place))
        values = {module.name(name): replace(line, value=named.value(line.value)) for name, line in given.items()}
        self.statements[start:] = [_called(s, use, values) for s in self.statements[start:]]

    def _parsed(self, place: str) -> Parsed | None:
        if place not in self.parsed:
            text = self.files.text(place)
            if text is None:
                return None
            source = Source(posixpath.join(self.shown_from, place), text.removeprefix("\ufeff"))
            self.sources[source.path] = source
            self.parsed[place] = self.read(source)
        return self.parsed[place]

    def _unread(self, prefix: str, mistake: Diagnostic) -> None:
        """Nothing more need be said of names that begin with this prefix."""
        self.diagnostics.append(mistake)
        self.lost.add(prefix)

    def _given(self, use: tree.Use, document: tree.Document) -> dict[str, tree.Assign]:
        takes = [s.name.text for s in document.statements if isinstance(s, tree.Param)]
        takes += [n.text for s in document.statements if isinstance(s, tree.Secret) for n in s.names]
        given: dict[str, tree.Assign] = {}
        for line in use.lines:
            if not isinstance(line, tree.Assign):
                facts = {"line": said(line), "kind": "use"}
                self.diagnostics.append(Diagnostic("E209", line.span, facts, help="a use gives values: name = value"))
            elif line.name in given:
                first = Label(given[line.name].name_span, "first given here")
                self.diagnostics.append(Diagnostic("E207", line.name_span, {"name": line.name}, labels=(first,)))
            elif line.name not in takes:
                self.diagnostics.append(_no_such_param(line, use, takes))
                given.setdefault(nearest(line.name, takes) or "", line)  # what was meant has a value
            else:
                given[line.name] = line
        return given


def _only_what_is_used(document: tree.Document) -> tree.Document:
    """The environments of a used spec are for when it is run by itself."""
    kept = tuple(s for s in document.statements if not isinstance(s, tree.Env))
    return replace(document, statements=kept)


def _secrets(document: tree.Document, given: Mapping[str, tree.Assign]) -> dict[str, str]:
    """A secret of a used spec is the secret of that name, or the one that is handed in."""
    found = {}
    for statement in document.statements:
        if isinstance(statement, tree.Secret):
            for name in statement.names:
                value = given[name.text].value if name.text in given else None
                found[name.text] = str(value) if isinstance(value, tree.Reference) else name.text
    return found


def _called(statement: tree.Statement, use: tree.Use, values: Mapping[str, tree.Assign]) -> tree.Statement:
    """A param with the value that the use gives it. One without any value is told where the spec is used."""
    if not isinstance(statement, tree.Param):
        return statement
    if statement.name.text in values:
        return replace(statement, value=values[statement.name.text].value)
    return statement if statement.value else replace(statement, name=replace(statement.name, span=use.alias.span))


def _no_such_file(place: tree.Text, known: list[str]) -> Diagnostic:
    close = nearest(place.value, known)
    help_ = f"did you mean {close}?" if close else f"there is {listing(known)}" if known else ""
    fix = Fix(place.span, f'"{close}"') if close else None
    return Diagnostic("E701", place.span, {"why": f"there is no file {place.value}"}, help=help_, fix=fix)


def _no_such_param(line: tree.Assign, use: tree.Use, takes: list[str]) -> Diagnostic:
    close = nearest(line.name, takes)
    help_ = f"did you mean {close}?" if close else f"its params: {listing(takes)}" if takes else "it has no params"
    fix = Fix(line.name_span, close) if close else None
    return Diagnostic("E205", line.name_span, {"of": use.place.value, "name": line.name}, help=help_, fix=fix)


# --- names and places, as they are called from outside -----------------------------------------------------------


class _Qualify:
    """Statements of a module with its names qualified. What needs no change is the very object that came in."""

    def __init__(self, module: _Module, uses: set[str]) -> None:
        self.module, self.uses = module, uses

    def statement(self, statement: tree.Statement) -> tree.Statement:
        match statement:
            case tree.Block():
                return self._block(statement)
            case tree.Param() if self.module.prefix:
                value = statement.value and self.value(statement.value)
                return replace(statement, name=self._name(statement.name), value=value)
            case tree.Secret() if self.module.secrets:
                return replace(statement, names=tuple(
                    replace(name, text=self.module.secrets[name.text]) for name in statement.names
                ))  # fmt: skip
            case tree.Use() if self.module.prefix:
                return replace(statement, alias=self._name(statement.alias))
            case _:
                return statement

    def _block(self, block: tree.Block) -> tree.Block:
        if not self.module.prefix and not self.module.aliases:
            return block
        own = {name.text for name in block.names}
        return replace(
            block,
            names=tuple(self._name(name) for name in block.names),
            inputs=tuple(self._input(item) for item in block.inputs),
            recipe=block.recipe and self._recipe(block.recipe),
            lines=tuple(self._line(line, own) for line in block.lines),
        )

    def _name(self, name: tree.Name) -> tree.Name:
        return replace(name, text=self.module.name(name.text)) if self.module.prefix else name

    def _input(self, item: tree.Input) -> tree.Input:
        if item.place is not None:
            return replace(item, place=self._place(item.place, item.reference.name))
        reference = self.reference(item.reference)
        local = reference.name.rpartition(".")[2]
        return replace(item, reference=reference, alias=item.alias or local)

    def _recipe(self, recipe: tree.Recipe) -> tree.Recipe:
        if recipe.place is None:
            known = recipe.reference.name in RECIPES and recipe.reference.name not in self.module.declared
            return recipe if known else replace(recipe, reference=self.reference(recipe.reference))
        return replace(recipe, place=self._place(recipe.place, recipe.reference.name))

    def _place(self, place: tree.Text | tree.Reference, word: str) -> tree.Text | tree.Reference:
        """A quoted place leads from the folder of the file that it stands in; a command runs there."""
        if isinstance(place, tree.Reference):
            return self.reference(place)
        if not self.module.folder:
            return place
        if word == "shell":
            return replace(place, value=f"cd '{self.module.folder}' && {place.value}")
        if place.raw or not _is_path(place.value, word):
            return place
        return replace(place, value=posixpath.normpath(posixpath.join(self.module.folder, place.value)))

    def _line(self, line: tree.Line, own: set[str]) -> tree.Line:
        match line:
            case tree.Assign():
                name = self.module.name(line.name) if line.name in own else line.name
                return replace(line, name=name, value=self.value(line.value))
            case tree.Among():
                return replace(line, choices=self.value(line.choices))
            case tree.Measure():
                metrics = tuple(self._metric(m) for m in line.metrics)
                return replace(line, on=self.reference(line.on), metrics=metrics)
            case tree.Expect():
                return replace(line, condition=self.value(line.condition))
            case tree.Needs() | tree.Search():
                return replace(line, options=tuple(replace(o, value=self.value(o.value)) for o in line.options))
            case tree.ColumnLine() if line.within is not None:
                return replace(line, within=self.value(line.within))
            case _:
                return line

    def _metric(self, metric: tree.Metric) -> tree.Metric:
        if not isinstance(metric.place, tree.Text):
            return metric
        place = self._place(metric.place, "python")
        return replace(metric, place=place) if isinstance(place, tree.Text) else metric

    def value(self, value: tree.Expression) -> tree.Expression:
        match value:
            case tree.Reference():
                return self.reference(value)
            case tree.Call():
                return replace(value, arguments=tuple(self.value(a) for a in value.arguments))
            case tree.Unary():
                return replace(value, operand=self.value(value.operand))
            case tree.Binary():
                return replace(value, left=self.value(value.left), right=self.value(value.right))
            case tree.Range():
                low, high = (end and self.value(end) for end in (value.low, value.high))
                return replace(value, low=low, high=high)
            case tree.Choice():
                return replace(value, options=tuple(self.value(o) for o in value.options))
            case tree.Items():
                return replace(value, items=tuple(self.value(i) for i in value.items))
            case _:
                return value

    def reference(self, reference: tree.Reference) -> tree.Reference:
        """`eu.churn.rows` is `rows` of the name `eu.churn`; in a used spec, every name gets the prefix."""
        name, path = reference.name, reference.path
        if name == "last":
            return reference
        if name in self.module.secrets:
            return replace(reference, name=self.module.secrets[name])
        name = self.module.name(name)
        while name in self.uses and path:
            name, path = f"{name}.{path[0]}", path[1:]
        return reference if name == reference.name else replace(reference, name=name, path=path)


def _is_path(text: str, word: str) -> bool:
    """Whether a place is a file; not a package's attribute, a query, a database's table or an address."""
    if "://" in text or text.startswith("/") or word == "postgres":
        return False
    if word == "python":
        return text.partition(":")[0].endswith(".py")
    return word != "sql" or text.strip().lower().endswith(".sql")
