"""The keys of a state directory, as the house opens them."""

from pathlib import Path

import pytest

from doorward.app.at_rest import Seen
from doorward.app.state import open_state
from doorward.config.model import Document
from doorward.credentials.wrapping import KeyLostError

pytestmark = pytest.mark.anyio


def test_what_a_key_service_was_shown_is_told_to_who_comes_later_and_kept_no_longer() -> None:
    seen, told = Seen(), list[str]()
    seen("first")
    seen.follow(told.append)
    seen("second")
    assert told == ["first", "second"]


async def test_a_state_that_does_not_open_is_owned_by_nobody_afterwards(tmp_path: Path) -> None:
    await (await open_state(Document(), tmp_path)).close()
    key = tmp_path / "state/encryption.key"
    kept = key.read_text()
    key.unlink()
    with pytest.raises(KeyLostError, match="nothing is there"):
        await open_state(Document(), tmp_path)
    key.write_text(kept)
    key.chmod(0o600)
    await (await open_state(Document(), tmp_path)).close()


async def test_another_file_takes_over_from_the_usual_one(tmp_path: Path) -> None:
    await (await open_state(Document(), tmp_path)).close()
    moved = Document.model_validate({"encryption": {"key": {"path": "other.key"}, "former": [{}]}})
    await (await open_state(moved, tmp_path)).close()
    (tmp_path / "state/encryption.key").unlink()
    alone = Document.model_validate({"encryption": {"key": {"path": "other.key"}}})
    state = await open_state(alone, tmp_path)
    assert [one.is_held for one in await state.rotation.standing()] == [True]
    await state.close()
