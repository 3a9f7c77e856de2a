"""Registry hosts and machine paths are found wherever they stand; what only looks like them is not."""

from pathlib import Path

import pytest

from checks import hosts

PUBLIC_INDEX = ".".join(("pypi", "org"))


def found(text: str) -> list[str]:
    return [violation.message for violation in hosts.in_text("a.lock", text)]


@pytest.mark.parametrize("host", hosts.REGISTRIES)
def test_every_registry_host_is_found_with_and_without_a_prefix(host: str) -> None:
    assert found(f"see https://{host}/simple") == [f"a registry's host: {host!r}"]
    assert found(f"files.{host.upper()}") == [f"a registry's host: {host.upper()!r}"]


@pytest.mark.parametrize(
    "line",
    ["--index-url https://mirror", "--extra-index-url x", "--find-links y", '  "resolved":' + ' "https://mirror/a.tgz",']
    + ["/" + path for path in ("work/main/x", "work/shared", "root/.cache/uv", "opt/pypi/simple")],
)
def test_lock_addresses_and_machine_paths_are_found(line: str) -> None:
    assert len(found(line)) == 1


@pytest.mark.parametrize("line", ["/root/secret.txt", "/work/notes", "happypi.organic", "docker.ion", "golang.org/x/mod", '"resolved": 3'])
def test_similar_words_pass(line: str) -> None:
    assert found(line) == []


def test_a_tree_is_searched_but_not_what_is_never_committed(tmp_path: Path) -> None:
    for place in ("peers/a", ".venv/lib", "node_modules/b", ".mypy_cache", ".hypothesis/constants", ".ci"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "package-lock.json").write_text(f"1\nhttps://{PUBLIC_INDEX}/")
    assert [(violation.path, violation.line) for violation in hosts.in_tree(tmp_path)] == [
        (".ci/package-lock.json", 2),
        ("peers/a/package-lock.json", 2),
    ]
