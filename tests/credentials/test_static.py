"""References resolved into what can be sent."""

from pathlib import Path

import pytest

from doorward.config.references import Resolver
from doorward.credentials.plan import Environment, Nothing, StaticHeader
from doorward.credentials.static import Material, UnfitError, load
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret


def resolver(root: Path, **environment: str) -> Resolver:
    return Resolver(root, environment)


def test_no_plan_is_no_material(tmp_path: Path) -> None:
    assert load(Nothing("x"), resolver(tmp_path)) == Material((), (), ())


def test_a_header_holds_its_text_and_its_secret_is_known_bare_and_whole(tmp_path: Path) -> None:
    found = load(StaticHeader("x", "X-Key", "token ${env:T}"), resolver(tmp_path, T="s3cr3t"))
    assert found == Material((("X-Key", Secret("token s3cr3t")),), (), (Secret("s3cr3t"), Secret("token s3cr3t")))
    assert "s3cr3t" not in repr(found)


def test_an_environment_is_whole_and_only_what_is_referred_to_is_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cr3t\n")
    found = load(Environment("x", (("MODE", "fast"), ("URL", "db://u:${file:token}@h"))), resolver(tmp_path))
    assert found == Material((), (("MODE", Secret("fast")), ("URL", Secret("db://u:s3cr3t@h"))), (Secret("s3cr3t"),))


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\x00", "ä", " a", "a ", "\t"], ids=repr)
def test_a_secret_that_could_end_the_header_is_not_sent_and_not_told(tmp_path: Path, value: str) -> None:
    with pytest.raises(UnfitError) as caught:
        load(StaticHeader("x", "X-Key", "${env:T}"), resolver(tmp_path, T=value))
    assert value not in str(caught.value)


def test_a_variable_with_a_nul_is_not_passed_on(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"s3cr\x00et")
    with pytest.raises(UnfitError):
        load(Environment("x", (("T", "${file:token}"),)), resolver(tmp_path))


def test_an_empty_secret_is_no_secret_cve_2026_78573(tmp_path: Path) -> None:
    """The flaw was a product that ran with default or empty credentials."""
    with pytest.raises(DoorwardError):
        load(StaticHeader("x", "Authorization", "Bearer ${env:T}"), resolver(tmp_path, T=""))
