"""AgentDojo's suites (Debenedetti et al., 2024) without the clients of models that its package is made for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

VERSION = "v1.2.2"
ENVIRONMENT = Path(__file__).resolve().parents[2] / ".venvs" / "detection"
"""The environment that holds the scenarios of others (peers/versions.toml, `alone`)."""

_CLIENTS: Mapping[str, Mapping[str, object]] = {
    "agentdojo.agent_pipeline": {},
    "agentdojo.agent_pipeline.llms": {},
    "agentdojo.agent_pipeline.llms.google_llm": {"EMPTY_FUNCTION_NAME": "<empty-function>"},
}
"""Modules that import clients of models; what the suites want of them is one name."""


class AbsentError(Exception):
    """The package is not there: `make bench-detect` says how it comes."""


def suites() -> Mapping[str, Any]:
    """Every suite by name; raises `AbsentError`."""
    sys.path.extend(str(place) for place in ENVIRONMENT.glob("lib/python*/site-packages") if str(place) not in sys.path)
    found = find_spec("agentdojo")
    if found is None or found.origin is None:
        raise AbsentError(f"expected agentdojo in {ENVIRONMENT}, it is not there")
    root = Path(found.origin).parent
    for name, holds in _CLIENTS.items():
        if name not in sys.modules:
            sys.modules[name] = _bare(name, root, holds)
    every: Mapping[str, Any] = import_module("agentdojo.task_suite.load_suites").get_suites(VERSION)
    return every


def _bare(name: str, root: Path, holds: Mapping[str, object]) -> ModuleType:
    """A package of this name whose own code is not run; the modules below it are found where they are."""
    bare = ModuleType(name)
    bare.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    vars(bare).update(holds)
    return bare
