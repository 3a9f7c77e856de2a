"""The keys that the database is encrypted with, as operators see and change them."""

from pathlib import Path

import pytest

from tests.control.plane import ANN, ME, NOW, plane

pytestmark = pytest.mark.anyio


async def test_keys_are_listed_with_what_hangs_on_them_and_never_themselves(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        status, answer = await it.ask("GET", "/v1/encryption/keys", uid=ANN)
        (key,) = answer["keys"]
        name = key.pop("id")
        assert (status, key, answer["trouble"]) == (
            200,
            {"made_at": NOW, "current": True, "held": True, "store_keys": 1, "rows": 1},
            None,
        )
        assert name.startswith("file:")
        assert not any(part in str(answer) for part in it.keys.ids())


async def test_another_key_is_told_to_the_log_before_it_is_made(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        before = (await it.ask("GET", "/v1/encryption/keys"))[1]["keys"][0]["id"]
        status, answer = await it.ask("POST", "/v1/encryption/rotate")
        assert (status, answer["rows"]) == (200, 1)
        keys = (await it.ask("GET", "/v1/encryption/keys"))[1]["keys"]
        assert [(key["id"], key["current"], key["rows"]) for key in keys] == [(before, False, 1), (answer["key"], True, 0)]
        assert ("encryption_key_rotated", ME, {"from": before}) in await it.events()


async def test_a_place_that_makes_no_key_is_told_of_and_nothing_changes(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.keys.place.broken = True
        status, answer = await it.ask("POST", "/v1/encryption/rotate")
        assert (status, answer["reason"], answer["message"]) == (409, "no_key", "memory cannot be written: it is read-only")
        assert [event for event, _, _ in await it.events()][-2:] == ["encryption_key_rotated", "change_failed"]
        assert len((await it.ask("GET", "/v1/encryption/keys"))[1]["keys"]) == 1
