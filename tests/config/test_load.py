"""A document is used whole, or refused with every problem at its line."""

import hashlib
import json
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from doorward.config.ground import Ground
from doorward.config.load import BYTES, load, read
from doorward.config.model import Document
from doorward.config.problems import ConfigError, Place
from doorward.config.schema import json_schema
from doorward.domain.catalog import Trust

NOWHERE = Ground(Path("/nonexistent"), {})


def lines(text: str | bytes, ground: Ground = NOWHERE) -> list[str]:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises(ConfigError) as raised:
        read(raw, Path("doorward.yaml"), ground)
    return [line.removeprefix("doorward.yaml:") for line in raised.value.lines]


def test_a_document_is_loaded_with_its_digest_notes_and_places(tmp_path: Path) -> None:
    path = tmp_path / "doorward.yaml"
    path.write_text("upstreams:\n  clock:\n    url: https://clock.example.com/mcp\n    trust: first-use\n")
    loaded = load(path)
    assert loaded.document.upstreams["clock"].trust is Trust.FIRST_USE
    assert loaded.root == tmp_path
    assert loaded.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [str(problem) for problem in loaded.notes] == ["1:1: policies.files: no policy is named, so nothing is allowed"]
    assert loaded.place("upstreams", "clock", "trust") == Place(4, 5)


def test_a_missing_file_is_a_problem_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "doorward.yaml")
    assert raised.value.lines == (f"{tmp_path}/doorward.yaml:1:1: cannot be read: No such file or directory",)


