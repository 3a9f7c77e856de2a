"""The four levels of policy on a running gateway: which servers an agent may use, which tools, with which arguments, in which circumstances.

The servers `shop` (sqlite), `repos` (git) and `web` (fetch) are real ones that nobody here wrote.
"""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import EXCHANGE, Client, Json, Said
from tests.e2e.log import of_call
from tests.e2e.secured import Place, client, named
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, stdio_upstream, write_config
from tests.peers import act, fetch_server, python_of, sqlite_server

pytestmark = pytest.mark.peer

LEVELS = """
@id("support-servers")
@reason("Support uses the shop's database and our repositories.")
permit (principal in Team::"support", action, resource)
when { [Upstream::"shop", Upstream::"repos", Upstream::"web", Upstream::"bank"].contains(resource) };

@id("temps-read-no-code")
@reason("People who are here for a while do not see our repositories.")
forbid (principal == Agent::"temp", action, resource == Upstream::"repos");

@id("support-writes-nothing")
@reason("The shop's database is written by its own people.")
forbid (principal in Team::"support", action in [Action::"shop/write_query", Action::"shop/create_table"], resource);

@id("customers-only")
@reason("Queries may read customers and orders; ask the controllers about the rest.")
forbid (principal, action == Action::"shop/read_query", resource)
unless {
  context.derived.sql.kinds == ["select"] && context.derived.sql.statements == 1 &&
  ["customers", "orders"].containsAll(context.derived.sql.tables)
};

@id("under-srv")
@reason("Only repositories of the reports may be read.")
forbid (principal, action in Action::"repos", resource)
unless { context.derived has where && context.derived.where.root == "reports" };

@id("our-pages")
@reason("Only pages of our own host may be fetched, over https or here.")
forbid (principal, action == Action::"web/fetch", resource)
unless { context.derived.page.host == "localhost" && context.derived.page.scheme == "http" };

@id("up-to-500")
@reason("Support may pay up to 500.00.")
forbid (principal, action == Action::"bank/pay", resource)
unless { context.input.amount.lessThanOrEqual(decimal("500.0")) };

@id("our-recipients")
@reason("Mail goes to our own people.")
forbid (principal, action == Action::"bank/tell", resource)
unless { context.derived.to.domains == ["example.com"] };

@id("their-accounts")
@reason("Support sees the accounts that are its own.")
forbid (principal, action == Action::"bank/account", resource)
unless { context.derived.account };
"""
BOTH_ERAS = ("sdk1 of 2025-11-25", "sdk2 of 2026-07-28")


def schema(**properties: str | Json) -> Json:
    """Of an object whose properties are all required."""
    described = {name: {"type": one} if isinstance(one, str) else one for name, one in properties.items()}
    return {"type": "object", "properties": described, "required": list(described)}


def bank() -> Witness:
    """A bank that does whatever it is told."""
    made = Witness()
    many: Json = {"type": "array", "items": {"type": "string"}}
    shapes = {"pay": schema(amount="number", to="string"), "tell": schema(to=many), "account": schema(number="string")}
    made.tools = [{"name": name, "description": "Of a bank.", "inputSchema": shape} for name, shape in shapes.items()]
    return made


def repository(path: Path) -> Path:
    """A repository with one commit, whose message is its name."""
    path.mkdir(parents=True)
    as_author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for words in (("init", "-q"), (*as_author, "commit", "-q", "--allow-empty", "-m", f"The word of {path.name}")):
        subprocess.run(["git", *words], cwd=path, check=True)
    return path


