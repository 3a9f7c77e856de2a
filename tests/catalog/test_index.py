"""From a name on an endpoint to its target, in one order, with nothing unapproved in a list."""

import json

from hypothesis import given
from hypothesis import strategies as st

from doorward.catalog.index import build
from doorward.catalog.pins import Pins
from doorward.domain.catalog import Kind, Reversibility, Standing, Target
from doorward.domain.ids import Digest, TeamId, UpstreamId
from tests.catalog.shown import accepted, document, index_of, offer, offers, tool

A, B = UpstreamId("a"), UpstreamId("b")

RICH = tool(
    "show map",
    title="Map",
    annotations={"readOnlyHint": True},
    outputSchema={"type": "object"},
    _meta={"ui": {"resourceUri": "ui://map", "visibility": ["app"]}, "vendor": 1},
    unknown={"kept": None},
)


def test_a_tool_resolves_by_prefixed_and_by_own_name_to_one_target() -> None:
    index = index_of(offer("a", tool("add")), offer("b", tool("add")))
    entry = index.resolve(None, Kind.TOOL, "a__add")
    assert entry is not None
    assert entry is index.resolve(A, Kind.TOOL, "add")
    assert entry.target == Target(
        A,
        Kind.TOOL,
        "add",
        entry.definition.digest,
        TeamId("platform"),
        frozenset({"write", "destructive", "external"}),
        Reversibility.IRREVERSIBLE,
    )
    other = index.resolve(None, Kind.TOOL, "b__add")
    assert other is not None
    assert other.target.upstream == B


def test_a_name_means_nothing_on_another_endpoint_or_as_another_kind() -> None:
    index = index_of(offer("a", tool("add")), offer("b", prompts=[{"name": "add"}]))
    assert [
        index.resolve(endpoint, kind, name)
        for endpoint, kind, name in (
            (None, Kind.TOOL, "add"),
            (A, Kind.TOOL, "a__add"),
            (B, Kind.TOOL, "add"),
            (A, Kind.PROMPT, "add"),
            (UpstreamId("c"), Kind.TOOL, "add"),
            (None, Kind.TOOL, "b__add"),
        )
    ] == [None] * 6


def test_the_advertised_object_keeps_every_field_but_its_name_and_its_uris() -> None:
    entry = index_of(offer("a", RICH)).resolve(A, Kind.TOOL, "show map")
    assert entry is not None
    assert entry.shown(A) == RICH
    shown = dict(entry.shown(None))
    assert shown == {
        **RICH,
        "name": entry.prefixed.name,
        "_meta": {"ui": {"resourceUri": "a+ui://map", "visibility": ["app"]}, "vendor": 1},
    }
    assert list(shown) == list(RICH)
    assert len(entry.prefixed.name) <= 64


def test_objects_are_encoded_once_and_say_the_same() -> None:
    index = index_of(
        offer(
            "a", RICH, prompts=[{"name": "p"}], resources=[{"uri": "x:1", "name": "r"}], templates=[{"uriTemplate": "x:{n}", "name": "t"}]
        )
    )
    for kind in (Kind.TOOL, Kind.PROMPT, Kind.RESOURCE, Kind.TEMPLATE):
        for endpoint in (None, A):
            (entry,) = index.entries(endpoint, kind)
            assert json.loads(entry.face(endpoint).encoded) == entry.shown(endpoint)


def test_lists_are_ordered_by_upstream_and_own_name() -> None:
    index = index_of(offer("b", tool("x"), tool("a")), offer("a-b", tool("z")), offer("a", tool("y")))
    listed = index.entries(None, Kind.TOOL)
    assert [(entry.target.upstream, entry.target.name) for entry in listed] == [("a", "y"), ("a-b", "z"), ("b", "a"), ("b", "x")]
    assert [entry.key for entry in listed] == sorted(entry.key for entry in listed)
    assert [entry.target.name for entry in index.entries(B, Kind.TOOL)] == ["a", "x"]


def test_new_drifted_and_gone_are_resolved_but_not_listed() -> None:
    before = offer("a", tool("same"), tool("changes"), tool("goes"))
    now = offer("a", tool("same"), tool("changes", "Otherwise."), tool("comes"))
    index = index_of(now, pins=accepted(before))
    standings = {entry.target.name: entry.standing for entry in index.everything()}
    assert standings == {"same": Standing.APPROVED, "changes": Standing.DRIFTED, "goes": Standing.GONE, "comes": Standing.NEW}
    assert [entry.target.name for entry in index.entries(None, Kind.TOOL)] == ["same"]
    assert all(index.resolve(A, Kind.TOOL, name) for name in standings)


def test_an_upstream_that_was_not_seen_yet_has_its_pins_as_gone() -> None:
    pins = accepted(offer("a", tool("add")))
    index = build({}, pins, document("a", "b"))
    assert [(entry.target.name, entry.standing) for entry in index.everything()] == [("add", Standing.GONE)]
    assert index.seen == {}
    assert index.entries(None, Kind.TOOL) == ()


def test_pins_and_offers_of_upstreams_that_the_document_does_not_have_are_left_out() -> None:
    every = (offer("a", tool("add")), offer("b", tool("add")))
    index = build(offers(*every), accepted(*every), document("a"))
    assert {entry.target.upstream for entry in index.everything()} == {A}
    assert index.resolve(B, Kind.TOOL, "add") is None
    assert index.resolve(None, Kind.RESOURCE, "b+x:1") is None


