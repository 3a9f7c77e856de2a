"""SQL text: what kinds of statements it holds, which tables and functions they name, read by a parser of the database's dialect.

A check of SQL is got around where parser and database read the same text differently. So whatever the parser only skims (raw
commands), whatever a database may read otherwise (comments that run, statements without a semicolon between them) and whatever
names its tables at run time cannot be derived.

INVARIANT: this is the only module that imports sqlglot, which takes a third of a second: it is loaded where an SQL fact is declared.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

import msgspec
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, NormalizationStrategy
from sqlglot.errors import SqlglotError

from doorward.policy.facts.kind import UnderivedError, distinct, text
from doorward.policy.shapes import Field, Fields, Many, Shape, Text, Whole

LONGEST = 32_768
"""Characters of one text: some 100 ms to find its words."""
TOKENS = 4_000
"""Words and marks of one text: some 100 ms of parsing."""
SLACK = 2_000
"""Steps of the parser beyond two for each token. Its way back from a wrong guess can double with every `join`."""

_RUNS = re.compile(r"/\*M?!|/\*(?:(?!\*/).)*/\*|\{[#%{]", re.DOTALL)
"""Comments that MySQL runs, comments in comments (which end in one place or another), and template marks."""
_ENDS = re.compile(r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\\(?=\r?\n)")
"""Where a line, and with it a comment, ends to some databases and not to others; Spark goes on after a backslash."""
_ESCAPED = re.compile(r"\\['\"`]")
"""Whether a backslash takes a quote its meaning is a matter of settings (`NO_BACKSLASH_ESCAPES`, `standard_conforming_strings`)."""

_BROKEN = (SqlglotError, ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a parser of so many dialects ends with on text that nobody meant."""

_KINDS: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Select, "select"),
    (exp.SetOperation, "select"),
    (exp.Insert, "insert"),
    (exp.Update, "update"),
    (exp.Delete, "delete"),
    (exp.Merge, "merge"),
    (exp.Create, "create"),
    (exp.Into, "create"),
    (exp.Drop, "drop"),
    (exp.Alter, "alter"),
    (exp.TruncateTable, "truncate"),
    (exp.Grant, "grant"),
    (exp.Revoke, "grant"),
    (exp.Copy, "copy"),
    (exp.LoadData, "copy"),
    (exp.Execute, "call"),
    (exp.Set, "set"),
    (exp.Use, "set"),
    (exp.Pragma, "set"),
    (exp.Transaction, "transaction"),
    (exp.Commit, "transaction"),
    (exp.Rollback, "transaction"),
    (exp.Lock, "lock"),
    (exp.DML, "other"),
    (exp.DDL, "other"),
)
"""By the first class that a node is of."""

_WHOLE = (
    exp.Subquery,
    exp.Values,
    exp.MultitableInserts,
    exp.Describe,
    exp.Show,
    exp.Analyze,
    exp.Comment,
    exp.Kill,
    exp.Attach,
    exp.Detach,
)
"""What can be a statement besides: `other`, but for the first three."""
_QUERIES = (exp.Subquery, exp.Values, exp.MultitableInserts)

_SKIMMED = (
    exp.Command,
    exp.Block,
    exp.IfBlock,
    exp.WhileBlock,
    exp.LoopBlock,
    exp.RepeatBlock,
    exp.CaseStatement,
    exp.ForIn,
    exp.Declare,
)
"""Raw text to the parser, or procedures whose statements it cannot tell from names."""

_WRITTEN = "written"
"""Where the parser keeps the name of a function as it stands in the text."""

_SYNTAX = (exp.Connector, exp.Case, exp.Cast, exp.Array, exp.Exists)
"""Functions to the parser that are none to who writes SQL."""

_VERBS = frozenset("alter create delete drop grant insert merge revoke truncate update".split())
"""As bare names these are refused: to a database that needs no semicolon they begin the next statement."""
_BATCH_VERBS = _VERBS | frozenset(
    """
    add backup begin break bulk checkpoint close commit continue dbcc deallocate declare deny disable dump enable exec execute fetch go
    goto if kill load open print raiserror readtext receive reconfigure restore return revert rollback save send set setuser shutdown
    throw updatetext use waitfor while with writetext
    """.split()
)
"""The same for Transact-SQL, which needs none."""


class _Seen(msgspec.Struct, frozen=True):
    """What was found in some text."""

    kinds: set[str] = msgspec.field(default_factory=set)
    tables: set[str] = msgspec.field(default_factory=set)
    functions: set[str] = msgspec.field(default_factory=set)


