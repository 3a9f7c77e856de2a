"""What Doorward does not know survives it: fields, content types, numbers and texts, in calls and in results, within an era and across."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.e2e.client import RECEIPT, REVISIONS, Client, Json
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream
from tests.net.raw import Peer, response

ODD = """{
    "content": [
        {"type": "hologram", "beam": {"colour": null, "angles": [0, 1.50, -0.0, 1e2, 12345678901234567890, 0.1000000000000000055]}},
        {"type": "text", "text": "\\u00e9 e\\u0301 \\ud83d\\ude00 <b>&amp; \\" \\\\", "annotations": {"audience": ["user"], "odd": 1},
            "_meta": {"x": []}},
        {"type": "resource_link", "uri": "x:a b?c#d", "name": "n", "size": 1, "odd": {}}
    ],
    "structuredContent": {"a": null, "b": [], "c": {}, "d": false, "e": "", "f": 0, "10": 1, "9": 2},
    "isError": false,
    "oddField": {"deep": [[[[{"x": 1}]]]]},
    "_meta": {"example.com/kept": {"n": 1.10}}
}"""
"""A result full of what nobody here has heard of."""


@pytest.fixture(scope="module", params=["session", "exchange"])
def witness(request: pytest.FixtureRequest) -> Iterator[Witness]:
    """An upstream of either era that gives odd results."""
    made = Witness(request.param)
    made.tools.append({"name": "odd", "inputSchema": {"type": "object"}, "oddField": [1.50, None], "_meta": {"example.com/x": 1e2}})
    made.tools.append({"name": "nothing", "inputSchema": {"type": "object"}})

    def telling(text: str) -> Witness:
        async def tell(peer: Peer, message: Json, head: bytes) -> None:
            ending = ', "resultType": "complete"}' if request.param == "exchange" else "}"
            body = text.rstrip().removesuffix("}") + ending
            await peer.send(response(b'{"jsonrpc": "2.0", "id": %d, "result": %b}' % (message["id"], body.encode())))

        return tell  # type: ignore[return-value]

    made.behaviours |= {"odd": telling(ODD), "nothing": telling('{"content": [], "structuredContent": null}')}  # type: ignore[dict-item]
    with witnessing(made) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Running]:
    """A gateway before it."""
    with doorward(tmp_path_factory.mktemp("lossless"), {"upstreams": {"witness": http_upstream(witness.url)}}) as gateway:
        yield gateway


@pytest.fixture(params=REVISIONS)
def client(request: pytest.FixtureRequest, running: Running) -> Iterator[Client]:
    """A client of each revision."""
    with Client(running.url("witness"), running.key(), request.param) as made:
        yield made


def exact(raw: bytes | str) -> Json:
    """JSON with fractions to the last digit."""
    return dict(json.loads(raw, parse_float=Decimal))


def test_odd_result_arrives_as_it_was(client: Client) -> None:
    wanted = exact(ODD)
    got = exact(client.call("odd").raw)["result"]
    own = {name for name in got["_meta"] if name == RECEIPT or name.startswith("io.modelcontextprotocol/")}
    assert {name: value for name, value in got["_meta"].items() if name not in own} == wanted.pop("_meta")
    assert {name: value for name, value in got.items() if name not in ("_meta", "resultType")} == wanted


def test_structured_content_of_nothing_stays_nothing_where_a_revision_can_say_so(client: Client) -> None:
    got = client.call("nothing").result
    assert got.get("structuredContent", "absent") == (None if client.is_exchange else "absent")


def test_odd_definition_is_listed_as_it_is(client: Client, witness: Witness) -> None:
    [listed] = [item for item in exact(client.ask("tools/list").raw)["result"]["tools"] if item["name"] == "odd"]
    assert listed == exact(json.dumps(witness.tools[-2]))


def test_odd_call_goes_upstream_as_it_is(client: Client, witness: Witness) -> None:
    arguments = '{"n": [1.50, 1e2, 12345678901234567890], "\\u00e9": null, "": {"a": []}, "10": 1, "9": 2}'
    body, headers = client._prepared(
        "tools/call", {"name": "odd", "arguments": {}, "oddParam": {"x": [None]}}, {"example.com/odd": "kept"}, 77
    )
    client.post(body.replace(b'"arguments": {}', b'"arguments": ' + arguments.encode()), headers)
    sent = exact(witness.requests[-1].partition(b"\r\n\r\n")[2])["params"]
    assert sent["arguments"] == exact(arguments)
    assert list(sent["arguments"]) == list(exact(arguments))
    assert sent["oddParam"] == {"x": [None]}
    assert sent["_meta"]["example.com/odd"] == "kept"
