"""Whatever would be found is not kept from being looked for: the gate of links fires wherever a text has one."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.inspection.guards.links import Links, _Reader
from doorward.inspection.links import gates
from doorward.inspection.links.hosts import Allowed
from doorward.inspection.view import Carrier, View
from tests.made import call

PIECES = st.sampled_from(
    [
        *("![", "[", "]", "](", ")", "]:", "<", ">", "\\", "`", "\n", "\n\n", " ", "\t", '"', "'", "=", "&#58;", "@", "x", "\u0430"),
        *("javascript:", "data:text/html", "file:", "https://a.example/x", "//b.example", "https:\\\\c.example", "0x7f.1"),
        *("img", "a", "link", "src", "href", "style", "url("),
    ]
)


@given(st.lists(PIECES, max_size=24).map("".join), st.lists(PIECES, max_size=8).map("".join))
def test_gate_fires_where_there_is_anything_to_find(text: str, other: str) -> None:
    view = View(Carrier.RESPONSE, call(), {"content": [{"type": "text", "text": text}, {"type": "text", "text": other}]})
    allowed = Allowed.of(["a.example"])
    for hosts, gate in ((Allowed(), gates.ANSWERS), (allowed, gates.ALL_LINKS)):
        found = Links(hosts).look(view)
        unasked = tuple(_Reader(hosts, Links(hosts)._least(hosts)).findings(view))
        assert found == unasked
        assert bool(found) <= bool(gate.may(view.flat))


@given(st.lists(PIECES, max_size=24).map("".join))
def test_every_place_lies_in_its_text_and_is_not_empty(text: str) -> None:
    view = View(Carrier.RESPONSE, call(), {"text": text})
    assert all(0 <= one.start < one.end <= len(text) for one in Links(Allowed.of(["a.example"])).look(view))