@pytest.fixture(scope="module")
def vault() -> Iterator[Witness]:
    """The bank."""
    with witnessing(bank()) as made:
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, vault: Witness) -> Iterator[Running]:
    """One gateway in front of them all."""
    directory = tmp_path_factory.mktemp("levels")
    for name in ("srv/reports/sales", "srv/reports-old/sales", "home/ada"):
        repository(directory / name)
    with closing(sqlite3.connect(directory / "shop.db")) as database:
        database.executescript(
            "CREATE TABLE customers (name TEXT); INSERT INTO customers VALUES ('Ada'); CREATE TABLE orders (item TEXT);"
            "CREATE TABLE financials (margin INTEGER); INSERT INTO financials VALUES (4711);"
        )
    (directory / "accounts.txt").write_text("DE-1\nDE-2\n")
    sql: Json = {"facts": {"sql": {"of": "/query", "kind": "sql", "dialect": "sqlite"}}}
    where: Json = {"facts": {"where": {"of": "/repo_path", "kind": "path", "roots": {"reports": str(directory / "srv/reports")}}}}
    listed = ("git_log", "git_status", "git_diff_unstaged", "git_diff_staged", "git_diff", "git_show", "git_branch")
    every = (*listed, "git_add", "git_commit", "git_reset", "git_create_branch", "git_checkout")
    document: Json = {
        "upstreams": {
            "shop": stdio_upstream(sqlite_server(directory / "shop.db"), tools={"read_query": sql}),
            "repos": stdio_upstream((python_of("servers"), "-m", "mcp_server_git"), tools=dict.fromkeys(every, where)),
            "web": stdio_upstream(fetch_server(), tools={"fetch": {"facts": {"page": {"of": "/url", "kind": "url"}}}}),
            "bank": http_upstream(
                vault.url,
                tools={
                    "tell": {"facts": {"to": {"of": "/to/*", "kind": "email"}}},
                    "account": {"facts": {"account": {"of": "/number", "kind": "member", "file": "accounts.txt"}}},
                },
            ),
            "payroll": http_upstream(vault.url),
        }
    }
    with doorward(directory, document, LEVELS) as gateway:
        yield gateway


def support(running: Running, agent: str = "clerk") -> Client:
    """A client of all upstreams, of the team that the policies are about."""
    return Client(running.url(), running.key(agent, "support"))


def did(said: Said) -> tuple[str, str]:
    """Why a call was refused, and what the model is told of it or of its result."""
    return said.reason, said.error["message"] if "error" in said.answer else said.text


def test_an_agent_has_its_servers_and_no_others(running: Running) -> None:
    """Agent: X may use A and B, not C; a deny list for one agent of the team wins over what its team may."""
    with support(running) as clerk, support(running, "temp") as temp, Client(running.url(), running.key("stranger", "guests")) as stranger:
        listed = [{tool["name"].partition("__")[0] for tool in who.ask("tools/list").result["tools"]} for who in (clerk, temp, stranger)]
        assert listed == [{"shop", "repos", "web", "bank"}, {"shop", "web", "bank"}, set()]
        hidden = clerk.call("payroll__pay", {"amount": 1, "to": "me"}), clerk.call("nowhere__pay", {"amount": 1, "to": "me"})
        assert {(said.status, said.reason, said.error["message"].split(" (")[0]) for said in hidden} == {
            (hidden[0].status, "unknown_target", hidden[0].error["message"].split(" (")[0])
        }
        assert temp.call("repos__git_log", {"repo_path": str(running.directory / "srv/reports/sales")}).reason == "unknown_target"


@pytest.mark.parametrize("sdk", BOTH_ERAS)
def test_real_clients_see_and_get_what_the_levels_leave(running: Running, vault: Witness, sdk: str) -> None:
    """Tool and parameter: the tool to write is not there; one query passes, the other is told why it does not."""
    calls: list[tuple[str, Json]] = [
        ("shop__read_query", {"query": "SELECT name FROM customers"}),
        ("shop__read_query", {"query": "SELECT margin FROM financials"}),
        ("bank__pay", {"amount": 500, "to": sdk}),
        ("bank__pay", {"amount": 500.01, "to": sdk}),
    ]
    seen = act(sdk, running.url(), calls, running.key("clerk", "support"))
    assert ("shop__read_query" in seen.tools, "shop__write_query" in seen.tools, "shop__list_tables" in seen.tools) == (True, False, True)
    told = ["".join(block["text"] for block in result["content"]) for result in seen.results]
    assert [result.get("isError", False) for result in seen.results] == [False, True, False, True]
    assert told[0] == "[{'name': 'Ada'}]"
    assert told[1].startswith("Queries may read customers and orders; ask the controllers about the rest.")
    assert told[3].startswith("Support may pay up to 500.00.")
    assert [call["arguments"]["amount"] for call in vault.calls("pay") if call["arguments"]["to"] == sdk] == [500]


