"""References are found early, read late, and never show what they lead to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.references import (
    FILE_BYTES,
    Env,
    File,
    MalformedError,
    Pointer,
    Remote,
    Resolver,
    UnresolvedError,
    is_given,
    names,
    references_in,
)
from doorward.config.references import given as given_token
from doorward.domain.secret import Secret

MALFORMED = [
    "${openbao:token#field}",
    "${openbao:secret/ci}",
    "${openbao:secret/ci#}",
    "${openbao:/secret/ci#token}",
    "${openbao:secret/../sys/raw#token}",
    "${openbao:secret/.#token}",
    "${openbao:secret/ci?version=1#token}",
    "${openbao:secret/%2e%2e/ci#token}",
    "${openbao:secret//ci#token}",
    "${openbao:secret/a#b#c}",
    "${keyring:service}",
    "${keyring:/name}",
    "${keyring:service/}",
    "${Vault:x}",
    "${-x:y}",
    "${x-sm:}",
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain", ()),
        ("${openbao:secret/ci#token}", (Remote("openbao", "secret/ci", "token"),)),
        ("${openbao:database/creds/read-only#username}", (Remote("openbao", "database/creds/read-only", "username"),)),
        ("${keyring:doorward/GitHub token}", (Remote("keyring", "doorward/GitHub token"),)),
        ("${keyring:https://a.example.com/me}", (Remote("keyring", "https://a.example.com/me"),)),
        ("${aws-sm:prod/github#token}", (Remote("aws-sm", "prod/github", "token"),)),
        ("${aws-sm:prod/github}", (Remote("aws-sm", "prod/github"),)),
        ("${env:TOKEN}", (Env("TOKEN"),)),
        ("Bearer ${env:A} and ${file:b c/d.txt}", (Env("A"), File("b c/d.txt"))),
        ("$${env:A}", ()),
        ("$ {env:A} $x", ()),
    ],
)
def test_references_are_found_in_order(text: str, found: tuple[Pointer, ...]) -> None:
    assert references_in(text) == found


@pytest.mark.parametrize(
    "text", ["${", "${}", "${env:}", "${env:A", "${env:1A}", "${env:A-B}", "${file:}", "${file: }", "${A}", "${${env:A}}", *MALFORMED]
)
def test_anything_else_that_begins_like_one_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        references_in(text)


def test_a_bare_variable_is_answered_with_the_right_form() -> None:
    with pytest.raises(MalformedError, match=r"did you mean \$\{env:GITHUB_TOKEN\}\?"):
        references_in("${GITHUB_TOKEN}")


def test_references_are_resolved_around_literal_text(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("f1le\n")
    resolver = Resolver(tmp_path, {"A": "v4r"})
    assert resolver.resolve("x ${env:A} $${env:A} ${file:key}$").reveal() == "x v4r ${env:A} f1le$"


def test_a_resolved_value_is_not_resolved_again(tmp_path: Path) -> None:
    assert Resolver(tmp_path, {"A": "${env:B}", "B": "b"}).resolve("${env:A}").reveal() == "${env:B}"


def test_a_rotated_file_is_read_anew(tmp_path: Path) -> None:
    resolver = Resolver(tmp_path, {})
    for text in ("one", "two"):
        (tmp_path / "key").write_text(text)
        assert resolver.resolve("${file:key}") == Secret(text)


def test_what_leads_nowhere_is_named_without_values(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * (FILE_BYTES + 1))
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "latin").write_bytes(b"s\xe9cret")
    resolver = Resolver(tmp_path, {"EMPTY": ""})
    sentences = resolver.missing("${env:NONE} ${env:EMPTY} ${file:none} ${file:.} ${file:big} ${file:empty} ${file:latin}")
    assert sentences == (
        "the variable NONE is not set, or empty",
        "the variable EMPTY is not set, or empty",
        f"no file {tmp_path}/none",
        f"no file {tmp_path}",
        f"the file {tmp_path}/big is larger than 65536 bytes",
        f"the file {tmp_path}/empty is empty",
        f"the file {tmp_path}/latin is not UTF-8",
    )
    with pytest.raises(UnresolvedError) as raised:
        resolver.resolve("${file:latin}")
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_files_that_others_may_read_are_named(tmp_path: Path) -> None:
    for name, mode in (("open", 0o604), ("closed", 0o640)):
        (tmp_path / name).write_text("s")
        (tmp_path / name).chmod(mode)
    assert Resolver(tmp_path, {}).exposed("${file:open} ${file:closed} ${file:none} ${env:A}") == (f"{tmp_path}/open",)


def test_neither_resolver_nor_result_shows_a_secret(tmp_path: Path) -> None:
    resolver = Resolver(tmp_path, {"A": "hunter2"})
    assert "hunter2" not in f"{resolver!r} {resolver.resolve('${env:A}')!r} {resolver.resolve('${env:A}')}"


def test_a_text_is_told_by_the_names_of_its_references() -> None:
    assert [names("Bearer ${env:A}-${file:b}"), names("hunter2"), names("${oops")] == [
        "${env:A} ${file:b}",
        "a literal",
        "a malformed reference",
    ]


def test_the_token_of_a_process_is_no_reference_and_stands_where_it_is_given() -> None:
    text = "$${x} Bearer ${credential}"
    assert (is_given(text), names(text), given_token(text, "t0k\\1")) == (True, "${credential}", "${x} Bearer t0k\\1")
    assert [is_given(other) for other in ("$${credential}", "${env:credential}", "credential")] == [False, False, False]
    with pytest.raises(MalformedError):
        references_in(text)


@given(st.text(), st.text(min_size=1))
def test_a_text_without_references_resolves_to_itself_once_escaped(text: str, value: str) -> None:
    resolver = Resolver(Path("/"), {"A": value})
    escaped = text.replace("${", "$${")
    assert resolver.resolve(escaped).reveal() == text
    assert resolver.resolve(f"{escaped} ${{env:A}}").reveal() == f"{text} {value}"
