"""References resolved into what can be sent."""

import os
from pathlib import Path

import pytest

from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.plan import Basic, Environment, Static, StaticHeader
from doorward.credentials.port import EVERYBODY, Minted, Use
from doorward.credentials.static import KEPT_SECONDS, StaticMint, UnfitError
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId
from doorward.domain.secret import Secret
from tests.credentials.sources.shelf import reading
from tests.made import call

pytestmark = pytest.mark.anyio

USE = Use(call())


def mint(root: Path, plan: Static, **environment: str) -> StaticMint:
    return StaticMint(UpstreamId("u"), plan, reading(root, environment), root, Fingerprints(b"k" * 32).mark)


async def minted(root: Path, plan: Static, **environment: str) -> Minted:
    return await mint(root, plan, **environment).mint(USE)


def test_a_static_secret_is_everybodys(tmp_path: Path) -> None:
    assert mint(tmp_path, StaticHeader("x", "X-Key", "${env:T}"), T="s").holder(USE) == EVERYBODY


async def test_a_header_holds_its_text_and_its_secret_is_known_bare_and_whole(tmp_path: Path) -> None:
    found = await minted(tmp_path, StaticHeader("x", "X-Key", "token ${env:T}"), T="s3cr3t")
    assert (found.headers, found.environment) == ((("X-Key", Secret("token s3cr3t")),), ())
    assert found.secrets == (Secret("s3cr3t"), Secret("token s3cr3t"))
    assert (found.renewed_after, found.seconds, found.release) == (KEPT_SECONDS, None, None)
    assert "s3cr3t" not in repr(found)


async def test_basic_is_written_as_rfc_7617_says(tmp_path: Path) -> None:
    found = await minted(tmp_path, Basic("x", "Aladdin", "${env:P}"), P="open sesame")
    assert found.headers == (("Authorization", Secret("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),)
    assert Secret("open sesame") in found.secrets
    assert Secret("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") in found.secrets


async def test_a_user_name_with_a_colon_would_be_another_user_and_another_password(tmp_path: Path) -> None:
    with pytest.raises(UnfitError) as caught:
        await minted(tmp_path, Basic("x", "${env:U}", "${env:P}"), U="ci:root", P="secret")
    assert "ci" not in str(caught.value).replace("expected a user name without colon (RFC 7617), the secret holds something else", "")


async def test_an_environment_is_whole_and_only_what_is_referred_to_is_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cr3t\n")
    found = await minted(tmp_path, Environment("x", (("MODE", "fast"), ("URL", "db://u:${file:token}@h"))))
    assert found.environment == (("MODE", Secret("fast")), ("URL", Secret("db://u:s3cr3t@h")))
    assert (found.headers, found.secrets) == ((), (Secret("s3cr3t"),))


async def test_an_account_stays_with_its_secret_and_changes_with_it(tmp_path: Path) -> None:
    plan = StaticHeader("x", "X-Key", "${env:T}")
    first = (await minted(tmp_path, plan, T="one")).account
    assert (await minted(tmp_path, plan, T="one")).account == first
    assert (await minted(tmp_path, plan, T="two")).account != first
    assert "one" not in first


async def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cr3t")
    os.utime(tmp_path / "token", ns=(1, 1))
    found = await minted(tmp_path, StaticHeader("x", "X-Key", "${file:token}"))
    assert found.is_current is not None
    assert found.is_current()
    os.utime(tmp_path / "token", ns=(2, 2))
    assert not found.is_current()


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\x00", "ä", " a", "a ", "\t"], ids=repr)
async def test_a_secret_that_could_end_the_header_is_not_sent_and_not_told(tmp_path: Path, value: str) -> None:
    with pytest.raises(UnfitError) as caught:
        await minted(tmp_path, StaticHeader("x", "X-Key", "${env:T}"), T=value)
    assert value not in str(caught.value)


async def test_a_variable_with_a_nul_is_not_passed_on(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"s3cr\x00et")
    with pytest.raises(UnfitError):
        await minted(tmp_path, Environment("x", (("T", "${file:token}"),)))


async def test_an_empty_secret_is_no_secret_cve_2026_78573(tmp_path: Path) -> None:
    """The flaw was a product that ran with default or empty credentials."""
    with pytest.raises(DoorwardError):
        await minted(tmp_path, StaticHeader("x", "Authorization", "Bearer ${env:T}"), T="")


async def test_of_a_user_and_a_password_the_password_alone_is_secret(tmp_path: Path) -> None:
    found = await minted(tmp_path, Basic("x", "${env:U}", "${env:P}"), U="alice@example.com", P="open sesame")
    assert [secret.reveal() for secret in found.secrets] == ["open sesame", "Basic YWxpY2VAZXhhbXBsZS5jb206b3BlbiBzZXNhbWU="]
