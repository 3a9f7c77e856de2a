"""Where a text that would be a trick elsewhere is what an argument is for: by its name, its description, and its tool's name."""

from collections.abc import Iterator, Mapping
from functools import cache

import re2

from doorward.inspection.tricks.rules import Family

EVERYTHING = frozenset(Family)

_OF_WORDS: Mapping[str, frozenset[Family]] = {
    **dict.fromkeys(
        (
            *(
                "code",
                "script",
                "scripts",
                "snippet",
                "program",
                "javascript",
                "typescript",
                "python",
                "patch",
                "diff",
                "expression",
            ),
            *(
                "content",
                "contents",
                "text",
                "body",
                "html",
                "markdown",
                "css",
                "xml",
                "yaml",
                "json",
                "regex",
                "regexp",
                "notebook",
                "cell",
            ),
            *(
                "str",
                "string",
                "function",
                "macro",
                "formula",
                "workflow",
                "playbook",
                "dockerfile",
                "raw",
                "payload",
                "stdin",
                "replacement",
            ),
        ),
        EVERYTHING,
    ),
    **dict.fromkeys(
        ("command", "commands", "cmd", "shell", "bash", "terminal", "exec", "powershell", "args", "argv", "entrypoint"),
        EVERYTHING - {Family.DIRECTORY, Family.XML},
    ),
    **dict.fromkeys(("sql", "statement", "statements", "where", "cypher", "soql", "jql", "kql"), frozenset({Family.SQL})),
    **dict.fromkeys(("query", "queries"), frozenset({Family.SQL, Family.NOSQL, Family.ADDRESS, Family.TEMPLATE})),
    **dict.fromkeys(
        (
            "filter",
            "pipeline",
            "aggregation",
            "aggregate",
            "mongo",
            "mongodb",
            "selector",
            "projection",
            "update",
            "criteria",
            "condition",
            "conditions",
        ),
        frozenset({Family.NOSQL, Family.SQL}),
    ),
    **dict.fromkeys(("q", "search", "question", "keywords", "topic"), frozenset({Family.ADDRESS, Family.TEMPLATE, Family.HEADER})),
    **dict.fromkeys(("template", "templates", "jinja", "format", "prompt"), frozenset({Family.TEMPLATE})),
    **dict.fromkeys(("headers", "header", "cookies"), frozenset({Family.HEADER})),
    **dict.fromkeys(("ldap", "dn"), frozenset({Family.DIRECTORY})),
    **dict.fromkeys(("xpath", "xquery"), frozenset({Family.DIRECTORY, Family.SQL})),
    **dict.fromkeys(("pattern", "patterns", "glob", "find"), frozenset({Family.TEMPLATE, Family.SHELL})),
}
"""By the words of an argument's name. `query` is of a database or of people: neither SQL nor operators are tricks there."""

_OF_TOOLS: Mapping[str, frozenset[Family]] = {
    **dict.fromkeys(("sql", "postgres", "mysql", "sqlite", "database", "db", "bigquery", "snowflake"), frozenset({Family.SQL})),
    **dict.fromkeys(("mongo", "mongodb", "aggregate"), frozenset({Family.NOSQL})),
    **dict.fromkeys(("shell", "bash", "terminal", "exec", "execute", "powershell", "eval", "run"), frozenset({Family.SHELL, Family.PATH})),
}
_DESCRIBED: tuple[tuple[str, frozenset[Family]], ...] = (
    (r"(?i)\b(?:source code|code to|script|snippet|program)\b", EVERYTHING),
    (r"(?i)\b(?:shell|bash|command(?: line| to run| to execute)|terminal)\b", EVERYTHING - {Family.DIRECTORY, Family.XML}),
    (r"(?i)\b(?:sql|soql|cypher)\b", frozenset({Family.SQL})),
    (r"(?i)\b(?:mongo\w*|aggregation|query operators?)\b", frozenset({Family.NOSQL})),
    (r"(?i)\b(?:templates?|jinja2?|handlebars|liquid|placeholders?|interpolat\w+)\b", frozenset({Family.TEMPLATE})),
    (r"(?i)\bldap\b", frozenset({Family.DIRECTORY})),
    (r"(?i)\bxpath\b", frozenset({Family.DIRECTORY, Family.SQL})),
)


def families(tool: str, names: tuple[str, ...], description: str) -> frozenset[Family]:
    """What is no trick in an argument; `names`: those on the way to it, outermost first."""
    found = frozenset(family for word in _words(tool) for family in _OF_TOOLS.get(word, ()))
    for name in names:
        for word in _words(name):
            found |= _OF_WORDS.get(word, frozenset())
    for form, of in _described():
        if description and form.search(description) is not None:
            found |= of
    return found


def described(schema: object, names: tuple[str, ...]) -> str:
    """What a tool's schema says of an argument: the description of the last name on the way that has one."""
    said = ""
    for name in names:
        properties = schema.get("properties") if isinstance(schema, Mapping) else None
        schema = properties.get(name) if isinstance(properties, Mapping) else None
        description = schema.get("description") if isinstance(schema, Mapping) else None
        if not isinstance(schema, Mapping):
            break
        said = description if isinstance(description, str) else said
    return said


def _words(name: str) -> Iterator[str]:
    """The words of a name in any of the usual spellings."""
    for word in _word().findall(name[:256]):
        yield word.lower()


@cache
def _word() -> "re2._Regexp":
    return re2.compile(r"[A-Z]+[a-z0-9]*|[a-z0-9]+")


@cache
def _described() -> tuple[tuple["re2._Regexp", frozenset[Family]], ...]:
    return tuple((re2.compile(form), of) for form, of in _DESCRIBED)
