"""The small world of the tour: a repository of notes, the database of a shop, and a place for the anchor of the log."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "examples" / "doorward.yaml"
POLICIES = ROOT / "examples" / "policies"
HOME = ROOT / "var" / "run"
"""Where `make run` keeps everything; examples/doorward.yaml says the same."""

NOTES = {
    "README.md": "# Notes of the shop\n\nWhat we agreed on, one file a subject.\n",
    "returns.md": "# Returns\n\nParcels come back within 30 days. Teapots only unbroken.\n",
}

SHOP = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL);
CREATE TABLE contacts (customer INTEGER PRIMARY KEY REFERENCES customers, email TEXT NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers, item TEXT NOT NULL, euros INTEGER NOT NULL);
"""

CUSTOMERS = ((1, "Ada", "London"), (2, "Grace", "New York"), (3, "Emmy", "Göttingen"))

CONTACTS = ((1, "ada@example.com"), (2, "grace@example.com"), (3, "emmy@example.com"))

ORDERS = ((1, 1, "teapot", 45), (2, 1, "two cups", 18), (3, 2, "kettle", 60), (4, 3, "tea, 500 g", 22))


def prepare(directory: Path) -> None:
    """Makes what is missing under a directory; what is there is kept, so that a second run goes on where the first one ended."""
    for name in ("anchor", "state"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    (directory / "state").chmod(0o700)
    if not (directory / "notes" / ".git").exists():
        _write_notes(directory / "notes")
    if not _is_filled(directory / "shop.db"):
        _fill_shop(directory / "shop.db")


def relocated(directory: Path, port: int, more: str = "") -> Path:
    """A copy of the tour's configuration and policies that lives in a directory, listens on another port and has `more` upstreams."""
    text = CONFIG.read_text("utf-8")
    for old, new in (
        ("../var/run", str(directory)),
        ("../.venvs", str(ROOT / ".venvs")),
        ("../.venv/bin/python", sys.executable),
        ("cwd: ..\n", f"cwd: {ROOT}\n"),
        ("port: 8420", f"port: {port}"),
        ("upstreams:\n", f"upstreams:\n{more}"),
    ):
        assert old in text, f"expected {old!r} in {CONFIG.name}"
        text = text.replace(old, new)
    shutil.copytree(POLICIES, directory / "policies", dirs_exist_ok=True)
    path = directory / "doorward.yaml"
    path.write_text(text, "utf-8")
    return path


def doorward(*arguments: str) -> list[str]:
    """The command line of `doorward` in this environment."""
    return [sys.executable, "-m", "doorward", *arguments]


def _write_notes(directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    for name, text in NOTES.items():
        (directory / name).write_text(text, "utf-8")
    for command in (
        ("init", "--quiet", "--initial-branch=main"),
        ("config", "user.name", "The shop"),
        ("config", "user.email", "shop@example.com"),
        ("config", "commit.gpgsign", "false"),
        ("add", "."),
        ("commit", "--quiet", "--message", "Write down what we agreed on"),
    ):
        subprocess.run(["git", "-C", str(directory), *command], check=True)


def _is_filled(path: Path) -> bool:
    """Whether a shop is there, with the tables of today's tour."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as shop:
        return shop.execute("SELECT 1 FROM sqlite_master WHERE name = 'contacts'").fetchone() is not None


def _fill_shop(path: Path) -> None:
    partial = path.with_suffix(".new")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as shop, shop:
        shop.executescript(SHOP)
        shop.executemany("INSERT INTO customers VALUES (?, ?, ?)", CUSTOMERS)
        shop.executemany("INSERT INTO contacts VALUES (?, ?)", CONTACTS)
        shop.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", ORDERS)
    partial.rename(path)
