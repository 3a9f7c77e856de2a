"""The words that rules over texts are made of, and how a sentence is searched for all of them at once (RE2, linear)."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import msgspec
import re2

from doorward.catalog.poison.found import Rule
from doorward.domain.findings import Severity
from doorward.wire.sieve import Sieve

_MEMORY: Final = 64 * 2**20
"""Bytes for the automaton of all patterns: `Set` says nothing when it runs out, so it gets far more than it can use on one sentence."""

WORDS: Final[Mapping[str, str]] = {
    "NOT": r"(?:(?:do|does|should|must|shall|will|can|may|need)(?: not|n't|nt)|cannot|never|without|avoid|refrain from|no need to|stop|don't)",
    "TELL": r"(?:tell|inform|notify|alert|warn|mention|disclose|reveal|admit|acknowledge|confess|let|advise|make aware)(?:ing|s|ting)?",
    "SHOW": r"(?:show|display|expose|explain|describe|share|discuss|report|say|output|print|present|surface|log)(?:ing|s)?",
    "WHOM": (
        r"(?:users?|humans?|persons?|people|customers?|clients?|operators?|owners?|anyone|anybody|any one|them|him or her|"
        r"administrators?|developers?)"
    ),
    "MODEL": r"(?:assistant|agent|model|llm|llms|language model|ai|a\.i|chatbot|bot|claude|gpt|chatgpt|gemini|copilot|cursor)",
    "USE": (
        r"(?:use|using|call|calling|invoke|invoking|run|running|execute|executing|access|accessing|trigger|triggering|select|"
        r"selecting|choose|choosing|pick|picking)"
    ),
    "TOOL": (
        r"(?:tools?|functions?|commands?|plugins?|servers?|services?|mcps?|apis?|integrations?|skills?|tool calls?|"
        r"function calls?|alternatives?|options?)"
    ),
    "TOOLS": r"(?:tools?|functions?|tool calls?|function calls?|tool uses?|tool invocations?|mcp servers?|mcp tools?)",
    "OTHER": r"(?:other|others|another|different|alternative|competing|similar|remaining|rival|third[- ]party|comparable|equivalent)",
    "PRIOR": r"(?:previous|prior|preceding|earlier|above|foregoing|former|past|initial|original|existing)",
    "LAWS": r"(?:instructions?|directives?|prompts?|guidelines?|guardrails?|safeguards?|orders|training|programming)",
    "CODES": r"(?:rules?|constraints?|restrictions?|limitations?|polic(?:y|ies)|context|messages?|commands?|conversation|protocols?)",
    "GIVE": (
        r"(?:include|pass|send|provide|supply|insert|put|paste|attach|append|submit|forward|embed|add|copy|fill in|place|"
        r"write|give|encode|upload|post|transmit|store|report)"
    ),
    "READ": (
        r"(?:read|open|cat|load|access|retrieve|fetch|get|obtain|extract|grab|copy|collect|gather|scan|inspect|look at|"
        r"look up|find|locate|list|dump|print|check|query|harvest|search)"
    ),
    "ASK": (
        r"(?:must|should|always|shall|need to|needs to|have to|has to|required? to|please|first|ensure|make sure|remember to|"
        r"be sure to|it is (?:mandatory|essential|critical|important|necessary|required) to)"
    ),
    "SECRET": (
        r"(?:passwords?|passphrases?|credentials?|api[ _-]?keys?|access[ _-]?keys?|secret[ _-]?keys?|private[ _-]?keys?|"
        r"ssh[ _-]?keys?|auth(?:entication|orization)? tokens?|access tokens?|session tokens?|bearer tokens?|secrets|cookies|"
        r"seed phrases?|mnemonics?|environment variables|env vars?|recovery codes?|2fa codes?|one[- ]time codes?|"
        r"credit cards?(?: numbers?)?|social security numbers?)"
    ),
    "TALK": (
        r"(?:(?:conversation|chat|dialogue?|message|session|prompt|interaction)s? (?:history|log|logs|transcript|context|"
        r"record|so far)|(?:full|entire|complete|whole|verbatim) (?:conversation|chat|dialogue?|context window|context|prompt|"
        r"transcript))"
    ),
    "ADDRESS": r"(?:https?://|ftp://|wss?://|[a-z0-9._%+-]+@[a-z0-9-]+\.[a-z]{2,}|\+[0-9][0-9 -]{6,}|webhook|(?:[0-9]{1,3}\.){3}[0-9]{1,3})",
    "KEYFILE": (
        r"(?:\.ssh(?:/|\b)|\bid_(?:rsa|dsa|ecdsa|ed25519)\b|\bauthorized_keys\b|\.aws/|\.gnupg\b|\.kube/|\.netrc\b|"
        r"\.git-credentials\b|\.npmrc\b|\.pypirc\b|\.docker/config|/etc/shadow\b|/etc/passwd\b|/etc/sudoers\b|"
        r"/proc/self/environ|\bwallet\.dat\b|\bcookies\.sqlite\b|\blogin data\b|\bkeychains?/|\.(?:cursor|claude|codeium|"
        r"windsurf|gemini|vscode|continue)/|\bclaude_desktop_config\b|\bmcp\.json\b|\bmcp_config\b|\.(?:bash|zsh|python|psql)"
        r"_history\b|\bcredentials\.json\b)"
    ),
    # Not of the name of a host, such as `collect.example`.
    "SHOWN": r"(?:(?:^|[^.a-z0-9_-])(?:example|e\.g|such as)\b)",
    "ENVFILE": r"(?:(?:^|[\s'\"(/])\.env\b|\bprocess\.env\b|\bos\.environ\b|\bprintenv\b)",
}
"""Groups of words by the name that stands for them in patterns, between angle brackets."""


class Wording(msgspec.Struct, frozen=True):
    """One way to say something: `<NAME>` stands for a group of words. Where `unless` matches the sentence, it is not said."""

    rule: Rule
    severity: Severity
    pattern: str
    unless: str = ""


class Said(msgspec.Struct, frozen=True):
    """What a sentence says, in the words in which it does."""

    rule: Rule
    severity: Severity
    words: str


class Grammar:
    """Some ways to say things, compiled; what compiles costs some milliseconds, so that one is made and kept."""

    __slots__ = ("_sieve", "_singles", "_wordings")

    def __init__(self, wordings: tuple[Wording, ...]) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        self._wordings = wordings
        self._sieve = Sieve((spelled(wording.pattern) for wording in wordings), options)
        self._singles = tuple(_compiled(wording.pattern) for wording in wordings)

    def said(self, sentence: str) -> Iterator[Said]:
        """Everything of it that a sentence in small letters says."""
        for number in self._sieve.may(sentence):
            wording = self._wordings[number]
            found = self._singles[number].search(sentence)
            if found is None or (wording.unless and _compiled(wording.unless).search(sentence) is not None):
                continue
            yield Said(wording.rule, wording.severity, found.group())


def spelled(pattern: str) -> str:
    """A pattern with its groups of words written out."""
    for name, spelling in WORDS.items():
        pattern = pattern.replace(f"<{name}>", spelling)
    return pattern


@cache
def _compiled(pattern: str) -> "re2._Regexp[str]":
    return re2.compile(spelled(pattern))
