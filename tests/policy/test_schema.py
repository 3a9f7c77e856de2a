"""What policies can name of a catalogue."""

from doorward.domain.catalog import Kind
from doorward.policy.schema import SchemaEntry, action_name, schema_entry, vocabulary
from doorward.policy.shapes import Field, Fields, Text
from tests.policy.world import BANK, CREATE, ENTRIES, FILE, GITHUB, MAIL, PAY, REVIEW, UPSTREAMS, WHOLE_GITHUB, target


def test_an_entry_is_made_of_a_definition_as_mcp_words_it() -> None:
    schema = {"type": "object", "properties": {"owner": {"type": "string"}}}
    assert schema_entry(CREATE, {"name": "create_issue", "inputSchema": schema}) == SchemaEntry(CREATE, schema)
    assert schema_entry(CREATE, {"name": "create_issue"}) == SchemaEntry(CREATE, None)
    prompt = schema_entry(REVIEW, {"arguments": [{"name": "code", "required": True}, {"name": "style"}, {}, "odd"]})
    assert vocabulary([prompt], [GITHUB]).actions["github/prompt/review"].input == Fields(
        {"code": Field(Text(), required=True), "style": Field(Text())}, {}
    )
    assert schema_entry(REVIEW, {"arguments": None}).input_schema == {"type": "object", "properties": {}, "required": []}


def test_what_can_be_called_has_a_name_and_lists_have_none() -> None:
    template = target("github", "file:///{path}", kind=Kind.TEMPLATE)
    instructions = target("github", "x", kind=Kind.INSTRUCTIONS)
    assert [action_name(what, "") for what in (CREATE, REVIEW, FILE, template, WHOLE_GITHUB, instructions)] == [
        "github/create_issue",
        "github/prompt/review",
        "github/resources/read",
        "github/resources/read",
        None,
        None,
    ]
    assert action_name(REVIEW, "completion/complete") == "github/completion/complete"


def test_groups_hold_their_actions() -> None:
    known = vocabulary(ENTRIES, UPSTREAMS)
    assert known.members["external"] == {"bank/pay"}
    assert known.members["bank"] == {"bank/pay", "bank/resources/read", "bank/completion/complete"}
    assert known.members["mail"] == {"mail/resources/read", "mail/completion/complete"}
    assert "github/prompt/review" in known.members["read"]
    assert known.discovered == {GITHUB, BANK}


def test_definitions_of_upstreams_that_are_gone_are_left_out() -> None:
    known = vocabulary(ENTRIES, [MAIL])
    assert (sorted(known.actions), known.discovered) == (["mail/completion/complete", "mail/resources/read"], frozenset())
    assert PAY.upstream not in known.members


def test_arguments_that_cannot_be_read_are_listed_with_the_reason() -> None:
    known = vocabulary(ENTRIES, UPSTREAMS)
    assert {name: action.gaps() for name, action in known.actions.items() if action.gaps()} == {
        "github/search": {("ids",): "it may be a string or a whole number"}
    }
