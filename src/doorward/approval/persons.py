"""Who is who among those who ask and those who answer. LAW: names that may be one person's are taken for one person's. Pure.

A person comes in as a local user of the socket (`ada`), over the network as a person of an issuer (`corp:ada`), in a webhook's answer as
whatever that service says, and stands in records as whatever an operator once wrote (`Ada`, `ada@example.com`). Nothing links these but
the names, so two names are taken for one person's where any form of one is a form of the other (`forms`). That refuses too much at times
(the Ada of one issuer is taken for the Ada of another, and somebody else must answer); the reverse would let people approve what they ask.
What no name says cannot be seen: `corp:00u1x7` and `ada` are two persons unless `corp:00u1x7` is also shown as `ada`, or by her e-mail address.
"""

import unicodedata
from collections.abc import Iterable

import msgspec

from doorward.approval.question import Question, Yes
from doorward.domain.decisions import Need

_LONGEST = 512
"""Characters; a longer name is compared as a whole, so that nobody's name takes long to compare."""


class Approver(msgspec.Struct, frozen=True):
    """A person who answers, authenticated by whoever passes the answer on."""

    name: str
    """What the log calls it."""
    teams: frozenset[str]
    """Those it speaks for."""
    names: frozenset[str] = frozenset()
    """Everything else it is known by: its e-mail address, the name it is shown by."""

    @property
    def forms(self) -> frozenset[str]:
        """Every form of every name."""
        return forms_of((self.name, *self.names))


def forms(name: str) -> frozenset[str]:
    """What a name may be written as by somebody who means the same person; nothing of an empty one.

    Letters alone count, not their case, width or invisible neighbours; with and without the issuer (`corp:ada`), the connection
    (`auth0|ada`), the domain (`CORP\\ada`, `ada@example.com`) and the tag of an address (`ada+work@example.com`).
    """
    plain = _plain(name)
    found = {plain}
    if len(plain) > _LONGEST:
        return frozenset(found)
    for mark in (":", "|", "\\"):
        found |= {form[at + 1 :] for form in found for at, letter in enumerate(form) if letter == mark}
    found |= {form.rpartition("@")[0] for form in found if "@" in form}
    found |= {form.partition("+")[0] for form in found if "+" in form}
    return frozenset(form for form in (form.strip() for form in found) if form)


def forms_of(names: Iterable[str]) -> frozenset[str]:
    """Every form of every name."""
    return frozenset[str]().union(*(forms(name) for name in names))


def is_subject(question: Question, by: Approver) -> bool:
    """Whether somebody may be whom the agent acts for, who never answers."""
    return not by.forms.isdisjoint(forms(question.subject))


def is_owner(question: Question, by: Approver) -> bool:
    """Whether somebody may own the agent that asks, or one of its chain."""
    return not by.forms.isdisjoint(forms_of((question.owner, *question.owners)))


def may(question: Question, by: Approver, need: Need) -> bool:
    """Whether somebody's yes counts for a need: of its team, not whom the agent acts for, and no owner unless the need says so."""
    if need.team not in by.teams or is_subject(question, by):
        return False
    return need.owner_may or not is_owner(question, by)


def said_by(yes: Yes, by: Approver) -> bool:
    """Whether an earlier yes may be the same person's."""
    return not by.forms.isdisjoint(forms_of((yes.by, *yes.names)))


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(letter for letter in folded if unicodedata.category(letter) != "Cf").split())