@pytest.mark.parametrize(
    ("query", "is_read"),
    [
        ("SELECT name FROM customers", True),
        ("WITH financials AS (SELECT name FROM customers) SELECT * FROM financials", True),
        ("SELECT 'financials' AS financials FROM Customers c JOIN orders", True),
        ("SELECT margin FROM financials", False),
        ('select name from "FinANCIALS"', False),
        ("SELECT name FROM customers UNION SELECT margin FROM main.financials", False),
        ("SELECT (SELECT margin FROM [financials]) FROM customers", False),
        ("SELECT name FROM customers WHERE EXISTS (SELECT 1 FROM financials)", False),
        ("WITH c AS (SELECT margin FROM financials) SELECT * FROM c", False),
        ("SELECT name FROM customers; DROP TABLE customers", False),
        ("SELECT sql FROM sqlite_master", False),
        ("SELECT /* */* FROM pragma_table_list", False),
        ("SELEKT name FROM customers", False),
    ],
)
def test_customers_are_read_and_financials_are_not_however_it_is_put(running: Running, query: str, is_read: bool) -> None:
    with support(running) as clerk:
        said = clerk.call("shop__read_query", {"query": query})
        assert said.reason == ("" if is_read else "forbidden"), said.text
        assert "4711" not in said.text
        leaf = of_call(running.directory / "state", said.receipt)[0]
        assert leaf["decision"]["policies"] == (["support-servers"] if is_read else ["customers-only"])


@pytest.mark.parametrize(
    ("path", "is_read"),
    [
        ("srv/reports/sales", True),
        ("home/../srv/reports//sales/.", True),
        ("srv/reports-old/sales", False),
        ("srv/reports/../../home/ada", False),
        ("home/ada", False),
    ],
)
def test_a_path_is_read_under_its_root_alone(running: Running, path: str, is_read: bool) -> None:
    with support(running) as clerk:
        said = clerk.call("repos__git_log", {"repo_path": f"{running.directory}/{path}"})
        assert (said.reason, "The word of" in said.text) == (("", True) if is_read else ("forbidden", False))
        assert clerk.call("repos__git_log", {"repo_path": path}).reason == "forbidden"  # relative: cannot be derived


def test_pages_of_one_host_pass_and_what_only_looks_like_it_does_not(running: Running) -> None:
    with support(running) as clerk:
        # It comes to the server, which has rules of its own about this machine.
        assert did(clerk.call("web__fetch", {"url": "http://localhost:9/x"}))[0] == ""
        for url in (
            "https://localhost/",
            "http://localhost@evil.example/",
            "http://evil.example/localhost",
            "http://localhost.evil.example/",
        ):
            assert clerk.call("web__fetch", {"url": url}).reason == "forbidden", url


def test_mail_goes_to_our_own_domain_alone(running: Running, vault: Witness) -> None:
    with support(running) as clerk:
        assert clerk.call("bank__tell", {"to": ["ada@example.com", "Bob <bob@EXAMPLE.com>"]}).reason == ""
        for stranger in (
            "eve@example.org",
            "ada@example.com.evil.org",
            "ada@example.com, eve@evil.org",
            '"ada@example.com" <eve@evil.org>',
        ):
            refused = clerk.call("bank__tell", {"to": ["ada@example.com", stranger]})
            assert did(refused)[0] == "forbidden", stranger
            # Of what cannot be read without doubt, the caller is told where it is.
            told = ("Mail goes to our own people.", "Policy cannot decide on the argument `/to/*`: ")
            assert did(refused)[1].startswith(told), stranger
    assert [call["arguments"]["to"] for call in vault.calls("tell")] == [["ada@example.com", "Bob <bob@EXAMPLE.com>"]]


def test_only_these_accounts_are_seen_and_a_changed_list_holds_after_a_reload(running: Running) -> None:
    with support(running) as clerk:
        assert [clerk.call("bank__account", {"number": number}).reason for number in ("DE-1", "DE-3", "de-1", "DE-1 ")] == [
            "",
            "forbidden",
            "forbidden",
            "forbidden",
        ]
        before = running.admin.get("/v1/policies")["digest"]
        (running.directory / "accounts.txt").write_text("DE-3\n")
        running.admin.post("/v1/reload")
        assert [clerk.call("bank__account", {"number": number}).reason for number in ("DE-1", "DE-3")] == ["forbidden", ""]
        assert running.admin.get("/v1/policies")["digest"] != before


