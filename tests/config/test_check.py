"""Contradictions in a document, and names that lead nowhere, are found before anything is served."""

from pathlib import Path

import pytest

from doorward.config.check import check, policy_files, policy_layers
from doorward.config.ground import Ground
from doorward.config.model import Document, Policies
from doorward.config.problems import dotted


def found(ground: Ground, **fields: object) -> list[tuple[str, str, str]]:
    document = Document.model_validate(fields)
    return [(finding.weight.value, dotted(finding.path), finding.message) for finding in check(document, ground)]


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    (tmp_path / "rules.cedar").write_text("")
    (tmp_path / "state").mkdir(mode=0o700)
    return Ground(tmp_path, {"PATH": "/nowhere", "TOKEN": "t"})


def quiet(ground: Ground, **fields: object) -> list[tuple[str, str]]:
    """Findings besides those of the plain fields that each test starts from."""
    return [(weight, path) for weight, path, _ in found(ground, **{"policies": {"files": ["*.cedar"]}, **fields})]


def test_a_sound_document_has_no_findings(ground: Ground) -> None:
    upstreams = {
        "github": {
            "url": "https://api.example.com/mcp",
            "credential": {"value": "Bearer ${env:TOKEN}"},
            "tools": {"get_issue": {"groups": ["read", "external"], "reversibility": "read"}},
        },
        "clock": {"url": "http://127.0.0.1:9000/mcp", "plain_http": True, "private": True},
    }
    listen = {
        "public_url": "https://mcp.example.com",
        "allowed_hosts": ["mcp.example.com", "[::1]:8420"],
        "allowed_origins": ["https://mcp.example.com"],
    }
    assert quiet(ground, upstreams=upstreams, listen=listen) == []
    assert quiet(ground, upstreams=upstreams, identity={"anonymous": {"agent": "local"}}) == []


@pytest.mark.parametrize(
    ("fields", "findings"),
    [
        ({"listen": {"host": "0.0.0.0"}}, [("note", "listen.host")]),
        ({"listen": {"host": "not a host"}}, [("error", "listen.host")]),
        ({"listen": {"public_url": "https://mcp.example.com/path"}}, [("error", "listen.public_url")]),
        ({"listen": {"public_url": "mcp.example.com"}}, [("error", "listen.public_url")]),
        ({"listen": {"public_url": "http://mcp.example.com"}}, [("note", "listen.public_url")]),
        ({"listen": {"allowed_hosts": ["*", "a.b:0", "https://a.b", "[::1", "a.b:80"]}}, [("error", f"listen.allowed_hosts[{n}]") for n in range(4)]),
        ({"listen": {"allowed_origins": ["*", "null", "https://a.b/x"]}}, [("error", f"listen.allowed_origins[{n}]") for n in range(3)]),
        ({"listen": {"host": "10.0.0.1"}, "identity": {"anonymous": {"agent": "a"}}}, [("note", "listen.host"), ("error", "identity.anonymous")]),
        ({"identity": {"anonymous": {"agent": "doorward"}}}, [("error", "identity.anonymous")]),
        (
            {"listen": {"public_url": "https://mcp.example.com"}, "identity": {"anonymous": {"agent": "a"}}},
            [("note", "identity.anonymous")],
        ),
        ({"identity": {"anonymous": {"agent": "A b"}}}, [("error", "identity.anonymous")]),
        ({"identity": {"anonymous": {"agent": "a", "team": " "}}}, [("error", "identity.anonymous")]),
        ({"policies": {}}, [("note", "policies.files")]),
        ({"policies": {"files": ["*.cedar", "no/*.cedar", "state", "../**/**x"]}}, [("error", f"policies.files[{n}]") for n in (1, 2, 3)]),
        ({"policies": {"files": ["*.cedar"], "timezone": "Mars/Olympus"}}, [("error", "policies.timezone")]),
        ({"policies": {"files": ["*.cedar"], "timezone": "../../etc/passwd"}}, [("error", "policies.timezone")]),
        ({"admission": {"concurrent": 100, "in_flight": 10}}, [("note", "admission.concurrent")]),
        ({"admission": {"in_flight": 100, "requests": 99}}, [("note", "admission.in_flight")]),
        ({"admission": {"in_flight": 100, "requests": 100}}, []),
        (
            {"admission": {"bytes_in_flight_per_agent": 2**22, "bytes_in_flight": 2**21}},
            [("note", "admission.bytes_in_flight_per_agent")],
        ),
        ({"sessions": {"per_principal": 100, "overall": 10}}, [("note", "sessions.per_principal")]),
        ({"state": "rules.cedar"}, [("error", "state")]),
        ({"state": "rules.cedar/state"}, [("error", "state")]),
        ({"audit": {"origin": "my log"}}, [("error", "audit.origin")]),
        ({"audit": {"origin": "a+b"}}, [("error", "audit.origin")]),
        ({"audit": {"anchor_file": "nowhere/anchor"}}, [("error", "audit.anchor_file")]),
        ({"audit": {"anchor_file": "state/anchor"}}, [("note", "audit.anchor_file")]),
        ({"audit": {"anchor_file": "anchor"}}, []),
        ({"audit": {"anchor_syslog": {"host": "no host"}}}, [("error", "audit.anchor_syslog.host")]),
    ],
)  # fmt: skip
def test_each_contradiction_is_found(ground: Ground, fields: dict[str, object], findings: list[tuple[str, str]]) -> None:
    assert quiet(ground, **fields) == findings


