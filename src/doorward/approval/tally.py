"""What of a question's needs is met: so many different people of a team, each counted once for each team it speaks for. Pure."""

import msgspec

from doorward.approval.question import Question
from doorward.domain.decisions import Need


class Progress(msgspec.Struct, frozen=True):
    """How far one need is met."""

    need: Need
    by: tuple[str, ...]
    """Who has said yes for it, in their order."""

    @property
    def is_met(self) -> bool:
        """Whether so many have said yes."""
        return len(self.by) >= self.need.people


def needs(question: Question) -> tuple[Need, ...]:
    """What must be met; of a record of before there were needs, one of each team."""
    return question.needs or tuple(Need(team) for team in sorted(question.approvers))


def progress(question: Question) -> tuple[Progress, ...]:
    """How far each need is met."""
    return tuple(Progress(need, tuple(yes.by for yes in question.yeses if need.team in yes.teams)) for need in needs(question))


def is_met(question: Question) -> bool:
    """Whether every need is; never where there is none, for then nobody has been asked."""
    found = progress(question)
    return bool(found) and all(one.is_met for one in found)


def told(question: Question) -> str:
    """What is still missing, for people: `1 more of finance, 2 more of legal`."""
    missing = [(one.need.people - len(one.by), one.need.team) for one in progress(question) if not one.is_met]
    return ", ".join(f"{count} more of {team}" for count, team in missing)
