"""What protects less than before is said, one sentence each; what protects more, or only otherwise, is not."""

import copy
from typing import Any

import pytest

from doorward.config.model import Document
from doorward.config.weaker import weaker

TLS = {"certificate": "c.pem", "key": "k.pem", "clients": "required", "crls": ["r.pem"]}
STRICT: dict[str, Any] = {
    "listen": {"tls": TLS, "allowed_hosts": ["a.test"]},
    "upstreams": {
        "git": {"url": "https://git.test/mcp", "tls": {"ca_file": "ca.pem"}},
        "files": {
            "stdio": {
                "command": ["serve"],
                "pin": {"trust": "review", "digest": "1" * 64, "paths": ["lib"]},
                "sandbox": {"read": ["in"], "write": ["out"]},
            }
        },
    },
    "audit": {"receipts": "strict"},
}
CHANGES: list[tuple[str, object, str]] = [
    ("listen.tls", None, "listen.tls: removed"),
    ("listen.tls.clients", "optional", "listen.tls.clients: required → optional"),
    ("listen.tls.minimum", "1.2", "listen.tls.minimum: 1.3 → 1.2"),
    ("listen.tls.crls", [], "listen.tls.crls: nothing is revoked any more"),
    ("listen.host", "0.0.0.0", "listen.host: others than this machine can connect"),
    ("listen.allowed_hosts", ["a.test", "b.test"], "listen.allowed_hosts: b.test may, too"),
    ("listen.allowed_origins", ["https://b.test"], "listen.allowed_origins: https://b.test may, too"),
    ("listen.proxy", {"addresses": ["10.0.0.5"]}, "listen.proxy: somebody else tells who the client is"),
    ("upstreams.git.url", "https://other.test/mcp", "upstreams.git: another server; what was accepted of the one before stands for it"),
    ("upstreams.git.plain_http", True, "upstreams.git.plain_http: true"),
    ("upstreams.git.private", True, "upstreams.git.private: true"),
    ("upstreams.git.tls", None, "upstreams.git.tls.ca_file: any authority of the system will do"),
    ("upstreams.git.posture", "observe", "upstreams.git.posture: what policy denies passes"),
    ("upstreams.git.trust", "first-use", "upstreams.git.trust: nobody reviews what is seen first"),
    ("upstreams.git.hints", "believe", "upstreams.git.hints: what the server claims is believed"),
    ("upstreams.git.extra_arguments", "allow", "upstreams.git.extra_arguments: arguments that no schema names pass"),
    ("upstreams.git.drift", {"accept": ["title"]}, "upstreams.git.drift.accept: title without a look"),
    ("upstreams.files.stdio.pin.digest", None, "upstreams.files.stdio.pin.digest: removed"),
    ("upstreams.files.stdio.pin.trust", "off", "upstreams.files.stdio.pin.trust: review → off"),
    ("upstreams.files.stdio.pin.paths", [], "upstreams.files.stdio.pin.paths: lib may change unseen"),
    ("upstreams.files.stdio.sandbox", None, "upstreams.files.stdio.sandbox: removed"),
    ("upstreams.files.stdio.sandbox.network", "all", "upstreams.files.stdio.sandbox.network: it may use the network"),
    ("upstreams.files.stdio.sandbox.read", ["in", "home"], "upstreams.files.stdio.sandbox.read: home, too"),
    ("policies.break_glass", {"operators": ["ann"]}, "policies.break_glass: somebody may let agents past every policy"),
    ("audit.receipts", "queued", "audit.receipts: outcomes are no longer durable before the reply"),
]


def changed(path: str, value: object) -> Document:
    said = copy.deepcopy(STRICT)
    *above, last = path.split(".")
    place = said
    for step in above:
        place = place.setdefault(step, {})
    place[last] = value
    return Document.model_validate(said)


@pytest.mark.parametrize(("path", "value", "sentence"), CHANGES, ids=[f"{path} {value}"[:40] for path, value, _ in CHANGES])
def test_less_protection_is_said_and_more_is_not(path: str, value: object, sentence: str) -> None:
    strict, loose = Document.model_validate(STRICT), changed(path, value)
    assert weaker(strict, loose) == (f"weaker: {sentence}",)
    if "another server" not in sentence:
        assert weaker(loose, strict) == ()


def test_writing_to_more_places_is_said_as_reading_and_writing() -> None:
    assert weaker(Document.model_validate(STRICT), changed("upstreams.files.stdio.sandbox.write", ["out", "home"])) == (
        "weaker: upstreams.files.stdio.sandbox.read: home, too",
        "weaker: upstreams.files.stdio.sandbox.write: home, too",
    )


def test_a_server_that_is_met_by_https_from_now_on_is_the_same_one() -> None:
    plain, safe = (Document.model_validate({"upstreams": {"git": {"url": f"{scheme}://git.test/mcp"}}}) for scheme in ("http", "https"))
    assert weaker(plain, safe) == ()


def test_upstreams_that_come_and_go_are_no_weakening() -> None:
    strict = Document.model_validate(STRICT)
    fewer = strict.model_copy(update={"upstreams": {"git": strict.upstreams["git"]}})
    assert (weaker(strict, fewer), weaker(fewer, strict), weaker(strict, strict)) == ((), (), ())
