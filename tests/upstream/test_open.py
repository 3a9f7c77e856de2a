"""What an upstream's configuration becomes, and what is refused before anything is opened."""

import pytest

from doorward.config.model import Stdio, Upstream
from doorward.net.addresses import Reach, Rule
from doorward.upstream.circuit import Circuit, Terms
from doorward.upstream.http import HttpUpstream
from doorward.upstream.open import ConfigurationError, open_upstream, places, rule_of
from doorward.upstream.stdio import StdioUpstream
from tests.upstream.kit import DEMO, World


def speakers(config: Upstream) -> list[object]:
    seams = World().seams()
    return [place.speaker(Circuit(Terms(), seams.monotonic, seams.chance)) for place in places(DEMO, config, seams)]


def test_url_or_process_decides_the_transport() -> None:
    assert [type(speaker) for speaker in speakers(Upstream(url="https://example.com/mcp"))] == [HttpUpstream]
    assert [type(speaker) for speaker in speakers(Upstream(stdio=Stdio(command=("x",), processes=2)))] == [StdioUpstream] * 2


@pytest.mark.parametrize(
    "config",
    [
        Upstream(),
        Upstream(url="https://example.com/", stdio=Stdio(command=("x",))),
        Upstream(url="https://example.com/", urls=("https://example.org/",)),
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


def test_an_address_is_shown_without_what_its_query_may_say() -> None:
    config = Upstream(urls=("https://a.example.com/mcp?tenant=7", "https://b.example.com:8443/mcp"))
    assert [place.name for place in places(DEMO, config, World().seams())] == [
        "https://a.example.com/mcp",
        "https://b.example.com:8443/mcp",
    ]
    pool = Upstream(stdio=Stdio(command=("x",), processes=3))
    assert [place.name for place in places(DEMO, pool, World().seams())] == ["process 1", "process 2", "process 3"]
