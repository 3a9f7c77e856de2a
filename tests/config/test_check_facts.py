"""Declared facts that cannot be derived are found when the document is read."""

from pathlib import Path

import pytest

from doorward.config.ground import Ground
from doorward.config.load import read
from doorward.config.problems import ConfigError

HEAD = "upstreams:\n  a:\n    url: https://a.example.com\n    tools:\n      t:\n        facts:\n          "
KINDS = '"url", "path", "email", "sql", "decimal", "length", "match" or "member"'


def problems(fact: str, root: Path = Path("/nonexistent")) -> list[str]:
    """What is said of a fact named `n`; errors, else notes."""
    try:
        loaded = read(f"{HEAD}{fact}\n".encode(), Path("doorward.yaml"), Ground(root, {}))
    except ConfigError as error:
        lines = [str(problem) for problem in error.problems]
    else:
        lines = [str(problem) for problem in loaded.notes]
    return [line.partition(": upstreams.a.tools.t.")[2] for line in lines if ".facts." in line]


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ("n: {of: /x, kind: url}", []),
        ("n: {of: /x/*, kind: email}", []),
        ("n: {of: /x, kind: sql, dialect: postgres}", []),
        ("n: {of: /x, kind: path, base: /srv, roots: {reports: /srv/reports}}", []),
        (
            "n: {of: /x, kind: urll}",
            [f'facts.n.kind: expected {KINDS}, got the text "urll"; did you mean "url"?'],
        ),
        ("n: {of: /x}", ['facts.n: the field "kind" is missing']),
        ("n: {kind: url}", ['facts.n: the field "of" is missing']),
        ("n: {of: x, kind: url}", ["facts.n.of: expected a JSON pointer into the arguments, such as /path or /recipients/*"]),
        ("n: {of: /x, kind: path, root: {a: /b}}", ['facts.n.root: no field of this name exists; did you mean "roots"?']),
        ("n: {of: /x, kind: sql}", ['facts.n: the field "dialect" is missing']),
        (
            "N: {of: /x, kind: url}",
            ["facts.N: expected a name of at most 63 lower-case letters, digits and single underscores, beginning with a letter"],
        ),
        (
            "n: {of: /x, kind: path, base: srv, roots: {a: /srv/../etc}}",
            [
                'facts.n.base: expected an absolute path without . and .., such as /srv/reports, got "srv"',
                'facts.n.roots.a: expected an absolute path without . and .., such as /srv/reports, got "/srv/../etc"',
            ],
        ),
        ("n: {of: /x, kind: path}", ["facts.n: without roots, policies can read the plain path alone"]),
        ("n: {of: /x, kind: match, pattern: '(a'}", ["facts.n.pattern: expected a pattern of RE2: missing ): (a"]),
        ("n: {of: /x, kind: match, pattern: '^a$'}", ["facts.n.pattern: the whole text has to match anyway, without ^ and $"]),
        ("n: {of: /x, kind: member}", ["facts.n: expected values or a file with them"]),
        ("n: {of: /x, kind: member, values: [a], file: b}", ["facts.n.file: expected one of values and file, got both"]),
        ("n: {of: /x, kind: member, file: b}", ["facts.n.file: the list /nonexistent/b cannot be read: No such file or directory"]),
        (
            "n: {of: /x/*, kind: length, unit: items}",
            ["facts.n.of: this is the length of each element of a list; leave out the /* for the length of the list"],
        ),
    ],
)
def test_each_mistake_is_told_with_its_place(fact: str, expected: list[str]) -> None:
    assert problems(fact) == expected


def test_an_empty_list_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("# nobody yet\n\n")
    assert problems("n: {of: /x, kind: member, file: b}", tmp_path) == [
        "facts.n.file: expected a file with one value a line, it holds none"
    ]
