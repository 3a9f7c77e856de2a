"""Environments and caches as launchers leave them, made of a few files."""

import json
import os
from pathlib import Path


def executable(path: Path, text: str = "#!/bin/sh\nexit 0\n") -> Path:
    """A program that says nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def environment(root: Path, **files: str) -> Path:
    """A Python environment with one distribution, `notes-server` 1.2, of these modules, and its console script; gives the script."""
    site = root / "lib/python3.11/site-packages"
    record = site / "notes_server-1.2.dist-info/RECORD"
    record.parent.mkdir(parents=True)
    (root / "pyvenv.cfg").write_text("home = /usr/bin\n")
    executable(root / "bin/python")
    script = executable(root / "bin/notes-server", f"#!{root}/bin/python\nimport notes\n")
    lines = [
        "../../../bin/notes-server,sha256=x,1",
        "notes_server-1.2.dist-info/RECORD,,",
        "notes_server-1.2.dist-info/INSTALLER,sha256=y,1",
    ]
    for name, text in ({"notes/__init__": "run()"} | files).items():
        (site / f"{name}.py").parent.mkdir(parents=True, exist_ok=True)
        (site / f"{name}.py").write_text(text)
        lines.append(f"{name}.py,sha256=z,1")
    record.write_text("\n".join([*lines, ""]))
    return script


def fetched(cache: Path, spec: str, packages: dict[str, dict[str, str]]) -> Path:
    """What npm keeps of a fetched specification; gives its lock."""
    place = cache / "_npx" / "0123456789abcdef"
    (place / "node_modules").mkdir(parents=True)
    (place / "package.json").write_text(json.dumps({"_npx": {"packages": [spec]}}))
    lock = place / "node_modules/.package-lock.json"
    lock.write_text(json.dumps({"packages": packages}))
    return lock


def path_of(*directories: Path) -> str:
    """A PATH with these first."""
    return os.pathsep.join([*map(str, directories), os.defpath])
