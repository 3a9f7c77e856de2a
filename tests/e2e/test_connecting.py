"""People connect their own accounts at a service, and agents use them: with a real provider, a real protected server and real clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.e2e.accounts import Town, connect, own_account, town
from tests.e2e.commands import asked, ordered
from tests.e2e.log import until

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """With the gateway's own account connected, so that what the service offers is known."""
    with town(tmp_path_factory.mktemp("accounts")) as made:
        page = own_account(made)
        assert "is connected" in page.text, page.text
        until(lambda: asked(made.running, "status")["upstreams"][0]["tools"] == 1)
        yield made


def test_two_people_connect_and_each_acts_with_their_own_account(there: Town) -> None:
    tokens = {name: there.token(name) for name in ("alice", "bob")}
    for name, token in tokens.items():
        link = there.ask(token)
        page = connect(Browser(), link, name, account=name)
        assert (page.status, "“crm” is connected" in page.text) == (200, True), page.text
    for name, token in tokens.items():
        assert there.whoami(token).text == name
