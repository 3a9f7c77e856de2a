"""What a command runs, by its words alone."""

import pytest

from doorward.upstream.supply.command import INTERPRETERS, Package, module, package


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("npx -y @scope/server@1.2.3 /srv", Package("npm", "@scope/server@1.2.3")),
        ("/usr/bin/npx --yes --package=server@1 run", Package("npm", "server@1")),
        ("npx -p server@1 run", Package("npm", "server@1")),
        ("npx --registry https://r.example server", Package("npm", "server")),
        ("npm exec -- server", Package("npm", "server")),
        ("pnpm dlx server@2", Package("npm", "server@2")),
        ("bunx server", Package("npm", "server")),
        ("uvx notes-server==1.2 --root /srv", Package("pypi", "notes-server==1.2")),
        ("uvx --python 3.12 notes", Package("pypi", "notes")),
        ("uvx --from notes[all]>=1 serve", Package("pypi", "notes[all]>=1")),
        ("uv tool run notes", Package("pypi", "notes")),
        ("pipx run notes", Package("pypi", "notes")),
        ("docker run -i --rm -e KEY -v /a:/b img/notes@sha256:ab", Package("image", "img/notes@sha256:ab")),
        ("podman run --name n img:1 serve", Package("image", "img:1")),
        ("docker ps", None),
        ("npx", None),
        ("npx -y", None),
        ("python -m notes", None),
        ("/opt/notes", None),
    ],
)
def test_what_a_launcher_is_asked_for_is_told(command: str, wanted: Package | None) -> None:
    assert package(command.split()) == wanted


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (Package("npm", "@scope/server@1.2.3"), "@scope/server"),
        (Package("npm", "@scope/server"), "@scope/server"),
        (Package("npm", "server@1"), "server"),
        (Package("pypi", "notes[all]>=1"), "notes"),
        (Package("pypi", "notes==1.2"), "notes"),
        (Package("pypi", "notes@1.2"), "notes"),
    ],
)
def test_a_package_has_a_name_without_its_version(asked: Package, name: str) -> None:
    assert asked.name == name


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [("-m notes.server -v", "notes"), ("-I -m notes", "notes"), ("run.py -m notes", None), ("-m", None), ("", None)],
)
def test_the_module_of_python_is_told(arguments: str, wanted: str | None) -> None:
    assert module(arguments.split()) == wanted


@pytest.mark.parametrize(
    ("program", "is_one"), [("python3.12", True), ("node", True), ("bash", True), ("notes", False), ("pythonista", False)]
)
def test_interpreters_are_known_by_name(program: str, is_one: bool) -> None:
    assert (INTERPRETERS.fullmatch(program) is not None) is is_one
