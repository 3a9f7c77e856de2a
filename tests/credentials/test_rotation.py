"""Another key for what is sealed, while it is used."""

import pytest

from doorward.credentials.envelope import Context
from doorward.credentials.rotation import Standing
from doorward.credentials.store_keys import MARK_KEY
from doorward.credentials.wrapping import WrappingError
from doorward.domain.errors import StoreError
from doorward.domain.receipts import Event
from doorward.stores.memory_store_keys import MemoryStoreKeys
from tests.made import Clock
from tests.sealing import Keys, opened

pytestmark = pytest.mark.anyio

ROW = Context("agent", ("claude",))
NOW = 1_700_000_000.0


class Log:
    """Hears what is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def __call__(self, event: Event) -> None:
        self.events.append(event)


async def begun(log: Log | None = None) -> Keys:
    keys = await opened(Clock(NOW), log or Log())
    keys.store.rows[ROW] = keys.envelope.seal(b"ada", ROW)
    return keys


async def test_everything_new_is_sealed_under_the_new_key_at_once_and_what_is_old_opens_before_and_after_it_followed() -> None:
    log = Log()
    keys = await begun(log)
    (first,) = await keys.rotation.standing()
    made = await keys.rotation.rotate()
    new = keys.envelope.seal(b"grace", ROW)
    assert keys.envelope.open(keys.store.rows[ROW], ROW) == b"ada"
    mark = keys.envelope.mark("agent.owner", "ada")
    old, now = await keys.rotation.standing()
    assert (old, now) == (
        Standing(first.id, NOW, is_current=False, is_held=True, store_keys=1, rows=2),
        Standing(made, NOW, is_current=True, is_held=True, store_keys=1, rows=0),
    )
    assert await keys.rotation.finish() is None
    assert await keys.rotation.standing() == (Standing(made, NOW, is_current=True, is_held=True, store_keys=1, rows=2),)
    assert log.events == [Event("encryption_key_retired", "doorward", {"key": first.id})]
    # Nothing of the first key is left, and all that is there opens with the second alone.
    again = await opened(Clock(NOW), log, keys.place, keys.store)
    assert (again.envelope.open(keys.store.rows[ROW], ROW), again.envelope.open(new, ROW)) == (b"ada", b"grace")
    assert again.envelope.mark("agent.owner", "ada") == mark
    assert len(keys.ids()) == 1


@pytest.mark.parametrize("steps", ["key made", "rows of both keys", "rows of the new key"])
async def test_a_rotation_that_a_dead_process_left_half_done_is_finished_by_the_next(steps: str) -> None:
    keys = await begun()
    match steps:
        case "key made":
            keys.place.text = (keys.place.text or "") + "ab" * 32 + "\n"
        case "rows of both keys":
            await keys.rotation.rotate()
        case _:
            await keys.rotation.rotate()
            await keys.store.rewrap(keys.envelope)
    keys = await opened(Clock(NOW), Log(), keys.place, keys.store)
    assert await keys.rotation.finish() is None
    assert keys.envelope.open(keys.store.rows[ROW], ROW) == b"ada"
    if steps == "key made":
        # Nothing is sealed under it yet: the next rotation takes it, and makes no third one.
        assert len(keys.ids()) == 2
        await keys.rotation.rotate()
        await keys.rotation.finish()
        assert keys.ids() == ["ab" * 32]
    assert len(keys.ids()) == 1
    assert [one.rows for one in await keys.rotation.standing()] == [2]


async def test_a_key_that_a_row_needs_which_does_not_open_is_kept_and_told_of() -> None:
    keys = await begun()
    keys.store.rows[Context("agent", ("moved",))] = keys.store.rows[ROW]
    await keys.rotation.rotate()
    assert await keys.rotation.finish() == "1 sealed rows do not open, and were left under the keys that they name"
    assert [(one.rows, one.is_current) for one in await keys.rotation.standing()] == [(1, False), (2, True)]
    assert len(keys.ids()) == 2


async def test_where_no_key_can_be_made_the_one_before_goes_on() -> None:
    keys = await begun()
    keys.place.broken = True
    with pytest.raises(WrappingError, match="read-only"):
        await keys.rotation.rotate()
    assert [(one.is_current, one.rows) for one in await keys.rotation.standing()] == [(True, 2)]
    assert keys.envelope.open(keys.envelope.seal(b"new", ROW), ROW) == b"new"


async def test_a_key_that_an_operator_has_added_is_the_next_one_also_where_this_process_may_not_write() -> None:
    keys = await begun()
    keys.place.text, keys.place.broken = (keys.place.text or "") + "cd" * 32 + "\n", True
    made = await keys.rotation.rotate()
    held = await keys.rotation.standing()
    assert [(one.id == made, one.is_current, one.made_at) for one in held] == [(False, False, NOW), (True, True, NOW)]


class Failing(MemoryStoreKeys):
    """Keeps no newer key while it is broken."""

    broken = False

    async def rewrap(self, envelope: object) -> int:
        if self.broken:
            raise StoreError("the disk is full")
        return await super().rewrap(envelope)  # type: ignore[arg-type]


async def test_what_keeps_rows_from_following_is_told_and_tried_again() -> None:
    store = Failing()
    keys = await opened(Clock(NOW), Log(), store=store)
    store.broken = True
    await keys.rotation.rotate()
    with pytest.raises(StoreError):
        await keys.rotation.finish()
    store.broken = False
    assert await keys.rotation.finish() is None
    assert (await store.needs(), len(await store.keys())) == ({keys.envelope.current: 1}, 1)


async def test_the_key_of_marks_follows_like_any_row() -> None:
    keys = await begun()
    await keys.rotation.rotate()
    await keys.rotation.finish()
    assert keys.envelope.open(keys.store.rows[MARK_KEY], MARK_KEY)
