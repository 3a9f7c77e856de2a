"""Who operates, and how far: a role, and the teams that it is held for.

A role comes from the user id at the other end of the Unix socket, or from the groups of a person who has signed in. Viewers and
auditors read everything and admins do everything; approvers and owners act within their teams. LAW: a team that one role is held
for gives nothing to another role of the same operator: owner of one team and approver of another is owner of one alone.
"""

import grp
import os
import pwd
from collections.abc import Collection, Mapping
from enum import IntEnum

import msgspec

from doorward.approval.persons import forms, forms_of
from doorward.config.model import OperatorGroup

NOBODYS: frozenset[str] = frozenset()
"""The teams of what belongs to no team: admins alone act on it."""
_NAMES = ("sub", "email", "preferred_username", "upn", "unique_name", "name", "nickname")


class Role(IntEnum):
    """What an operator may do; each role may do what the lower ones may."""

    VIEWER = 1
    """Reads state, catalogue and log."""
    AUDITOR = 2
    """Reads the arguments and results that calls carried."""
    APPROVER = 3
    """Answers approvals and accepts definitions of its teams."""
    OWNER = 4
    """Does what admins do, for agents and upstreams of its teams."""
    ADMIN = 5
    """Everything: agents, stops, reloads."""


class Operator(msgspec.Struct, frozen=True):
    """One operator, as long as one request takes."""

    name: str
    """A local user (`ada`), or a person of an issuer (`corp:ada`): local names have no colon."""
    role: Role
    speaks_for: frozenset[str] = NOBODYS
    """The teams in whose name it may say yes."""
    owns: frozenset[str] = NOBODYS
    """The teams whose agents and upstreams it may change."""
    shown: str = ""
    """How a signed-in person is called; proves nothing."""
    names: frozenset[str] = NOBODYS
    """What else it is known by, such as an e-mail address: proves nothing either, but may bar it from answering for itself."""

    def acts_for(self, role: Role, teams: Collection[str]) -> bool:
        """Whether it may do what needs this role to something that belongs to all of these teams (to none: only as an admin)."""
        if self.role is Role.ADMIN:
            return True
        held = self.owns if role is Role.OWNER else self.speaks_for
        return self.role >= role and bool(teams) and held.issuperset(teams)


def is_self(operator: Operator, person: str) -> bool:
    """Whether an operator may be the person whom a record names, whichever door and name either came by."""
    return not forms_of((operator.name, operator.shown, *operator.names)).isdisjoint(forms(person))


def from_peer(uid: int, roles: Mapping[str, str]) -> Operator | None:
    """The operator behind a peer uid: the gateway's own user and root are admins, others what the config says, else nobody.

    Its teams are its system groups. A name that the config gives no role, or one unknown here, is nobody. May ask the system's
    user database.
    """
    name = _name(uid)
    if uid in (0, os.geteuid()):
        return Operator(name, Role.ADMIN)
    given = roles.get(name) or roles.get(str(uid))
    if not given:
        return None
    role = Role[given.upper()]
    teams = _groups(name) if role in (Role.APPROVER, Role.OWNER) else NOBODYS
    return Operator(name, role, teams, teams if role is Role.OWNER else NOBODYS)


def from_groups(name: str, shown: str, groups: Collection[str], rules: Mapping[str, OperatorGroup]) -> Operator | None:
    """The operator that a signed-in person is by the groups of its provider; nobody where none of them has a role."""
    held = [(Role[rule.role.upper()], frozenset(rule.teams)) for group, rule in rules.items() if group in groups]
    if not held:
        return None
    speaks_for = NOBODYS.union(*(teams for role, teams in held if role in (Role.APPROVER, Role.OWNER)))
    owns = NOBODYS.union(*(teams for role, teams in held if role is Role.OWNER))
    return Operator(name, max(role for role, _ in held), speaks_for, owns, shown)


def _groups(name: str) -> frozenset[str]:
    """The names of the system groups of a local user."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return NOBODYS
    return frozenset(group for number in os.getgrouplist(user.pw_name, user.pw_gid) if (group := _group(number)) is not None)


def named_in(claims: Mapping[str, object]) -> frozenset[str]:
    """What else a person is known by at its provider (OpenID Connect Core 5.1), whoever vouches for it."""
    return frozenset(name for claim in _NAMES if isinstance(name := claims.get(claim), str) and name)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _group(number: int) -> str | None:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return None
