"""What an upstream's configuration becomes, and what is refused before anything is opened."""

import pytest

from doorward.config.model import Stdio, Upstream
from doorward.net.addresses import Reach, Rule
from doorward.upstream.http import HttpUpstream
from doorward.upstream.open import ConfigurationError, open_upstream, rule_of
from doorward.upstream.stdio import StdioUpstream
from tests.upstream.kit import DEMO, World


def test_url_or_process_decides_the_transport() -> None:
    seams = World().seams()
    assert isinstance(open_upstream(DEMO, Upstream(url="https://example.com/mcp"), seams), HttpUpstream)
    assert isinstance(open_upstream(DEMO, Upstream(stdio=Stdio(command=("x",))), seams), StdioUpstream)


@pytest.mark.parametrize(
    "config",
    [
        Upstream(),
        Upstream(url="https://example.com/", stdio=Stdio(command=("x",))),
        Upstream(url="https://user:pass@example.com/"),
        Upstream(url="https://0x7f.1/"),
        Upstream(url="ftp://example.com/"),
    ],
)
def test_configuration_that_could_mean_two_things_is_refused(config: Upstream) -> None:
    with pytest.raises(ConfigurationError):
        open_upstream(DEMO, config, World().seams())


def test_nothing_is_allowed_that_was_not_declared() -> None:
    assert rule_of(Upstream(url="https://example.com/")) == Rule(Reach.PUBLIC, frozenset({"https"}))
    assert rule_of(Upstream(url="https://example.com/", private=True)) == Rule(Reach.PRIVATE, frozenset({"https"}))
    assert rule_of(Upstream(url="http://example.com/", plain_http=True)) == Rule(Reach.PUBLIC, frozenset({"https", "http"}))