def test_a_state_directory_that_others_may_read_is_noted(ground: Ground) -> None:
    (ground.root / "state").chmod(0o755)
    assert quiet(ground) == [("note", "state")]


def test_an_observed_upstream_is_noted(ground: Ground) -> None:
    upstreams = {"a": {"url": "https://a.example.com"}, "b": {"url": "https://b.example.com", "posture": "observe"}}
    assert ("note", 'policy is only recorded, not enforced, for "b"') in [
        (weight, text) for weight, _, text in found(ground, upstreams=upstreams)
    ]


def test_a_time_zone_is_guessed(ground: Ground) -> None:
    (message,) = [
        text for _, path, text in found(ground, policies={"files": ["*.cedar"], "timezone": "Europe/Berln"}) if path == "policies.timezone"
    ]
    assert message.endswith('did you mean "Europe/Berlin"?')


def test_policy_files_are_each_once_and_sorted(tmp_path: Path) -> None:
    for name in ("b.cedar", "a.cedar", "sub/c.cedar", "sub/d.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    assert policy_files(Policies(files=("*.cedar", "a.cedar", "**/*.cedar", str(tmp_path / "sub" / "*.txt"))), tmp_path) == (
        tmp_path / "a.cedar",
        tmp_path / "b.cedar",
        tmp_path / "sub" / "c.cedar",
        tmp_path / "sub" / "d.txt",
    )


def test_policy_files_of_teams_are_among_them_with_their_layer(tmp_path: Path) -> None:
    for name in ("b.cedar", "a.cedar", "c.cedar"):
        (tmp_path / name).write_text("")
    policies = Policies.model_validate({"files": ["c.cedar"], "teams": {"ops": {"files": ["a.cedar", "b.cedar"]}}})
    assert policy_layers(policies, tmp_path) == (("", tmp_path / "c.cedar"), ("ops", tmp_path / "a.cedar"), ("ops", tmp_path / "b.cedar"))
    assert policy_files(policies, tmp_path) == tuple(tmp_path / name for name in ("a.cedar", "b.cedar", "c.cedar"))


def test_a_file_belongs_to_one_layer_by_whatever_name(ground: Ground) -> None:
    (ground.root / "own.cedar").write_text("")
    (ground.root / "linked").symlink_to(ground.root / "rules.cedar")
    upstreams = {"a": {"url": "https://a.example.com", "team": "ops"}, "b": {"url": "https://b.example.com", "team": "web"}}
    teams = {"ops": {"files": ["linked", "no/*.cedar"]}, "web": {"files": ["own.cedar", "own.*"]}}
    assert [finding[:2] for finding in found(ground, upstreams=upstreams, policies={"files": ["rules.cedar"], "teams": teams})] == [
        ("error", "policies.teams.ops.files[1]"),
        ("error", "policies.teams.ops.files[0]"),
    ]
    (both,) = found(ground, upstreams=upstreams, policies={"teams": {"ops": {"files": ["own.cedar"]}, "web": {"files": ["own.cedar"]}}})
    assert both[2] == f'{ground.root}/own.cedar is one of the policies of team "ops" already; a file belongs to one layer'


def test_a_team_that_owns_no_upstream_is_noted(ground: Ground) -> None:
    assert found(ground, policies={"teams": {"sales": {"files": ["rules.cedar"]}}}) == [
        ("note", "policies.teams.sales", 'no upstream is owned by team "sales", so its policies decide nothing')
    ]


def test_the_repr_of_the_ground_shows_no_environment() -> None:
    assert repr(Ground(Path("/x"), {"TOKEN": "secret"})) == "Ground(/x)"
