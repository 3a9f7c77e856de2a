"""Every real client through Doorward to real servers that nobody here wrote: time, sqlite and git, each a process on stdio."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import Running, doorward, stdio_upstream
from tests.peers import CLIENTS, act, git_server, sqlite_server, time_server

pytestmark = pytest.mark.peer

REVISIONS = {
    "sdk1 of 2025-06-18": "2025-06-18",
    "sdk1 of 2025-11-25": "2025-11-25",
    "sdk2 in session": "2025-11-25",
    "sdk2 of 2026-07-28": "2026-07-28",
    "sdk2 on its own": "2026-07-28",
    "fastmcp": "2026-07-28",
}
TOOLS = {
    "time": {"get_current_time", "convert_time"},
    "sqlite": {"read_query", "write_query", "create_table", "list_tables", "describe_table", "append_insight"},
    "git": {"git_status", "git_log", "git_commit"},
}


def repository(path: Path) -> Path:
    """A repository with one commit."""
    path.mkdir()
    as_author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for words in (("init", "-q"), (*as_author, "commit", "-q", "--allow-empty", "-m", "The first word")):
        subprocess.run(["git", *words], cwd=path, check=True)
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One gateway in front of the three."""
    directory = tmp_path_factory.mktemp("clients")
    upstreams = {
        "time": stdio_upstream(time_server()),
        "sqlite": stdio_upstream(sqlite_server(directory / "facts.db")),
        "git": stdio_upstream(git_server(repository(directory / "repository"))),
    }
    with doorward(directory, {"upstreams": upstreams}) as gateway:
        yield gateway


@pytest.mark.parametrize("client", CLIENTS)
def test_client_lists_and_calls_the_tools_of_three_real_servers_under_prefixed_names(running: Running, client: str) -> None:
    table = "t" + "".join(filter(str.isalnum, client))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("time__convert_time", {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}),
        ("sqlite__create_table", {"query": f"CREATE TABLE {table} (n INTEGER)"}),
        ("sqlite__write_query", {"query": f"INSERT INTO {table} VALUES (4711)"}),
        ("sqlite__read_query", {"query": f"SELECT n FROM {table}"}),
        ("git__git_log", {"repo_path": str(running.directory / "repository"), "max_count": 1}),
        ("time__get_current_time", {"timezone": "Nowhere/Land"}),
    ]
    seen = act(client, running.url(), calls, running.key())
    assert seen.revision == REVISIONS[client]
    assert {f"{upstream}__{name}" for upstream, names in TOOLS.items() for name in names} <= set(seen.tools)
    said = ["".join(block.get("text", "") for block in result["content"]) for result in seen.results]
    assert [result.get("isError", False) for result in seen.results] == [False] * 5 + [True]
    assert "T21:00:00+09:00" in said[0]
    assert said[3] == "[{'n': 4711}]"
    assert "The first word" in said[4]
    assert "Nowhere/Land" in said[5]
    assert all(len(result["_meta"]["dev.doorward/receipt"]) == 26 for result in seen.results)


@pytest.mark.parametrize(("client", "upstream"), [*zip(CLIENTS, ("time", "sqlite", "git") * 2, strict=True)])
def test_client_lists_and_calls_one_real_server_under_its_own_names(running: Running, client: str, upstream: str) -> None:
    harmless: dict[str, tuple[str, dict[str, Any]]] = {
        "time": ("get_current_time", {"timezone": "UTC"}),
        "sqlite": ("list_tables", {}),
        "git": ("git_status", {"repo_path": str(running.directory / "repository")}),
    }
    seen = act(client, running.url(upstream), [harmless[upstream]], running.key())
    assert TOOLS[upstream] <= set(seen.tools)
    assert not any("__" in name for name in seen.tools)
    assert [result.get("isError", False) for result in seen.results] == [False]
