"""Lists are read page by page, bounded, and only where they are announced."""

from collections.abc import Mapping
from typing import Any

import pytest

from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.reasons import Reason, Refused
from doorward.upstream.discovery import Discovery
from doorward.upstream.sight import Introduction, Sight
from tests.upstream.kit import DEMO

pytestmark = pytest.mark.anyio

ALL: dict[str, object] = {"tools": {}, "prompts": {}, "resources": {}}


class Listed:
    """An upstream that gives these pages, by method."""

    def __init__(self, pages: Mapping[str, list[Mapping[str, object] | Fault]]) -> None:
        self.pages = {method: list(given) for method, given in pages.items()}
        self.asked: list[tuple[str, Mapping[str, object]]] = []
        self.left_out: list[str] = []

    async def ask(self, method: str, params: Mapping[str, object]) -> Answer:
        self.asked.append((method, params))
        return Answer(self.pages[method].pop(0), 0)

    async def sight(self, capabilities: Mapping[str, Any], era: Era = Era.EXCHANGE) -> Sight:
        discovery = Discovery(DEMO, era, self.ask, self.left_out.append)
        return await discovery.sight(Introduction(("v",), {"name": "n"}, capabilities, "i"))


def tool(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object", **schema}, "vendor": {"kept": None}}


async def test_everything_announced_is_read_page_by_page_and_kept_as_it_was_given() -> None:
    listed = Listed(
        {
            "tools/list": [{"tools": [tool("a")], "nextCursor": ""}, {"tools": [tool("b")], "nextCursor": "2"}, {"tools": [tool("c")]}],
            "prompts/list": [{"prompts": [{"name": "p"}]}],
            "resources/list": [{"resources": [{"uri": "x:y", "name": "r"}]}],
            "resources/templates/list": [{"resourceTemplates": [{"uriTemplate": "x:{y}", "name": "t"}]}],
        }
    )
    assert await listed.sight(ALL) == Sight(
        Era.EXCHANGE,
        ("v",),
        {"name": "n"},
        ALL,
        "i",
        (tool("a"), tool("b"), tool("c")),
        ({"name": "p"},),
        ({"uri": "x:y", "name": "r"},),
        ({"uriTemplate": "x:{y}", "name": "t"},),
    )
    assert listed.asked[:3] == [("tools/list", {}), ("tools/list", {"cursor": ""}), ("tools/list", {"cursor": "2"})]


async def test_what_is_not_announced_is_not_asked_for() -> None:
    listed = Listed({"prompts/list": [{"prompts": []}]})
    sight = await listed.sight({"prompts": {}, "tools": None})
    assert (sight.tools, listed.asked) == ((), [("prompts/list", {})])


async def test_announced_list_that_is_not_a_method_is_empty() -> None:
    listed = Listed({"resources/list": [{"resources": []}], "resources/templates/list": [Fault(-32601, "no")]})
    assert (await listed.sight({"resources": {}})).templates == ()


@pytest.mark.parametrize(
    "pages",
    [
        [Fault(-32603, "broken")],
        [{"tools": "none"}],
        [{}],
        [{"tools": ["a"]}],
        [{"tools": [{"inputSchema": {}}]}],
        [{"tools": [{"name": ""}]}],
        [{"tools": [{"name": 1}]}],
        [{"tools": [tool(str(n)) for n in range(513)]}],
        [{"tools": [tool(f"{page}-{n}") for n in range(200)], "nextCursor": str(page)} for page in range(4)],
        [{"tools": [tool("a")], "nextCursor": "same"}, {"tools": [tool("b")], "nextCursor": "same"}],
        [{"tools": [], "nextCursor": 7}],
        [{"tools": [], "nextCursor": str(page)} for page in range(101)],
    ],
)
async def test_list_that_is_broken_or_does_not_end_refuses_the_whole_sight(pages: list[Mapping[str, object] | Fault]) -> None:
    with pytest.raises(Refused) as caught:
        await Listed({"tools/list": pages}).sight({"tools": {}})
    assert caught.value.reason is Reason.UPSTREAM_BROKEN


async def test_tool_with_an_invalid_header_annotation_is_left_out_in_the_exchange_era_only() -> None:
    bad = tool("bad", properties={"x": {"type": "number", "x-mcp-header": "X"}})
    good = tool("good", properties={"x": {"type": "string", "x-mcp-header": "X"}})
    listed = Listed({"tools/list": [{"tools": [bad, good]}]})
    assert (await listed.sight({"tools": {}})).tools == (good,)
    assert listed.left_out == ["tool 'bad' is left out: its x-mcp-header annotations are not valid"]
    assert (await Listed({"tools/list": [{"tools": [bad, good]}]}).sight({"tools": {}}, Era.SESSION)).tools == (bad, good)
