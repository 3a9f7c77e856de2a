"""`doorward import`: YAML on one side, the client's new file on the other, secrets nowhere."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from doorward.cli.main import main
from doorward.config.tree import parse, plain

SECRET = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
FILE = {
    "mcpServers": {
        "GitHub": {"command": "github-mcp", "args": ["stdio"], "env": {"GITHUB_TOKEN": SECRET}},
        "docs": {"type": "http", "url": "https://docs.example.com/mcp"},
    }
}


def imported(file: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["import", str(file), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def test_the_yaml_goes_to_standard_output_and_everything_else_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "claude_desktop_config.json"
    file.write_text(json.dumps(FILE))
    result = imported(file)
    tree, problems = parse(result.stdout)
    assert (result.exit_code, problems) == (0, ())
    assert plain(tree) == {
        "upstreams": {
            "github": {"stdio": {"command": ["github-mcp", "stdio"], "env": {"GITHUB_TOKEN": "${env:GITHUB_TOKEN}"}}},
            "docs": {"url": "https://docs.example.com/mcp"},
        }
    }
    assert '"doorward"' in result.stderr
    assert "GITHUB_TOKEN  (" in result.stderr
    assert SECRET not in result.output


def test_with_an_output_file_the_clients_new_file_is_on_standard_output(tmp_path: Path) -> None:
    file, output = tmp_path / "mcp.json", tmp_path / "upstreams.yaml"
    file.write_text(json.dumps(FILE))
    result = imported(file, "-o", str(output), "--client", "cursor", "--url", "https://mcp.example.com/")
    assert json.loads(result.stdout) == {
        "mcpServers": {"doorward": {"url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer ${env:DOORWARD_KEY}"}}}
    }
    assert output.read_text().startswith("upstreams:\n")
    assert SECRET not in output.read_text()
    again = imported(file, "-o", str(output))
    assert (again.exit_code, again.stderr) == (1, f"Error: {output} is there already; name a new file\n")


def test_a_file_without_servers_and_one_that_is_no_text_end_plainly(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_text("{}")
    empty = imported(file)
    file.write_bytes(b"\xff\xfe{}")
    foreign = imported(file)
    assert (empty.exit_code, foreign.exit_code) == (1, 1)
    assert "expected servers under mcpServers or servers" in empty.stderr
    assert "expected UTF-8" in foreign.stderr
