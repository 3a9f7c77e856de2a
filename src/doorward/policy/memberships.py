"""Changes of who stands in what: teams and agents of the chain, people and their groups."""

from collections.abc import Iterator, Sequence
from functools import partial

from doorward.policy import suppose
from doorward.policy.atoms import Path
from doorward.policy.change import Change, Realm, View
from doorward.policy.problems import cut
from doorward.policy.question import Uid

_TRIED = 8
"""Entities of one list that are tried."""


def inside(path: Path, uids: Sequence[Uid], view: View) -> Iterator[Change]:
    """The changes by which a principal comes to stand in any of some entities."""
    for kind, identity in uids[:_TRIED] if _is_principal(path) else ():
        yield from _member(kind, identity, True, view)


def outside(path: Path, uids: Sequence[Uid], view: View) -> Iterator[Change]:
    """The changes by which a principal comes to stand in one of some entities no more."""
    for kind, identity in uids[:_TRIED] if _is_principal(path) else ():
        yield from _member(kind, identity, False, view)


def _is_principal(path: Path) -> bool:
    return path.variable == "principal" and path.parts in ((), ("team",), ("user",))


def _member(kind: str, identity: str, is_wanted: bool, view: View) -> Iterator[Change]:
    """The changes by which the principal comes to stand in an entity, or not to."""
    user = view.instead(Path("principal", ("user",)))
    match kind, is_wanted:
        case "Team" | "Agent", _:
            yield from _of_agents(kind, identity, is_wanted, view)
        case "User", True:
            yield Change(Realm.MEMBERSHIP, f"for {cut(identity)}{user}", "user", partial(suppose.for_user, user=identity))
        case "User", False:
            yield Change(Realm.MEMBERSHIP, f"for nobody{user}", "user", suppose.for_nobody)
        case "Group", True:
            told = f"for somebody in group {cut(identity)}"
            yield Change(Realm.MEMBERSHIP, told, f"group {identity}", partial(suppose.with_group, group=identity))
        case "Group", False:
            told = f"for somebody who is not in group {cut(identity)}"
            yield Change(Realm.MEMBERSHIP, told, f"group {identity}", partial(suppose.without_group, group=identity))


def _of_agents(kind: str, identity: str, is_wanted: bool, view: View) -> Iterator[Change]:
    """The same of the agent that speaks, and of each one it acts for."""
    principal = view.supposed.call.principal
    for position, agent in enumerate((principal.agent, *(actor.agent for actor in principal.actors))):
        attribute, old = ("team", str(agent.team)) if kind == "Team" else ("name", str(agent.id))
        value = identity if is_wanted else f"not-{identity}"
        if (old == identity) is is_wanted:
            continue
        who = "the agent" if position == 0 else f"agent {cut(str(agent.id))} of the chain"
        what = {
            ("team", True): f"in team {cut(identity)}",
            ("team", False): f"not in team {cut(identity)}",
            ("name", True): f"being {cut(identity)}",
            ("name", False): f"not being {cut(identity)}",
        }[attribute, is_wanted]
        instead = f" instead of {cut(old)}" if is_wanted else ""
        make = partial(suppose.with_agent, name=attribute, value=value, position=position)
        yield Change(Realm.MEMBERSHIP, f"{who} {what}{instead}", f"{attribute} {position}", make)
