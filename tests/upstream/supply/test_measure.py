"""The parts of commands, on files as launchers and installers leave them."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from doorward.upstream.supply.measure import Command, measured
from doorward.upstream.supply.parts import Component, Digests, Sort, SupplyError, manifest
from tests.upstream.supply.made import environment, executable, fetched, path_of


def parts(*words: str | Path, path: str = "", cwd: Path | None = None, paths: tuple[str, ...] = (), **env: str) -> tuple[Component, ...]:
    command = Command(tuple(map(str, words)), {"PATH": path, **env}, None if cwd is None else str(cwd), paths)
    return measured(command, Digests())


def digest_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def changes(before: tuple[Component, ...], after: tuple[Component, ...]) -> set[Sort]:
    """The sorts of parts that are not the same."""
    return {part.sort for part in set(before) ^ set(after)}


def test_a_program_is_its_own_part(tmp_path: Path) -> None:
    program = executable(tmp_path / "serve", "\x7fELF")
    assert parts(program) == (Component(Sort.PROGRAM, "serve", "", digest_of(program)),)


def test_a_program_is_looked_for_on_its_own_path_and_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    program = executable(tmp_path / "real", "\x7fELF")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/serve").symlink_to(program)
    assert parts("serve", path=path_of(tmp_path / "bin")) == (Component(Sort.PROGRAM, "serve", "", digest_of(program)),)
    with pytest.raises(SupplyError):
        parts("serve", path="/nonexistent")


def test_an_interpreter_and_the_script_it_is_given_are_parts(tmp_path: Path) -> None:
    node = executable(tmp_path / "node", "\x7fELF")
    (tmp_path / "index.js").write_text("serve()")
    (tmp_path / "data.json").write_text("{}")
    found = parts(node, "--no-warnings", "index.js", "data.json", cwd=tmp_path)
    assert found[1:] == (Component(Sort.SCRIPT, "index.js", "", digest_of(tmp_path / "index.js")),)


def test_a_script_that_is_started_itself_brings_its_interpreter(tmp_path: Path) -> None:
    program = executable(tmp_path / "serve", "#!/bin/sh\necho\n")
    assert [(part.sort, part.name) for part in parts(program)] == [(Sort.PROGRAM, "serve"), (Sort.PROGRAM, "sh")]


EDITS: list[tuple[str, Callable[[Path], object], set[Sort]]] = [
    ("nothing", lambda root: None, set()),
    ("a module", lambda root: (root / "lib/python3.11/site-packages/notes/__init__.py").write_text("steal()"), {Sort.PACKAGE}),
    ("what an interpreter makes", lambda root: (root / "lib/python3.11/site-packages/notes/__init__.pyc").write_text("x"), set()),
    (
        "who installed it",
        lambda root: (root / "lib/python3.11/site-packages/notes_server-1.2.dist-info/INSTALLER").write_text("pip"),
        set(),
    ),
    (
        "the console script",
        lambda root: (root / "bin/notes-server").write_text(f"#!{root}/bin/python\nsteal()\n"),
        {Sort.PROGRAM, Sort.PACKAGE},
    ),
    ("the interpreter", lambda root: (root / "bin/python").write_text("#!/bin/sh\nexit 1\n"), {Sort.PROGRAM}),
]


@pytest.mark.parametrize(("edit", "wanted"), [case[1:] for case in EDITS], ids=[case[0] for case in EDITS])
def test_a_console_script_brings_its_package_and_whatever_of_it_changes_is_seen(
    tmp_path: Path, edit: Callable[[Path], object], wanted: set[Sort]
) -> None:
    script = environment(tmp_path)
    before = parts(script)
    assert Component(Sort.PACKAGE, "pypi:notes-server", "1.2", before[2].sha256) == before[2]
    edit(tmp_path)
    assert changes(before, parts(script)) == wanted


def test_a_module_brings_the_package_that_holds_it(tmp_path: Path) -> None:
    environment(tmp_path)
    found = parts(tmp_path / "bin/python", "-m", "notes")
    assert [(part.sort, part.name) for part in found if part.sort is Sort.PACKAGE] == [(Sort.PACKAGE, "pypi:notes-server")]


PACKAGES = {
    "node_modules/server": {"version": "1.2.3", "integrity": "sha512-aa"},
    "node_modules/inner": {"version": "4.0.0", "integrity": "sha512-bb"},
}


def test_a_package_of_npx_is_what_was_fetched_with_all_it_depends_on(tmp_path: Path) -> None:
    npx = executable(tmp_path / "bin/npx", "\x7fELF")
    lock = fetched(tmp_path / "cache", "server@1", PACKAGES)
    before = parts(npx, "-y", "server@1", npm_config_cache=str(tmp_path / "cache"))
    assert [(part.name, part.version) for part in before] == [("npx", ""), ("npm:server", "1.2.3")]
    lock.write_text(json.dumps({"packages": PACKAGES | {"node_modules/inner": {"version": "4.0.0", "integrity": "sha512-cc"}}}))
    assert changes(before, parts(npx, "-y", "server@1", npm_config_cache=str(tmp_path / "cache"))) == {Sort.PACKAGE}


def test_a_package_that_was_not_fetched_yet_is_fetched_and_does_not_run(tmp_path: Path) -> None:
    place = tmp_path / "cache/_npx/1"
    said = json.dumps({"_npx": {"packages": ["server"]}})
    script = f"#!/bin/sh\necho \"$*\" > {tmp_path}/asked\nmkdir -p {place}/node_modules\necho '{said}' > {place}/package.json\n"
    script += f"echo '{json.dumps({'packages': PACKAGES})}' > {place}/node_modules/.package-lock.json\n"
    executable(tmp_path / "bin/npx", script)
    found = parts("npx", "server", path=path_of(tmp_path / "bin"), npm_config_cache=str(tmp_path / "cache"))
    assert ("npm:server", "1.2.3") in [(part.name, part.version) for part in found]
    assert (tmp_path / "asked").read_text() == "--yes --ignore-scripts --package server --call exit 0\n"


def test_a_package_that_cannot_be_fetched_says_why(tmp_path: Path) -> None:
    executable(tmp_path / "bin/npx", "#!/bin/sh\necho 'no such package' >&2\nexit 7\n")
    with pytest.raises(SupplyError, match="ended with 7 and 'no such package'"):
        parts("npx", "server", path=path_of(tmp_path / "bin"), npm_config_cache=str(tmp_path / "cache"))


def test_a_package_of_uvx_is_measured_in_the_environment_that_is_made_for_it(tmp_path: Path) -> None:
    environment(tmp_path / "made")
    executable(tmp_path / "bin/uvx", "\x7fELF")
    executable(tmp_path / "bin/uv", f'#!/bin/sh\necho "$*" > {tmp_path}/asked\necho {tmp_path}/made\n')
    found = parts("uvx", "notes-server==1.2", path=path_of(tmp_path / "bin"))
    assert [(part.sort, part.name, part.version) for part in found] == [
        (Sort.PROGRAM, "uvx", ""),
        (Sort.PACKAGE, "pypi:notes-server", "1.2"),
        (Sort.ENVIRONMENT, "1 distributions", ""),
    ]
    assert (tmp_path / "asked").read_text().startswith("tool run --from notes-server==1.2 python -I -S -c ")


def test_an_image_is_known_by_its_digest_and_by_a_tag_not_at_all(tmp_path: Path) -> None:
    docker = executable(tmp_path / "docker", "\x7fELF")
    assert parts(docker, "run", "-i", "img@sha256:abc")[1] == Component(Sort.IMAGE, "img", "", "abc")
    assert parts(docker, "run", "-i", "img:1")[1] == Component(Sort.IMAGE, "img:1", "", "")


def test_what_the_configuration_names_besides_belongs_to_it(tmp_path: Path) -> None:
    program = executable(tmp_path / "serve", "\x7fELF")
    (tmp_path / "lib/inner").mkdir(parents=True)
    (tmp_path / "lib/inner/a.txt").write_text("a")
    before = parts(program, cwd=tmp_path, paths=("lib",))
    (tmp_path / "lib/inner/b.txt").write_text("b")
    assert changes(before, parts(program, cwd=tmp_path, paths=("lib",))) == {Sort.PATHS}
    with pytest.raises(SupplyError, match="there is none"):
        parts(program, cwd=tmp_path, paths=("gone",))


def test_a_manifest_is_the_same_for_the_same_parts_in_any_order() -> None:
    one, two = Component(Sort.PROGRAM, "a", "", "1"), Component(Sort.PACKAGE, "b", "2", "")
    assert manifest([one, two]) == manifest([two, one, one])
    assert manifest([two]) == {"parts": [{"sort": "package", "name": "b", "version": "2"}]}


def test_a_file_that_was_changed_in_place_has_another_digest(tmp_path: Path) -> None:
    digests, file = Digests(), tmp_path / "a"
    file.write_text("one")
    assert digests.of(file) == digests.of(file) == digest_of(file)
    file.write_text("two")
    assert digests.of(file) == digest_of(file)


@pytest.mark.parametrize("words", [("-c", "serve()"), ("-m", "notes"), ("-I", "-m", "notes"), ("--eval=serve()",), ("-e", "serve()")])
def test_what_a_server_works_on_is_no_part_of_it(tmp_path: Path, words: tuple[str, ...]) -> None:
    program = executable(tmp_path / "python3", "\x7fELF")
    (tmp_path / "notes.db").write_text("rows")
    before = parts(program, *words, "notes.db", cwd=tmp_path)
    (tmp_path / "notes.db").write_text("more rows")
    assert changes(before, parts(program, *words, "notes.db", cwd=tmp_path)) == set()


def test_an_argument_that_is_no_path_is_no_part(tmp_path: Path) -> None:
    program = executable(tmp_path / "python3", "\x7fELF")
    assert len(parts(program, "-c", "x" * 5000 + ".py", "a\0b.py")) == 1
