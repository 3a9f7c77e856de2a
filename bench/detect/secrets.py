"""Secrets of others: how many of those with a vendor's format are found, and how many texts without any are flagged."""

from __future__ import annotations

from collections.abc import Iterator

from bench.detect.port import Family, Goal, Row, counted, rows
from doorward.domain.findings import Severity
from doorward.inspection.guards.secrets import OtherSecrets
from doorward.inspection.view import Carrier, View
from tests.made import call

ROOM = "secrets"
LEAST_FOUND = 0.98
MOST_FALSE = 0.005

CHOSEN = frozenset(
    {
        *("Password", "SQL Password", "Key", "Secret", "Token", "API", "Auth", "Credential", "Nonce", "Salt", "UUID"),
        *("CMD Password", "CMD Token", "CMD Secret", "CMD ConvertTo-SecureString", "CURL Options", "OTP / 2FA Secret"),
        *("curl-auth-header", "curl-auth-user", "hashicorp-tf-password", "nuget-config-password", "kubernetes-secret-yaml"),
    }
)
"""Rows whose secret people chose, or that has no form but its name: told by the name before it, of low weight."""

PUBLIC = frozenset(
    {
        *("AWS S3 Bucket", "Firebase Domain", "Google Multi", "Tencent WeChat API App ID", "Salesforce Credentials", "JWK"),
        *("asana-client-id", "discord-client-id", "flutterwave-public-key", "mailgun-pub-key", "mapbox-api-token", "lob-pub-api-key"),
    }
)
"""Rows about ids, hosts and keys that are meant to be published (of JWK: the member that names its type)."""

PARTS = frozenset({"PEM Private Key"})
"""Rows that are one line each of a block of several."""

PLACEHOLDERS = frozenset({"artifactory", "freemius-secret-key", "jwt-base64"})
"""Rows whose secret is a row of `x`, or drawn from an expression that nothing was ever issued by."""


_MARKS = (*(letter * 10 for letter in "xXZ"), "EXAMPLEEXAMPLE", "pk_live_")
"""Of further rows that are placeholders, or a key that is meant to be published."""


def families() -> Iterator[Family]:
    """What was promised first; then by where the rows are from."""
    guard = OtherSecrets()
    positive = list(rows("secrets_positive.jsonl"))
    flags = {row["id"]: weight(guard, row) for row in positive}
    formats = [row for row in positive if has_format(row)]
    yield counted(ROOM, "a vendor's format", (flags[row["id"]] >= 1 for row in formats), Goal.AT_LEAST, LEAST_FOUND)
    for source in dict.fromkeys(row["source"] for row in positive):
        yield counted(ROOM, f"of these, {source}", (flags[row["id"]] >= 1 for row in formats if row["source"] == source))
    for name, kept in (("chosen by people", CHOSEN), ("ids and public keys", PUBLIC), ("single lines of keys", PARTS)):
        yield counted(ROOM, f"{name}, at any weight", (flags[row["id"]] >= 0 for row in positive if row["rule"] in kept))
    yield counted(ROOM, "placeholders (not meant to be found)", (flags[row["id"]] >= 1 for row in positive if row["rule"] in PLACEHOLDERS))
    yield counted(ROOM, "look-alikes", (weight(guard, row) >= 1 for row in rows("secrets_negative.jsonl")))
    for name in ("benign_tool_output", "benign_tool_description", "benign_free_text"):
        yield counted(ROOM, name, (weight(guard, row) >= 1 for row in rows(f"{name}.jsonl")), Goal.AT_MOST, MOST_FALSE)


def has_format(row: Row) -> bool:
    """Whether a row's secret is of a form that its vendor gives it."""
    return row["rule"] not in CHOSEN | PUBLIC | PARTS | PLACEHOLDERS and not any(mark in row["text"] for mark in _MARKS)


def weight(guard: OtherSecrets, row: Row) -> int:
    """The gravest finding: 2 high, 1 medium, 0 low, -1 none."""
    found = guard.look(View(Carrier.RESPONSE, call(), {"content": [{"type": "text", "text": row["text"]}]}))
    return max((list(Severity).index(finding.severity) for finding in found), default=-1)
