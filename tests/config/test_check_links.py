"""Checks of where links may lead."""

import pytest
from pydantic import ValidationError

from doorward.config.check_links import links
from doorward.config.ground import error
from doorward.config.links import Links
from doorward.config.model import Document


def test_an_upstream_that_is_not_there_is_an_error() -> None:
    document = Document.model_validate(
        {
            "upstreams": {"wiki": {"url": "https://wiki.example/mcp"}},
            "inspection": {"links": {"upstreams": {"wiki": ["a.example"], "wikis": []}}},
        }
    )
    assert list(links(document)) == [
        error('there is no upstream "wikis"; did you mean "wiki"?', "inspection", "links", "upstreams", "wikis")
    ]


@pytest.mark.parametrize("host", ["docs.example.com", "*.example.com", "localhost", "xn--mnchen-3ya.example", "a_b.example"])
def test_hosts_are_names(host: str) -> None:
    assert Links.model_validate({"hosts": [host]}).hosts == (host,)


@pytest.mark.parametrize(
    "host", ["https://a.example", "a.example/x", "*", "*.*.example", "a.*.example", ".example", "a.example:80", "a b", "", "mün.example"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ValidationError):
        Links.model_validate({"hosts": [host]})
