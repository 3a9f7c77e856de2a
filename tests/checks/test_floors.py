"""The floors of ARCHITECTURE.md, as import-linter holds them: small houses that break one rule each are refused."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def build(place: Path, modules: Mapping[str, str]) -> bool:
    """Write a package `doorward` of these modules and give whether the contracts of pyproject.toml are kept."""
    for name, text in {"domain.ids": "", **modules}.items():
        file = place.joinpath("doorward", *name.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        for folder in file.relative_to(place).parents[:-1]:
            (place / folder / "__init__.py").touch()
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", "--no-logo", "--config", ROOT / "pyproject.toml"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.returncode == 0


def test_a_house_that_keeps_its_floors_passes(tmp_path: Path) -> None:
    assert build(
        tmp_path,
        {
            "wire.jsonrpc": "from doorward.domain import ids",
            "call.pipeline": "import doorward.policy.engine, doorward.wire.jsonrpc",
            "policy.engine": "from doorward.domain import ids",
            "__main__": "from doorward.cli import main",
            "cli.main": "import doorward.client.admin",
            "client.admin": "",
        },
    )


@pytest.mark.parametrize(
    "modules",
    [
        pytest.param({"domain.calls": "import doorward.wire.sse", "wire.sse": ""}, id="domain imports wire"),
        pytest.param({"wire.sse": "import doorward.policy.engine", "policy.engine": ""}, id="wire imports policy"),
        pytest.param({"policy.engine": "import doorward.call.pipeline", "call.pipeline": ""}, id="a room imports the spine"),
        pytest.param({"policy.engine": "import doorward.catalog.pins", "catalog.pins": ""}, id="rooms of one floor meet"),
        pytest.param({"serving.edge": "import doorward.control.routes", "control.routes": ""}, id="serving imports control"),
        pytest.param({"stores.sqlite": "import doorward.serving.edge", "serving.edge": ""}, id="a store imports a door"),
        pytest.param({"runtime.build": "import doorward.app.compose", "app.compose": ""}, id="runtime imports app"),
        pytest.param({"telemetry.metrics": "import doorward.wire.sse", "wire.sse": ""}, id="telemetry imports wire"),
        pytest.param({"managers.x": ""}, id="a room that no floor names"),
        pytest.param(
            {"wire.a.one": "import doorward.wire.b.two", "wire.b.two": "import doorward.wire.a.one"}, id="packages import in a circle"
        ),
        pytest.param({"wire.one": "import doorward.wire.two", "wire.two": "import doorward.wire.one"}, id="files import in a circle"),
    ],
)
def test_a_house_that_breaks_one_floor_is_refused(tmp_path: Path, modules: Mapping[str, str]) -> None:
    assert not build(tmp_path, modules)
