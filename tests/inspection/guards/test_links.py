"""The guard of links: what a client loads by itself, and links that do more than lead somewhere."""

import base64

import pytest

from doorward.domain.findings import Finding, Severity
from doorward.domain.ids import UpstreamId
from doorward.inspection.guards.links import MOST, RULES, Links
from doorward.inspection.links.hosts import Allowed
from doorward.inspection.view import Carrier, View
from tests.made import call

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH
GATHERED = base64.b64encode(b"the meeting notes of Monday").decode()
Seen = list[tuple[str, Severity, str]]


def look(body: dict[str, object], *hosts: str, carrier: Carrier = Carrier.RESPONSE) -> tuple[Finding, ...]:
    return Links(Allowed.of(hosts)).look(View(carrier, call(), body))


def seen(text: str, *hosts: str, carrier: Carrier = Carrier.RESPONSE) -> Seen:
    """Rule, severity and place of what is found in one text."""
    found = look({"content": [{"type": "text", "text": text}]}, *hosts, carrier=carrier)
    order = list(Severity)
    assert all(
        finding.pointer == "/content/0/text" and order.index(finding.severity) <= order.index(RULES[finding.rule]) for finding in found
    )
    return [(finding.rule, finding.severity, text[finding.start : finding.end]) for finding in found]


AWAY = "https://away.example/p.png"
IMAGES = {
    "inline": f"![a]({AWAY})",
    "inline with a title": f'![a]({AWAY} "hi")',
    "inline in angle brackets": f"![a](<{AWAY}>)",
    "inline over lines": f"![a\nb](\n  {AWAY}\n)",
    "without a word": f"![]({AWAY})",
    "with brackets within": f"![a [b] c]({AWAY})",
    "with a bracket in code": f"![a `]` b]({AWAY})",
    "with an opening bracket in code": f"![a `[` b]({AWAY})",
    "with an escaped bracket": f"![a \\] b]({AWAY})",
    "in a link": f"[![a]({AWAY})](https://fine.example)",
    "around a link": f"![ [b](https://fine.example) ]({AWAY})",
    "broken off": f"text ![a]({AWAY}",
    "by reference": f"![a][1]\n\ntext\n\n[1]: {AWAY}",
    "by reference with a title": f"![a][One  two]\n\n[one two]: <{AWAY}> 'x'",
    "collapsed": f"![a][]\n\n[A]: {AWAY}",
    "shortcut": f"![a]\n\n[a]: {AWAY}",
    "defined before": f"[1]: {AWAY}\n\n![a][1]",
    "defined in a quotation": f"![a]\n\n> [a]: {AWAY}",
    "img": f"<img src={AWAY}>",
    "img in capitals with quotes": f"<IMG alt='a > b' SRC = \"{AWAY}\" />",
    "img with slashes": f"<img/src='{AWAY}'/>",
    "img broken off": f"<img src='{AWAY}' ",
    "img within another tag": f"<a <img src={AWAY}>",
    "img behind a quote that never closes": f'<a title="<img src={AWAY}>\n\nno more',
    "svg image": f"<svg><image href='{AWAY}'/></svg>",
    "svg image of old": f"<svg><image xlink:href='{AWAY}'/></svg>",
    "poster": f"<video poster={AWAY}></video>",
    "background": f"<table background={AWAY}>",
    "input": f"<input type=image src={AWAY}>",
}


@pytest.mark.parametrize("form", IMAGES)
def test_image_from_a_host_that_is_not_allowed_is_found_at_its_destination(form: str) -> None:
    rules = [one for one in seen(IMAGES[form]) if one[0] == "external_image"]
    assert ("external_image", MEDIUM, AWAY) in rules
    assert seen(IMAGES[form], "away.example", "fine.example") == []


LOADED = {
    "link": f"<link rel=stylesheet href={AWAY}>",
    "script": f"<script src={AWAY}></script>",
    "iframe": f"<iframe src='{AWAY}'>",
    "object": f"<object data={AWAY}>",
    "embed": f"<embed src={AWAY}>",
    "base": f"<base href={AWAY}>",
    "video": f"<video src={AWAY}>",
    "refresh": f"<meta http-equiv=refresh content='0; url={AWAY}'>",
    "style": f'<p style="background: url({AWAY})">',
    "style with quotes": f"<p style=\"background: url('{AWAY}')\">",
    "style sheet": f"<style>body {{ background: url({AWAY}) }}</style>",
    "import": f"<style>@import '{AWAY}';</style>",
    "link that hides in another": f"<link title='<a' href={AWAY}>",
}


@pytest.mark.parametrize("form", LOADED)
def test_whatever_else_a_client_loads_is_found_at_its_destination(form: str) -> None:
    assert ("external_content", MEDIUM, AWAY) in seen(LOADED[form])
    assert seen(LOADED[form], "*.example") == []


