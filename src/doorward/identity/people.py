"""Who a verified ID token speaks of: the person's name for good, the name to show, and the groups, by the habits of the provider."""

from collections.abc import Mapping
from typing import assert_never

import msgspec

from doorward.config.identity import Issuer, Preset
from doorward.domain.actors import Subject
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import SubjectId

_MOST_GROUPS = 1000
_GROUP_LENGTH = 256
_SUBJECT_LENGTH = 255
"""As OpenID Connect Core 2 bounds `sub`."""


class PersonError(DoorwardError):
    """An ID token whose person cannot be told; the message may be shown."""


class Person(msgspec.Struct, frozen=True):
    """Somebody who has signed in."""

    subject: Subject
    """`corp:alice`, with groups `corp:sales`."""
    name: str
    """For people to read: says who it is, and proves nothing."""
    claims: Mapping[str, object]


class Habits(msgspec.Struct, frozen=True):
    """Where a provider's ID tokens say what."""

    subject: tuple[str, ...]
    """The first of these claims that is there."""
    groups: tuple[str, ...]
    """All of these, joined."""
    asks_userinfo: bool
    """Groups that are not in the ID token may be in the answer of the UserInfo endpoint."""


def habits(issuer: Issuer) -> Habits:
    """Those of an issuer: what the configuration says, else what its preset does."""
    subject, groups, asks = _of(issuer.preset)
    return Habits(issuer.claims.subject or (subject,), issuer.claims.groups or groups, asks)


def _of(preset: Preset) -> tuple[str, tuple[str, ...], bool]:
    match preset:
        case "entra":
            # `sub` differs with each application there; `oid` names the person in the whole directory.
            return "oid", ("groups",), False
        case "google":
            # Its ID tokens know no groups: the Workspace domain is the only one.
            return "sub", ("hd",), False
        case "generic" | "auth0" | "keycloak" | "okta":
            return "sub", ("groups",), True
        case _:
            assert_never(preset)


def has_overage(claims: Mapping[str, object], wanted: Habits) -> bool:
    """Whether groups were left out, as Entra does where there are too many: they are said to be elsewhere (OpenID Connect Core 5.6.2)."""
    elsewhere = claims.get("_claim_names")
    if elsewhere is not None and not isinstance(elsewhere, Mapping):
        return True
    return claims.get("hasgroups") not in (None, False) or not frozenset(wanted.groups).isdisjoint(elsewhere or ())


def has_groups(claims: Mapping[str, object], wanted: Habits) -> bool:
    """Whether any of the claims that hold groups is there."""
    return any(name in claims for name in wanted.groups)


def person(name: str, claims: Mapping[str, object], wanted: Habits) -> Person:
    """The person of verified claims, with every name under the issuer's own; raises `PersonError`."""
    subject = next((claims[claim] for claim in wanted.subject if claim in claims), None)
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_LENGTH or not subject.isprintable():
        raise PersonError(f"The identity provider did not say who you are (no usable claim {' or '.join(wanted.subject)}).")
    groups = frozenset(f"{name}:{group}" for claim in wanted.groups for group in _groups(claims.get(claim)))
    return Person(Subject(SubjectId(f"{name}:{subject}"), groups), _shown(claims, subject), claims)


def _groups(value: object) -> tuple[str, ...]:
    """The groups of one claim: a list of texts, or a single text. None is left out in silence: somebody might have too many rights."""
    given = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(group, str) and len(group) <= _GROUP_LENGTH for group in given):
        raise PersonError("The identity provider tells your groups in a form that is not known here.")
    if len(given) > _MOST_GROUPS:
        raise PersonError("You are in more groups than this gateway takes; ask for a claim with fewer of them.")
    return tuple(group for group in given if group)


def _shown(claims: Mapping[str, object], subject: str) -> str:
    for claim in ("name", "preferred_username", "email"):
        text = claims.get(claim)
        if isinstance(text, str) and text.strip():
            return "".join(letter for letter in text if letter.isprintable())[:120].strip() or subject
    return subject
