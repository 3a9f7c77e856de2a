"""Needs: the people who must say yes, when several policies or several agents of a chain ask."""

from collections.abc import Iterable

from doorward.domain.decisions import Need


def merged(needs: Iterable[Need]) -> tuple[Need, ...]:
    """One need for each team, sorted: the most people that any asks for, and the agent's owner only where all let them."""
    found: dict[str, Need] = {}
    for need in needs:
        other = found.get(need.team, need)
        found[need.team] = Need(need.team, max(need.people, other.people), need.owner_may and other.owner_may)
    return tuple(found[team] for team in sorted(found))