def test_each_image_of_a_set_is_found() -> None:
    text = "<img srcset='https://a.example/1 1x, https://b.example/2 200w'>"
    assert seen(text) == [("external_image", MEDIUM, "https://a.example/1"), ("external_image", MEDIUM, "https://b.example/2")]


def test_a_definition_in_another_text_of_the_message_counts() -> None:
    found = look({"content": [{"type": "text", "text": "![x][1]"}, {"type": "text", "text": f"[1]: {AWAY}"}]})
    assert found == (Finding("links", "external_image", MEDIUM, "/content/1/text", 5, 5 + len(AWAY)),)


ACTIVE = (
    "[x](javascript:alert%281%29)", "[x]( JaVaScRiPt:1)", "[x](java&#115;cript:1)", "[x](javascript&colon;1)", "[x](javascript\\:1)",
    "<javascript:1>", "<a href='java\nscript:1'>", "<a href=\" &#1; javascript:1\">", "<form action=javascript:1>", "[x](vbscript:1)",
    "[x](data:text/html;base64,PHA+)", "[x]: data:text/html,1", "<iframe src='data:text/html,1'>", "[x](data:image/svg+xml,1)", "![x](javascript:1)",
)  # fmt: skip


@pytest.mark.parametrize("text", ACTIVE)
def test_destination_that_runs_something_is_high(text: str) -> None:
    assert {(rule, severity) for rule, severity, _ in seen(text)} == {("active_scheme", HIGH)}


DISGUISED = (
    "https://bank.example@away.example/", "https://bank.example:x@away.example/", "http://2130706433/", "http://0x7f000001/", "http://017700000001/",
    "http://0177.0.0.1/", "http://127.1/", "https://b%61nk.example/", "https://b\u0430nk.example/", "https://\u0430\u0440\u0440\u04cf\u0435.example/",
    "https://xn--80ak6aa92e.example/", "https://\uff42ank.example/", "[x](https:\\\\away.example/)", "[x](https://bank.example\\@away.example/)",
    "<a href='https://aw\tay.example/'>",
)  # fmt: skip


@pytest.mark.parametrize("text", DISGUISED)
def test_host_that_is_not_the_one_that_is_read_is_medium(text: str) -> None:
    assert {(rule, severity) for rule, severity, _ in seen(text)} == {("disguised_host", MEDIUM)}


IMAGE_DISGUISES = (
    "![x](//away.example/a)", "![x](\\\\\\\\away.example/a)", "![x](https:away.example/a)", "![x](https:/away.example/a)", "![x](HTTPS://AWAY.EXAMPLE/a)",
    "![x](&#104;ttps://away.example/a)", "![x](ws://away.example/a)", "![x](https\\://away.example/a)", "<img src='ht\ntps://away.example/a'>",
    "![x](https://fine.example@away.example/a)", "![x](https://[2001:db8::1]/a)", "![x](https://fine.example.away.example/a)",
)  # fmt: skip


@pytest.mark.parametrize("text", IMAGE_DISGUISES)
def test_image_is_found_however_its_host_is_written(text: str) -> None:
    assert [(rule, severity) for rule, severity, _ in seen(text, "fine.example")] == [("external_image", MEDIUM)]


@pytest.mark.parametrize("hidden", [GATHERED, GATHERED.rstrip("="), b"send to bob@corp.example".hex()])
def test_url_that_carries_a_text_is_high_in_an_answer_and_medium_in_a_request(hidden: str) -> None:
    url = f"https://away.example/c?d={hidden}"
    assert seen(f"see {url} now") == [("url_payload", HIGH, url)]
    assert seen(f"![a]({url})") == [("url_payload", HIGH, url)]
    assert look({"arguments": {"url": url}, "extras": {}}, carrier=Carrier.REQUEST) == (
        Finding("links", "url_payload", MEDIUM, "/arguments/url", 0, len(url)),
    )


LEFT_ALONE = (
    "1. [Result](https://a.example/x?q=1) and https://b.example/y_(z)",
    "[a]: https://a.example/x\n\n[a] and [b][a]",
    "<https://a.example/x> <a href='https://a.example/x'>x</a> <form action=https://a.example>",
    "![a](/local.png) ![b](#here) ![c](data:image/png;base64,AAAA) ![d](cid:part1)",
    "https://a.example/0123456789abcdef0123456789abcdef0123456789abcdef?sig=" + "q7Zk" * 12,
    "https://a.example/list?cursor=" + base64.urlsafe_b64encode(b'{"last": "2024-01-01", "id": 17}').decode(),
    "https://a.example/click?u=" + base64.urlsafe_b64encode(b"https://b.example/some/page?x=1").decode(),
    "https://a.example/how-to-write-a-very-long-title-that-goes-on-and-on",
    "http://127.0.0.1:8080/ and http://[::1]/ and https://user:word@git.example/r.git and https://npm.example/@scope/x@1.2",
    "if a[i] != b[j]: print(x) # vec![1, 2]; println!(\"{}\", a[0](b))",
    "{\"url\": \"https:\\/\\/a.example\\/x\"} and https://m\u00fcnchen.example/ and https://\u4f8b\u3048.example/\u3002",
    "javascript: a language. See data: there is some. \\![not an image](https://a.example)",
)  # fmt: skip


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_ordinary_text_and_links_are_left_alone(text: str) -> None:
    assert seen(text) == []