def test_policies_are_checked_against_what_was_accepted_whatever_is_offered() -> None:
    before = offer(
        "a", tool("changes"), tool("goes"), tool("same"), prompts=[{"name": "p"}], templates=[{"uriTemplate": "x:{n}", "name": "t"}]
    )
    now = offer("a", tool("changes", "Otherwise."), tool("same"), tool("new"), prompts=[{"name": "p"}])
    index = index_of(now, pins=accepted(before))
    assert {(target.kind, target.name): (target.definition, body) for target, body in index.pinned} == {
        key: (definition.digest, definition.body) for key, definition in before.definitions.items() if key[0] is not Kind.TEMPLATE
    }


def test_a_resource_resolves_by_its_uri_listed_or_not() -> None:
    index = index_of(offer("a", resources=[{"uri": "file:///a", "name": "a"}]))
    listed, unlisted = index.resolve(A, Kind.RESOURCE, "file:///a"), index.resolve(None, Kind.RESOURCE, "a+file:///b")
    assert listed is not None
    assert unlisted is not None
    assert listed is index.resolve(None, Kind.RESOURCE, "a+file:///a")
    assert listed.definition.body == {"uri": "file:///a", "name": "a"}
    assert unlisted.target == Target(A, Kind.RESOURCE, "file:///b", None, TeamId("platform"), frozenset({"read"}), Reversibility.READ)
    assert unlisted.standing is Standing.APPROVED
    assert [entry.prefixed.name for entry in index.entries(None, Kind.RESOURCE)] == ["a+file:///a"]


def test_a_uri_without_or_with_an_unknown_upstream_means_nothing_on_the_common_endpoint() -> None:
    index = index_of(offer("a"))
    assert [
        index.resolve(None, Kind.RESOURCE, uri) for uri in ("file:///a", "b+file:///a", "git+ssh://x", "", "a+", "a+" + "x" * 5000)
    ] == [None] * 6
    assert index.resolve(A, Kind.RESOURCE, "") is None
    assert index.resolve(UpstreamId("b"), Kind.RESOURCE, "file:///a") is None


def test_a_template_is_withheld_until_approved_while_uris_that_match_it_resolve() -> None:
    made = offer("a", templates=[{"uriTemplate": "file:///{path}", "name": "t"}])
    index = index_of(made, pins=Pins())
    assert index.entries(None, Kind.TEMPLATE) == ()
    assert index.resolve(A, Kind.RESOURCE, "file:///x") is not None
    template = index_of(made).resolve(None, Kind.TEMPLATE, "a+file:///{path}")
    assert template is not None
    assert template.shown(None) == {"uriTemplate": "a+file:///{path}", "name": "t"}


def test_instructions_are_withheld_until_approved_and_are_each_upstreams_own() -> None:
    every = offer("a", instructions="Be kind."), offer("b", instructions="Be quick.")
    index = index_of(*every, pins=accepted(every[0]))
    assert [entry.definition.body for entry in index.entries(A, Kind.INSTRUCTIONS)] == [{"instructions": "Be kind."}]
    assert index.entries(B, Kind.INSTRUCTIONS) == ()
    assert [entry.target.upstream for entry in index.entries(None, Kind.INSTRUCTIONS)] == [A]


def test_rules_team_and_client_input_of_the_document_reach_the_entry() -> None:
    made = offer("a", tool("add"))
    rules = {"team": "math", "client_input": ["roots"], "tools": {"add": {"groups": ["write"], "reversibility": "reversible"}}}
    entry = build(offers(made), accepted(made), document(a=rules)).resolve(A, Kind.TOOL, "add")
    assert entry is not None
    assert (entry.target.team, entry.target.parents, entry.target.reversibility) == ("math", frozenset({"write"}), Reversibility.REVERSIBLE)
    assert entry.client_input == ("roots",)


def test_header_annotations_and_input_schema_reach_the_entry() -> None:
    schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
    index = index_of(offer("a", tool("add", inputSchema=schema), tool("sub"), prompts=[{"name": "p"}]))
    add, sub, prompt = index.resolve(A, Kind.TOOL, "add"), index.resolve(A, Kind.TOOL, "sub"), index.resolve(A, Kind.PROMPT, "p")
    assert add is not None
    assert sub is not None
    assert prompt is not None
    assert (add.param_headers, add.input_schema) == ({"mcp-param-region": ("region",)}, schema)
    assert (sub.param_headers, sub.input_schema) == ({}, {"type": "object"})
    assert (prompt.param_headers, prompt.input_schema) == ({}, None)


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=90)
UPSTREAMS = st.from_regex(r"[a-z](-?[a-z0-9]){0,14}", fullmatch=True)


@given(st.dictionaries(UPSTREAMS, st.sets(NAMES, min_size=1, max_size=5), min_size=1, max_size=4))
def test_every_approved_tool_is_listed_once_and_found_by_what_it_is_called(catalogue: dict[str, set[str]]) -> None:
    index = index_of(*(offer(name, *map(tool, tools)) for name, tools in catalogue.items()))
    listed = index.entries(None, Kind.TOOL)
    kept = {(entry.target.upstream, entry.target.name) for entry in listed}
    assert len(listed) == len({entry.prefixed.name for entry in listed}) == len(kept)
    for entry in listed:
        assert index.resolve(None, Kind.TOOL, str(entry.shown(None)["name"])) is entry
        assert index.resolve(entry.target.upstream, Kind.TOOL, entry.target.name) is entry
    assert kept == {(name, one) for name, tools in catalogue.items() for one in tools if one.isprintable() and (name, one) in kept}


def test_digests_bind_the_target_to_the_definition() -> None:
    one, other = index_of(offer("a", tool("add"))), index_of(offer("a", tool("add", "Changed.")))
    digests: set[Digest | None] = set()
    for index in (one, other):
        entry = index.resolve(A, Kind.TOOL, "add")
        assert entry is not None
        digests.add(entry.target.definition)
    assert len(digests) == 2
