"""Against a real OpenBao: KV in both versions, leases that are renewed and given back, every way to sign in, outages and seals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.error import HTTPError

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from doorward.config.references import Resolver
from doorward.config.secrets import AppRoleAuth, Auth, OpenBao, TokenAuth
from doorward.credentials.sources.openbao import OpenBaoSource
from doorward.credentials.sources.opening import Ground, bao_of
from doorward.credentials.sources.port import EndedError, GoneError, SourceError
from doorward.domain.secret import Secret
from tests.e2e.log import until
from tests.openbao import ROOT_TOKEN, Bao, Redis, openbao, redis

pytestmark = [pytest.mark.peer, pytest.mark.anyio]


@pytest.fixture(scope="module")
def things() -> Iterator[Redis]:
    with redis() as running:
        yield running


@pytest.fixture(scope="module")
def bao(things: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("openbao")) as running:
        running.database(things.port)
        running.ask("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
        yield running


class Opening:
    """Opens sources at a server, as a document would."""

    def __init__(self, address: str, root: Path, environment: dict[str, str]) -> None:
        self.declared = {"address": address, "private": True, "plain_http": True}
        self.seen: list[str] = []
        self.ground = Ground(root, Resolver(root, environment), time.monotonic, self.seen.append, lambda service, name: None)

    def __call__(self, auth: Auth, **more: object) -> OpenBaoSource:
        declared = OpenBao.model_validate({**self.declared, "auth": auth, **more})
        return OpenBaoSource(bao_of(declared, self.ground), declared.listed)


@pytest.fixture
def approle(bao: Bao, tmp_path: Path) -> Callable[..., OpenBaoSource]:
    """Opens a source that signs in with a role, whose settings may be given."""

    def opened(**settings: str) -> OpenBaoSource:
        role, secret = bao.approle(**settings)
        opening = Opening(bao.address, tmp_path, {"SECRET_ID": secret})
        return opening(AppRoleAuth(kind="approle", mount="approle", role_id=role, secret_id="${env:SECRET_ID}"), listed=("secret/team",))

    return opened


async def test_a_secret_of_kv_2_is_found_with_its_version_and_age(bao: Bao, approle: Callable[..., OpenBaoSource]) -> None:
    bao.ask("POST", "secret/data/ci", {"data": {"token": "one", "port": 5432, "is_on": True}})
    source = approle()
    found = await source.read("secret/ci")
    assert (found.fields, found.version, found.loan) == ({"token": Secret("one"), "port": Secret("5432")}, "1", None)
    assert found.made_at is not None
    assert abs(found.made_at - time.time()) < 60
    bao.ask("POST", "secret/data/ci", {"data": {"token": "two"}})
    again = await source.read("secret/ci")
    assert (again.fields, again.version) == ({"token": Secret("two")}, "2")
    await source.close()


async def test_a_secret_of_kv_1_is_found_as_it_is(bao: Bao, approle: Callable[..., OpenBaoSource]) -> None:
    bao.ask("POST", "old/ci", {"token": "plain"})
    found = await approle().read("old/ci")
    assert (found.fields, found.version, found.made_at, found.loan) == ({"token": Secret("plain")}, "", None, None)


async def test_what_is_not_there_or_not_ours_is_gone_and_says_nothing_of_values(bao: Bao, approle: Callable[..., OpenBaoSource]) -> None:
    bao.ask("POST", "secret/data/left", {"data": {"token": "canary-of-left"}})
    bao.ask("DELETE", "secret/data/left")
    source = approle()
    for place, why in (
        ("secret/nothing", "OpenBao has nothing at secret/data/nothing"),
        ("secret/left", "OpenBao has nothing at secret/data/left"),
        ("sys/raw", "OpenBao denies sys/raw to this gateway"),
        ("elsewhere/x", "OpenBao denies elsewhere/x to this gateway, or has no mount for it"),
    ):
        with pytest.raises(GoneError) as raised:
            await source.read(place)
        assert str(raised.value) == why


async def test_a_credential_is_borrowed_renewed_and_given_back(bao: Bao, things: Redis, approle: Callable[..., OpenBaoSource]) -> None:
    source = approle(name="borrowing")
    found = await source.read("database/creds/readonly")
    name, password = found.fields["username"].reveal(), found.fields["password"].reveal()
    assert things.users[name] == password
    loan = found.loan
    assert loan is not None
    assert (loan.seconds, loan.is_renewable, loan.is_sound()) == (60.0, True, True)
    assert 0 < await loan.renew() <= 60
    await loan.revoke()
    assert name in things.gone
    assert name not in things.users
    await loan.revoke()  # a second time changes nothing
    with pytest.raises(EndedError):
        await loan.renew()
    await source.close()


async def test_closing_gives_back_the_token_and_with_it_all_that_was_borrowed(things: Redis, approle: Callable[..., OpenBaoSource]) -> None:
    source = approle(name="closing")
    name = (await source.read("database/creds/readonly")).fields["username"].reveal()
    assert name in things.users
    await source.close()
    # It is told at once, and done by OpenBao a moment later.
    until(lambda: name not in things.users)


async def test_a_token_that_was_taken_away_is_replaced_and_its_loans_are_unsound(bao: Bao, approle: Callable[..., OpenBaoSource]) -> None:
    bao.ask("POST", "secret/data/again", {"data": {"token": "x"}})
    source = approle(name="again", token_ttl="6s", token_max_ttl="6s")
    loan = (await source.read("database/creds/readonly")).loan
    assert loan is not None
    bao.ask("POST", "sys/leases/revoke-prefix/auth/approle/login", {})
    # Five seconds after a sign-in its token is believed to hold; here it is asked for by hand.
    source._bao._token.since -= 60  # type: ignore[union-attr]
    assert (await source.read("secret/again")).fields == {"token": Secret("x")}
    assert not loan.is_sound()
    await source.close()


async def test_a_token_is_renewed_and_near_its_end_replaced(bao: Bao, approle: Callable[..., OpenBaoSource]) -> None:
    source = approle(name="renewing", token_ttl="2s", token_max_ttl="4s")
    await source.read("secret/ci")
    first = source._bao._token
    assert first is not None
    await source.upkeep()
    assert source._bao._token is first
    first.since -= 1.5
    await source.upkeep()
    assert (source._bao._token, source._bao.number) == (first, 1)
    time.sleep(2.5)
    await source.upkeep()
    assert source._bao.number == 2
    await source.close()


async def test_a_token_of_a_file_is_read_anew_when_it_ended(bao: Bao, tmp_path: Path) -> None:
    bao.ask("POST", "secret/data/file", {"data": {"token": "x"}})
    bao.approle()

    def write() -> str:
        token = bao.ask("POST", "auth/token/create", {"policies": ["doorward"], "ttl": "1h"})["auth"]["client_token"]
        (tmp_path / "token").write_text(f"{token}\n")
        return str(token)

    first = write()
    opening = Opening(bao.address, tmp_path, {})
    source = opening(TokenAuth(kind="token", token="${file:token}"))
    assert (await source.read("secret/file")).fields == {"token": Secret("x")}
    bao.ask("POST", "auth/token/revoke", {"token": first})
    with pytest.raises(SourceError, match="denies auth/token/lookup-self"):
        await source.read("secret/file")
    second = write()
    assert (await source.read("secret/file")).fields == {"token": Secret("x")}
    assert opening.seen == [first, first, second]
    await source.close()
    assert bao.ask("GET", "auth/token/lookup-self", token=second)["data"]["ttl"] > 0  # it was not ours to give back


@pytest.mark.parametrize(("kind", "mount"), [("jwt", "jwt"), ("kubernetes", "kubernetes")])
async def test_a_signed_token_signs_in_and_is_read_anew_each_time(bao: Bao, tmp_path: Path, kind: str, mount: str) -> None:
    # Kubernetes is asked for the same two fields; what judges them there is a cluster.
    bao.approle()
    bao.ask("POST", "secret/data/signed", {"data": {"token": "x"}})
    key = ECKey.generate_key("P-256")
    bao.ask("POST", f"sys/auth/{mount}", {"type": "jwt"})
    bao.ask("POST", f"auth/{mount}/config", {"jwt_validation_pubkeys": [key.as_pem(private=False).decode()]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["bao"], "token_policies": ["doorward"]}
    bao.ask("POST", f"auth/{mount}/role/gateway", role)
    now = int(time.time())
    claims = {"sub": "gateway", "aud": "bao", "iat": now, "nbf": now - 60, "exp": now + 600}
    (tmp_path / "jwt").write_text(jwt.encode({"alg": "ES256"}, claims, key) + "\n")
    auth = OpenBao.model_validate(
        {"address": bao.address, "auth": {"kind": kind, "role": "gateway", "token": "${file:jwt}"}, "private": True, "plain_http": True}
    ).auth
    source = Opening(bao.address, tmp_path, {})(auth)
    assert (await source.read("secret/signed")).fields == {"token": Secret("x")}
    await source.close()


async def test_a_refused_sign_in_says_so_without_its_secrets(bao: Bao, tmp_path: Path) -> None:
    role, _ = bao.approle()
    source = Opening(bao.address, tmp_path, {"SECRET_ID": "canary-of-secret-id"})(
        AppRoleAuth(kind="approle", mount="approle", role_id=role, secret_id="${env:SECRET_ID}")
    )
    with pytest.raises(SourceError) as raised:
        await source.read("secret/ci")
    assert str(raised.value) == "OpenBao refused auth/approle/login (400)"


async def test_names_below_declared_paths_are_listed(bao: Bao, approle: Callable[..., OpenBaoSource]) -> None:
    for place in ("team/github", "team/deep/er/slack", "other/x"):
        bao.ask("POST", f"secret/data/{place}", {"data": {"token": "x"}})
    assert await approle().names() == ("secret/team/deep/er/slack", "secret/team/github")


async def test_a_namespace_is_asked_where_one_is_declared(bao: Bao, tmp_path: Path) -> None:
    bao.ask("POST", "sys/namespaces/sales", {})
    for path, body in (("sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}), ("kv/data/crm", {"data": {"token": "of sales"}})):
        _eventually(partial(bao.ask, "POST", f"sales/{path}", body))
    (tmp_path / "token").write_text(ROOT_TOKEN)
    source = Opening(bao.address, tmp_path, {})(TokenAuth(kind="token", token="${file:token}"), namespace="sales")
    assert (await source.read("kv/crm")).fields == {"token": Secret("of sales")}


async def test_a_sealed_server_is_an_outage_and_nothing_is_gone(tmp_path: Path) -> None:
    with openbao(tmp_path) as bao:
        bao.ask("POST", "secret/data/x", {"data": {"token": "x"}})
        (tmp_path / "token").write_text(ROOT_TOKEN)
        source = Opening(bao.address, tmp_path, {})(TokenAuth(kind="token", token="${file:token}"))
        await source.read("secret/x")
        bao.ask("POST", "sys/seal", {})
        with pytest.raises(SourceError, match=r"OpenBao is sealed, or not ready \(503\)") as sealed:
            await source.read("secret/x")
        assert not isinstance(sealed.value, GoneError)
    with pytest.raises(SourceError, match="OpenBao cannot be reached for secret/data/x") as down:
        await source.read("secret/x")
    assert not isinstance(down.value, GoneError)


def _eventually(attempt: Callable[[], object]) -> None:
    """A namespace, and a mount of version 2, are there a moment after they were made."""
    for _ in range(100):
        try:
            attempt()
        except HTTPError:
            time.sleep(0.05)
        else:
            return
    attempt()