class Sql(msgspec.Struct, frozen=True):
    """What SQL of one dialect does."""

    dialect: str
    word: str = "sql"

    @property
    def takes(self) -> tuple[type, ...]:
        """Text."""
        return (Text,)

    @property
    def options(self) -> tuple[object, ...]:
        """The dialect."""
        return (self.dialect,)

    @property
    def shape(self) -> Shape:
        """Kinds, tables and functions as sets, and the number of statements."""
        texts = Field(Many(Text()), required=True)
        return Fields({"kinds": texts, "tables": texts, "functions": texts, "statements": Field(Whole(), required=True)}, {})

    @property
    def shape_of_many(self) -> Shape:
        """The same, of all texts together."""
        return self.shape

    def one(self, value: object) -> dict[str, object]:
        """What one text does."""
        return self.many((value,))

    def many(self, values: Sequence[object]) -> dict[str, object]:
        """What several texts do."""
        seen, count = _Seen(), 0
        for value in values:
            count += self._read(text(value, LONGEST), seen)
        found = {"kinds": seen.kinds, "tables": seen.tables, "functions": seen.functions}
        return {**{name: distinct(list(some)) for name, some in found.items()}, "statements": count}

    def _read(self, sql: str, seen: _Seen) -> int:
        """Adds what one text does to what was seen, and gives the number of its statements."""
        if _RUNS.search(sql) or _ENDS.search(sql):
            raise UnderivedError("it holds a comment or mark that databases read differently")
        if _ESCAPED.search(sql):
            raise UnderivedError("it has a backslash before a quote, which databases read differently; double the quote instead")
        try:
            trees = _trees(Dialect.get_or_raise(self.dialect), sql)
            statements = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
            reader = _Reader(self.dialect, seen)
            for statement in statements:
                reader.read(statement)
        except UnderivedError:
            raise
        except _BROKEN:
            raise UnderivedError("it cannot be parsed") from None
        if not statements:
            raise UnderivedError("it holds no statement")
        return len(statements)


def _trees(dialect: Dialect, sql: str) -> list[exp.Expr | None]:
    """The syntax trees of a text, got in a bounded number of steps."""
    dialect.ORIGINAL_NAME_META_KEY = _WRITTEN
    tokens = dialect.tokenize(sql)
    if len(tokens) > TOKENS:
        raise UnderivedError(f"it has more than {TOKENS} words and marks")
    parser = dialect.parser()
    left = 2 * len(tokens) + SLACK
    step = parser._advance  # noqa: SLF001 -- its only step, and it offers no bound of its own

    def counted(times: int = 1) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise UnderivedError("it takes too long to parse")
        step(times)

    parser._advance = counted  # type: ignore[method-assign]  # noqa: SLF001
    return parser.parse(tokens, sql)


