"""Secrets that the gateway itself uses: read when the configuration is taken, kept fresh, there without waiting; loans are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorward.config.references import Remote, Resolver, UnresolvedError
from doorward.credentials.sources.port import GoneError, SourceError
from doorward.credentials.sources.reading import Reading
from doorward.credentials.sources.standing import MOST_SECONDS, Standing
from doorward.domain.secret import Secret
from tests.credentials.sources.shelf import Shelf, Time, custody

pytestmark = pytest.mark.anyio

HOOK = Remote("shelf", "hook", "password")


async def test_what_is_wanted_is_there_for_whoever_resolves(tmp_path: Path) -> None:
    shelf, time = Shelf(), Time()
    held = custody(shelf, time)
    standing = Standing(held)
    reading = Reading(Resolver(tmp_path, {"A": "a"}), held, standing)
    standing.adopt([HOOK, Remote("shelf", "hook", "username")])
    with pytest.raises(UnresolvedError, match=r"\$\{shelf:hook#password\} has not been read yet"):
        reading.resolve("${shelf:hook#password}")
    await standing.refresh(0.0)
    assert reading.resolve("${env:A} ${shelf:hook#username} ${shelf:hook#password}") == Secret("a u p")
    assert shelf.reads == ["hook"]


async def test_a_changed_secret_takes_the_place_of_the_old_one() -> None:
    shelf, time = Shelf(), Time()
    held = custody(shelf, time)
    standing = Standing(held)
    standing.adopt([HOOK])
    await standing.refresh(0.0)
    shelf.fields, shelf.version = {"password": "another"}, "2"
    time.pass_by(61)
    await held.tick()
    assert standing.value(HOOK) == "p"
    await standing.refresh(61.0)
    assert standing.value(HOOK) == "another"


async def test_an_outage_at_the_start_is_told_and_asked_about_ever_less_often() -> None:
    shelf, time = Shelf(trouble=SourceError("it is down")), Time()
    standing = Standing(custody(shelf, time))
    standing.adopt([HOOK])
    for second in range(120):
        await standing.refresh(float(second))
    with pytest.raises(UnresolvedError, match="it is down"):
        standing.value(HOOK)
    assert len(shelf.reads) <= 5 + 120 / MOST_SECONDS
    shelf.trouble = None
    await standing.refresh(120 + MOST_SECONDS)
    assert standing.value(HOOK) == "p"


async def test_an_outage_later_changes_nothing_but_what_is_gone_is_gone() -> None:
    shelf, time = Shelf(), Time()
    held = custody(shelf, time)
    standing = Standing(held)
    standing.adopt([HOOK])
    await standing.refresh(0.0)
    for trouble, is_there in ((SourceError("it is down"), True), (GoneError("it is not there"), False)):
        shelf.trouble = trouble
        time.pass_by(61)
        await held.tick()
        await standing.refresh(61.0)
        if is_there:
            assert standing.value(HOOK) == "p"
    with pytest.raises(UnresolvedError, match="it is not there"):
        standing.value(HOOK)


async def test_a_credential_that_is_made_for_each_who_asks_is_refused_and_given_back() -> None:
    shelf, time = Shelf(lends_for=60), Time()
    standing = Standing(custody(shelf, time))
    standing.adopt([HOOK])
    await standing.refresh(0.0)
    with pytest.raises(UnresolvedError, match="only upstreams' credentials may be so"):
        standing.value(HOOK)
    assert shelf.revoked == ["hook/1"]
    await standing.refresh(1e9)
    assert shelf.reads == ["hook"]


async def test_what_is_wanted_no_longer_is_given_up() -> None:
    shelf, time = Shelf(), Time()
    held = custody(shelf, time)
    standing = Standing(held)
    standing.adopt([HOOK])
    await standing.refresh(0.0)
    standing.adopt([])
    await standing.refresh(1.0)
    assert held.newest("shelf", "hook") == ()
    with pytest.raises(UnresolvedError, match="has not been read yet"):
        standing.value(HOOK)
