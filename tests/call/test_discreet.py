"""What an upstream shows of itself is kept without our credentials, and otherwise as it is."""

from collections.abc import Mapping
from typing import Any

import pytest

from doorward.call.discreet import discreet
from doorward.credentials.fingerprints import MASK, Fingerprints
from doorward.domain.calls import Era
from doorward.upstream.sight import Sight

SECRET = 'our"own\\secret/0123456789'


def sight(**more: Any) -> Sight:
    empty: Mapping[str, Any] = {"server_info": {}, "capabilities": {}, "tools": (), "prompts": (), "resources": (), "templates": ()}
    return Sight(Era.EXCHANGE, **{"versions": ("v",), "instructions": None, **empty, **more})


def mask(text: str) -> str:
    known = Fingerprints(b"k" * 32)
    known.add(SECRET)
    return known.mask(text)


def test_what_holds_no_credential_is_the_very_same() -> None:
    shown = sight(tools=({"name": "a", "n": 1, "x": [None, True, {"y": "z"}]},), instructions="be kind")
    assert discreet(shown, mask) is shown


@pytest.mark.parametrize("part", ["tools", "prompts", "resources", "templates"])
def test_a_credential_is_taken_out_of_every_text_and_name_of_a_list(part: str) -> None:
    item = {"name": "a", "d": f"<{SECRET}>", "n": 1, "deep": [{SECRET: [None, True, SECRET]}]}
    clean = {"name": "a", "d": f"<{MASK}>", "n": 1, "deep": [{MASK: [None, True, MASK]}]}
    assert discreet(sight(**{part: (item,)}), mask) == sight(**{part: (clean,)})


@pytest.mark.parametrize(
    ("part", "said", "kept"),
    [
        ("instructions", SECRET, MASK),
        ("server_info", {"name": SECRET}, {"name": MASK}),
        ("capabilities", {"x": {SECRET: {}}}, {"x": {MASK: {}}}),
        ("versions", (SECRET,), (MASK,)),
    ],
)
def test_a_credential_is_taken_out_of_an_introduction(part: str, said: object, kept: object) -> None:
    assert discreet(sight(**{part: said}), mask) == sight(**{part: kept})
