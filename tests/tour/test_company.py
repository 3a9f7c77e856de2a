"""`examples/company.yaml` is sound once its files are there, and a gateway of it does what its comments say."""

import re
import shutil
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import Authority, Wanted, authority, pem, server
from tests.e2e.client import Client, Said
from tests.e2e.commands import asked, ordered, told
from tests.e2e.witness import Witness, tool, witnessing
from tests.gateway import Running, start, stop
from tests.peers import ROOT

EXAMPLE = ROOT / "examples" / "company.yaml"
MISSING = (
    "listen.tls.certificate",
    "listen.tls.roots[0]",
    "listen.tls.crls[0]",
    "control.listen.tls.certificate",
    "audit.anchor_file",
)
SECRETS = ("idp.secret", "wiki.token", "tickets.token", "bank.token", "warehouse.token", "office.token")
WEBHOOK_SECRET = f"whsec_{b64encode(bytes(32)).decode()}\n"
UNAPPROVED = re.compile(r"nothing of \w+ is approved yet")


def checked(path: Path) -> subprocess.CompletedProcess[str]:
    """What `doorward check` says of a document."""
    line = [sys.executable, "-m", "doorward", "check", "-c", str(path)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def furnished(directory: Path, root: Authority) -> Path:
    """A copy of the example with the files that only its company has."""
    company = directory / "examples" / "company"
    shutil.copytree(EXAMPLE.parent / "company", company)
    (directory / "var" / "company-anchor").mkdir(parents=True)
    for name in ("server", "operators"):
        server(root).written(company, name)
    (company / "agents-root.pem").write_text(root.pem)
    (company / "agents.crl").write_text(pem(root.crl(())))
    for name, text in ((name, f"the secret of {name}\n") for name in SECRETS):
        (company / name).touch(0o600)
        (company / name).write_text(text)
    (company / "chat.secret").touch(0o600)
    (company / "chat.secret").write_text(WEBHOOK_SECRET)
    path = directory / "examples" / "company.yaml"
    path.write_text(EXAMPLE.read_text("utf-8"))
    return path


def test_nothing_is_wrong_with_it_as_it_stands_but_the_files_that_are_not_there() -> None:
    done = checked(EXAMPLE)
    told_of = re.findall(
        r"^\S+?:\d+:\d+: (\S+): (?:the file .* cannot be read|expected a file in a directory that exists)", done.stdout, re.MULTILINE
    )
    assert (done.returncode, tuple(told_of), len(done.stdout.splitlines())) == (1, MISSING, len(MISSING)), done.stdout


def test_nothing_is_wrong_with_it_once_they_are_there(tmp_path_factory: pytest.TempPathFactory) -> None:
    done = checked(furnished(tmp_path_factory.mktemp("whole"), authority()))
    problems = [line for line in done.stdout.splitlines() if not UNAPPROVED.search(line)]
    assert (done.returncode, problems) == (0, []), done.stdout + done.stderr


@dataclass(frozen=True)
class Place:
    """A gateway of the example, in front of servers that are ours."""

    running: Running
    root: Authority
    directory: Path

    def calls(self, agent: str, name: str, tool_name: str) -> Said:
        """One call of an agent, on a connection that shows its certificate."""
        context = ssl.create_default_context(cadata=self.root.pem)
        shown = self.root.leaf(Wanted(uris=(agent,)))
        context.load_cert_chain(*shown.written(self.directory, "shown"))
        with Client(f"https://localhost:{self.running.port}/mcp/{name}", tls=context) as client:
            return client.call(tool_name, {"mark": tool_name})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The example but for addresses: where it listens, and where its servers are."""
    directory, root, witness = tmp_path_factory.mktemp("company"), authority(), Witness()
    witness.tools = [tool("search"), tool("save_page"), tool("find")]
    path = furnished(directory, root)
    with witnessing(witness):
        ours = f"url: {witness.url}\n    plain_http: true\n    private: true\n    trust: first-use"
        text = path.read_text("utf-8").replace("host: 0.0.0.0", "host: localhost")
        text = re.sub(r"url: https://(?:wiki|tickets|bank|warehouse|office)\.example\.com/mcp", ours, re.sub(r"port: \d+", "port: 0", text))
        (directory / "doorward.yaml").write_text(text.replace("company/", "examples/company/").replace("../var/", "var/"))
        (directory / "state").symlink_to(directory / "var" / "company")
        running = start(directory)
        try:
            yield Place(running, root, directory)
        finally:
            stop(running)


def test_a_pipeline_comes_with_its_certificate_and_reads(place: Place) -> None:
    assert place.calls("spiffe://example.com/ci/builder", "wiki", "search").reason == ""
    builder = asked(place.running, "agent", "show", "builder")
    assert (builder["team"], builder["owner"], builder["kind"], builder["methods"]) == ("ci", "build-desk", "pipeline", ["certificate"])
    assert place.calls("spiffe://example.com/ci/builder", "wiki", "save_page").reason == "unknown_target"
    assert place.calls("spiffe://example.com/ci/builder", "tickets", "find").status == 404


@pytest.mark.parametrize("agent", ["spiffe://example.com/hr/spy", "spiffe://example.org/ci/builder"])
def test_a_certificate_that_no_rule_takes_is_refused_however_good_it_is(place: Place, agent: str) -> None:
    assert place.calls(agent, "wiki", "search").status == 401


def test_its_operators_begin_at_the_socket(place: Place) -> None:
    assert asked(place.running, "operator", "me")["role"] == "admin"
    assert place.running.events("gateway_started")[0]["operators"] != ""
    key = ordered(place.running, "agent", "add", "clerk", "--team", "support").splitlines()[0]
    context = ssl.create_default_context(cadata=place.root.pem)
    with Client(f"https://localhost:{place.running.port}/mcp/tickets", key, tls=context) as client:
        assert client.call("find", {"mark": "one"}).reason == ""
    code, said = told(place.running, "policy", "explain", "--agent", "clerk", "--tool", "wiki/save_page")
    assert ("DENY" in said, code) == (True, 0), said
