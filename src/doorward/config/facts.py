"""Derived facts, as an operator declares them: what policy may read of an argument that Cedar itself cannot compute."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from doorward.config.part import Name, Part

FactName = Annotated[str, StringConstraints(pattern=r"^[a-z](?:_?[a-z0-9])*$", max_length=63)]
"""An attribute of `context.derived`: lower-case letters, digits and single underscores."""

Pointer = Annotated[str, StringConstraints(pattern=r"^(?:/(?:[^~/]|~[01])+)+$", max_length=256)]
"""A JSON pointer (RFC 6901) into the arguments; the step `*` stands for every element of a list."""

Dialect = Literal[
    "athena",
    "bigquery",
    "clickhouse",
    "databricks",
    "duckdb",
    "hive",
    "mysql",
    "oracle",
    "postgres",
    "presto",
    "redshift",
    "snowflake",
    "spark",
    "sqlite",
    "trino",
    "tsql",
]

_OF = "The argument: a JSON pointer such as `/target/url`; `*` is every element of a list, as in `/recipients/*`"


class UrlFact(Part):
    """Scheme, host, port and path of a URL, as every reader of it has to understand them."""

    of: Pointer = Field(description=_OF)
    kind: Literal["url"] = Field(description="`url`")


class PathFact(Part):
    """A file's path, made absolute and plain, and which of some directories it lies in; links are not followed."""

    of: Pointer = Field(description=_OF)
    kind: Literal["path"] = Field(description="`path`")
    base: str | None = Field(None, description="The directory that relative paths start from, absolute; without it they cannot be read")
    roots: dict[Name, str] = Field(default_factory=dict, description="Directories by the name policies know them by, absolute")


class EmailFact(Part):
    """Addresses and domains of one or several e-mail recipients."""

    of: Pointer = Field(description=_OF)
    kind: Literal["email"] = Field(description="`email`")


class SqlFact(Part):
    """What SQL text does: kinds of statements, tables and functions, read by a parser of the dialect."""

    of: Pointer = Field(description=_OF)
    kind: Literal["sql"] = Field(description="`sql`")
    dialect: Dialect = Field(description="What the database speaks")


class DecimalFact(Part):
    """A number, or decimal text, as an exact decimal of at most four places."""

    of: Pointer = Field(description=_OF)
    kind: Literal["decimal"] = Field(description="`decimal`")


class LengthFact(Part):
    """How long a text or a list is."""

    of: Pointer = Field(description=_OF)
    kind: Literal["length"] = Field(description="`length`")
    unit: Literal["characters", "bytes", "items"] = Field("characters", description="What is counted; `items` of a list or object")


class MatchFact(Part):
    """Whether the whole of a text matches a pattern."""

    of: Pointer = Field(description=_OF)
    kind: Literal["match"] = Field(description="`match`")
    pattern: str = Field(min_length=1, max_length=1000, description="A regular expression of RE2 that the whole text has to match")


class MemberFact(Part):
    """Whether a text or whole number is one of a list: given here, or in a file with one on each line."""

    of: Pointer = Field(description=_OF)
    kind: Literal["member"] = Field(description="`member`")
    values: tuple[str, ...] = Field((), description="The list; numbers stand in it as text")
    file: str | None = Field(
        None, description="A UTF-8 file with one value a line instead, relative to the document; read at start and reload"
    )


FactRule = Annotated[
    UrlFact | PathFact | EmailFact | SqlFact | DecimalFact | LengthFact | MatchFact | MemberFact, Field(discriminator="kind")
]
"""One fact of one tool."""
