"""SQL: everything that a database would do with a text is in its facts, or there are none."""

import time
from collections.abc import Mapping

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.policy.facts.sql import Sql
from tests.policy.facts.deriving import derived


def said(sql: str, dialect: str = "postgres") -> tuple[str, str, str, object] | None:
    found = derived(Sql(dialect), sql)
    if not isinstance(found, Mapping):
        return None
    return " ".join(found["kinds"]), " ".join(found["tables"]), " ".join(found["functions"]), found["statements"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM Customers", ("select", "customers", "", 1)),
        ('SELECT a FROM "Customers", Public.T', ("select", "Customers public.t", "", 1)),
        ("select 1; -- done", ("select", "", "", 1)),
        ("select 1; drop table t", ("drop select", "t", "", 2)),
        ("select 1 -- x\n; delete from t", ("delete select", "t", "", 2)),
        ("with x as (delete from t returning *) select * from x", ("delete select", "t", "", 1)),
        ("with x as (insert into t values (1) returning a) update q set a = 1 from x", ("insert update", "q t", "", 1)),
        ("select * into n from a", ("create select", "a n", "", 1)),
        ("insert into a select * from b", ("insert select", "a b", "", 1)),
        ("insert into a values (1) on conflict (x) do update set y = 1", ("insert update", "a", "", 1)),
        ("delete from a using b where a.x = b.x", ("delete", "a b", "", 1)),
        ("update t set a = (select b from c) from d", ("select update", "c d t", "", 1)),
        ("merge into t using s on t.i = s.i when matched then delete", ("delete merge", "s t", "", 1)),
        ("create or replace view v as select * from z", ("create drop select", "v z", "", 1)),
        ("truncate a, b", ("truncate", "a b", "", 1)),
        ("grant select on t to bob", ("grant", "t", "", 1)),
        ("copy t from '/etc/passwd'", ("copy", "t", "", 1)),
        ("begin; commit", ("transaction", "", "", 2)),
        ("set search_path = x", ("set", "", "", 1)),
        ("select * from t for update", ("lock select", "t", "", 1)),
        ("select count(*), now(), x.f(1), PG_READ_FILE('x') from t", ("select", "t", "count f now pg_read_file x.f", 1)),
        ("select * from pg_ls_dir('.')", ("select", "pg_ls_dir", "pg_ls_dir", 1)),
        ("select 1 where 1 in (select s from secrets)", ("select", "secrets", "", 1)),
        ("(select 1) union all select a from b", ("select", "b", "", 1)),
        ("select 'a; drop table t' as x", ("select", "", "", 1)),
        ("select 'it''s' || $$; drop table t$$", ("select", "", "", 1)),
    ],
)
def test_what_sql_does_is_told(sql: str, expected: tuple[object, ...]) -> None:
    assert said(sql) == expected


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("with x as (select 1) select * from x", ""),
        ("with a as (select * from t), b as (select * from a) select * from b", "t"),
        ("with t as (select * from t) select * from t", "t"),
        ("with recursive t as (select 1 union select * from t) select * from t", ""),
        ("select * from secrets where 1 in (with secrets as (select 1) select 1)", "secrets"),
        ("with x as (select 1) select * from s.x", "s.x"),
        ("with x as (select 1) delete from x", "x"),
        ("with x as (select 1) select * from x; select * from x", "x"),
    ],
)
def test_a_common_table_expression_is_no_table_where_its_name_is_known_and_nowhere_else(sql: str, tables: str) -> None:
    found = said(sql)
    assert found is not None
    assert found[1] == tables


@pytest.mark.parametrize(
    ("dialect", "sql", "tables"),
    [
        ("mysql", "select * from Secrets", "Secrets"),
        ("sqlite", 'select * from "SECRETS", [Other]', "other secrets"),
        ("tsql", "select * from [DBO].[Secrets], x (nolock)", "dbo.secrets x"),
        ("oracle", 'select * from t, "t", "T"', '"t" t'),
        ("bigquery", "select * from `p.d.t`", "p.d.t"),
        ("duckdb", "select * from 'a.csv'", "a.csv"),
    ],
)
def test_tables_are_named_as_the_dialect_has_them(dialect: str, sql: str, tables: str) -> None:
    found = said(sql, dialect)
    assert found is not None
    assert found[1] == tables


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgres", ""),
        ("postgres", "-- nothing"),
        ("postgres", "hello world"),
        ("postgres", "select from where"),
        ("postgres", "do $$ begin delete from t; end $$"),
        ("postgres", "explain analyze delete from t"),
        ("postgres", "prepare p as delete from t"),
        ("postgres", "listen x"),
        ("postgres", "select 1 /* /* */ ; drop table t -- */"),
        ("postgres", "select {# #} 1"),
        ("postgres", "select * from :t"),
        ("postgres", "select 1\x00; drop table t"),
        ("mysql", "select 1 /*!50000 union select * from secrets */"),
        ("mysql", "select 1 /*M!100000 union select * from secrets */"),
        ("mysql", "select * from t into outfile '/tmp/x'"),
        ("mysql", "call p()"),
        ("tsql", "select 1 delete from t"),
        ("tsql", "select * from t shutdown"),
        ("tsql", "if 1 = 1 delete from t"),
        ("tsql", "begin delete from t end"),
        ("tsql", "declare @x int delete from t"),
        ("tsql", "copy t from 'x' delete from t"),
        ("tsql", "select * from server.db..t"),
        ("clickhouse", "select 1 where 1 in secrets"),
        ("snowflake", "execute immediate 'delete from t'"),
        ("snowflake", "select * from table('t')"),
    ],
)
def test_sql_that_is_only_skimmed_or_may_be_read_otherwise_is_not_read(dialect: str, sql: str) -> None:
    assert said(sql, dialect) is None


