"""Which secrets of sources the gateway keeps ready: those that no lease reads for itself."""

from doorward.app.secrets import standing
from doorward.config.model import Document

BAO = "${openbao:secret/x#NAME}"


def of(name: str) -> str:
    return BAO.replace("NAME", name)


def test_what_leases_read_is_not_kept_ready_and_everything_else_is() -> None:
    person = {
        "kind": "token_exchange",
        "server": {"issuer": "https://sts.example.com", "client_id": "doorward", "client_secret": of("client")},
        "discovery": {"kind": "header", "value": of("discovery")},
    }
    document = Document.model_validate(
        {
            "upstreams": {
                "header": {"url": "https://a.example.com/mcp", "credential": {"value": of("header")}},
                "basic": {
                    "url": "https://b.example.com/mcp",
                    "credential": {"kind": "basic", "username": of("name"), "password": of("word")},
                },
                "process": {"stdio": {"command": ["db"], "env": {"A": of("variable"), "B": "${env:B}"}}},
                "person": {"url": "https://c.example.com/mcp", "credential": person},
            },
            "alerts": {"webhooks": {"soc": {"url": "https://soc.example.com/", "secret": of("soc")}}},
        }
    )
    assert [pointer.field for pointer in standing(document)] == ["client", "soc"]