class _Reader:
    """Walks one statement, without recursion: what it does is written into what was seen."""

    def __init__(self, dialect: str, seen: _Seen) -> None:
        self._seen = seen
        self._verbs = _BATCH_VERBS if dialect in ("tsql", "fabric") else _VERBS
        self._strategy = Dialect.get_or_raise(dialect).NORMALIZATION_STRATEGY

    def read(self, statement: exp.Expr) -> None:
        """One statement, whole."""
        self._root(statement)
        waiting: list[tuple[exp.Expr, frozenset[str]]] = [(statement, frozenset())]
        while waiting:
            node, named = waiting.pop()
            self._node(node, named)
            waiting.extend(self._children(node, named))

    def _root(self, statement: exp.Expr) -> None:
        if isinstance(statement, _WHOLE):
            self._seen.kinds.add("select" if isinstance(statement, _QUERIES) else "other")
        elif not isinstance(statement, tuple(kind for kind, _ in _KINDS)):
            raise UnderivedError("it holds what is no statement that can be understood")

    def _node(self, node: exp.Expr, named: frozenset[str]) -> None:
        if isinstance(node, _SKIMMED):
            raise UnderivedError("it holds a statement that can only be skimmed")
        kind = next((word for of, word in _KINDS if isinstance(node, of)), None)
        if kind is not None:
            self._seen.kinds.add(kind)
        self._seen.kinds.update(_besides(node))
        if isinstance(node, exp.Table):
            self._table(node, named)
        elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Identifier | exp.Dot):
            # `cross apply secret`: the parser takes it for no table.
            self._seen.tables.add(".".join(self._folded(part) for part in _parts(node.this)))
        elif isinstance(node, exp.Func) and not isinstance(node, _SYNTAX):
            self._seen.functions.update(_names(node))
        self._check(node)

    def _check(self, node: exp.Expr) -> None:
        """Refuses what a database may read otherwise, or decides at run time."""
        match node:
            case exp.Identifier() if not node.args.get("quoted") and node.name.lower() in self._verbs:
                raise UnderivedError("a word that begins a statement stands where a name belongs")
            case exp.CopyParameter() if node.name.lower() in self._verbs:
                raise UnderivedError("a word that begins a statement stands where an option belongs")
            case exp.In() if node.args.get("field") is not None:
                raise UnderivedError("it looks for a value in something that is no list and no query")
            case exp.TableFromRows() | exp.DynamicIdentifier():
                raise UnderivedError("it names a table at run time")
            case exp.Anonymous() if node.name.lower() == "identifier":
                raise UnderivedError("it names something at run time")
            case exp.Execute() if isinstance(node.this, exp.Subquery):
                raise UnderivedError("it carries out a text that is made at run time")
            case exp.Identifier() if not node.name.isascii() and unicodedata.normalize("NFKC", node.name) != node.name:
                raise UnderivedError("a name in it is another one to databases that compare by how letters look")
            case exp.With() if node.arg_key != "with_":
                raise UnderivedError("it has common table expressions where they do not belong")

    def _children(self, node: exp.Expr, named: frozenset[str]) -> Iterator[tuple[exp.Expr, frozenset[str]]]:
        """The parts of a node, each with the names that common table expressions have there."""
        within = node.args.get("with_")
        if isinstance(within, exp.With):
            for one in within.expressions:
                own = self._named(one)
                yield one, named | own if within.args.get("recursive") else named
                named |= own
        for value in node.args.values():
            if value is not within or not isinstance(value, exp.With):
                parts = value if isinstance(value, list) else [value]
                yield from ((part, named) for part in parts if isinstance(part, exp.Expr))

    def _named(self, one: exp.Expr) -> frozenset[str]:
        """What a common table expression is called."""
        return frozenset({self._folded(one.args["alias"].this)}) if isinstance(one, exp.CTE) else frozenset()

    def _table(self, table: exp.Table, named: frozenset[str]) -> None:
        *before, last = table.parts
        if isinstance(last, exp.Func):
            # `secret (nolock)` is a table to SQL Server; whatever stands where a table belongs counts as one.
            self._seen.tables.update(_names(last))
            return
        if table.args.get("db") == "" or isinstance(table.this, exp.Dot):
            raise UnderivedError("it leaves out a part of a table's name, or names one of another server")
        if not all(isinstance(part, exp.Identifier | exp.Var) for part in (*before, last)):
            raise UnderivedError("it names a table at run time")
        name = ".".join(self._folded(part) for part in (*before, last))
        if isinstance(table.parent, exp.Execute):
            self._seen.functions.add(name)
        elif before or name not in named or not isinstance(table.parent, exp.From | exp.Join):
            self._seen.tables.add(name)

    def _folded(self, part: exp.Expr) -> str:
        """A name as the dialect has it: in small letters where letters do not matter to it."""
        name = part.name
        is_quoted = bool(part.args.get("quoted"))
        match self._strategy:
            case NormalizationStrategy.CASE_SENSITIVE:
                return name
            case NormalizationStrategy.LOWERCASE:
                return name if is_quoted else name.lower()
            case NormalizationStrategy.UPPERCASE if is_quoted and name != name.upper():
                return f'"{name}"'  # another table than the one that is called so without quotes
            case _:
                return name.lower()


def _besides(node: exp.Expr) -> Iterator[str]:
    """Kinds that a node is of besides its own."""
    match node:
        case exp.Insert() if node.args.get("overwrite") or node.args.get("alternative"):
            yield "delete"
        case exp.Create() if node.args.get("replace"):
            yield "drop"
        case exp.OnConflict() if node.args.get("expressions"):
            yield "update"
        case exp.When() if isinstance(then := node.args.get("then"), exp.Var) and then.name.lower() in _VERBS:
            yield then.name.lower()


def _names(function: exp.Func) -> Iterator[str]:
    """What a function is called, in small letters: as it is written if the parser keeps that, and with its schema besides."""
    if isinstance(function, exp.Anonymous | exp.AnonymousAggFunc):
        names = [function.name.lower()]
    elif isinstance(written := function.meta.get(_WRITTEN), str):
        names = [written.lower()]
    else:
        names = [name.lower() for name in function.sql_names()]
    yield from names
    before: list[str] = []
    outer = function.parent
    if isinstance(outer, exp.Dot) and outer.expression is function:
        before = [part.name.lower() for part in _parts(outer.this)]
    elif isinstance(outer, exp.Table):
        before = [part.name.lower() for part in outer.parts[:-1]]
    if before:
        yield from (".".join([*before, name]) for name in names)


def _parts(dotted: exp.Expr) -> list[exp.Expr]:
    """The parts of a name with dots."""
    found: list[exp.Expr] = []
    while isinstance(dotted, exp.Dot):
        found.append(dotted.expression)
        dotted = dotted.this
    return [dotted, *reversed(found)]
