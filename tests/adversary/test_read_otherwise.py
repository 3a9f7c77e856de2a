"""An agent writes an argument that the gateway reads in one way and the system behind the upstream in another: no fact is derived of it."""

from __future__ import annotations

import pytest

from doorward.policy.facts.kind import UnderivedError
from doorward.policy.facts.path import Path
from doorward.policy.facts.sql import Sql


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        # Where a comment ends: at CR to some, at LF alone to others.
        ("oracle", "select a from t -- \r /* \n union all select pw from secret -- */"),
        ("snowflake", "select a from t -- \r /* \n union all select pw from secret -- */"),
        ("postgres", "select a from t -- \x0b /* \n union all select pw from secret -- */"),
        ("tsql", "select a from t -- \u2028 /* \n union all select pw from secret -- */"),
        ("mysql", "select a from t -- \x85 /* \n union all select pw from secret -- */"),
        # A comment of Spark goes on where its line ends in a backslash.
        ("spark", "select a from t -- \\\n /* \n union all select pw from secret -- */"),
        ("databricks", "select a from t -- \\\r\n /* \r\n union all select pw from secret -- */"),
        # Whether a backslash escapes a quote is a setting: NO_BACKSLASH_ESCAPES, standard_conforming_strings, escapedStringLiterals.
        ("mysql", "select '\\' , (select pw from secret) , '\\' from t"),
        ("postgres", "select '\\' , (select pw from secret) , '\\' from t"),
        ("redshift", "select '\\' , (select pw from secret) , '\\' from t"),
        ("spark", "select '\\' , (select pw from secret) , '\\' from t"),
        # The name of a table, worked out when it runs.
        ("snowflake", "select * from identifier('secret')"),
        ("databricks", "select identifier('secret.pw') from t"),
        ("tsql", "exec('delete from secret')"),
        ("tsql", "exec (@sql)"),
        # SQL Server compares names by a collation that knows no width.
        ("tsql", "select * from ｓｅｃｒｅｔ"),
    ],
)
def test_sql_that_a_database_may_read_otherwise_is_not_derived(dialect: str, sql: str) -> None:
    with pytest.raises(UnderivedError):
        Sql(dialect).one(sql)


@pytest.mark.parametrize("dialect", ["tsql", "oracle"])
@pytest.mark.parametrize("join", ["cross apply secret", "outer apply secret as s", "cross apply dbo.secret"])
def test_table_that_is_applied_is_a_table(dialect: str, join: str) -> None:
    name = "dbo.secret" if "dbo" in join else "secret"
    found = Sql(dialect).one(f"select * from t {join}")
    assert found == {"kinds": ["select"], "tables": [name, "t"], "functions": [], "statements": 1}


@pytest.mark.parametrize(
    "path",
    [
        # Languages strip these from the ends of a text; what is left is absolute, or the directory above.
        "\ufeff/etc/shadow",
        "\u1680/etc/shadow",
        "/srv/reports/..\ufeff",
        "/srv/reports/..\u1680",
        "\u2060/etc/shadow",
        " ~/.ssh/id_rsa",
        # What shells and some libraries put something else in place of.
        "$HOME/.ssh/id_rsa",
        "${HOME}/.ssh/id_rsa",
        " /etc/shadow",
    ],
)
def test_path_that_a_server_may_read_otherwise_is_not_derived(path: str) -> None:
    with pytest.raises(UnderivedError):
        Path("/srv/reports", {"reports": "/srv/reports"}).one(path)
