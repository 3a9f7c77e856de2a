"""Who acts for whom, as tokens say it (RFC 8693 §4.1, `act`)."""

from doorward.domain.actors import Principal


def acting(principal: Principal) -> dict[str, object]:
    """Who speaks now, outermost, then those it was handed on by."""
    act: dict[str, object] = {}
    for agent in (*(actor.agent for actor in reversed(principal.actors)), principal.agent):
        act = {"sub": agent.id, **({"act": act} if act else {})}
    return act
