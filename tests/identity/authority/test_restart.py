"""Over SQLite: nothing that was acknowledged is lost with the process, and nothing that was used comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doorward.identity.authority.port import OAuthError
from doorward.stores.sqlite.authority import SqliteAuthority
from doorward.stores.sqlite.database import open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.testing.stores.log import Clock, committer
from tests.identity.authority.made import Draws, House, Vault
from tests.sealing import envelope

pytestmark = pytest.mark.anyio


class Lives:
    """One state directory, and the processes that owned it one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._vault, self._draws = Vault(), Draws()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[House]:
        database = open_database(self._path / "state")
        log = SqliteLog(database, committer(), Clock(), envelope())
        try:
            yield House(store=SqliteAuthority(log.writer, envelope()), vault=self._vault, draws=self._draws)
        finally:
            log.close()
            database.close()


async def error_of(house: House, fields: dict[str, str]) -> str:
    """The error that a request gets."""
    with pytest.raises(OAuthError) as caught:
        await house.token(fields)
    return caught.value.error


async def test_codes_tokens_and_clients_survive_and_what_is_used_stays_used(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    async with lives.next() as house:
        registered = await house.server.register({"client_name": "c", "redirect_uris": ["http://localhost/cb"]})
        unused, used = await house.code(), await house.code()
        first = await house.token(house.redemption(used))
        second = await house.refreshed(first["refresh_token"])
        assertion = house.signed()
        await house.token({"grant_type": "client_credentials", "resource": "https://gate.example/mcp", **assertion})
    async with lives.next() as house:
        assert (await house.server.client(str(registered["client_id"]))).name == "c"
        assert await house.token(house.redemption(unused))
        third = await house.refreshed(second["refresh_token"])
        assert house.claims(third)["fam"] == house.claims(second)["fam"]
        again = {"grant_type": "client_credentials", "resource": "https://gate.example/mcp", **assertion}
        assert await error_of(house, again) == "invalid_client"
    async with lives.next() as house:
        assert await error_of(house, house.redemption(used)) == "invalid_grant"
        assert house.ended == [(house.claims(third)["fam"], "code_reused")]
    async with lives.next() as house:
        assert await error_of(
            house, {"grant_type": "refresh_token", "client_id": "desk", "refresh_token": str(third["refresh_token"])}
        ) == ("invalid_grant")
        await house.server.upkeep()
        assert house.ended == [(house.claims(third)["fam"], "code_reused")]


async def test_of_64_requests_at_once_one_gets_tokens(tmp_path: Path) -> None:
    async with Lives(tmp_path).next() as house:
        code = await house.code()
        got = await asyncio.gather(*(house.token(house.redemption(code)) for _ in range(64)), return_exceptions=True)
        assert len([one for one in got if isinstance(one, dict)]) == 1
        token = (await house.redeemed())["refresh_token"]
        got = await asyncio.gather(*(house.refreshed(token) for _ in range(64)), return_exceptions=True)
        assert len([one for one in got if isinstance(one, dict)]) == 1
        request = {"grant_type": "client_credentials", "resource": "https://gate.example/mcp", **house.signed()}
        got = await asyncio.gather(*(house.token(request) for _ in range(64)), return_exceptions=True)
        assert len([one for one in got if isinstance(one, dict)]) == 1
