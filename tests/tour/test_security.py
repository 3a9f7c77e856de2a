"""SECURITY.md rests on tests that exist, and states the limits that ship."""

import ast
import re
from pathlib import Path

import pytest

from doorward.admission import rates
from doorward.approval import waivers
from doorward.approval.channels import signature
from doorward.approval.terms import Terms
from doorward.call import holding
from doorward.catalog.offer import DEFINITION_BYTES, MOST
from doorward.config import check_limits
from doorward.config.model import Admission, Sessions, Timeouts, Upstream
from doorward.control import answer_hooks, operator_sessions, signing
from doorward.domain.catalog import Kind
from doorward.domain.waivers import WaiverKind
from doorward.identity.authority import documents, registration
from doorward.identity.tokens import dpop, jws
from doorward.inspection.guards.schema import MOST_BYTES
from doorward.net.fetch import CAPS
from doorward.policy.facts import kind, path, sql, url
from doorward.runtime.replay import run
from doorward.serving import pages
from doorward.serving.bounds import Limits as HeadLimits
from doorward.wire.jsonrpc import Limits
from tests.peers import ROOT

PAGE = (ROOT / "SECURITY.md").read_text("utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", PAGE)))
INCIDENTS = sorted(set(re.findall(r"\| `(test_\w+)` \|$", PAGE, re.MULTILINE)))


def row(label: str) -> list[int]:
    """The numbers of one row of the limits."""
    [cells] = re.findall(rf"^\| {re.escape(label)} \| (.*) \|$", PAGE, re.MULTILINE)
    return [int(number) for number in re.findall(r"\d+", cells)]


def functions(file: Path) -> set[str]:
    """The names of every function in a file."""
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("name", TESTS)
def test_named_test_exists(name: str) -> None:
    file, _, function = name.partition("::")
    found = functions(ROOT / file)
    assert function in found if function else any(one.startswith("test_") for one in found)


def test_every_incident_has_its_test() -> None:
    found = {name for file in (ROOT / "tests" / "incidents").glob("test_*.py") for name in functions(file)}
    assert (len(INCIDENTS) > 10, set(INCIDENTS) - found) == (True, set())


def test_stated_limits_are_the_ones_that_ship() -> None:
    body, head, admission, sessions, timeouts, terms = Limits(), HeadLimits(), Admission(), Sessions(), Timeouts(), Terms()
    assert {
        label: row(label)
        for label in (
            "a request",
            "a request's head",
            "a result",
            "tools of an upstream",
            "a schema that is checked against",
            "calls of one agent",
            "calls of everybody",
            "what is in the door",
            "declared limits",
            "sessions",
            "an access token",
            "a page beside the endpoint",
            "a document that is fetched (keys, metadata)",
            "a client's document about itself",
            "proofs of DPoP that are remembered",
            "clients that register themselves",
            "operators who are signed in",
            "steps of sign-ins of operators (two of a browser, three of a command)",
            "an upstream's answer",
            "a text that a fact is derived of",
            "questions to people",
            "calls that are kept waiting for people",
            "a service's answer",
            "exceptions and broken glasses",
            "a replay",
        )
    } == {
        "a request": [body.body_bytes, body.depth, body.nodes, body.string_bytes],
        "a request's head": [head.head_bytes, head.headers, head.head_seconds],
        "a result": [Upstream.model_fields["result_bytes"].default],
        "tools of an upstream": [MOST[Kind.TOOL], DEFINITION_BYTES],
        "a schema that is checked against": [MOST_BYTES],
        "calls of one agent": [admission.calls_per_minute, admission.burst, admission.concurrent],
        "calls of everybody": [admission.in_flight],
        "what is in the door": [admission.requests, admission.bytes_in_flight_per_agent, admission.bytes_in_flight],
        "declared limits": [check_limits.MOST, rates.MOST_BUCKETS],
        "sessions": [sessions.per_principal, sessions.overall, sessions.idle_seconds],
        "an access token": [jws.LONGEST],
        "a page beside the endpoint": [
            pages.BODY_BYTES,
            *(pages.PACE.per_minute, pages.PACE.burst),
            *(pages.PEOPLE_PACE.per_minute, pages.PEOPLE_PACE.burst),
        ],
        "a document that is fetched (keys, metadata)": [CAPS.body_bytes, CAPS.seconds, CAPS.at_once],
        "a client's document about itself": [documents.BODY_BYTES],
        "proofs of DPoP that are remembered": [dpop.MOST, dpop.AGE_SECONDS],
        "clients that register themselves": [registration.MOST],
        "operators who are signed in": [operator_sessions.MOST, operator_sessions.MOST_OF_ONE],
        "steps of sign-ins of operators (two of a browser, three of a command)": [signing.PACE.per_minute, signing.PACE.burst],
        "a text that a fact is derived of": [kind.CHARACTERS, url.LONGEST, path.LONGEST, sql.LONGEST, sql.TOKENS, kind.ELEMENTS],
        "questions to people": [
            *(terms.most_pending, terms.most_bytes_of_principal),
            *(terms.most_kept_of_agent, terms.most_bytes_of_agent),
            *(terms.most_kept, terms.most_bytes),
        ],
        "calls that are kept waiting for people": [holding.PER_PRINCIPAL, holding.MOST, holding.MOST_BYTES],
        "a service's answer": [answer_hooks.BODY_BYTES, signature.TOLERANCE_SECONDS],
        "exceptions and broken glasses": [
            *(waivers.MOST_OF_AGENT, waivers.MOST),
            waivers.LONGEST_SECONDS[WaiverKind.EXCEPTION] / waivers.DAY_SECONDS,
            waivers.LONGEST_SECONDS[WaiverKind.BREAK_GLASS] / 60,
        ],
        "a replay": [run.BOUNDS.calls, run.BOUNDS.seconds],
        "an upstream's answer": [timeouts.connect, timeouts.first_byte, timeouts.idle, timeouts.total],
    }


def test_every_named_incident_of_the_tests_stands_on_the_page() -> None:
    files = [path for path in (ROOT / "tests").rglob("test_*.py") if path.parent.name != "tour"]
    named = {
        f"CVE-{year}-{number}" for path in files for year, number in re.findall(r"def test_\w*cve_(\d{4})_(\d+)", path.read_text("utf-8"))
    }
    assert named <= set(re.findall(r"CVE-\d{4}-\d+", PAGE))