CONTEXT = (
    PERMIT_ALL
    + """
@id("office-hours")
@reason("Payments are made in office hours.")
forbid (principal, action == Action::"bank/pay", resource)
unless { context.time.hour >= 8 && context.time.hour < 18 };

@id("from-the-office")
@reason("Accounts are seen from the office.")
forbid (principal, action == Action::"bank/account", resource)
unless { context has network && context.network.isInRange(ip("127.0.1.0/24")) };
"""
)


def zone_at(hour: int) -> str:
    """A time zone in which it is this hour now."""
    ahead = (hour - time.gmtime().tm_hour) % 24
    # The signs of these names are the other way round (POSIX).
    return f"Etc/GMT-{ahead}" if ahead <= 14 else f"Etc/GMT+{24 - ahead}"


def test_the_hour_where_the_policies_live_and_the_network_decide(tmp_path: Path, vault: Witness) -> None:
    document: Json = {"upstreams": {"bank": http_upstream(vault.url)}, "policies": {"files": ["policy.cedar"], "timezone": zone_at(12)}}
    with doorward(tmp_path, document, CONTEXT) as running:
        pay: Any = ("pay", {"amount": 1, "to": "clock"})
        with (
            Client(running.url("bank"), running.key()) as anywhere,
            Client(running.url("bank"), running.key(), source="127.0.1.7") as office,
        ):
            assert anywhere.call(*pay).reason == ""
            document["policies"]["timezone"] = zone_at(3)
            write_config(tmp_path, document, CONTEXT)
            running.admin.post("/v1/reload")
            # Nothing can be had by any arguments: the tool is not there at night, nor outside of the office.
            assert (anywhere.call(*pay).reason, office.call(*pay).reason) == ("unknown_target", "unknown_target")
            assert [who.call("account", {"number": "1"}).reason for who in (anywhere, office)] == ["unknown_target", ""]
            assert {tool["name"] for tool in office.ask("tools/list").result["tools"]} == {"account", "tell"}


def test_only_a_connection_with_a_certificate_of_ours_gets_through(tmp_path: Path, vault: Witness) -> None:
    only = (
        PERMIT_ALL
        + '@id("mutual")\n@reason("Payments are made over mutual TLS.")\nforbid (principal, action == Action::"up/pay", resource)'
        + ' unless { context.certificate && context.authn == "certificate" };\n'
    )
    place = Place(tmp_path)
    document = {
        "listen": place.listen(),
        "identity": {"certificates": {"names": ["spiffe"], "trust_domains": ["example.org"]}},
        "upstreams": {"up": http_upstream(vault.url)},
    }
    with doorward(tmp_path, document, only) as running:
        identity = "spiffe://example.org/agents/payer"
        running.admin.post("/v1/agents", {"id": "payer", "team": "ci", "owner": "somebody", "identities": [identity]})
        pay: Any = ("up__pay", {"amount": 2, "to": "tls"})
        key, shown = running.key(), place.context(place.root.leaf(named("payer")))
        with client(running, shown) as certified, client(running, place.context(), key) as bare, client(running, shown, key) as both:
            assert [one.call(*pay).reason for one in (certified, bare, both)] == ["", "unknown_target", "unknown_target"]


def test_an_extra_argument_is_refused_with_a_word_that_a_model_can_act_on(running: Running, vault: Witness) -> None:
    for revision in ("2025-06-18", EXCHANGE):
        with Client(running.url("bank"), running.key("clerk", "support"), revision) as clerk:
            said = clerk.call("pay", {"amount": 3, "to": "extra", "dry_run": False})
            assert (said.reason, said.result["isError"]) == ("unsafe_request", True)
            assert "dry_run" in said.text, said.text
            wrong = clerk.call("pay", {"amount": 3, "to": ["extra"]})
            assert (wrong.reason, "type at /to" in wrong.text) == ("unsafe_request", True), wrong.text
            read = clerk.call("pay", {"amount": "3", "to": "extra"})
            assert (read.reason, "the argument `/amount`: it is not a number" in read.text) == ("forbidden", True), read.text
            assert clerk.call("pay", {"amount": 3, "to": revision}).reason == ""
    assert not any("dry_run" in call["arguments"] for call in vault.calls("pay"))
