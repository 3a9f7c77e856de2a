"""Sources as a document declares them: the same stay open, others are found by their entry point, and only if they are named."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from doorward.config.references import Resolver
from doorward.config.secrets import Secrets
from doorward.credentials.sources.opening import Ground, opened
from doorward.credentials.sources.port import Found, SourceError
from doorward.domain.secret import Secret

pytestmark = pytest.mark.anyio

BAO = {"address": "https://bao.example.com", "auth": {"kind": "token", "token": "${env:TOKEN}"}}
MODULE = """
from doorward.credentials.sources.port import Found

class Vending:
    def __init__(self, settings):
        self.settings = settings

    async def read(self, place):
        return Found({"token": self.settings["key"]}, version=place)

def opened(settings):
    return Vending(settings)
"""


def ground(root: Path) -> Ground:
    return Ground(root, Resolver(root, {"KEY": "k3y"}), time.monotonic, lambda text: None, lambda service, name: None)


def test_a_source_whose_declaration_stays_is_not_opened_again(tmp_path: Path) -> None:
    first = opened(Secrets.model_validate({"openbao": BAO}), ground(tmp_path), {})
    same = opened(Secrets.model_validate({"openbao": BAO, "rotate_after_days": 5}), ground(tmp_path), first)
    other = opened(Secrets.model_validate({"openbao": {**BAO, "namespace": "n"}}), ground(tmp_path), first)
    assert [sources["openbao"].source is first["openbao"].source for sources in (same, other)] == [True, False]
    assert [sources["keyring"].source is first["keyring"].source for sources in (same, other)] == [True, True]
    assert set(opened(Secrets(), ground(tmp_path), first)) == {"keyring"}


async def test_a_source_of_another_package_is_opened_with_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "installed"
    (installed / "vending-1.dist-info").mkdir(parents=True)
    (installed / "vending-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: vending\nVersion: 1\n")
    (installed / "vending-1.dist-info/entry_points.txt").write_text("[doorward.secret_sources]\nvending = vending_source:opened\n")
    (installed / "vending_source.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(installed))
    assert "vending" not in opened(Secrets(), ground(tmp_path), {})
    assert "vending_source" not in sys.modules
    declared = Secrets.model_validate({"sources": {"vending": {"key": "${env:KEY}"}}})
    source = opened(declared, ground(tmp_path), {})["vending"].source
    assert await source.read("a/b") == Found({"token": Secret("k3y")}, "a/b")


def test_a_source_that_nobody_brings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="expected one installed package that brings the source nobody, there are 0"):
        opened(Secrets.model_validate({"sources": {"nobody": {}}}), ground(tmp_path), {})