def test_links_are_reported_only_where_somebody_has_said_where_they_may_lead() -> None:
    text = "[a](https://a.example) [b](https://b.example/x) https://c.fine.example"
    assert seen(text) == []
    assert seen(text, "a.example", "*.fine.example") == [("external_link", LOW, "https://b.example/x")]


def test_an_allowed_host_that_passes_on_to_another_is_found() -> None:
    text = "![a](https://a.example/r?to=https%3A%2F%2Fb.example) and https://a.example/r?to=https://b.example"
    assert seen(text, "a.example") == [
        ("redirecting_url", MEDIUM, "https://a.example/r?to=https%3A%2F%2Fb.example"),
        ("redirecting_url", LOW, "https://a.example/r?to=https://b.example"),
    ]
    assert seen(text, "a.example", "b.example") == []


def test_hosts_of_one_upstream_are_allowed_in_its_results_only() -> None:
    body: dict[str, object] = {"content": [{"type": "text", "text": IMAGES["inline"]}]}
    view = View(Carrier.RESPONSE, call(), body)
    assert len(Links(Allowed(), {UpstreamId("elsewhere"): Allowed.of(["away.example"])}).look(view)) == 1
    assert Links(Allowed(), {call().target.upstream: Allowed.of(["away.example"])}).look(view) == ()


def test_fields_of_the_protocol_are_destinations_as_a_whole() -> None:
    found = look(
        {
            "content": [
                {
                    "type": "resource_link",
                    "uri": "javascript:1",
                    "icons": [{"src": "https://away.example/i"}, {"src": "data:image/png,1"}],
                },
                {"type": "resource", "resource": {"uri": "ui://x", "mimeType": "text/html;profile=mcp-app", "text": "<p>"}},
                {"type": "resource", "resource": {"uri": "file://share.example/x", "text": "x"}},
            ],
            "structuredContent": {"icons": [{"src": "https://away.example/i"}], "uri": "javascript:1"},
            "_meta": {"ui": {"resourceUri": "https://away.example/ui"}},
        }
    )  # fmt: skip
    assert found == (
        Finding("links", "active_scheme", HIGH, "/content/0/uri", 0, 12),
        Finding("links", "external_image", MEDIUM, "/content/0/icons/0/src", 0, 22),
        Finding("links", "html_resource", LOW, "/content/1/resource/mimeType", 0, 25),
        Finding("links", "local_file", MEDIUM, "/content/2/resource/uri", 0, 22),
        Finding("links", "external_content", MEDIUM, "/_meta/ui/resourceUri", 0, 23),
    )


def test_the_text_of_a_blob_is_read() -> None:
    blob = base64.b64encode(f"<p>hello <img src={AWAY}> there</p>".encode()).decode()
    found = look({"contents": [{"uri": "x:y", "mimeType": "text/plain", "blob": blob}]})
    assert [(one.rule, one.pointer) for one in found] == [("external_image", "/contents/0/blob")]


@pytest.mark.parametrize(
    "text", [f"!\u200b[a]({AWAY})", f"![a]\u200b({AWAY})", "![a](ht\u200btps://away.example/x)", "[a](java\u200bscript:1)"]
)
def test_what_is_hidden_from_a_reader_is_not_hidden_from_the_guard(text: str) -> None:
    [(rule, _, place)] = [one for one in seen(text) if one[2] == ""]
    assert (rule, place) in {("external_image", ""), ("active_scheme", "")}


def test_what_is_hidden_elsewhere_in_a_text_takes_no_more_of_it() -> None:
    assert [one[2] for one in seen(f"a\u200bb {IMAGES['inline']}")] == [AWAY]


def test_keys_are_looked_at_like_values() -> None:
    assert [one.part for one in look({"structuredContent": {IMAGES["inline"]: 1}})] == ["key"]


def test_what_is_beyond_the_most_is_one_place_of_its_text() -> None:
    text = IMAGES["inline"] * (MOST + 9)
    found = look({"content": [{"type": "text", "text": text}]})
    assert len(found) == MOST + 1
    assert (found[-1].start, found[-1].end) == (MOST * len(IMAGES["inline"]) + 5, len(text) - 1)
