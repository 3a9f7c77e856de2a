"""Why somebody was turned away is told to the log in clear: no person is named there."""

from __future__ import annotations

import pytest

from doorward.domain.actors import Subject
from doorward.domain.ids import SubjectId
from doorward.domain.reasons import Refused
from doorward.identity.chain import Chain
from tests.identity.authority.made import House, Person, answer
from tests.identity.authority.test_accepted import presented, source

pytestmark = pytest.mark.anyio


async def test_a_person_whose_groups_are_not_known_is_not_named() -> None:
    house = House()
    person = Person(Subject(SubjectId("corp:mrs-canary"), frozenset(f"corp:{number:050}" for number in range(100))))
    code = answer(await house.server.granted(await house.server.asked(house.question()), person))["code"]
    answered = await house.token(house.redemption(code))
    await house.store.end_subject("corp:mrs-canary", "operator", house.now)
    with pytest.raises(Refused) as refused:
        await Chain([source(house)]).identified(presented(answered))
    assert "canary" not in refused.value.detail
