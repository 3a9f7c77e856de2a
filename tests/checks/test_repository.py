"""The whole run of the checks, over a small repository that breaks every law once."""

from pathlib import Path

from checks.__main__ import all_violations


def test_every_check_takes_part_in_the_run(tmp_path: Path) -> None:
    broken = {
        "src/doorward/wire/clock.py": "import time\n",
        "pyproject.toml": '[project]\ndependencies = ["msgspec"]\n',
        "docs/decisions/dependencies.md": "| `jiter` | why |\n",
        "src/doorward/call/stream.py": "from doorward.domain.tickets import Admitted\nAdmitted(1)\n",
        "src/doorward/cli/log.py": "import doorward.stores.sqlite\n",
        "src/doorward/net/utils.py": "",
        "src/doorward/net/tls.py": "def f(a, b, c, d, e, f, g): ...\n",
        "checks/own.py": "def f(a, b, c, d, e, f, g): ...\n",
        "tests/test_long.py": "a = 1\n" * 401,
        "tests/test_wide.py": "def f(a, b, c, d, e, f, g): ...\n",
        "docs/setup.md": "/" + "work/main/README.md\n",
    }
    for name, text in broken.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert sorted({violation.path for violation in all_violations(tmp_path)}) == sorted(set(broken) - {"tests/test_wide.py"})