BEFORE = ["select 1", "select * from t", "select a from t order by a", "set nocount on", "exec p", "begin tran", "rollback tran x"]
BEFORE += ["truncate table t", "kill 5", "update t set a=1", "insert into t values (1)", "drop table t", "alter table t add c int"]
BEFORE += ["create table q (a int)", "select top 1 * from t", "select * from t with (nolock)", "select * from t option (maxdop 1)"]


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize(
    ("after", "kind"),
    [("delete from s", "delete"), ("delete s", "delete"), ("drop table s", "drop"), ("insert s values (1)", "insert"), ("exec p", "call")],
)
def test_a_statement_that_needs_no_semicolon_does_not_hide_behind_another(before: str, after: str, kind: str) -> None:
    found = said(f"{before} {after}", "tsql")
    assert found is None or kind in found[0].split()


@pytest.mark.parametrize(
    "sql",
    [
        "select * from t " + "join t " * 40,
        "select " + "(" * 16_000,
        "select " + "not " * 1_500 + "1",
        "select " + "a," * 16_000,
        "select 1 " + "union select 1 " * 1_600,
        "x" * 40_000,
    ],
    ids=["joins", "parentheses", "not", "columns", "unions", "characters"],
)
def test_sql_made_to_be_slow_is_given_up(sql: str) -> None:
    before = time.process_time()
    assert said(sql) is None
    assert time.process_time() - before < 2


def test_several_texts_are_taken_together() -> None:
    assert Sql("postgres").many(["select 1", "delete from t"]) == {
        "kinds": ["delete", "select"],
        "tables": ["t"],
        "functions": [],
        "statements": 2,
    }


TABLES = ("t", "u", "secret")
WHOLE = ["delete from t", "insert into t values (1, 2)", "insert or replace into t values (1, 2)", "update t set a = 1", "drop table t"]
WHOLE += ["create table z (a)", "alter table t add column q", "select * from secret", "with x as (select 1) select * from x"]
WHOLE += ["with t as (select * from t) select * from t", "with x as (select * from secret) delete from t", "select (select a from secret)"]
WHOLE += ["insert into t select * from secret returning *", "select * from t, secret", "create view v as select * from secret"]
WHOLE += ["select * from t union select * from secret", "delete from t returning (select a from secret)", "replace into t values (1, 2)"]
WORDS = [
    "select",
    "delete",
    "insert",
    "update",
    "into",
    "from",
    "t",
    "u",
    "secret",
    "where",
    "with",
    "x",
    "as",
    "(",
    ")",
    ",",
    ";",
    "values",
]
WORDS += [
    "1",
    "'a'",
    '"t"',
    "[u]",
    "`t`",
    "main",
    ".",
    "*",
    "=",
    "set",
    "a",
    "--",
    "/*",
    "*/",
    "\n",
    "union",
    "join",
    "left",
    "on",
    "in",
    "#",
]
TEXTS = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join),
    st.lists(st.sampled_from([*WHOLE, *WORDS, ";", "--\n"]), max_size=5).map(" ".join),
    st.lists(st.sampled_from(WHOLE), max_size=3).map("; ".join),
)
ACTS = {apsw.SQLITE_DELETE: "delete", apsw.SQLITE_INSERT: "insert", apsw.SQLITE_UPDATE: "update"}


def done(sql: str) -> set[tuple[str, str]]:
    """What SQLite itself is about to do: kinds with tables, and reads."""
    database = apsw.Connection(":memory:")
    database.execute("create table t (a, b); create table u (a, b); create table secret (a, b)")
    acts: set[tuple[str, str]] = set()

    def authorize(code: int, first: str | None, second: str | None, schema: str | None, trigger: str | None) -> int:
        if first in TABLES and (code in ACTS or code == apsw.SQLITE_READ):
            acts.add((ACTS.get(code, "read"), first))
        return apsw.SQLITE_OK

    database.authorizer = authorize
    try:
        for _ in database.execute(sql):
            pass
    except apsw.Error:
        pass  # what comes before the mistake has been done
    finally:
        database.close()
    return acts


@given(TEXTS)
def test_nothing_that_a_database_does_is_missed(sql: str) -> None:
    found = derived(Sql("sqlite"), sql)
    if not isinstance(found, Mapping):
        return
    kinds, tables = set(found["kinds"]), {table.rpartition(".")[2] for table in found["tables"]}
    acts = done(sql)
    assert {table for _, table in acts} <= tables
    # SQLite drops and alters tables by rewriting its own.
    assert {kind for kind, _ in acts if kind != "read"} <= kinds or kinds & {"drop", "alter"}


@given(st.text(max_size=60), st.sampled_from(["postgres", "mysql", "tsql", "bigquery", "snowflake", "clickhouse", "oracle", "duckdb"]))
def test_any_text_is_read_or_refused(sql: str, dialect: str) -> None:
    derived(Sql(dialect), sql)
    derived(Sql(dialect), f"select * from t where a = '{sql}'")
