"""A dependency that is undeclared, unexplained or gone is found."""

from pathlib import Path

from checks import dependencies
from checks.source import Source


def repository(place: Path, declared: str, explained: str) -> Path:
    (place / "docs/decisions").mkdir(parents=True)
    (place / "pyproject.toml").write_text(
        f'[project]\ndependencies = [{declared}]\n[project.optional-dependencies]\nsaml = ["minisaml>=26"]\n'
    )
    (place / "docs/decisions/dependencies.md").write_text(explained + "\n| `minisaml` | why |\n")
    return place


def test_agreement_passes(tmp_path: Path) -> None:
    root = repository(
        tmp_path, '"ruamel.yaml>=0.19", "google-re2; python_version < \'3.15\'"', "| `ruamel.yaml` | why |\n| `google-re2` | why |"
    )
    text = "import re2, os.path\nfrom ruamel.yaml import YAML\nfrom minisaml.request import x\nfrom doorward.domain import ids"
    assert list(dependencies.in_repository(root, [Source.of("src/doorward/a.py", text)])) == []


def test_disagreement_is_found(tmp_path: Path) -> None:
    root = repository(tmp_path, '"msgspec"', "| `jiter` | why |")
    found = dependencies.in_repository(root, [Source.of("src/doorward/a.py", "import msgspec\ndef f():\n    import httpx2")])
    assert [(violation.path, violation.line, violation.message) for violation in found] == [
        ("pyproject.toml", 1, "msgspec has no row in docs/decisions/dependencies.md"),
        ("docs/decisions/dependencies.md", 1, "jiter is no dependency"),
        ("src/doorward/a.py", 3, "import of httpx2, which pyproject.toml does not declare"),
    ]
