"""Issued certificates over the admin API, and as the command shows them."""

from pathlib import Path

import pytest

from doorward.admission.stops import parse
from doorward.testing.stores.certificates import NOW, issued
from tests.cli.operating import operating
from tests.control.plane import plane

VIEW = {"agent": "one", "serial": "7f" * 16, "issued_at": NOW, "not_after": NOW + 3600, "proven_by": "", "revoked": False}


@pytest.mark.anyio
async def test_certificates_of_one_agent_or_of_all_are_listed_the_latest_first(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for one in (issued("a"), issued("b", "two", NOW + 1)):
            await it.issued.add(one)
        assert await it.ask("GET", "/v1/certificates?agent=one") == (200, {"certificates": [{"id": "a", **VIEW}]})
        _, everybody = await it.ask("GET", "/v1/certificates")
        assert [one["id"] for one in everybody["certificates"]] == ["b", "a"]
        assert await it.ask("GET", "/v1/certificates?agent=three") == (200, {"certificates": []})


@pytest.mark.anyio
async def test_revoked_certificate_is_listed_as_such_and_a_stopped_one_is_not(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        names = ["a" * 43, "b" * 43, "c" * 43]
        for name in names:
            await it.issued.add(issued(name))
        await it.switch.revoke(parse(f"certificate:{names[0]}"), "A leak", "ada")
        await it.switch.stop(parse(f"certificate:{names[1]}"), "An audit", "ada")
        _, listed = await it.ask("GET", "/v1/certificates")
        assert {one["id"][0]: one["revoked"] for one in listed["certificates"]} == {"a": True, "b": False, "c": False}


def test_command_shows_what_was_issued(tmp_path: Path) -> None:
    with operating(tmp_path) as at:
        at.do(at.it.issued.add(issued("a")))
        assert at.asked("agent", "certificates", "one") == {"certificates": [{"id": "a", **VIEW}]}
        lines = at.said("agent", "certificates").splitlines()
        assert [line.split()[0] for line in lines] == ["CERTIFICATE", "a"]
