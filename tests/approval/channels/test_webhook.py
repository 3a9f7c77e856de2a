"""What goes out to a service: signed, small, following nothing, with the arguments only where that was said; and what counts as taken."""

import json
from typing import Any

import pytest

from doorward.approval.channels.port import ChannelError
from doorward.approval.channels.signature import Message, key_of, verify
from doorward.approval.channels.webhook import ARGUMENTS_BYTES, Told, Webhook, webhooks
from doorward.approval.question import Question, State
from doorward.config.approvals import Approvals
from doorward.config.references import UnresolvedError
from doorward.domain.ids import Digest
from doorward.domain.secret import Secret
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import CAPS, Caps, Fetch
from tests.approval.channels.asked import LINK, NOW, question
from tests.net.raw import STREAM_HEAD, Peer, chunk, response, scripted

pytestmark = pytest.mark.anyio

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOOPBACK = Rule(Reach.PRIVATE, frozenset({"http", "https"}))
QUICK = Caps(seconds=0.3)


def hook(url: str, told: Told = Told.WITHOUT_ARGUMENTS, rule: Rule = LOOPBACK, caps: Caps = CAPS) -> Webhook:
    return Webhook("chat", url, told, lambda: Secret(SECRET), Fetch(rule, caps=caps), lambda: NOW)


def parts(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}, body


