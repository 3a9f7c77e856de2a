"""Files of the known clients become upstreams that load, and no secret of theirs is written anywhere."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.ground import Ground
from doorward.config.imports import Client, Imported, client_of, import_file
from doorward.config.load import Loaded, read
from doorward.config.problems import ConfigError

TOKEN = "ghp_" + "a1B2" * 9


def imported(value: object, client: Client = Client.CLAUDE_CODE) -> Imported:
    return import_file(value if isinstance(value, str) else json.dumps(value), client)


def loaded(result: Imported) -> Loaded:
    return read(result.upstreams.encode(), Path("doorward.yaml"), Ground(Path("/"), {}))


def broken(result: Imported) -> list[str]:
    """The fields of an import that an operator has to set right first."""
    try:
        loaded(result)
    except ConfigError as error:
        return [problem.path for problem in error.problems]
    return []


def upstreams(servers: object) -> str:
    return imported({"mcpServers": servers}).upstreams


def test_claude_desktop_with_comments_becomes_processes_and_a_stdio_client() -> None:
    text = """{
      // my servers
      "mcpServers": {
        "Git Hub!": {
          "command": "docker",
          "args": ["run", "-i", "--rm", "-e", "GITHUB_TOKEN", "ghcr/github"],
          "env": {"GITHUB_TOKEN": "%s", "LANG": "C.UTF-8", "DEBUG": true}, // token
        },
      },
    }"""
    result = imported(text % TOKEN, Client.CLAUDE_DESKTOP)
    assert result.upstreams == (
        "upstreams:\n"
        "  git-hub:\n"
        "    stdio:\n"
        '      command: [docker, run, "-i", "--rm", "-e", GITHUB_TOKEN, ghcr/github]\n'
        "      env:\n"
        '        GITHUB_TOKEN: "${env:GITHUB_TOKEN}"\n'
        "        LANG: C.UTF-8\n"
        '        DEBUG: "true"\n'
    )
    assert json.loads(result.client) == {
        "mcpServers": {
            "doorward": {
                "command": "doorward",
                "args": ["stdio", "--url", "http://127.0.0.1:8420/mcp"],
                "env": {"DOORWARD_KEY": "PUT-THE-AGENT-KEY-HERE"},
            }
        }
    }
    assert result.variables == {"GITHUB_TOKEN": "a secret of git-hub"}
    assert result.notes == ('git-hub: was called "Git Hub!"',)
    assert loaded(result).document.upstreams["git-hub"].stdio is not None


def test_claude_code_variables_become_references() -> None:
    server = {"type": "http", "url": "https://api.example.com/mcp", "headers": {"Authorization": "Bearer ${API_KEY:-none}"}}
    result = imported({"mcpServers": {"api": server}})
    assert result.upstreams == (
        "upstreams:\n"
        "  api:\n"
        "    url: https://api.example.com/mcp\n"
        "    credential:\n"
        "      header: Authorization\n"
        '      value: "Bearer ${env:API_KEY}"\n'
    )
    assert json.loads(result.client)["mcpServers"]["doorward"] == {
        "type": "http",
        "url": "http://127.0.0.1:8420/mcp",
        "headers": {"Authorization": "Bearer ${DOORWARD_KEY}"},
    }
    assert result.variables == {"API_KEY": "the file refers to it for api"}


def test_vs_code_inputs_become_variables_with_their_descriptions() -> None:
    value = {
        "inputs": [{"type": "promptString", "id": "perplexity-key", "description": "Perplexity API Key", "password": True}],
        "servers": {"perplexity": {"type": "stdio", "command": "npx", "args": ["-y", "p"], "env": {"KEY": "${input:perplexity-key}"}}},
    }
    result = imported(value, Client.VSCODE)
    assert 'KEY: "${env:PERPLEXITY_KEY}"' in result.upstreams
    assert result.variables == {"PERPLEXITY_KEY": "Perplexity API Key (perplexity)"}
    assert json.loads(result.client)["servers"]["doorward"]["headers"] == {"Authorization": "Bearer ${input:doorward-key}"}
    assert imported({"mcp": value}, Client.VSCODE).upstreams == result.upstreams


def test_cursor_points_at_the_given_address() -> None:
    result = import_file('{"mcpServers": {"a": {"url": "https://a.example.com/"}}}', Client.CURSOR, "https://mcp.example.com/")
    assert json.loads(result.client)["mcpServers"]["doorward"] == {
        "url": "https://mcp.example.com/mcp",
        "headers": {"Authorization": "Bearer ${env:DOORWARD_KEY}"},
    }


def test_a_bridge_to_http_is_left_out() -> None:
    server = {"command": "npx", "args": ["-y", "mcp-remote@latest", "https://r.example.com/mcp", "--header", f"X-Api-Key: {TOKEN}"]}
    result = imported({"mcpServers": {"remote": server}})
    assert result.upstreams == (
        'upstreams:\n  remote:\n    url: https://r.example.com/mcp\n    credential:\n      header: X-Api-Key\n      value: "${env:REMOTE_API_KEY}"\n'
    )


def test_addresses_of_this_machine_are_declared_so() -> None:
    assert upstreams({"a": {"url": "http://localhost:9000/mcp"}}) == (
        'upstreams:\n  a:\n    url: "http://localhost:9000/mcp"\n    plain_http: true\n    private: true\n'
    ).replace('"', "")


def test_a_secret_given_to_docker_moves_into_the_environment() -> None:
    text = upstreams({"a": {"command": "docker", "args": ["run", "-e", f"API_TOKEN={TOKEN}", "-e", "LANG=C", "image"]}})
    assert 'command: [docker, run, "-e", API_TOKEN, "-e", "LANG=C", image]' in text
    assert 'API_TOKEN: "${env:API_TOKEN}"' in text


def test_names_are_made_valid_and_unique() -> None:
    names = ["GitHub", "github", "git hub", "123", "Ünïcode", "", "x" * 40, "x" * 41, "a--b"]
    result = imported({"mcpServers": {name: {"command": "c"} for name in names}})
    assert list(loaded(result).document.upstreams) == [
        "github", "github-2", "git-hub", "server-123", "n-code", "server", "x" * 31, "x" * 26 + "-2", "a-b",
    ]  # fmt: skip


def test_the_same_variable_for_two_secrets_is_told_apart() -> None:
    servers = {name: {"command": "c", "env": {"TOKEN": secret}} for name, secret in (("a", "one-1"), ("b", "two-2"), ("c", "one-1"))}
    assert imported({"mcpServers": servers}).variables == {"TOKEN": "a secret of a", "B_TOKEN": "a secret of b"}


def test_what_cannot_be_carried_over_is_listed() -> None:
    servers = {
        "off": {"command": "c", "disabled": True},
        "odd": {"note": 1},
        "ws": {"url": "wss://a.example.com/"},
        "many": {"url": "https://a.example.com/", "headers": {"X-Mode": "all", "Authorization": "Bearer abcdefgh1"}, "alwaysAllow": ["x"]},
        "old": {"type": "sse", "url": "https://a.example.com/sse"},
        "arg": {"command": "c", "args": ["--api-key", "hunter22", "${workspaceFolder}"], "envFile": ".env"},
        "query": {"url": "https://a.example.com/?key=hunter22&x=1"},
    }
    assert imported({"mcpServers": servers}).notes == (
        "off: switched off in the file, left out",
        'odd: "note" is not carried over; what may be called is a matter of policy',
        "odd: neither a command nor a url, left out",
        "ws: its address is no http or https URL, left out",
        'many: "alwaysAllow" is not carried over; what may be called is a matter of policy',
        'many: the header "X-Mode" is not carried over; Doorward sends one credential header',
        "old: declared as HTTP+SSE; Doorward speaks Streamable HTTP, see whether the server has an endpoint for it",
        "arg: envFile is not carried over; name its variables under stdio.env",
        "arg: argument 2 is a secret and left out; see whether the program takes it from its environment (stdio.env)",
        "arg: argument 3 holds a variable, which is not read there; write the text itself, or use stdio.env",
        "query: a secret stood in the url and is left out; Doorward sends secrets in a header (credential)",
    )


def test_texts_that_only_the_client_can_fill_in_are_kept_and_listed() -> None:
    env = {"HOME_DIR": "${userHome}/x", "ODD": "${env:A} ${command:x}"}
    servers = {
        "a": {"command": "c", "env": env, "cwd": "${workspaceFolder}"},
        "b": {"url": "https://${HOST}.example.com/"},
        "c": {"url": "https://["},
    }
    result = imported({"mcpServers": servers})
    assert 'HOME_DIR: "$${userHome}/x"' in result.upstreams
    assert 'ODD: "${env:A} $${command:x}"' in result.upstreams
    assert result.notes == (
        "a: userHome is a path that only the client knows; write the path itself",
        "a: a text holds a ${…} that Doorward cannot read; it is kept as it is",
        "a: cwd holds a variable, which is not read there; write the path itself",
        "b: its address is no http or https URL, left out",
        "c: its address is no http or https URL, left out",
    )


def test_servers_of_every_project_are_found() -> None:
    value = {"mcpServers": {"a": {"command": "x"}}, "projects": {"/p": {"mcpServers": {"a": {"command": "y"}}}, "/q": {}}}
    assert list(loaded(imported(value)).document.upstreams) == ["a", "a-2"]


@pytest.mark.parametrize("text", ["{}", "[]", '{"mcpServers": {}}', '{"mcpServers": []}', "{", "null"])
def test_a_file_without_servers_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        imported(text)


@pytest.mark.parametrize(
    ("path", "text", "client"),
    [
        ("~/Library/Application Support/Claude/claude_desktop_config.json", "{}", Client.CLAUDE_DESKTOP),
        ("C:\\Users\\me\\AppData\\Roaming\\Claude\\claude_desktop_config.json", "{}", Client.CLAUDE_DESKTOP),
        ("project/.cursor/mcp.json", "{}", Client.CURSOR),
        (".vscode/mcp.json", '{"servers": {}}', Client.VSCODE),
        ("settings.json", '{"mcp": {}}', Client.VSCODE),
        (".mcp.json", '{"mcpServers": {}}', Client.CLAUDE_CODE),
    ],
)
def test_the_client_is_known_by_path_and_shape(path: str, text: str, client: Client) -> None:
    assert client_of(path, text) is client


SECRET = "Zq7wE4rT9yU2iO5pA8sD"
SETTINGS = st.dictionaries(
    st.sampled_from(["API_KEY", "X", "LANG", "A B"]),
    st.sampled_from([SECRET, "plain", "${VAR}", f"Bearer {SECRET}", 'a"b\n${x']),
    max_size=3,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "command": st.sampled_from(["npx", "docker"]),
        "args": st.lists(
            st.sampled_from(
                [SECRET, f"--key={SECRET}", "--key", "-e", f"A_TOKEN={SECRET}", "x", "${input:a}", f"https://a.example.com/{SECRET}"]
            ),
            max_size=4,
        ),
        "env": SETTINGS,
        "url": st.sampled_from(
            ["https://a.example.com/mcp", f"https://u:{SECRET}@a.example.com", f"https://a.example.com/{SECRET}?k={SECRET}", "x"]
        ),
        "headers": SETTINGS,
        "cwd": st.just("/tmp"),
        "disabled": st.booleans(),
    },
)


@given(st.dictionaries(st.text(max_size=8), ENTRIES, min_size=1, max_size=4), st.sampled_from(Client))
def test_whatever_the_file_no_secret_is_written_and_the_yaml_is_read(servers: dict[str, object], client: Client) -> None:
    result = imported({"mcpServers": servers}, client)
    assert SECRET not in f"{result}"
    assert json.loads(result.client)
    assert {path.rpartition(".")[2] for path in broken(result)} <= {'env["A B"]', "header"}
