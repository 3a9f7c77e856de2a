"""How the gateway stands, at one look."""

from pathlib import Path

import pytest

from doorward import __version__
from doorward.audit.anchor import NO_ANCHOR
from tests.control.idle import PLACE
from tests.control.plane import ANN, NOW, READ_FILE, plane, tool

pytestmark = pytest.mark.anyio


async def test_the_whole_state_is_shown_with_what_each_upstream_withheld(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.show("git", READ_FILE, {"name": "broken"})
        await it.show("time", tool("now"))
        items = (await it.ask("GET", "/v1/catalog/diff?upstream=time"))[1]["items"]
        accepted = [{name: item[name] for name in ("upstream", "kind", "name", "digest")} for item in items]
        assert (await it.ask("POST", "/v1/catalog/approve", {"items": accepted}))[0] == 200
        it.reasons = ("not looked at yet: time",)
        snapshot = it.generations.current
        _, answer = await it.ask("GET", "/v1/status", uid=ANN)
        upstream = {
            "team": "platform",
            "trust": "review",
            "state": "up",
            "since": NOW - 60,
            "failures": 0,
            "error": "",
            "seen_at": NOW,
            "prompts": 0,
            "resources": 0,
            "gone": 0,
            "in_flight": 0,
            "addresses": [
                {"name": PLACE, "state": "serving", "in_flight": 0, "failures": 0, "seconds": 0.0, "error": "", "why": "", "processes": 0}
            ],
        }
        warnings = answer.pop("warnings")
        assert NO_ANCHOR in warnings
        assert answer == {
            "version": __version__,
            "ready": False,
            "reasons": ["not looked at yet: time"],
            "generation": snapshot.generation,
            "config": snapshot.document_digest,
            "policies": snapshot.policies.digest,
            "problems": [],
            "in_flight": 0,
            "log": {"checkpoint_size": 1, "failure": None, "owed": 0},
            "alerts": [],
            "upstreams": [
                {"id": "git", "transport": "http", "posture": "enforce", "tools": 0, "withheld": 1, "dropped": 1, **upstream},
                {"id": "time", "transport": "stdio", "posture": "observe", "tools": 1, "withheld": 0, "dropped": 0, **upstream},
            ],
        }


async def test_a_reload_that_was_not_taken_and_a_log_that_fails_are_shown(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.path.write_text("upstreams: [")
        await it.ask("POST", "/v1/reload")
        it.log.broken = "no space"
        await it.ask("POST", "/v1/agents", {"id": "x", "team": "t"})
        _, answer = await it.ask("GET", "/v1/status")
        assert (len(answer["problems"]) > 0, answer["log"]["failure"]) == (True, "the store cannot write: no space")
