"""What an answer to a probe says of the era."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.calls import Fault
from doorward.upstream.introductions import SpeaksExchange, SpeaksNeither, SpeaksSession, Verdict, of_discovery, of_initialization, verdict
from doorward.upstream.sight import Introduction

NEW = SpeaksExchange("2026-07-28")
OLD = SpeaksSession()


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"supportedVersions": ["2026-07-28"]}, 200, NEW),
        ({"supportedVersions": ["2099-01-01", "2026-07-28", "2025-11-25"]}, 200, NEW),
        ({"supportedVersions": ["2025-11-25"]}, 200, OLD),
        ({"supportedVersions": ["2099-01-01"]}, 200, SpeaksNeither(("2099-01-01",))),
        ({"supportedVersions": "2026-07-28"}, 200, OLD),
        ({}, 200, OLD),
        (Fault(-32022, "v", {"supported": ["2026-07-28"]}), 400, NEW),
        (Fault(-32022, "v", {"supported": ["2099-01-01"]}), 400, SpeaksNeither(("2099-01-01",))),
        (Fault(-32022, "v"), 400, NEW),
        (Fault(-32020, "h"), 400, NEW),
        (Fault(-32021, "c"), 400, NEW),
        (Fault(-32601, "m"), 404, NEW),
        (Fault(-32601, "m"), 200, OLD),
        (Fault(-32601, "m"), 400, OLD),
        (Fault(-32600, "Missing session ID"), 400, OLD),
        (Fault(-32602, "before initialize"), 200, OLD),
        (Fault(-32000, "Server not initialized"), 400, OLD),
        (None, 400, OLD),
        (None, 404, OLD),
        (None, 500, OLD),
    ],
)
def test_only_a_sign_of_the_exchange_era_is_taken_for_one(body: dict[str, object] | Fault | None, status: int, expected: Verdict) -> None:
    assert verdict(body, status) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
KEYS = st.sampled_from(["supportedVersions", "capabilities", "instructions", "serverInfo", "protocolVersion", "_meta"])


@given(st.dictionaries(KEYS, JSON))
def test_introduction_of_any_shape_is_read_into_its_types(body: dict[str, object]) -> None:
    for found in (of_discovery(body), of_initialization(body)):
        assert all(isinstance(version, str) for version in found.versions)
        assert found.instructions is None or isinstance(found.instructions, str)
        assert hasattr(found.capabilities, "keys")
        assert hasattr(found.server_info, "keys")


def test_introductions_are_read_whole() -> None:
    discovered = {
        "supportedVersions": ["2026-07-28"],
        "capabilities": {"tools": {}},
        "instructions": "i",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "n"}},
    }
    initialized = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "instructions": "i", "serverInfo": {"name": "n"}}
    assert of_discovery(discovered) == Introduction(("2026-07-28",), {"name": "n"}, {"tools": {}}, "i")
    assert of_initialization(initialized) == Introduction(("2025-06-18",), {"name": "n"}, {"tools": {}}, "i")
