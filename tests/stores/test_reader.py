"""The thread that reads: whatever fails in it, the next question is answered."""

import asyncio
import threading

import apsw
import pytest

from doorward.stores.sqlite.reader import Reader


@pytest.mark.anyio
async def test_a_question_is_answered_though_idle_work_has_failed_before_it() -> None:
    tried = threading.Event()

    def idle(db: apsw.Connection) -> bool:
        tried.set()
        raise ValueError("expected a leaf that can be read")

    reader = Reader(lambda: apsw.Connection(":memory:"), idle)
    try:
        assert await asyncio.to_thread(tried.wait, 10)
        assert await asyncio.wait_for(reader.submit(lambda db: db.execute("SELECT 7").get), 5) == 7
    finally:
        reader.close()