def test_all_problems_are_told_at_once_with_what_was_meant() -> None:
    text = """\
version: 1
listen:
  prot: 8420
  port: "8420"
upstreams:
  github:
    url: https://api.example.com/mcp
    trust: reveiw
    credential: {value: Bearer abc}
  git:
    command: [git]
    timeouts: {connect: 0, total: fast}
  clock: {url: "http://127.0.0.1:9", plain_http: yes}
  Bad_Name: {url: "https://a.example.com"}
policies:
sessions: [1]
identity: {anonymous: {}}
state: state
state: other
"""
    assert lines(text, Ground(Path("/"), {})) == [
        '3:3: listen.prot: no field of this name exists; did you mean "port"?',
        '4:3: listen.port: expected a whole number, got the text "8420"',
        '8:5: upstreams.github.trust: expected "review" or "first-use", got the text "reveiw"; did you mean "review"?',
        "9:18: upstreams.github.credential.value: a secret may not stand in the document; write ${env:NAME} or ${file:path} in its place",
        "10:3: upstreams.git: expected one of url, urls and stdio, got neither",
        "11:5: upstreams.git.command: no field of this name exists; the program and its arguments stand in stdio.command",
        "12:16: upstreams.git.timeouts.connect: expected more than 0, got 0",
        '12:28: upstreams.git.timeouts.total: expected a number, got the text "fast"',
        '13:38: upstreams.clock.plain_http: expected true or false, got the text "yes"',
        "14:3: upstreams.Bad_Name: expected a name of at most 31 lower-case letters, digits and single hyphens, beginning with a letter",
        "15:1: policies: expected a mapping of fields, got nothing",
        "16:1: sessions: expected a mapping of fields, got a sequence",
        '17:12: identity.anonymous: the field "agent" is missing',
        "19:1: state: this key stands here twice, first on line 18",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[]", "1:1: expected a mapping of fields, got a sequence"),
        ("just a text", "1:1: expected a mapping of fields, got a text"),
        ("version: 2", "1:1: version: expected 1, got 2"),
        ("mcpServers: {}", "1:1: mcpServers: no field of this name exists; run `doorward import` on a client's file"),
        ("upstreams: {a: {stdio: {command: []}}}", "1:25: upstreams.a.stdio.command: expected at least one item"),
        ('upstreams: {a: {url: "https://a.b", tools: {"": {}}}}', '1:45: upstreams.a.tools[""]: expected a name, this one is empty'),
        ("admission: {callsPerMinutes: 1}", '1:13: admission.callsPerMinutes: no field of this name exists; did you mean "calls_per_minute"?'),
        ("policies: {zzz: 1}", '1:12: policies.zzz: no field of this name exists; known are "files", "teams", "break_glass", "tests" and "timezone"'),
        (
            f"upstreams: {{a: {{url: 'https://a.b', tools: {{{'t' * 129}: {{}}}}}}}}",
            f'1:45: upstreams.a.tools["{"t" * 59}…"]: expected a name of at most 128 characters',
        ),
        ("upstreams: {a: {url: 'https://a.b', team: ''}}", "1:37: upstreams.a.team: expected a text, this one is empty"),
        (f"identity: {{anonymous: {{agent: {'a' * 129}}}}}", "1:24: identity.anonymous.agent: expected at most 128 characters"),
        (
            "upstreams: {a: {url: 'https://a.b', credential: {header: 'a b', value: x}}}",
            "1:50: upstreams.a.credential.header: expected only characters that such a name may have",
        ),
        ("upstreams: {a: {url: true}}", "1:17: upstreams.a.url: expected a text, got true"),
        ("upstreams: {a: {plain_http: {}}}", "1:17: upstreams.a.plain_http: expected true or false, got a mapping"),
        ("listen: {port: 70000}", "1:10: listen.port: expected at most 65535, got 70000"),
        ("listen: {port: 1.5}", "1:10: listen.port: expected a whole number, got 1.5"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_sentence(text: str, line: str) -> None:
    assert line in lines(text)


def test_a_document_that_is_too_big_or_no_utf_8_is_refused() -> None:
    assert lines(b"#" * (BYTES + 1)) == [f"1:1: expected at most {BYTES} bytes"]
    assert lines(b"state: \xff") == ["1:1: expected UTF-8, byte 8 is not"]


CANARY = "Tr0ub4dor.3xyzzy"
PLACES = (
    "§",
    "state: [§]",
    "upstreams: §",
    "upstreams: [§]",
    "upstreams: {a: §}",
    "upstreams: {a: {url: §}}",
    "upstreams: {a: {url: [§]}}",
    "upstreams: {a: {url: 'https://u:§@h.example.com/'}}",
    "upstreams: {a: {url: 'https://h.example.com/?token=§'}}",
    "upstreams: {a: {url: 'ftp://§'}}",
    "upstreams: {a: {url: 'https://a.b', credential: §}}",
    "upstreams: {a: {url: 'https://a.b', credential: {value: §}}}",
    "upstreams: {a: {url: 'https://a.b', credential: {value: '${§}'}}}",
    "upstreams: {a: {url: 'https://a.b', credential: {value: '${env:A} ${§'}}}",
    "upstreams: {a: {url: 'https://a.b', credential: {value: [§]}}}",
    "upstreams: {a: {url: 'https://a.b', credential: {header: [§]}}}",
    "upstreams: {a: {stdio: §}}",
    "upstreams: {a: {stdio: {command: §}}}",
    "upstreams: {a: {stdio: {command: [x, --password=§]}}}",
    "upstreams: {a: {stdio: {command: [x], env: {API_KEY: §}}}}",
    "upstreams: {a: {stdio: {command: [x], env: §}}}",
    "upstreams: {a: {stdio: {command: [x], env: {A: [§]}}}}",
    "upstreams: {a: {stdio: {command: [x], env: {A: '${§}'}}}}",
    "upstreams: {a: {stdio: {command: [x], env: {A: '${file:§'}}}}",
    "listen: §",
    "policies: {files: §}",
    "identity: {anonymous: §}",
    "a: *§",
    "a: !§ b",
    "a: !§! b",
    "upstreams: {a: {url: 'https://a.b', tools: §}}",
    "a: '§",
    "- §\nb",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_in_any_place_is_not_repeated(place: str) -> None:
    text = place.replace("§", CANARY)
    try:
        loaded = read(text.encode(), Path("doorward.yaml"), NOWHERE)
    except ConfigError as error:
        said = f"{error} {error!r} {error.lines}"
    else:
        said = f"{loaded.notes} {loaded!r}".replace(repr(loaded.document), "")
    assert CANARY not in said


def test_the_repr_of_what_is_loaded_leaves_the_text_out() -> None:
    assert "remark" not in repr(read(b"# remark\n", Path("doorward.yaml"), Ground(Path("/"), {})))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 100_000)
    | st.floats(-2, 2, allow_nan=False)
    | st.sampled_from(["", "review", "read", "udp", "exchange", "x", "https://a.b"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "agent", "url", "command", "stdio", "A B"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = sorted(Document.model_fields)
VALIDATOR = jsonschema_rs.validator_for(json_schema())


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3))
@example({"limits": {"a": {}}})
def test_the_published_schema_accepts_what_the_model_accepts(value: dict[str, object]) -> None:
    try:
        document = Document.model_validate_json(json.dumps(value), strict=True)
    except ValidationError:
        assert not VALIDATOR.is_valid(value)
    else:
        one_transport = all((upstream.url is None) != (upstream.stdio is None) for upstream in document.upstreams.values())
        one_bound = all((limit.rate is None) != (limit.concurrent is None) for limit in document.limits.values())
        assert VALIDATOR.is_valid(value) is (one_transport and one_bound)
