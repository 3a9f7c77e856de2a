"""Findings as SARIF 2.1.0 (OASIS), for whatever shows or keeps those of scanners."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from doorward import __version__
from doorward.catalog.poison.found import Rule
from doorward.catalog.suspicions import Suspicion
from doorward.catalog.text import visible
from doorward.domain.findings import Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "doorwardFinding/v1"
LEVELS: Mapping[Severity, str] = {Severity.LOW: "note", Severity.MEDIUM: "warning", Severity.HIGH: "error"}

TEXTS: Mapping[Rule, str] = {
    Rule.HIDDEN_TEXT: "Characters that cannot be seen",
    Rule.CONTROL_CHARACTER: "Characters that act on a screen or are no text",
    Rule.DISGUISED_TEXT: "Words in disguise: look-alike, spaced or swapped letters",
    Rule.ENCODED_TEXT: "Text in another writing, such as base64",
    Rule.PSEUDO_TAG: "Marks that a model could take for those of its conversation",
    Rule.HIDDEN_COMMENT: "A comment that no viewer shows",
    Rule.OVERRIDE: "Orders to leave other instructions behind",
    Rule.SECRECY: "Orders to keep something from the user",
    Rule.OTHER_TOOLS: "Says what is to happen when other tools are used",
    Rule.PREFERENCE: "Wants to be used instead of others",
    Rule.OUT_OF_SCOPE: "Asks for what is none of a tool's business",
    Rule.SENSITIVE_SOURCE: "Speaks of keys, credentials or files that hold them",
    Rule.SHELL_ORDER: "Commands of a shell",
    Rule.EXFILTRATION: "Says where to send what the model holds",
    Rule.ORDER: "Speaks to the model in the tone of an order",
    Rule.UNEXPECTED_KEYWORD: "A keyword that no dialect of JSON Schema has",
    Rule.REMOTE_REFERENCE: "A schema that stands elsewhere",
    Rule.UNSAFE_ICON: "An icon that may hold script or comes over an open line",
    Rule.UNSAFE_LINK: "An address that runs script, hides its host, or belongs to no name",
    Rule.UI_RIGHTS: "An interface that asks for wide rights in its host",
    Rule.ACCUMULATED: "Several findings that weigh little alone",
    Rule.UNUSABLE: "A definition that cannot be used, and is never offered",
    Rule.SAME_NAME: "The name of another server's definition, too",
    Rule.LOOKALIKE: "A name that reads like another one",
    Rule.NEAR_NAME: "A name that is another one but for a letter",
    Rule.FOREIGN_PREFIX: "A name that begins like those of another server",
    Rule.MENTION: "A text that names another server's tool",
}
"""What each rule is about, in one line. INVARIANT: each has one."""

_RULES = tuple(Rule)


def sarif(found: Iterable[Suspicion], file: str = "") -> dict[str, Any]:
    """A SARIF log of one run. `file`: where the definitions stand, if in one."""
    rules = [
        {
            "id": rule.value,
            "name": "".join(word.capitalize() for word in rule.value.split("_")),
            "shortDescription": {"text": TEXTS[rule]},
        }
        for rule in _RULES
    ]
    driver = {"name": "Doorward", "version": __version__, "rules": rules}
    results = [_result(one, file) for one in found]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _result(one: Suspicion, file: str) -> dict[str, Any]:
    upstream, kind, name = one.key
    place = f"{upstream}/{kind}/{visible(name)}#{one.found.pointer}"
    location: dict[str, Any] = {"logicalLocations": [{"name": visible(name), "fullyQualifiedName": place, "kind": "member"}]}
    if file:
        location["physicalLocation"] = {"artifactLocation": {"uri": file}}
    return {
        "ruleId": one.found.rule.value,
        "ruleIndex": _RULES.index(one.found.rule),
        "level": LEVELS[one.found.severity],
        "message": {"text": f"{TEXTS[one.found.rule]}: {one.found.detail}"},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: hashlib.sha256(f"{one.found.rule.value}\0{place}".encode()).hexdigest()},
    }
