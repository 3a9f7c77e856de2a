"""Where a form that asks for a secret sends it is something that the client goes to by itself."""

import pytest

from doorward.inspection.links.markup import loads
from doorward.inspection.links.places import Manner


def led(text: str) -> list[tuple[Manner, str]]:
    return [(place.manner, text[place.start : place.end]) for place in loads(text)]


@pytest.mark.parametrize(
    "form",
    [
        '<form action="https://away.test/in" method=post><input name=pw type="password"></form>',
        "<input type=password form=f><form id=f action='https://away.test/in'></form>",
        '<form><input autocomplete="cc-number"><button formaction=https://away.test/in></form>',
        '<FORM ACTION="https://away.test/in"><INPUT\nvalue="" TYPE=password>',
    ],
)
def test_a_form_that_asks_for_a_secret_sends_it_by_itself(form: str) -> None:
    assert led(form) == [(Manner.LOADED, "https://away.test/in")]


@pytest.mark.parametrize(
    "form",
    [
        '<form action="https://away.test/find"><input name=q type="search"></form>',
        '<p>Password</p><form action="https://away.test/find"><input name=q></form>',
        '<input type="password"> and nothing that sends it',
    ],
)
def test_a_form_that_asks_for_no_secret_is_followed_by_whoever_sends_it(form: str) -> None:
    assert led(form) == []
