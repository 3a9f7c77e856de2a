"""A reload says what changed, and of secrets only the names of references."""

from doorward.config.diff import CHANGES, changes, summary
from doorward.config.model import Document


def document(**fields: object) -> Document:
    return Document.model_validate(fields)


CLOCK = {"url": "https://clock.example.com/mcp"}
GIT = {"stdio": {"command": ["git-mcp"], "env": {"KEY": "${env:A}", "STYLE": "plain"}}}


def test_equal_documents_have_no_changes() -> None:
    assert changes(document(upstreams={"clock": CLOCK}), document(upstreams={"clock": CLOCK})) == ()


def test_each_field_that_differs_is_told() -> None:
    old = document(upstreams={"clock": CLOCK, "git": GIT}, policies={"files": ["a.cedar"]})
    new = document(
        upstreams={
            "clock": {**CLOCK, "trust": "first-use", "tools": {"now": {"groups": ["read"]}}, "timeouts": {"idle": 1.5}},
            "files": {"stdio": {"command": ["files-mcp", "/"]}},
        },
        policies={"files": ["a.cedar", "b.cedar"]},
        identity={"anonymous": {"agent": "visitor"}},
        admission={"burst": 5},
    )
    assert changes(old, new) == (
        "upstreams.clock.trust: review → first-use",
        "upstreams.clock.timeouts.idle: 60 → 1.5",
        'upstreams.clock.tools.now added: groups ["read"]',
        "upstreams.git removed",
        'upstreams.files added: a process of "files-mcp"',
        'policies.files: ["a.cedar"] → ["a.cedar", "b.cedar"]',
        'identity.anonymous: nothing → agent "visitor"',
        "admission.burst: 100 → 5",
    )


def test_secrets_are_told_by_their_references_only() -> None:
    old = document(upstreams={"git": GIT, "clock": {**CLOCK, "credential": {"value": "Bearer ${env:OLD}"}}})
    git = {"stdio": {"command": ["git-mcp"], "env": {"KEY": "hunter2${env:A}", "STYLE": "hunter2", "NEW": "${file:key}"}}}
    new = document(upstreams={"git": git, "clock": {**CLOCK, "credential": {"value": "hunter2 ${env:NEW}"}}})
    told = changes(old, new)
    assert told == (
        "upstreams.git.stdio.env.KEY: changed, still ${env:A}",
        "upstreams.git.stdio.env.STYLE: changed, still a literal",
        "upstreams.git.stdio.env.NEW added: ${file:key}",
        "upstreams.clock.credential.value: ${env:OLD} → ${env:NEW}",
    )


def test_a_new_credential_is_told_by_header_and_reference() -> None:
    new = document(upstreams={"clock": {**CLOCK, "credential": {"value": "hunter2 ${env:NEW}"}}})
    assert changes(document(upstreams={"clock": CLOCK}), new) == ('upstreams.clock.credential: nothing → "Authorization" from ${env:NEW}',)


def test_truth_values_and_plain_parts_are_told_as_they_are_written() -> None:
    new = document(upstreams={"clock": {**CLOCK, "stateless": True, "tools": {"now": {}}}}, audit={"anchor_syslog": {"host": "logs"}})
    old = document(upstreams={"clock": CLOCK})
    assert changes(old, new) == (
        "upstreams.clock.stateless: false → true",
        "upstreams.clock.tools.now added: as by default",
        'audit.anchor_syslog: nothing → host "logs"',
    )


def test_a_summary_is_bounded() -> None:
    assert summary(()) == "nothing changed"
    assert summary(("a", "b")) == "a; b"
    assert summary(tuple("x" * (CHANGES + 3))).endswith("; x; and 3 more")


def test_a_list_is_counted_and_not_told() -> None:
    def bank(*values: str) -> Document:
        account = {"of": "/number", "kind": "member", "values": values}
        return document(upstreams={"bank": {**CLOCK, "tools": {"pay": {"facts": {"ours": account}}}}})

    at = "upstreams.bank.tools.pay.facts.ours.values"
    assert changes(bank("DE-1", "DE-2"), bank("DE-1")) == (f"{at}: 2 values → 1 values",)
    assert changes(bank("DE-1"), bank("DE-2")) == (f"{at}: changed, still 1 values",)
    [added] = changes(document(upstreams={"bank": CLOCK}), bank("DE-1"))
    assert "DE-1" not in added
