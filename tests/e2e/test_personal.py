"""Personal data and an operator's own on the way through a running gateway: masked alike in every copy, kept from going out."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.client import REVISIONS, Client, Json
from tests.e2e.log import until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream
from tests.net.raw import Peer, response
from tests.upstream.kit import result

pytestmark = pytest.mark.peer

SSN = "-".join(("536", "90", "4399"))
RECORD = {"name": "Ann", "ssn": SSN, "tax": int(SSN.replace("-", "")), "patients": [{"diagnosis": "influenza B"}]}
TEXT = json.dumps(RECORD)
OUTPUT = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "ssn": {"type": "string"},
        "tax": {"type": "integer"},
        "patients": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["name", "ssn", "tax", "patients"],
}
CONTRACT = " ".join(f"clause{number} binds party{number}" for number in range(60))
RULES = {
    "fields": [
        {"name": "diagnosis", "pointers": ["/patients/*/diagnosis"], "upstreams": ["clinic"]},
        {"name": "tax", "pointers": ["/tax"]},
        {"name": "case", "pointers": ["/mark"], "tools": ["other"], "directions": ["request"]},
    ],
    "dictionaries": {"codenames": {"file": "names.txt"}},
    "documents": {"contracts": {"files": ["contracts/*.txt"]}},
}


@pytest.fixture(scope="module")
def clinic() -> Iterator[Witness]:
    """An upstream that tells of a patient, as a structured result and as text."""
    made = Witness()
    made.tools.append({"name": "record", "inputSchema": {"type": "object"}, "outputSchema": OUTPUT})

    async def tell(peer: Peer, message: Json, head: bytes) -> None:
        told = {"content": [{"type": "text", "text": TEXT}, {"type": "text", "text": f"Her SSN is {SSN}."}], "structuredContent": RECORD}
        await peer.send(response(result(message, {**told, "resultType": "complete"})))

    made.behaviours["record"] = tell
    with witnessing(made) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, clinic: Witness) -> Iterator[Running]:
    """A gateway before it."""
    directory = tmp_path_factory.mktemp("personal")
    (directory / "names.txt").write_text("# ours\nProject Bluebird\n")
    (directory / "contracts").mkdir()
    (directory / "contracts" / "one.txt").write_text(CONTRACT)
    with doorward(directory, {"upstreams": {"clinic": http_upstream(clinic.url)}, "inspection": RULES}) as gateway:
        yield gateway


@pytest.fixture
def client(running: Running) -> Iterator[Client]:
    """A client of the newest revision."""
    with Client(running.url("clinic"), running.key(), REVISIONS[-1]) as made:
        yield made


def test_what_is_personal_is_masked_alike_in_every_copy_and_keeps_to_the_schema(client: Client) -> None:
    shown = client.call("record").result
    mask = "[withheld: us_ssn]"
    record = {"name": "Ann", "ssn": mask, "tax": "[withheld: field_tax]", "patients": [{"diagnosis": "[withheld: field_diagnosis]"}]}
    assert [block["text"] for block in shown["content"]] == [json.dumps(record), f"Her SSN is {mask}."]
    assert shown["structuredContent"] == {**record, "tax": 0}
    assert shown["_meta"]["dev.doorward/withheld"] == [{"pointer": "/structuredContent/tax", "rule": "field_tax", "instead": "placeholder"}]


def test_a_word_of_a_dictionary_and_a_part_of_a_document_do_not_go_out(client: Client, clinic: Witness) -> None:
    part = " ".join(CONTRACT.split()[60:85])
    for mark in ("about PROJECT  BLUEBIRD", f"it says: {part}"):
        assert client.call("echo", {"mark": mark}).reason == "unsafe_request"
        assert mark not in clinic.marks()
    assert client.call("echo", {"mark": "about bluebirds"}).result["content"]


def test_a_named_field_does_not_go_out_whatever_stands_in_it(client: Client, clinic: Witness) -> None:
    assert client.call("other", {"mark": "anything"}).reason == "unsafe_request"
    assert client.call("other", {}).result["content"]
    assert "anything" not in clinic.marks()


def test_a_list_that_changes_is_read_anew(running: Running, client: Client) -> None:
    assert client.call("echo", {"mark": "the Greenfinch plan"}).result["content"]
    (running.directory / "names.txt").write_text("Greenfinch\n")
    until(lambda: client.call("echo", {"mark": "the Greenfinch plan"}).reason == "unsafe_request")
    assert client.call("echo", {"mark": "about Project Bluebird"}).result["content"]
