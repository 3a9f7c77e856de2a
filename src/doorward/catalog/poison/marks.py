"""Characters that are not seen, letters in disguise, and marks that a model could take for those of its own conversation."""

import unicodedata
from collections.abc import Iterator
from typing import Final

import re2

from doorward.catalog.poison.folding import is_mixed
from doorward.catalog.poison.found import Rule
from doorward.catalog.poison.grammar import Said
from doorward.catalog.text import INVISIBLE
from doorward.domain.findings import Severity

_REASONS = re2.compile(
    # Joiners and selectors that make an emoji or keycap, and joiners between letters of scripts that need them.
    r"[\x{2190}-\x{2bff}\x{2049}\x{203c}\x{a9}\x{ae}\x{3030}\x{1f000}-\x{1faff}]\x{fe0f}?(?:\x{200d}[\x{2190}-\x{2bff}\x{1f000}-\x{1faff}]\x{fe0f}?)*"
    r"|[0-9#*]\x{fe0f}\x{20e3}"
    r"|[\x{590}-\x{10ff}][\x{200c}\x{200d}](?:[\x{590}-\x{10ff}])"
)
_TEXT_CONTROLS: Final = frozenset("\n\r\t")
_MIXED_SPLIT = re2.compile(r"[^\pL]+")

_CHAT = re2.compile(
    r"(?i)<\|[a-z_ ]{2,30}\|>|\[/?INST\]|<</?SYS>>|<start_of_turn>|<end_of_turn>|<\|?(?:bos|eos|eot_id|endoftext)\|?>|"
    r"\[/?(?:SYSTEM|SYSTEM_PROMPT|ASSISTANT|USER_QUERY|TOOL_CALLS|AVAILABLE_TOOLS)\]"
    r"|(?:^|\n)\s*(?:\\n)*(?:human|assistant|system):\s+\S|</?(?:antml|function_calls|invoke|tool_(?:call|response|result|"
    r"use)s?|anthropic)\b[^<>]{0,80}>"
)
_TAG = re2.compile(
    r"(?i)<\s*/?\s*(?:very[_ -]?)?(?:important|critical|urgent|mandatory|attention|priority|system|sys|assistant|"
    r"developer|admin|root|secret|hidden|override|jailbreak|priming|thinking|scratchpad)"
    r"(?:[_ :-]*(?:instructions?|prompt|messages?|rules?|notes?|directives?|orders?|reminder|info|alert|override|policy|"
    r"update|context|notice|command|only|required|read|thoughts?))?\s*/?\s*>"
)
_SOFT_TAG = re2.compile(
    r"(?i)<\s*/?\s*(?:[a-z]+[_ -])?(?:instructions?|directives?|orders?|rules?|policy|commands?|prompt|guidelines?|note|"
    r"reminder|(?:tool|agent|model|ai|llm|user|assistant)[_-][a-z_]+)\s*/?\s*>"
)
_COMMENT = re2.compile(r"(?s)<!--.{8,}?(?:-->|$)|\[//\]: ?#|\[comment\]: ?<")
_GATE = re2.compile(r"[<\[]|(?:^|\n)\s*(?i:human|assistant|system):")

Reason = tuple[Rule, Severity, str]


def unseen(text: str) -> Iterator[Said]:
    """Characters that have no business in a text that is read."""
    if text.isascii() and text.isprintable():
        return
    rest = _REASONS.sub("", text)
    acting = sorted({letter for letter in rest if unicodedata.category(letter) == "Cc" and letter not in _TEXT_CONTROLS})
    if acting:
        yield Said(Rule.CONTROL_CHARACTER, Severity.HIGH, _names(acting))
    hidden = sorted({letter for letter in rest if _is_hidden(letter)})
    if hidden:
        yield Said(Rule.HIDDEN_TEXT, Severity.HIGH, _names(hidden))
    mixed = [] if text.isascii() else list(filter(is_mixed, _MIXED_SPLIT.split(text)))
    if mixed:
        yield Said(Rule.DISGUISED_TEXT, Severity.HIGH if len(mixed) > 1 else Severity.MEDIUM, " ".join(mixed))


def tags(text: str) -> Iterator[Said]:
    """Marks of a conversation, made-up tags and comments."""
    if _GATE.search(text) is None:
        return
    for pattern, rule, severity in (
        (_CHAT, Rule.PSEUDO_TAG, Severity.HIGH),
        (_TAG, Rule.PSEUDO_TAG, Severity.HIGH),
        (_SOFT_TAG, Rule.PSEUDO_TAG, Severity.LOW),
        (_COMMENT, Rule.HIDDEN_COMMENT, Severity.MEDIUM),
    ):
        found = pattern.search(text)
        if found is not None:
            yield Said(rule, severity, found.group())


def _is_hidden(letter: str) -> bool:
    if letter.isascii() or letter.isspace():
        return False
    return INVISIBLE.match(letter) is not None or unicodedata.category(letter) in {"Cf", "Cn", "Co", "Cs"}


def _names(letters: list[str]) -> str:
    return " ".join(f"U+{ord(letter):04X}" for letter in letters[:8])
