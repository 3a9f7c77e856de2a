"""Pins and sandboxes of processes, before anything runs."""

from pathlib import Path

import pytest

from doorward.config.check_supply import supply
from doorward.config.ground import Ground, Weight
from doorward.config.model import Document, Stdio


def told(root: Path, **said: object) -> list[tuple[str, Weight]]:
    stdio = Stdio.model_validate({"command": ("serve",), **said})
    return [(found.message.partition(";")[0], found.weight) for found in supply(stdio, Document(), Ground(root, {}), ("at",))]


def test_what_is_there_and_nobodys_secret_is_shared(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    assert told(tmp_path, sandbox={"read": ["docs"], "write": ["docs"]}, pin={"paths": ["docs"]}) == []


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("/", "a sandbox with everything in it is none"),
        (".", "the gateway's own configuration lies there"),
        ("..", "the gateway's own configuration lies there"),
        ("state", "the gateway's keys and database lie there, and are no server's"),
        ("state/keys", "the gateway's keys and database lie there, and are no server's"),
    ],
)
@pytest.mark.parametrize("field", ["read", "write"])
def test_nothing_of_the_gateways_own_is_shared(tmp_path: Path, place: str, message: str, field: str) -> None:
    assert told(tmp_path, sandbox={field: [place]}) == [(message, Weight.ERROR)]


def test_a_link_to_the_state_is_the_state(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "docs").symlink_to(tmp_path / "state")
    [(message, weight)] = told(tmp_path, sandbox={"read": ["docs"]})
    assert (message, weight) == ("the gateway's keys and database lie there, and are no server's", Weight.ERROR)


def test_what_is_not_there_is_worth_a_look(tmp_path: Path) -> None:
    assert [weight for _, weight in told(tmp_path, sandbox={"write": ["gone"]}, pin={"paths": ["gone"]})] == [Weight.NOTE, Weight.NOTE]


def test_a_digest_leaves_nothing_to_trust(tmp_path: Path) -> None:
    assert told(tmp_path, pin={"digest": "a" * 64}) == []
    assert [weight for _, weight in told(tmp_path, pin={"digest": "a" * 64, "trust": "review"})] == [Weight.ERROR]
