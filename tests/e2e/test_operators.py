"""Operators over the network: they sign in at the company's own provider, may do what their groups may, and nothing else opens the door."""

import http.client
import json
import re
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from doorward.client.admin import Admin, AdminError, Network
from doorward.net.tls import client_context
from tests.certificates import authority, server
from tests.e2e.client import Client
from tests.e2e.commands import asked, ordered
from tests.e2e.log import events, until
from tests.e2e.operating import GROUPS, Company, company
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, doorward, http_upstream, start, stop, write_config
from tests.peers import ROOT

pytestmark = pytest.mark.peer

POLICIES = (
    PERMIT_ALL
    + """
@id("finance-looks")
@reason("Somebody of finance looks at this first.")
@approval("finance")
forbid (principal, action == Action::"books/echo", resource);
"""
)
ROLES = {"ada": "admin", "olga": "owner", "ines": "approver", "aud": "auditor", "vic": "viewer"}


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def corp(witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with company(tmp_path_factory.mktemp("operators"), witness, POLICIES) as made:
        yield made


def door(corp: Company, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, str]:
    """Status and text of one request at the door of operators, as it is given."""
    connection = http.client.HTTPSConnection(urlsplit(corp.url).netloc, timeout=20, context=client_context(str(corp.ca_file)))
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("name", ROLES)
def test_a_person_signs_in_by_browser_and_has_the_role_of_their_groups(corp: Company, name: str) -> None:
    person = corp.person(name)
    assert person.reads("/v1/me")[0] == 401
    page = person.comes()
    assert (page.status, page.url.startswith(corp.url)) == (200, True)
    status, me = person.reads("/v1/me")
    assert (status, me["name"], me["role"]) == (200, f"corp:{name}", ROLES[name])
    home = person.browser.get(f"{corp.url}/")
    assert (ROLES[name] in home.text, f"corp:{name}" in home.text) == (True, True)
    left = person.browser.submit(home, home.forms[0], {})
    assert ("Sign in" in left.text, person.reads("/v1/me")[0]) == (True, 401)


def test_a_person_whose_groups_have_no_role_is_told_so_and_gets_nothing(corp: Company) -> None:
    mallory = corp.person("mallory")
    page = mallory.comes()
    assert (page.status, "none of your groups has a role" in page.text) == (403, True)
    assert mallory.reads("/v1/agents")[0] == 401
    assert [leaf["operator"] for leaf in operator_leaves(corp, "operator_refused")] == ["corp:mallory"]


def operator_leaves(corp: Company, kind: str) -> list[dict[str, str]]:
    """Whom leaves of one type are about."""
    return [{"operator": leaf["by"]} for leaf in events(corp.running.directory / "state", kind)]


def test_the_command_line_acts_for_whoever_allowed_it_until_they_sign_out(corp: Company) -> None:
    ada = corp.person("ada")
    code, said = ada.logs_in()
    assert (code, "You are signed in as corp:ada" in said) == (0, True)
    assert stat.S_IMODE(ada.session.stat().st_mode) == 0o600
    kept = json.loads(ada.session.read_text())

    assert "dw_" in ada.gets("agent", "add", "laptop", "--team", "web", "--purpose", "Writes pages.")
    code, said = ada.runs("agent", "list", "--url", corp.url)
    assert (code, "laptop" in said, "corp:ada" in said) == (0, True, True)
    key = corp.running.key("caller")
    assert Client(corp.running.url(), key).call("up__echo", {"mark": "before"}).reason == ""
    ada.gets("stop", "agent", "caller", "--reason", "looking into it")
    assert Client(corp.running.url(), key).call("up__echo", {"mark": "stopped"}).reason == "stopped"
    ada.gets("resume", "agent", "caller")
    assert Client(corp.running.url(), key).call("up__echo", {"mark": "after"}).reason == ""
    assert "corp:ada" in ada.gets("operator", "list")
    assert asked(corp.running, "agent", "show", "laptop")["enrolled_by"] == "operator corp:ada"

    code, said = ada.runs("logout", corp.url)
    assert (code, "signed out" in said) == (0, True)
    assert list(ada.home.rglob("*.json")) == []
    code, said = ada.tells("agent", "list")
    assert (code, "doorward login" in said) == (1, True)
    with pytest.raises(AdminError) as refused:
        Admin(Network(corp.url, kept["token"], str(corp.ca_file))).get("/v1/agents")
    assert refused.value.reason == "not_signed_in"


def test_a_command_that_its_person_refuses_gets_no_session(corp: Company) -> None:
    vic = corp.person("vic")
    vic.logs_in("refuse")
    assert list(vic.home.rglob("*.json")) == []
    assert "corp:vic" in [leaf["operator"] for leaf in operator_leaves(corp, "operator_refused")]


def test_an_owner_acts_for_their_own_team_alone(corp: Company) -> None:
    olga = corp.signed_in("olga")
    for name, team in (("website", "web"), ("ledger", "finance")):
        corp.running.key(name, team)
    assert "dw_" in olga.gets("agent", "add", "shop", "--team", "web")
    assert "dw_" in olga.gets("agent", "rotate", "shop")
    olga.gets("agent", "suspend", "website")
    olga.gets("agent", "resume", "website")
    olga.gets("stop", "upstream", "up", "--reason", "a deployment")
    olga.gets("resume", "upstream", "up")
    refused = (
        ("agent", "add", "books-bot", "--team", "finance"),
        ("agent", "add", "shop-two", "--team", "web", "--identity", "client:corp:robot"),
        ("agent", "bind", "website", "client:corp:robot"),
        ("agent", "edit", "website", "--owner", "corp:ines"),
        ("agent", "add", "straw", "--team", "web", "--owner", "corp:ines"),
        ("agent", "rotate", "website"),
        ("agent", "rotate", "ledger"),
        ("agent", "suspend", "ledger"),
        ("agent", "revoke", "ledger"),
        ("stop", "agent", "ledger", "--reason", "not mine"),
        ("stop", "upstream", "books", "--reason", "not mine"),
        ("stop", "all", "--reason", "not mine"),
        ("revoke", "user", "corp:ada", "--reason", "not mine"),
        ("agent", "owner-left", "somebody"),
        ("reload",),
    )
    for words in refused:
        code, said = olga.tells(*words)
        assert code == 1, words
        assert "this needs" in said, (words, said)
    states = {agent["id"]: agent["state"] for agent in asked(corp.running, "agent", "list")["agents"]}
    assert (states["website"], states["ledger"], "books-bot" in states, "shop-two" in states) == ("active", "active", False, False)
    assert asked(corp.running, "stop")["stops"] == []


def test_an_approver_says_yes_for_their_team_and_nobody_else_of_lower_rank_does(corp: Company, witness: Witness) -> None:
    key = corp.running.key("buyer", "web")
    client = Client(corp.running.url("books"), key)
    assert client.call("echo", {"mark": "an invoice"}).reason == "pending"
    ines, aud, vic = (corp.signed_in(name) for name in ("ines", "aud", "vic"))
    [one] = [one for one in json.loads(ines.gets("approval", "list", "--json"))["approvals"] if one["agent"] == "buyer"]
    digest = json.loads(aud.gets("approval", "show", one["id"], "--json"))["digest"]
    assert "an invoice" not in vic.gets("approval", "list")
    assert vic.tells("approval", "show", one["id"])[0] == 1
    for person in (vic, aud):
        assert person.tells("approval", "approve", one["id"], "--digest", digest)[0] == 1
    assert client.call("echo", {"mark": "an invoice"}).reason == "pending"
    ines.gets("approval", "approve", one["id"], "--digest", digest)
    assert client.call("echo", {"mark": "an invoice"}).reason == ""
    assert "an invoice" in witness.marks()


def test_nobody_approves_what_their_own_agent_asks(corp: Company, witness: Witness) -> None:
    olga, ines = corp.signed_in("olga"), corp.signed_in("ines")
    key = olga.gets("agent", "add", "olgas", "--team", "web").splitlines()[0]
    assert asked(corp.running, "agent", "show", "olgas")["owner"] == "corp:olga"
    client = Client(corp.running.url("books"), key)
    assert client.call("echo", {"mark": "for herself"}).reason == "pending"
    [one] = [one for one in json.loads(olga.gets("approval", "list", "--json"))["approvals"] if one["agent"] == "olgas"]
    digest = asked(corp.running, "approval", "show", one["id"])["digest"]
    code, said = olga.tells("approval", "approve", one["id"], "--digest", digest)
    assert (code, "own" in said) == (1, True), said
    assert olga.tells("agent", "edit", "olgas", "--owner", "corp:ines")[0] == 1
    assert client.call("echo", {"mark": "for herself"}).reason == "pending"
    ines.gets("approval", "approve", one["id"], "--digest", digest)
    assert client.call("echo", {"mark": "for herself"}).reason == ""
    assert "for herself" in witness.marks()


@pytest.mark.parametrize("name", ["aud", "vic"])
def test_auditors_and_viewers_change_nothing(corp: Company, name: str) -> None:
    person = corp.signed_in(name)
    corp.running.key("bystander", "web")
    person.gets("agent", "list")
    person.gets("log", "list")
    for words in (
        ("agent", "add", "mine", "--team", "web"),
        ("agent", "suspend", "bystander"),
        ("stop", "agent", "bystander", "--reason", "no"),
        ("reload",),
    ):
        assert person.tells(*words)[0] == 1, words
    assert asked(corp.running, "agent", "show", "bystander")["state"] == "active"


def test_a_group_that_a_reload_takes_out_takes_its_right_at_once(corp: Company) -> None:
    ada, vic = corp.signed_in("ada"), corp.signed_in("vic")
    vic_by_browser = corp.person("vic")
    vic_by_browser.comes()
    vic.gets("agent", "list")
    try:
        corp.change({name: rule for name, rule in GROUPS.items() if name != "everyone"}, POLICIES)
        code, said = vic.tells("agent", "list")
        assert (code, "corp:vic has no role here" in said) == (1, True)
        assert vic_by_browser.reads("/v1/me")[0] == 403
        ada.gets("agent", "list")
        corp.change({**GROUPS, "gateway-admins": {"role": "viewer"}}, POLICIES)
        assert ada.tells("agent", "add", "late", "--team", "web")[0] == 1
    finally:
        corp.change(GROUPS, POLICIES)
    vic.gets("agent", "list")
    assert "dw_" in ada.gets("agent", "add", "late", "--team", "web")


def test_a_revoked_person_operates_no_more_and_an_ended_sign_in_is_over(corp: Company) -> None:
    ines, olga = corp.signed_in("ines"), corp.signed_in("olga")
    ordered(corp.running, "revoke", "user", "corp:ines", "--reason", "left")
    try:
        assert ines.tells("agent", "list")[0] == 1
        page = corp.person("ines").comes()
        assert (page.status, "none of your groups" in page.text) == (403, True)
    finally:
        ordered(corp.running, "resume", "user", "corp:ines", "--revoked")
    for session in asked(corp.running, "operator", "list")["sessions"]:
        if session["name"] == "corp:olga":
            ordered(corp.running, "operator", "end", session["id"])
    code, said = olga.tells("agent", "list")
    assert (code, "sign in first" in said) == (1, True)


def test_what_opens_one_door_opens_nothing_at_the_other(corp: Company) -> None:
    ada = corp.signed_in("ada")
    ada.comes()
    operator = json.loads(ada.session.read_text())["token"]
    [cookie] = [f"{name}={value}" for (_, name), value in ada.browser.jar.items() if name == "__Host-doorward"]
    key = corp.running.key("keyholder")
    robot = corp.provider.token_for_robot(corp.running.url())
    for credential in (key, robot):
        assert Client(corp.running.url(), credential).call("up__echo", {"mark": "mine"}).reason == ""
        assert door(corp, "/v1/me", Authorization=f"Bearer {credential}")[0] == 401
        assert door(corp, "/v1/me", Cookie=f"__Host-doorward={credential}")[0] == 401
    assert door(corp, "/v1/me", Authorization=f"Bearer {operator}")[0] == 200
    assert door(corp, "/v1/me", Cookie=cookie)[0] == 200
    assert door(corp, "/v1/me", Cookie=f"__Host-doorward={operator}")[0] == 401
    assert door(corp, "/v1/me", Authorization=f"Bearer {cookie.partition('=')[2]}")[0] == 401
    for headers in ({"Authorization": f"Bearer {operator}"}, {"Cookie": cookie}, {"Authorization": f"DPoP {operator}"}):
        assert Client(corp.running.url(), extra=headers).ask("tools/list").status == 401
    assert door(corp, "/mcp", "POST", "{}", Authorization=f"Bearer {key}")[0] in {401, 404}


def test_another_sites_page_and_another_host_reach_nothing_with_an_admins_cookie(corp: Company) -> None:
    ada = corp.person("ada")
    ada.comes()
    [cookie] = [f"{name}={value}" for (_, name), value in ada.browser.jar.items() if name == "__Host-doorward"]
    body = json.dumps({"matter": "all", "reason": "not hers"})
    forged: tuple[dict[str, str], ...] = (
        {},
        {"Origin": corp.url},
        {"Doorward_Request": "1"},
        {"Origin": "https://evil.example", "Doorward_Request": "1"},
    )
    for headers in forged:
        assert door(corp, "/v1/stops", "POST", body, Cookie=cookie, **headers)[0] == 403
    assert door(corp, "/v1/me", Cookie=cookie, Host="evil.example")[0] == 403
    assert door(corp, "/v1/me", Cookie=cookie, Origin="https://evil.example")[0] == 403
    assert asked(corp.running, "stop")["stops"] == []
    own = door(corp, "/v1/stops", "POST", body, Cookie=cookie, Origin=corp.url, Doorward_Request="1")
    assert own[0] == 200, own
    ordered(corp.running, "resume", "all")


def test_sign_ins_are_in_the_log_by_name_and_a_restart_signs_everybody_out(witness: Witness, tmp_path: Path) -> None:
    with company(tmp_path, witness) as corp:
        ada = corp.signed_in("ada")
        port = corp.url.rpartition(":")[2]
        corp.document["control"]["listen"]["port"] = int(port)
        write_config(tmp_path, corp.document)
        stop(corp.running)
        again = start(tmp_path, {"IDP_SECRET": "a secret of tests, long enough for it"})
        try:
            assert "operator_signed_in" in [leaf["type"] for leaf in until(lambda: events(tmp_path / "state", "operator_signed_in"))]
            code, said = ada.tells("agent", "list")
            assert (code, "doorward login" in said) == (1, True)
            assert ada.logs_in()[0] == 0
            ada.gets("agent", "list")
        finally:
            stop(again)


GUESSES = (
    "",
    "Bearer ",
    "Bearer doorward",
    "Bearer admin",
    "Bearer changeme",
    "Bearer dw_",
    "Bearer dwo_",
    "Bearer null",
    "Bearer my-test-key",
    "Basic YWRtaW46YWRtaW4=",
    "Basic YWRtaW46Y2hhbmdlbWU=",
    "DPoP doorward",
)


def test_a_fresh_gateway_admits_nobody_at_either_door_and_its_first_admin_comes_by_the_socket(witness: Witness, tmp_path: Path) -> None:
    with company(tmp_path, witness) as corp:
        for guess in GUESSES:
            given = {"Authorization": guess} if guess else {}
            assert door(corp, "/v1/me", **given)[0] == 401, guess
            assert door(corp, "/v1/agents", "POST", "{}", **given)[0] == 401, guess
            assert Client(corp.running.url(), extra=given).ask("tools/list").status == 401, guess
        assert asked(corp.running, "agent", "list") == {"agents": []}
        assert asked(corp.running, "operator", "list") == {"sessions": []}
        me = asked(corp.running, "operator", "me")
        assert me["role"] == "admin"


def test_the_first_admin_needs_no_provider_and_no_network(witness: Witness, tmp_path: Path) -> None:
    with doorward(tmp_path, {"upstreams": {"up": http_upstream(witness.url)}}) as running:
        assert asked(running, "operator", "me")["role"] == "admin"
        key = ordered(running, "agent", "add", "first", "--team", "web").splitlines()[0]
        assert Client(running.url(), key).call("up__echo", {"mark": "first"}).reason == ""
        assert running.events("gateway_started")[0]["operators"] == ""


def test_no_credential_is_the_same_in_two_gateways_and_none_stands_in_the_code(witness: Witness, tmp_path: Path) -> None:
    secrets: list[dict[str, bytes]] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with doorward(tmp_path / name, {"upstreams": {"up": http_upstream(witness.url)}, "identity": {"ca": {}}}) as running:
            state = running.directory / "state"
            made = [path for path in state.rglob("*") if path.is_file() and (path.suffix == ".key" or path.name.endswith(".keys"))]
            assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
            secrets.append({path.name: path.read_bytes() for path in made})
    one, two = secrets
    assert set(one) == set(two) != set()
    assert [name for name in one if one[name] == two[name]] == []
    spelled = re.compile(
        r"\bdwo?_[A-Za-z0-9_-]{16,}|BEGIN (?:EC |RSA )?PRIVATE KEY|(?i:password|secret)\w* *[:=] *[\"'][^\"'{}$ ]{8,}[\"']"
    )
    found = [(path.name, match[0]) for path in (ROOT / "src").rglob("*.py") for match in spelled.finditer(path.read_text("utf-8"))]
    assert found == []


def test_an_address_that_begins_sign_ins_without_end_waits_and_others_do_not(corp: Company) -> None:
    eager, ada = corp.person("vic"), corp.person("ada")
    eager.browser.stops_at = (corp.provider.issuer,)
    assert 429 in [eager.browser.get(f"{corp.url}/signin").status for _ in range(20)]
    assert ada.comes().status == 200


def test_the_certificate_of_the_door_is_replaced_while_people_work(witness: Witness, tmp_path: Path) -> None:
    with company(tmp_path, witness) as corp:
        ada = corp.signed_in("ada")
        root = authority("another root")
        corp.ca_file.write_text(corp.ca_file.read_text() + root.pem)
        before = served(corp)
        server(root).written(tmp_path, "operators")
        until(lambda: served(corp) != before)
        ada.gets("agent", "list")
        (tmp_path / "operators.pem").write_text("no certificate")
        until(lambda: "operators.pem" in corp.running.journal.read_text())
        ada.gets("agent", "list")


def served(corp: Company) -> str:
    """The certificate that the door shows now (PEM)."""
    return ssl.get_server_certificate(("localhost", urlsplit(corp.url).port or 0))
