"""What of the gateway is switched off for a figure: by its own configuration alone, and each time said exactly. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.gateway import CALLERS, POLICIES, READING_POLICY, TEAM
from bench.issuer import Issuer
from doorward.config.runaway import Runaway
from doorward.inspection.personal.every import NAMES as PERSONAL
from doorward.inspection.secrets.table import RULES as SECRETS

Document = Mapping[str, Any]
Change = Callable[[Document], Document]

PERMIT = """
@id("everything")
@reason("Everything is permitted.")
permit (principal, action, resource);
"""
_SECRETS = tuple(rule.name for rule in SECRETS)
CLIENT = "robot"
"""What the clients are called that have access tokens, and the agents that they are."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One gateway."""

    name: str
    told: str
    """What is switched off, or on besides, by which fields."""
    change: Change
    policies: tuple[str, ...] = (POLICIES, READING_POLICY)
    has_keys: bool = True


def everything(issuer: Issuer) -> Change:
    """Everything on: agent keys, and access tokens of an issuer whose clients become agents when they first call."""
    enrol = {"issuer": "corp", "client": f"{CLIENT}-*", "agent": "{name}", "team": TEAM, "owner": "bench"}
    return lambda document: {**document, "identity": {"issuers": {"corp": issuer.document()}, "enrol": [enrol]}}


def tokens(issuer: Issuer) -> tuple[str, ...]:
    """An access token for each caller."""
    return tuple(issuer.token(f"{CLIENT}-{number}") for number in range(CALLERS))


def _anonymous(document: Document) -> Document:
    return {**document, "identity": {"anonymous": {"agent": "anybody", "team": TEAM}}}


def _no_rules(document: Document) -> Document:
    return {**document, "inspection": {"secrets": {"off": _SECRETS}, "personal": {"off": sorted(PERSONAL)}}}


def _no_watch(document: Document) -> Document:
    return {**document, "runaway": {rule: {"mode": "off"} for rule in Runaway.model_fields}}


def _lean_log(document: Document) -> Document:
    audit = {name: value for name, value in document["audit"].items() if name != "anchor_file"}
    return {**document, "audit": {**audit, "keep_side_records_days": 0, "side_record_bytes": 0}}


def _strict(document: Document) -> Document:
    return {**document, "audit": {**document["audit"], "receipts": "strict"}}


def _limited(document: Document) -> Document:
    often = {"calls": 1_000_000, "seconds": 60}
    limits = {"each": {"rate": often}, "of-a-tool": {"per": ["agent", "tool"], "rate": often}, "at-once": {"per": [], "concurrent": 1024}}
    budgets = {"of-a-day": {"unit": "calls", "limit": 10**9, "team": TEAM}}
    return {
        **document,
        "limits": limits,
        "budgets": budgets,
        "flow": {"presets": ["rule_of_two", "no_untrusted_destination"], "team": TEAM},
    }


def _same(document: Document) -> Document:
    return document


def _all(document: Document) -> Document:
    for change in (_anonymous, _no_rules, _no_watch, _lean_log):
        document = change(document)
    return document


OFF = Variant(
    "stages off",
    "all of the above at once. What no configuration switches off stays on: the checks of the edge, resolving against pinned definitions, "
    "admission, one decision of Cedar, the guards of schemas, sizes, characters, links, injections and Doorward's own secrets, labels, "
    "and two leaves of which the first is durable",
    _all,
    (PERMIT,),
    has_keys=False,
)

PARTS: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("nobody is identified", "`identity.anonymous` instead of keys", _anonymous, has_keys=False),
        Variant("one policy", "one policy that permits everything instead of nine", _same, (PERMIT,)),
        Variant(
            "no rules for secrets and personal data",
            f"`inspection.secrets.off` and `inspection.personal.off` with all {len(_SECRETS)} and {len(PERSONAL)} rules",
            _no_rules,
        ),
        Variant("no watch for runaways", "`runaway.*.mode: off`", _no_watch),
        Variant("nothing kept but leaves", "`audit.keep_side_records_days: 0`, `side_record_bytes: 0`, no `anchor_file`", _lean_log),
    )
}
"""Everything on but for one stage."""

MORE: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            "strict receipts", "on besides: `audit.receipts: strict`, so that the outcome, too, is durable before the reply leaves", _strict
        ),
        Variant(
            "limits, a budget and rules on labels",
            "on besides: three `limits`, one of the `budgets` in calls, and the policies of `flow.presets` that forbid by labels",
            _limited,
        ),
    )
}
"""Everything on and more."""
