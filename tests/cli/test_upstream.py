"""The addresses of upstreams, at the command line."""

from pathlib import Path

from tests.cli.operating import operating
from tests.control.idle import PLACE


def test_addresses_are_listed_drained_and_restored(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        assert [line.split() for line in at.said("upstream", "list").splitlines()] == [
            ["UPSTREAM", "ADDRESS", "STATE", "IN", "FLIGHT", "FAILURES", "PROCESSES", "WHY"],
            ["git", PLACE, "serving", "0", "0"],
            ["time", PLACE, "serving", "0", "0"],
        ]
        assert at.said("upstream", "drain", "git", PLACE) == f"{PLACE} is drained\n"
        assert [one["state"] for one in at.asked("upstream", "show", "git")["git"]] == ["drained"]
        assert at.said("upstream", "restore", "git") == "git is restored\n"
        assert at.said("upstream", "show", "git").splitlines()[1].split()[2] == "serving"
        assert "no upstream 'none'" in at.told("upstream", "show", "none").output
        assert "it has no address 'elsewhere'" in at.told("upstream", "drain", "git", "elsewhere").output
