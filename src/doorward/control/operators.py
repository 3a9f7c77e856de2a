"""Who operates: the user id at the other end of the Unix socket, mapped to a role; the user's groups are the teams it speaks for."""

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What an operator may do; each role may do what the lower ones may."""

    VIEWER = 1
    """Reads state, catalogue and log."""
    AUDITOR = 2
    """Reads the arguments and results that calls carried."""
    APPROVER = 3
    """Answers approvals and accepts definitions."""
    ADMIN = 4
    """Everything: agents, stops, reloads."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One signed-in operator."""

    name: str
    role: Role


def from_peer(uid: int, roles: Mapping[str, str]) -> Operator | None:
    """The operator behind a peer uid: the gateway's own user and root are admins, others what the config says, else nobody.

    A name that the config gives no role, or one unknown here, is nobody. May ask the system's user database.
    """
    name = _name(uid)
    if uid in (0, os.geteuid()):
        return Operator(name, Role.ADMIN)
    role = roles.get(name) or roles.get(str(uid))
    return Operator(name, Role[role.upper()]) if role else None


def groups(operator: Operator) -> frozenset[str]:
    """The names of the system groups of an operator: the teams in whose name it may say yes. May ask the system's user database."""
    try:
        user = pwd.getpwnam(operator.name)
    except KeyError:
        return frozenset()
    return frozenset(name for number in os.getgrouplist(user.pw_name, user.pw_gid) if (name := _group(number)) is not None)


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
