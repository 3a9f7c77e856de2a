"""An offer holds what is usable of what an upstream shows, and names the rest with reasons."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.catalog.offer import DEFINITION_BYTES, INSTRUCTIONS_BYTES, MOST, Dropped, observe
from doorward.domain.catalog import Kind
from doorward.domain.ids import UpstreamId
from doorward.wire.canonical import define
from tests.catalog.shown import Showing, offer, tool

UP = UpstreamId("up")


def reasons(*tools: object, **lists: object) -> list[tuple[str, str]]:
    return [(dropped.name, dropped.reason) for dropped in offer("up", *tools, **lists).dropped]  # type: ignore[arg-type]


def test_everything_that_is_pinned_becomes_a_definition_with_all_its_fields() -> None:
    calculator = tool(
        "add", title="Add", annotations={"readOnlyHint": True}, _meta={"x": [1]}, vendor={"a": None}, outputSchema={"type": "object"}
    )
    prompt = {"name": "greet", "arguments": [{"name": "who", "required": True}]}
    template = {"uriTemplate": "file:///{path}", "name": "files"}
    resource = {"uri": "file:///a", "name": "a"}
    made = offer(
        "up", calculator, prompts=[prompt], templates=[template], resources=[resource], instructions="Be kind.", capabilities={"tools": {}}
    )
    assert made.definitions == {
        (Kind.TOOL, "add"): define(UP, Kind.TOOL, "add", calculator),
        (Kind.PROMPT, "greet"): define(UP, Kind.PROMPT, "greet", prompt),
        (Kind.TEMPLATE, "file:///{path}"): define(UP, Kind.TEMPLATE, "file:///{path}", template),
        (Kind.INSTRUCTIONS, "instructions"): define(UP, Kind.INSTRUCTIONS, "instructions", {"instructions": "Be kind."}),
    }
    assert made.resources == {"file:///a": define(UP, Kind.RESOURCE, "file:///a", resource)}
    assert (made.dropped, made.seen_at, made.capabilities) == ((), 1.0, {"tools": {}})


def test_names_that_cannot_be_used_are_dropped() -> None:
    assert reasons(
        tool("a" * 257), tool("a\u200bb"), tool("a\x1b[31mb"), tool(" "), {"inputSchema": {"type": "object"}}, "text", tool("x" * 256)
    ) == [
        ("a" * 256 + "…", "name is longer than 256 characters"),
        ("a⟨U+200B⟩b", "name holds a character that cannot be seen"),
        ("a⟨U+001B⟩[31mb", "name holds a character that cannot be seen"),
        (" ", "name is missing or no text"),
        ("(no name)", "name is missing or no text"),
        ("(no name)", "name is missing or no text"),
    ]


def test_tools_with_unusable_schemas_or_too_much_of_anything_are_dropped() -> None:
    assert reasons(
        tool("a", inputSchema={"type": "object", "$ref": "https://example.com/"}),
        tool("b", outputSchema={"type": "nonsense"}),
        tool("c", "x" * DEFINITION_BYTES),
        {"name": "d"},
    ) == [
        ("a", "inputSchema refers to a schema outside of itself"),
        ("b", "outputSchema is not valid JSON Schema"),
        ("c", f"it is larger than {DEFINITION_BYTES} bytes"),
        ("d", "inputSchema is missing or no object"),
    ]


def test_a_tool_with_an_invalid_header_annotation_is_dropped_and_a_valid_one_is_read() -> None:
    def annotated(name: str, kind: str, header: object) -> dict[str, object]:
        return tool(name, inputSchema={"type": "object", "properties": {"region": {"type": kind, "x-mcp-header": header}}})

    made = offer("up", annotated("good", "string", "Region"), annotated("number", "number", "Region"), annotated("token", "string", "a b"))
    assert [(dropped.name, dropped.reason) for dropped in made.dropped] == [
        ("number", "inputSchema has an x-mcp-header that breaks the rules"),
        ("token", "inputSchema has an x-mcp-header that breaks the rules"),
    ]
    assert made.param_headers == {"good": {"mcp-param-region": ("region",)}}


def test_two_different_tools_of_one_name_are_both_dropped_and_equal_ones_are_one() -> None:
    made = offer("up", tool("twice"), tool("twice", "Another."), tool("same"), tool("same"))
    assert list(made.definitions) == [(Kind.TOOL, "same")]
    assert made.dropped == (Dropped(Kind.TOOL, "twice", "2 different definitions have this name"),)


def test_the_order_of_a_list_decides_nothing_not_even_beyond_the_cap() -> None:
    tools = [tool(f"t{n:04}") for n in range(MOST[Kind.TOOL] + 2)]
    forwards, backwards = offer("up", *tools), offer("up", *reversed(tools))
    assert forwards == backwards
    assert [dropped.name for dropped in forwards.dropped] == ["t0512", "t0513"]


def test_instructions_that_are_too_long_are_dropped_and_empty_ones_are_none() -> None:
    assert offer("up", instructions="x" * (INSTRUCTIONS_BYTES + 1)).dropped == (
        Dropped(Kind.INSTRUCTIONS, "instructions", f"they are no text of at most {INSTRUCTIONS_BYTES} bytes"),
    )
    assert offer("up", instructions="").definitions == {}


def test_a_prompt_with_broken_arguments_is_dropped() -> None:
    assert reasons(prompts=[{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": [{}]}, {"name": "c", "arguments": None}]) == [
        ("a", "its arguments are no list of objects with a name"),
        ("b", "its arguments are no list of objects with a name"),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "uri", "uriTemplate", "type", "properties", "$ref", "x-mcp-header"]) | st.text("ab", max_size=2),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=4), st.lists(JSON, max_size=4), st.lists(JSON, max_size=4))
def test_whatever_is_listed_is_offered_or_dropped(tools: list[object], prompts: list[object], templates: list[object]) -> None:
    made = observe(UP, Showing(tools=tools, prompts=prompts, templates=templates, resources=tools), 0.0)  # type: ignore[arg-type]
    assert len(made.definitions) <= len(tools) + len(prompts) + len(templates)
    assert all(key == (definition.kind, definition.name) for key, definition in made.definitions.items())


def test_a_resource_with_a_high_finding_is_never_listed_for_nobody_accepts_resources() -> None:
    made = offer("up", resources=[{"uri": "x://a", "name": "A"}, {"uri": "x://b", "name": "<IMPORTANT>"}])
    assert list(made.resources) == ["x://a"]
    assert [(one.kind, one.name, one.reason) for one in made.dropped] == [(Kind.RESOURCE, "x://b", "pseudo_tag at /name: “<IMPORTANT>”")]


def test_what_was_found_in_a_definition_holds_as_long_as_it_stays_the_same() -> None:
    first = offer("up", tool("add", "This is the best tool."))
    marked = replace(first, findings={(Kind.TOOL, "add"): ()})
    again = observe(UpstreamId("up"), Showing(tools=[tool("add", "This is the best tool.")]), 2.0, marked)
    other = observe(UpstreamId("up"), Showing(tools=[tool("add", "This is the best tool!")]), 2.0, marked)
    assert (len(first.findings), len(again.findings), len(other.findings)) == (1, 0, 1)
