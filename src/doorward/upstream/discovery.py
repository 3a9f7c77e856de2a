"""Everything an upstream lists, page by page and bounded, for those kinds of things that it announces."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.clipping import clipped
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Ran, Refused
from doorward.upstream.faults import broken, having_said
from doorward.upstream.sight import Introduction, Item, Sight
from doorward.wire.headers import param_headers

Ask = Callable[[str, Mapping[str, object]], Awaitable[Answer]]
"""Asks for one page: method and parameters."""

MOST_PAGES: Final = 100
MOST_BYTES: Final = 16 * 2**20
"""Of one list: every definition is held several times over, and thousands of real ones have a tenth of it."""
METHOD_NOT_FOUND: Final = -32601


class _Listing(msgspec.Struct, frozen=True):
    """One kind of thing an upstream lists."""

    method: str
    field: str
    key: str
    """The field that names an item."""
    capability: str
    most: int
    """Items of one upstream; tools as SECURITY.md says, the others where a list stops being one."""


TOOLS: Final = _Listing("tools/list", "tools", "name", "tools", 512)
PROMPTS: Final = _Listing("prompts/list", "prompts", "name", "prompts", 512)
RESOURCES: Final = _Listing("resources/list", "resources", "uri", "resources", 5000)
TEMPLATES: Final = _Listing("resources/templates/list", "resourceTemplates", "uriTemplate", "resources", 512)


class Discovery(msgspec.Struct, frozen=True):
    """Looks at one upstream. `on_left_out` hears of tools that may not be offered."""

    upstream: UpstreamId
    era: Era
    ask: Ask
    on_left_out: Callable[[str], None]

    async def sight(self, introduction: Introduction) -> Sight:
        """All its lists, one after the other; raises Refused."""
        tools = await self._all(TOOLS, introduction)
        return Sight(
            era=self.era,
            versions=introduction.versions,
            server_info=introduction.server_info,
            capabilities=introduction.capabilities,
            instructions=introduction.instructions,
            tools=tuple(tool for tool in tools if self._may_be_offered(tool)),
            prompts=await self._all(PROMPTS, introduction),
            resources=await self._all(RESOURCES, introduction),
            templates=await self._all(TEMPLATES, introduction),
        )

    def _may_be_offered(self, tool: Item) -> bool:
        """Not a tool of the exchange era whose header annotations break a rule: its clients must leave it out (PROTOCOL.md §1.4)."""
        schema = tool.get("inputSchema")
        if self.era is Era.SESSION or not isinstance(schema, Mapping) or param_headers(schema) is not None:
            return True
        self.on_left_out(f"tool {clipped(str(tool['name']), 128)!r} is left out: its x-mcp-header annotations are not valid")
        return False

    async def _all(self, listing: _Listing, introduction: Introduction) -> tuple[Item, ...]:
        if not isinstance(introduction.capabilities.get(listing.capability), Mapping):
            return ()
        items: list[Item] = []
        cursors: set[str] = set()
        params: dict[str, object] = {}
        size = 0
        for _ in range(MOST_PAGES):
            answered = await self.ask(listing.method, params)
            page = self._page(listing, params, answered)
            if page is None:
                return ()
            size += answered.size_bytes
            if size > MOST_BYTES:
                raise self._odd(f"{listing.method} gave more than {MOST_BYTES} bytes")
            items += self._items(listing, page)
            cursor = page.get("nextCursor")
            if cursor is None:
                return tuple(items)
            if not isinstance(cursor, str) or cursor in cursors or len(items) > listing.most:
                break
            cursors.add(cursor)
            params = {"cursor": cursor}
        raise self._odd(f"{listing.method} does not end within {listing.most} items and {MOST_PAGES} pages")

    def _page(self, listing: _Listing, params: Mapping[str, object], answered: Answer) -> Mapping[str, object] | None:
        """One page, or None if the upstream announces the kind but not this list of it (templates, often)."""
        body = answered.body
        if not isinstance(body, Fault):
            return body
        if body.code == METHOD_NOT_FOUND and not params:
            return None
        raise having_said(self._odd(f"{listing.method} was answered with error {body.code}"), body.message)

    def _items(self, listing: _Listing, page: Mapping[str, object]) -> list[Item]:
        found = page.get(listing.field)
        if not isinstance(found, list) or len(found) > listing.most:
            raise self._odd(f"{listing.method} gave no list of at most {listing.most} in {listing.field}")
        if not all(isinstance(item, dict) and isinstance(item.get(listing.key), str) and item[listing.key] for item in found):
            raise self._odd(f"{listing.method} gave an item without {listing.key}")
        return found

    def _odd(self, detail: str) -> Refused:
        return broken(self.upstream, detail, Ran.NO)
