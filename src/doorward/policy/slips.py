"""Slips of the pen: people without an issuer, issuers and approvers that nobody is, and secrets in a reason."""

import re
from collections.abc import Iterator

from cedarpy import pst

from doorward.policy.atoms import Compared, Path, atoms
from doorward.policy.problems import cut, meant
from doorward.policy.remarks import Gravity, Remark, Surroundings, remark
from doorward.policy.rules import Rule

_NO_ISSUER = ("no-issuer", Gravity.ERROR)
_UNKNOWN_ISSUER = ("unknown-issuer", Gravity.WARNING)
_NOBODY = ("nobody-speaks", Gravity.NOTE)
_SECRET = ("secret-in-reason", Gravity.WARNING)

_OWN_AUTHORITY = "self"

_SECRETS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    re.compile(r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9]{16,}"),
    re.compile(r"\b(?:ghp|gho|ghs|ghu|github_pat|glpat|xox[abprs]|dw|hf|npm)[-_][A-Za-z0-9_-]{16,}"),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    re.compile(r"\b(?:password|passwd|pwd|secret|token|api[-_ ]?key)\s*[:=]\s*\S{6,}", re.IGNORECASE),
    re.compile(r"://[^/\s:@]+:[^/\s@]+@"),
)


def slips(rule: Rule, around: Surroundings) -> Iterator[Remark]:
    """The slips of one policy."""
    for uid in sorted(pst.entity_uids(rule.cedar), key=str):
        if str(uid.type) in ("User", "Group"):
            yield from _of_people(rule, str(uid.type), uid.id, around)
    for one in dict.fromkeys(atoms(rule.cedar)):
        match one:
            case Compared(path=Path(variable="context", parts=("issuer",)), value=str(name)):
                yield from _of_issuer(rule, name, around)
            case Compared(path=Path(variable="principal", parts=("user", "issuer")), value=str(name)):
                yield from _of_issuer(rule, name, around)
    yield from _of_approvers(rule, around)
    if any(pattern.search(rule.reason) for pattern in _SECRETS):
        told = "has a reason that looks as if a secret stood in it; agents and logs are told reasons"
        yield remark(_SECRET, rule, "reason", told, "take the secret out, and exchange it for another")


def _of_people(rule: Rule, kind: str, name: str, around: Surroundings) -> Iterator[Remark]:
    issuer, colon, rest = name.partition(":")
    if not colon or not issuer or not rest:
        known = sorted(around.issuers or ()) or ["corp"]
        advice = f'write {kind}::"{known[0]}:{name.strip(":")}"'
        yield remark(
            _NO_ISSUER, rule, name, f"names {kind.lower()} {cut(name)} without the issuer that vouches for it, so it is nobody", advice
        )
    else:
        yield from _of_issuer(rule, issuer, around, name)


def _of_issuer(rule: Rule, issuer: str, around: Surroundings, word: str = "") -> Iterator[Remark]:
    if around.issuers is not None and issuer not in {*around.issuers, _OWN_AUTHORITY, ""}:
        told = f"names the issuer {cut(issuer)}, and identity.issuers has none of that name{meant(issuer, around.issuers)}"
        yield remark(_UNKNOWN_ISSUER, rule, word or issuer, told, "write the name that doorward.yaml gives it")


def _of_approvers(rule: Rule, around: Surroundings) -> Iterator[Remark]:
    for word, team in (("approval", rule.approver), ("exception", rule.liftable_by)):
        if team is not None and around.speakers is not None and team not in around.speakers:
            told = f"has @{word} by {cut(team)}, for which no group of control.listen.groups speaks"
            yield remark(_NOBODY, rule, word, told, "name the team there, or see that operators at the socket speak for it")
