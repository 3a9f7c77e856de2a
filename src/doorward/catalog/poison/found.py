"""A finding about a definition, in words for a person: rule, severity, place, and a short piece of what was seen."""

from enum import StrEnum

import msgspec

from doorward.catalog.text import visible
from doorward.domain.findings import Severity

SHOWN = 100
"""Characters of a text that a finding repeats."""


class Rule(StrEnum):
    """What was found. The names are stable: approvals, the log and SARIF files rest on them."""

    HIDDEN_TEXT = "hidden_text"
    """Characters that cannot be seen."""
    CONTROL_CHARACTER = "control_character"
    """Characters that act on a screen or are no text: ANSI sequences, C0 and C1."""
    DISGUISED_TEXT = "disguised_text"
    """Letters that only look like others, spaced or swapped letters: words that a person or a filter reads over."""
    ENCODED_TEXT = "encoded_text"
    """Text in another writing, such as base64: nobody who reviews a definition reads it."""
    PSEUDO_TAG = "pseudo_tag"
    """Marks that a model could take for those of its own conversation: `<IMPORTANT>`, `<system>`, chat-template tokens."""
    HIDDEN_COMMENT = "hidden_comment"
    """A comment that no viewer of Markdown or HTML shows."""
    OVERRIDE = "override"
    """Orders to leave other instructions, or its role, behind."""
    SECRECY = "secrecy"
    """Orders to keep something from the user."""
    OTHER_TOOLS = "other_tools"
    """Says what is to happen when other tools are used: no definition's business."""
    PREFERENCE = "preference"
    """Wants to be used instead of others."""
    OUT_OF_SCOPE = "out_of_scope"
    """Asks for what is none of a tool's business: prompts, conversation, model, other tools' results."""
    SENSITIVE_SOURCE = "sensitive_source"
    """Speaks of keys, credentials or files that hold them."""
    SHELL_ORDER = "shell_order"
    """Commands of a shell."""
    EXFILTRATION = "exfiltration"
    """Says where to send what the model holds."""
    ORDER = "order"
    """Speaks to the model in the tone of an order."""
    UNEXPECTED_KEYWORD = "unexpected_keyword"
    """A keyword that no dialect of JSON Schema has."""
    REMOTE_REFERENCE = "remote_reference"
    """A schema that stands elsewhere."""
    UNSAFE_ICON = "unsafe_icon"
    """An icon that may hold script or comes over an open line."""
    UNSAFE_LINK = "unsafe_link"
    """An address that runs script, hides its host, or belongs to no name."""
    UI_RIGHTS = "ui_rights"
    """An interface that asks for wide rights in its host."""
    ACCUMULATED = "accumulated"
    """Several findings that weigh little alone."""
    UNUSABLE = "unusable"
    """What cannot be used, and is therefore never offered: told by a scan."""
    SAME_NAME = "same_name"
    """Two servers use one name, or names that differ in case and hyphens only: common, and kept apart by prefixes."""
    LOOKALIKE = "lookalike"
    """A name that a person reads as another one: `g1thub`, `сreate_issue` with a Cyrillic letter."""
    NEAR_NAME = "near_name"
    """A long name of another server, but for a letter."""
    FOREIGN_PREFIX = "foreign_prefix"
    """A name that begins like those of another upstream: it would pass for one of its tools."""
    MENTION = "mention"
    """A text that names another server's tool: how a poisoned description bends the use of tools that are not its own (shadowing)."""


class Found(msgspec.Struct, frozen=True, order=True):
    """One finding about one definition."""

    rule: Rule
    severity: Severity
    pointer: str
    """RFC 6901, into the definition's object; of a key: the member that it names. Fit to be shown."""
    detail: str
    """Fit to be shown."""


WEIGHTS = {Severity.LOW: 1, Severity.MEDIUM: 2, Severity.HIGH: 3}


def is_at_least(severity: Severity, least: Severity) -> bool:
    """Whether a severity is this one or a worse one."""
    return WEIGHTS[severity] >= WEIGHTS[least]


def quoted(text: str) -> str:
    """A piece of a text, fit to be shown on one line."""
    line = visible(" ".join(text[: SHOWN * 2].split()))
    return f"“{line}”" if len(line) <= SHOWN else f"“{line[:SHOWN]}…”"