async def sent(it: Question, told: Told = Told.WITHOUT_ARGUMENTS) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and body of the message that a service gets, its signature verified."""

    async def takes(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"", status="204 No Content"))

    async with scripted(takes) as server:
        channel = hook(server.url, told)
        if it.state is State.PENDING:
            await channel.tell(it, LINK + it.id)
        else:
            await channel.settled(it)
    first, headers, body = parts(server.requests[0])
    assert first == "POST /mcp HTTP/1.1"
    verify(key_of(SECRET), Message(headers["webhook-id"], headers["webhook-timestamp"], body), headers["webhook-signature"], NOW)
    return headers, json.loads(body)


async def test_a_question_is_sent_signed_without_its_arguments() -> None:
    headers, body = await sent(question())
    digest = question().binding.digest
    assert (headers["webhook-id"], headers["content-type"]) == (f"asked_q1_{digest[:16]}", "application/json")
    assert body == {
        "type": "approval.asked",
        "timestamp": "2026-11-18T12:00:00Z",
        "data": {
            "approval": "q1",
            "digest": digest,
            "agent": "claude",
            "owner": "ada",
            "upstream": "git",
            "kind": "tool",
            "name": "commit",
            "reason": "payments need a yes",
            "policies": ["p1"],
            "needs": [{"team": "finance", "people": 2, "owner_may": False}],
            "reversibility": "irreversible",
            "expires_at": "2026-11-18T13:00:00Z",
            "link": LINK + "q1",
        },
    }


async def test_arguments_go_along_where_that_is_said_and_are_those_that_would_be_approved() -> None:
    _, body = await sent(question(), Told.ALL)
    assert body["data"]["arguments"] == {"amount": 7, "to": "bob"}
    _, body = await sent(question(edited=b'{"amount":1.10}', edited_digest=Digest("e" * 64)), Told.ALL)
    assert (body["data"]["arguments"], body["data"]["digest"]) == ({"amount": 1.1}, "e" * 64)


async def test_numbers_go_out_as_they_are_and_large_arguments_not_at_all() -> None:
    exact = b'{"arguments":{"n":12345678901234567890.123},"extras":{},"method":"tools/call","name":"commit","upstream":"git"}'
    large = json.dumps({"arguments": {"text": "x" * ARGUMENTS_BYTES}, "extras": {}}).encode()

    async def takes(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"{}"))

    async with scripted(takes) as server:
        await hook(server.url, Told.ALL).tell(question(canonical=exact), "")
        await hook(server.url, Told.ALL).tell(question(canonical=large), "")
    assert b'"arguments":{"n":12345678901234567000' not in server.requests[0]
    assert b'"arguments":{"n":12345678901234567890.123}' in server.requests[0]
    assert b"xxxx" not in server.requests[1]
    assert b'"arguments_bytes":65547' in server.requests[1]


@pytest.mark.parametrize(
    ("state", "kind"),
    [(State.APPROVED, "approval.answered"), (State.REJECTED, "approval.answered"), (State.EXPIRED, "approval.expired")],
)
async def test_that_it_is_over_is_sent_too(state: State, kind: str) -> None:
    headers, body = await sent(question(state=state, decided_by="corp:eve"))
    assert (headers["webhook-id"], body["type"]) == ("settled_q1", kind)
    assert body["data"] == {"approval": "q1", "digest": question().binding.digest, "state": state.value, "by": "corp:eve"}


async def hanging(peer: Peer) -> None:
    await peer.request()
    await peer.gone()


async def failing(peer: Peer) -> None:
    await peer.request()
    await peer.send(response(b"oh", status="500 Internal Server Error"))


async def elsewhere(peer: Peer) -> None:
    await peer.request()
    await peer.send(response(b"", "Location: http://127.0.0.1:1/", status="307 Temporary Redirect"))


async def large(peer: Peer) -> None:
    await peer.request()
    await peer.send(response(b"x" * 70_000))


async def streaming(peer: Peer) -> None:
    await peer.request()
    await peer.send(STREAM_HEAD + chunk(b"data: 1\n\n"))


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (hanging, "no whole answer within 0.3 s"),
        (failing, "expected a status of 2xx, got 500"),
        (elsewhere, "expected a status of 2xx, got 307"),
        (large, "oversize"),
        (streaming, "garbage"),
    ],
)
async def test_what_is_not_taken_in_time_and_in_so_many_words_was_not_taken(script: Any, why: str) -> None:
    async with scripted(script) as server:
        with pytest.raises(ChannelError) as caught:
            await hook(server.url, caps=QUICK if script is hanging else CAPS).tell(question(), "")
    assert why in str(caught.value)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://127.0.0.1:9/hook", LOOPBACK),
        ("https://127.0.0.1:9/hook", Rule()),
        ("http://hooks.example.com/", Rule()),
        ("https://169.254.169.254/latest", Rule()),
        ("https://[::ffff:127.0.0.1]/", Rule()),
    ],
)
async def test_nobody_there_and_an_address_that_is_not_allowed_fail(url: str, rule: Rule) -> None:
    with pytest.raises(ChannelError):
        await hook(url, rule=rule).tell(question(), "")


def _unset() -> Secret:
    raise UnresolvedError("the variable HOOK is not set, or empty")


async def test_without_a_sound_secret_nothing_is_sent_and_it_is_not_told() -> None:
    async with scripted(failing) as server:
        for secret in (lambda: Secret("whsec_tooshort"), _unset):
            channel = Webhook("chat", server.url, Told.ALL, secret, Fetch(LOOPBACK), lambda: NOW)
            with pytest.raises(ChannelError) as caught:
                await channel.tell(question(), "")
            assert "tooshort" not in str(caught.value)
    assert server.connections == 0


def test_its_secret_is_in_no_word_about_it() -> None:
    assert "MfKQ9" not in repr(hook("https://hooks.example.com/"))


async def test_the_channels_of_a_configuration_are_those_it_declares_in_its_order_and_as_far_as_it_says() -> None:
    async def takes(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"{}"))

    async with scripted(takes) as server:
        local = {"url": server.url, "secret": "${env:HOOK}", "plain_http": True, "private": True, "arguments": True}
        declared = Approvals.model_validate(
            {"webhooks": {"zulu": local, "alpha": {**local, "private": False}, "beta": {**local, "plain_http": False}}}
        )
        zulu, alpha, beta = webhooks(declared.webhooks, {"${env:HOOK}": Secret(SECRET)}.__getitem__, lambda: NOW)
        await zulu.tell(question(), "")
        for channel in (alpha, beta):
            with pytest.raises(ChannelError) as caught:
                await channel.tell(question(), "")
            assert "egress" in str(caught.value)
    assert (zulu.name, alpha.name, beta.name) == ("zulu", "alpha", "beta")
    assert b'"arguments":{"amount":7' in server.requests[0]
    assert len(server.requests) == 1
