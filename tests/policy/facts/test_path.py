"""Paths: plain, absolute, and in a root only if no reading leads out of it."""

import posixpath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.policy.facts.path import Path, is_inside
from tests.policy.facts.deriving import derived

PATH = Path("/srv/reports", {"reports": "/srv/reports", "drafts": "/srv/reports/drafts", "home": "/home"})


@pytest.mark.parametrize(
    ("path", "plain", "root"),
    [
        ("/srv/reports/q3.txt", "/srv/reports/q3.txt", "reports"),
        ("q3.txt", "/srv/reports/q3.txt", "reports"),
        ("./a//b/./c/", "/srv/reports/a/b/c", "reports"),
        ("/srv/reports", "/srv/reports", "reports"),
        ("/srv/reports/", "/srv/reports", "reports"),
        ("/srv/reports/drafts/x", "/srv/reports/drafts/x", "drafts"),
        ("/srv/reports2/x", "/srv/reports2/x", ""),
        ("../x", "/srv/x", ""),
        ("/srv/reports/../x", "/srv/x", ""),
        ("/srv/reports/../../../../etc/passwd", "/etc/passwd", ""),
        ("//home//ann", "/home/ann", "home"),
        ("/", "/", ""),
        ("100% sure.txt", "/srv/reports/100% sure.txt", "reports"),
        ("a%20b.txt", "/srv/reports/a%20b.txt", "reports"),
        ("/SRV/reports/x", "/SRV/reports/x", ""),
        ("größe.txt", "/srv/reports/größe.txt", "reports"),
    ],
)
def test_a_path_is_made_plain_and_its_root_is_named(path: str, plain: str, root: str) -> None:
    assert derived(PATH, path) == {"path": plain, "root": root}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a\x00.txt",
        "a\nb",
        "..\\x",
        "C:/x",
        "c:x",
        "~/x",
        "~ann/x",
        "file:///etc/passwd",
        "file:etc",
        "https://example.com/x",
        "%2e%2e/x",
        "..%2fx",
        "%2e%2e%2fx",
        "..%5cx",
        "%252e%252e%252fx",
        "..%c0%afx",
        "..%u2215x",
        "0x2e0x2e/x",
        ".../x",
        ".. /x",
        "..;/x",
        ".?/x",
        "a/\uff0e\uff0e/x",
        "a\uff0fb",
        "a%00.txt",
        "a\ud800",
        None,
        7,
    ],
)
def test_a_path_that_some_server_may_read_otherwise_is_not_read(path: object) -> None:
    assert derived(PATH, path) is None


def test_without_a_base_a_relative_path_is_not_read() -> None:
    assert derived(Path(None, {}), "a.txt") is None
    assert derived(Path(None, {}), "/a.txt") == {"path": "/a.txt", "root": ""}


def test_a_list_of_paths_comes_as_sets_and_says_if_any_is_outside() -> None:
    assert PATH.many(["a", "/etc/passwd", "a"]) == {"paths": ["/etc/passwd", "/srv/reports/a"], "roots": ["", "reports"]}


PIECES = [
    "..",
    ".",
    "/",
    "//",
    "\\",
    "%2e",
    "%2f",
    "%5c",
    "%25",
    "%c0%ae",
    "%u002e",
    ";",
    " ",
    "a",
    "srv",
    "reports",
    "etc",
    "~",
    "C:",
    "\x00",
]
PIECES += ["0x2e", "．", "／", "…", "‥", "?", "%", "%00", "file:", "\u202e", "drafts"]
PATHS = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


@given(PATHS)
def test_no_spelling_of_a_path_leaves_the_root_that_it_is_said_to_be_in(path: str) -> None:
    found = derived(PATH, path)
    if not isinstance(found, dict):
        return
    plain, root = str(found["path"]), PATH.roots.get(str(found["root"]))
    assert plain.startswith("/")
    assert not {"..", ".", ""} & set(plain.split("/")[1:]) or plain == "/"
    for reading in (path, unquote(path), unquote(unquote(path)), path.replace("\\", "/"), unquote(path).replace("\\", "/")):
        led = posixpath.normpath(posixpath.join("/srv/reports", reading))
        assert root is None or is_inside(led.replace("//", "/", 1) if led.startswith("//") else led, root)


@given(PATHS)
def test_a_plain_path_stays_as_it_is(path: str) -> None:
    found = derived(PATH, path)
    if isinstance(found, dict):
        assert derived(PATH, found["path"]) == found
