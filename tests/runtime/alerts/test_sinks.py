"""Letters on real sockets: signed and typed to a webhook, with structured data to syslog, and why one was not taken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.approval.channels.signature import Message, key_of, verify
from doorward.config.alerts import Alerts
from doorward.domain.alerts import Alert, AlertKind
from doorward.domain.secret import Secret
from doorward.runtime.alerts.letter import trial
from doorward.runtime.alerts.sink import SinkError
from doorward.runtime.alerts.sinks import MESSAGE_BYTES, message, sinks
from tests.net.raw import Peer, response, scripted
from tests.net.test_syslog import datagrams, streams
from tests.runtime.alerts.sinking import NOW, alert, made

SIGNER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def declared(**rules: object) -> Alerts:
    return Alerts.model_validate(rules)


def hook(url: str, **more: object) -> Alerts:
    return declared(webhooks={"chat": {"url": url, "secret": "${env:HOOK}", "plain_http": True, "private": True, **more}})


async def takes(peer: Peer) -> None:
    await peer.request()
    await peer.send(response(b"", status="204 No Content"))


async def refuses(peer: Peer) -> None:
    await peer.request()
    await peer.send(response(b"oh", status="503 Service Unavailable"))


@pytest.mark.anyio
async def test_a_webhook_gets_a_signed_message_with_the_reference() -> None:
    async with scripted(takes) as server:
        [sink] = sinks(hook(server.url), lambda reference: Secret(SIGNER), lambda: NOW)
        assert (sink.name, await sink.deliver(made(alert(agent="claude"), 3))) == ("chat", "204")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n")[1:])}
    verify(key_of(SIGNER), Message(headers["webhook-id"], headers["webhook-timestamp"], body), headers["webhook-signature"], NOW)
    assert headers["webhook-id"] == "alert_n-1"
    assert json.loads(body) == {
        "type": "alert.stop",
        "timestamp": "2026-11-18T12:00:00Z",
        "data": {
            "sentence": "claude was stopped",
            "about": "claude",
            "count": 3,
            "reference": "leaf/7",
            "raised_at": "2026-11-18T12:00:00.000Z",
            "fields": {"agent": "claude"},
        },
    }


@pytest.mark.anyio
async def test_a_webhook_that_says_anything_but_2xx_has_not_taken_it() -> None:
    async with scripted(refuses) as server:
        [sink] = sinks(hook(server.url), lambda reference: Secret(SIGNER), lambda: NOW)
        with pytest.raises(SinkError, match="expected a status of 2xx, got 503"):
            await sink.deliver(made())


@pytest.mark.anyio
async def test_a_webhook_reaches_no_address_that_was_not_meant() -> None:
    async with scripted(takes) as server:
        [sink] = sinks(hook(server.url, private=False), lambda reference: Secret(SIGNER), lambda: NOW)
        with pytest.raises(SinkError, match=r"^egress"):
            await sink.deliver(made())
    assert server.requests == []


@pytest.mark.anyio
async def test_a_secret_that_is_none_is_not_repeated() -> None:
    [sink] = sinks(hook("http://127.0.0.1:9/"), lambda reference: Secret("hunter2"), lambda: NOW)
    with pytest.raises(SinkError, match="its secret") as raised:
        await sink.deliver(made())
    assert "hunter2" not in str(raised.value)


@pytest.mark.anyio
async def test_syslog_servers_get_a_message_each_way() -> None:
    async with datagrams() as (udp, packets), streams() as (tcp, streamed):
        servers = [{"host": "127.0.0.1", "port": udp}, {"host": "127.0.0.1", "port": tcp, "protocol": "tcp"}]
        first, second = sinks(declared(syslog=servers), lambda reference: Secret(""), lambda: NOW)
        assert [await first.deliver(made()), await second.deliver(made())] == ["sent", "sent"]
        assert (first.name, second.name) == (f"syslog udp 127.0.0.1:{udp}", f"syslog tcp 127.0.0.1:{tcp}")
        packet, stream = await packets.get(), await streamed.get()
    length, _, framed = stream.partition(b" ")
    assert (int(length), framed) == (len(packet), packet)
    assert packet.endswith(b' alert [doorward@32473 kind="stop" id="n-1" reference="leaf/7" about="claude" count="1"] claude was stopped')


@pytest.mark.anyio
async def test_a_syslog_server_that_is_not_there_has_not_taken_it() -> None:
    async with streams() as (port, _):
        pass
    [sink] = sinks(declared(syslog=[{"host": "127.0.0.1", "port": port, "protocol": "tcp"}]), lambda reference: Secret(""), lambda: NOW)
    with pytest.raises(SinkError, match=r"^unreachable"):
        await sink.deliver(made())


def test_a_message_has_the_form_of_rfc_5424() -> None:
    assert message(trial(("n-1", NOW)), "node 1", 42) == (
        b"<108>1 2026-11-18T12:00:00.000Z node_1 doorward 42 alert "
        b'[doorward@32473 kind="test" id="n-1" reference="" about="" count="1"] '
        b"this is a test of the alerts of this gateway; nothing has happened"
    )


def test_what_parts_structured_data_is_escaped_and_names_are_names() -> None:
    text = message(made(Alert(AlertKind.DRIFT, "s", {'a"] b=': 'x"]\\y'}, key="k")), "node", 1)
    assert b'a___b_="x\\"\\]\\\\y"] s' in text


def test_a_text_that_is_not_ascii_says_so() -> None:
    assert message(made(Alert(AlertKind.DRIFT, "ändert")), "node", 1).endswith(b"] \xef\xbb\xbf\xc3\xa4ndert")


@given(st.text(max_size=700), st.dictionaries(st.text(max_size=40), st.text(max_size=400), max_size=20), st.text(max_size=80))
def test_no_text_makes_a_message_too_long_or_more_than_one_line(sentence: str, fields: dict[str, str], host: str) -> None:
    text = message(made(Alert(AlertKind.DRIFT, sentence, fields, "call", "key")), host, 1)
    assert len(text) <= MESSAGE_BYTES
    assert text.isascii() or text.decode()
    assert not set(text) & {10, 13, 0, 27}
    assert b'kind="drift"' in text
    assert b'reference="call"' in text
