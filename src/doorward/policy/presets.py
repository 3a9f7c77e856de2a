"""Policies that ship (`flow.presets`): what somebody untrusted may have led an agent to is asked about, and not found by looking for it.

They stand in the global layer, so that no layer of a team and no `permit` undoes them. What only reads and reaches outside counts as
reaching out: a URL that is fetched tells its host whatever stands in it.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from doorward.policy.rules import SHIPPED, Origin, Source

Preset = Literal["rule_of_two", "no_untrusted_destination"]

PRESETS: tuple[Preset, ...] = get_args(Preset)

_REASONS: Mapping[Preset, str] = {
    "rule_of_two": (
        "Something untrusted and something that is not public have been read, and this call changes something or reaches outside:"
        " of these three, two go together without a person."
    ),
    "no_untrusted_destination": (
        "What this call says where to, or what to change, first stood in something untrusted that has been read: a person must look at it."
    ),
}

_CONDITIONS: Mapping[Preset, str] = {
    "rule_of_two": 'context.session.integrity == "untrusted" && context.session.confidentiality != "public"',
    "no_untrusted_destination": "!context.session.tainted_destinations.isEmpty()",
}


def presets(wanted: Iterable[Preset], team: str, exceptions: str | None = None) -> tuple[Source, ...]:
    """The shipped policies of these names. `team` is asked; `exceptions` is the team that may let them be passed over for one agent."""
    return tuple(Source(f"{SHIPPED}{name}", _text(name, team, exceptions), origin=Origin.SHIPPED) for name in dict.fromkeys(wanted))


def _text(name: Preset, team: str, exceptions: str | None) -> str:
    notes = {"id": f"{SHIPPED}{name}", "reason": _REASONS[name], "approval": team}
    if exceptions is not None:
        notes["exception"] = exceptions
    annotations = "\n".join(f"@{note}({_quoted(text)})" for note, text in notes.items())
    scope = 'principal, action in [Action::"write", Action::"destructive", Action::"external"], resource'
    return f"{annotations}\nforbid ({scope})\nwhen {{ {_CONDITIONS[name]} }};\n"


def _quoted(text: str) -> str:
    """A text as Cedar writes it."""
    return '"' + "".join(one if one.isprintable() and one not in '"\\' else f"\\u{{{ord(one):x}}}" for one in text) + '"'
