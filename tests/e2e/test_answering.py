"""People who answer, at a running gateway of a company: one, two of several, a no, other arguments, and what becomes of a question meanwhile."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import REVISIONS, Client, Json, Said
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events, of_call
from tests.e2e.oauth import issuer
from tests.e2e.operating import GROUPS, Company, Person, company
from tests.e2e.served import issuing
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, http_upstream, start, stop, write_config

pytestmark = pytest.mark.peer

POLICIES = (
    PERMIT_ALL
    + """
@id("one-looks")
@reason("Somebody of finance looks at this.")
@approval("finance")
forbid (principal, action == Action::"books/echo", resource);

@id("two-look")
@reason("Two people of finance look at this.")
@approval("2 of finance")
forbid (principal, action == Action::"books/other", resource);

@id("no-fraud")
@reason("Nobody sends fraud.")
forbid (principal, action in [Action::"books/echo", Action::"books/other"], resource)
when { context.input has mark && context.input.mark like "*fraud*" };

@id("web-looks")
@reason("The web team looks at what is for the web.")
@approval("web")
forbid (principal, action == Action::"books/echo", resource)
when { context.input has mark && context.input.mark like "*web*" };
"""
)


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


@pytest.fixture(scope="module")
def corp(witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company whose callers wait for nobody."""
    with company(tmp_path_factory.mktemp("answering"), witness, POLICIES) as made:
        yield made


@pytest.fixture(scope="module")
def people(corp: Company) -> dict[str, Person]:
    """Everybody, signed in."""
    return {name: corp.signed_in(name) for name in ("ada", "olga", "ines", "aud", "vic")}


def call(corp: Company, tool: str, mark: str, revision: str = REVISIONS[-1]) -> Said:
    """One call."""
    with Client(corp.running.url("books"), corp.running.key(), revision) as client:
        return client.call(tool, {"mark": mark})


def question(corp: Company, tool: str, mark: str) -> str:
    """A call that has to be answered; gives what it is called."""
    said = call(corp, tool, mark)
    assert said.reason == "pending", said
    return next(one["id"] for one in asked(corp.running, "approval", "list")["approvals"] if one["id"] in said.text)


def shown(corp: Company, approval: str) -> Json:
    """A question as it stands."""
    return dict(asked(corp.running, "approval", "show", approval))


def answers(person: Person, corp: Company, approval: str, word: str = "approve", *more: str) -> tuple[int, str]:
    """One answer at the command line, to what stands there now."""
    return person.tells("approval", word, approval, "--digest", shown(corp, approval)["digest"], *more)


@pytest.mark.parametrize("revision", REVISIONS)
def test_two_different_people_must_say_yes_and_the_receipt_names_both(
    corp: Company, people: dict[str, Person], witness: Witness, revision: str
) -> None:
    mark = f"two in {revision}"
    approval = question(corp, "other", mark)
    code, said = answers(people["ines"], corp, approval)
    assert (code, "still needed: 1 more of finance" in said) == (0, True), said
    code, said = answers(people["ines"], corp, approval)
    assert (code, call(corp, "other", mark, revision).reason) == (1, "pending"), said
    code, said = answers(people["olga"], corp, approval)
    assert (code, "is approved" in said) == (0, True), said
    ran = call(corp, "other", mark, revision)
    assert (ran.reason, witness.marks().count(mark)) == ("", 1)
    intent = of_call(corp.running.directory / "state", ran.receipt)[0]
    assert (intent["approval"]["id"], people_of(intent)) == (approval, {"corp:ines", "corp:olga"})
    kinds = [kind for kind in ("approval_yes", "approval_granted") if any(e["fields"]["approval"] == approval for e in log(corp, kind))]
    assert kinds == ["approval_yes", "approval_granted"]
    assert call(corp, "other", mark, revision).reason == "pending"


def people_of(intent: Json) -> set[str]:
    """By whose yes a call was made."""
    return set(intent["approval"]["by"].split(", "))


def log(corp: Company, kind: str) -> list[Json]:
    """The leaves of one type."""
    return events(corp.running.directory / "state", kind)


def test_one_no_is_enough_and_takes_back_an_unused_yes(corp: Company, people: dict[str, Person], witness: Witness) -> None:
    approval = question(corp, "other", "rejected")
    assert answers(people["ines"], corp, approval)[0] == 0
    assert answers(people["olga"], corp, approval, "reject", "--note", "not today")[0] == 0
    assert call(corp, "other", "rejected").reason == "rejected"
    taken = question(corp, "echo", "taken back")
    assert answers(people["ines"], corp, taken)[0] == 0
    assert answers(people["ines"], corp, taken, "reject")[0] == 0
    assert call(corp, "echo", "taken back").reason == "rejected"
    assert {"rejected", "taken back"}.isdisjoint(witness.marks())


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_edited_call_runs_with_the_edited_argument_and_the_caller_is_told(
    corp: Company, people: dict[str, Person], witness: Witness, revision: str
) -> None:
    mark = f"as asked in {revision}"
    approval = question(corp, "echo", mark)
    code, said = people["ines"].tells(
        "approval", "approve", approval, "--digest", shown(corp, approval)["digest"], "--set", f"/mark=less in {revision}"
    )
    assert (code, "is approved" in said) == (0, True), said
    ran = call(corp, "echo", mark, revision)
    assert (ran.reason, f"less in {revision}" in ran.text, ran.result["_meta"]["dev.doorward/edited"]) == ("", True, True)
    assert (mark in witness.marks(), f"less in {revision}" in witness.marks()) == (False, True)
    assert of_call(corp.running.directory / "state", ran.receipt)[0]["approval"]["edited"] is True


def test_an_edit_into_what_policy_denies_or_asks_others_about_gets_nothing_through(
    corp: Company, people: dict[str, Person], witness: Witness
) -> None:
    approval = question(corp, "echo", "harmless")
    for mark in ("a fraud", "for the web"):
        code, said = answers(people["ines"], corp, approval, "approve", "--set", f"/mark={mark}")
        assert code == 1, (mark, said)
    for edit in ("/unknown=1", "/mark=[1]"):
        assert answers(people["ines"], corp, approval, "approve", "--set", edit)[0] == 1, edit
    assert call(corp, "echo", "harmless").reason == "pending"
    # Policy may become stricter after the edit was approved: the call is authorized again when it is made.
    assert answers(people["ines"], corp, approval, "approve", "--set", "/mark=thefts")[0] == 0
    corp.change(GROUPS, POLICIES.replace('like "*fraud*"', 'like "*thefts*"'))
    try:
        refused = call(corp, "echo", "harmless")
        assert (refused.reason, "thefts" in witness.marks(), "harmless" in witness.marks()) == ("forbidden", False, False)
        assert "approve" in refused.text or "edited" in refused.text, refused.text
    finally:
        corp.change(GROUPS, POLICIES)


def test_an_edit_voids_the_yes_of_others_and_old_digests_answer_nothing(corp: Company, people: dict[str, Person], witness: Witness) -> None:
    approval = question(corp, "other", "first")
    before = shown(corp, approval)["digest"]
    assert answers(people["ines"], corp, approval)[0] == 0
    code, said = answers(people["olga"], corp, approval, "approve", "--set", "/mark=second")
    assert (code, "still needed: 1 more of finance" in said) == (0, True), said
    assert people["ines"].tells("approval", "approve", approval, "--digest", before)[0] == 1
    assert answers(people["ines"], corp, approval)[0] == 0
    assert call(corp, "other", "first").reason == ""
    assert ("first" in witness.marks(), "second" in witness.marks()) == (False, True)


def test_an_unrelated_policy_may_change_while_a_question_waits_and_the_one_that_asks_may_not(
    corp: Company, people: dict[str, Person], witness: Witness
) -> None:
    approval = question(corp, "echo", "patient")
    try:
        corp.change(GROUPS, POLICIES + '@id("more")\n@reason("Of others.")\nforbid (principal, action == Action::"up/echo", resource);\n')
        assert answers(people["ines"], corp, approval)[0] == 0
        assert call(corp, "echo", "patient").reason == ""
        again = question(corp, "echo", "impatient")
        assert answers(people["ines"], corp, again)[0] == 0
        corp.change(GROUPS, POLICIES.replace("Somebody of finance looks at this.", "Somebody of finance looks at this with care."))
        assert question(corp, "echo", "impatient") != again
    finally:
        corp.change(GROUPS, POLICIES)
    assert (witness.marks().count("patient"), witness.marks().count("impatient")) == (1, 0)


def test_of_many_answers_at_once_each_counts_once_and_no_more_are_needed_than_are(
    corp: Company, people: dict[str, Person], witness: Witness
) -> None:
    """Commands as processes, from several computers at the same time."""
    approval = question(corp, "other", "at once")
    digest = shown(corp, approval)["digest"]
    heard: list[tuple[str, int, str]] = []

    def answer(name: str) -> None:
        heard.append((name, *people[name].runs("approval", "approve", approval, "--digest", digest, "--url", corp.url)))

    threads = [threading.Thread(target=answer, args=(name,)) for name in ("ines", "olga", "ada", "ines", "vic", "aud")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    counted = [name for name, code, _ in heard if code == 0]
    assert len(counted) == len(set(counted)) == 2, heard
    assert set(counted) <= {"ines", "olga", "ada"}
    ran = call(corp, "other", "at once")
    intent = of_call(corp.running.directory / "state", ran.receipt)[0]
    assert people_of(intent) == {f"corp:{name}" for name in counted}
    assert witness.marks().count("at once") == 1


ROLES: list[tuple[tuple[str, ...], set[str]]] = [
    (("approval", "list"), {"ada", "olga", "ines", "aud", "vic"}),
    (("policy", "list"), {"ada", "olga", "ines", "aud", "vic"}),
    (("policy", "history"), {"ada", "olga", "ines", "aud", "vic"}),
    (("policy", "diff"), {"ada", "olga", "ines", "aud", "vic"}),
    (("policy", "observed"), {"ada", "olga", "ines", "aud", "vic"}),
    (("policy", "explain", "--agent", "tester", "--tool", "books/echo"), {"ada", "olga", "ines", "aud", "vic"}),
    (("exception", "list"), {"ada", "olga", "ines", "aud", "vic"}),
    (("break-glass", "list"), {"ada", "olga", "ines", "aud", "vic"}),
    (("policy", "explain", "--receipt", "RECEIPT"), {"ada", "olga", "ines", "aud"}),
    (("policy", "replay", "POLICY"), {"ada", "olga", "ines", "aud"}),
    (("exception", "add", "tester", "books/stream", "--for", "1m", "--reason", "for a minute"), {"ada"}),
    (("break-glass", "open", "tester", "--for", "1m", "--reason", "It burns, really.", "--yes"), set()),
    (("policy", "rollback", "0" * 64, "--reason", "no such"), set()),
]
"""Commands, and for whom they succeed."""


def test_the_table_of_roles_holds_at_the_command_line(corp: Company, people: dict[str, Person]) -> None:
    corp.change(GROUPS, POLICIES + "// once more\n")
    corp.change(GROUPS, POLICIES)
    receipt = call(corp, "echo", "roles").receipt
    places = {"RECEIPT": receipt, "POLICY": str(corp.running.directory / "policy.cedar")}
    for words, may in ROLES:
        line = [places.get(word, word) for word in words]
        heard = {name: person.tells(*line) for name, person in people.items()}
        assert {name for name, (code, _) in heard.items() if code == 0} == may, (words, heard)
    # Who may not roll back is told so; who may, that there is nothing of this digest.
    rolled = {name: person.tells("policy", "rollback", "0" * 64, "--reason", "no such")[1] for name, person in people.items()}
    assert [name for name, said in rolled.items() if "is kept" in said] == ["ada"], rolled


def test_a_question_and_each_single_yes_outlive_kills(tmp_path: Path, witness: Witness) -> None:
    document = {"upstreams": {"books": http_upstream(witness.url)}, "approvals": {"wait_seconds": 0}}
    write_config(tmp_path, document, POLICIES)
    first = start(tmp_path)
    key = first.key()

    def reason(running: Running) -> str:
        with Client(running.url("books"), key) as client:
            return client.call("other", {"mark": "killed"}).reason

    assert reason(first) == "pending"
    [approval] = asked(first, "approval", "list")["approvals"]
    first.kill()
    second = start(tmp_path)
    digest = asked(second, "approval", "show", approval["id"])["digest"]
    assert "still needed: 1 more of finance" in ordered(second, "approval", "approve", approval["id"], "--digest", digest)
    second.kill()
    third = start(tmp_path)
    try:
        # The yes of before the kill is still there: the same person does not count again.
        assert told(third, "approval", "approve", approval["id"], "--digest", digest)[0] == 1
        [waits] = asked(third, "approval", "list")["approvals"]
        assert (waits["id"], waits["state"], reason(third)) == (approval["id"], "pending", "pending")
        ordered(third, "approval", "reject", approval["id"], "--digest", digest)
        assert (reason(third), "killed" in witness.marks()) == ("rejected", False)
    finally:
        assert stop(third) == 0


def test_a_call_runs_once_although_the_gateway_is_killed_before_the_answer_and_before_the_retry(tmp_path: Path, witness: Witness) -> None:
    write_config(tmp_path, {"upstreams": {"books": http_upstream(witness.url)}, "approvals": {"wait_seconds": 0}}, POLICIES)
    running = start(tmp_path)
    key = running.key()

    def reason() -> str:
        with Client(running.url("books"), key) as client:
            return client.call("echo", {"mark": "twice killed"}).reason

    assert reason() == "pending"
    running.kill()
    running = start(tmp_path)
    [approval] = asked(running, "approval", "list")["approvals"]
    digest = asked(running, "approval", "show", approval["id"])["digest"]
    ordered(running, "approval", "approve", approval["id"], "--digest", digest)
    running.kill()
    running = start(tmp_path)
    try:
        assert [reason(), reason()] == ["", "pending"]
        assert witness.marks().count("twice killed") == 1
    finally:
        assert stop(running) == 0


def test_nobody_approves_what_an_agent_asks_for_them_whoever_issued_its_token(
    corp: Company, people: dict[str, Person], witness: Witness
) -> None:
    """The agent acts for ines, as another issuer says: ines of the company cannot be told from her."""
    before = dict(corp.document["identity"])
    with issuing() as other:
        rule = {"issuer": "other", "client": "agent", "agent": "helper", "team": "machines", "owner": "platform"}
        trusted = issuer(other.url, scopes={"use": ["mcp"]})
        corp.document["identity"] = {**before, "issuers": {**before["issuers"], "other": trusted}, "enrol": [*before["enrol"], rule]}
        corp.change(GROUPS, POLICIES)
        try:
            token = other.access_token(corp.running.url("books"), sub="ines")
            with Client(corp.running.url("books"), token) as client:
                said = client.call("echo", {"mark": "for ines"})
                assert said.reason == "pending", said
                approval = next(one for one in asked(corp.running, "approval", "list")["approvals"] if one["id"] in said.text)
                assert approval["subject"] == "other:ines"
                assert answers(people["ines"], corp, approval["id"])[0] == 1
                assert client.call("echo", {"mark": "for ines"}).reason == "pending"
                assert answers(people["olga"], corp, approval["id"])[0] == 0
                assert client.call("echo", {"mark": "for ines"}).reason == ""
        finally:
            corp.document["identity"] = before
            corp.change(GROUPS, POLICIES)
    assert witness.marks().count("for ines") == 1


def test_what_json_says_is_json(corp: Company) -> None:
    corp.running.key()
    for words in (
        ("approval", "list"),
        ("exception", "list"),
        ("break-glass", "list"),
        ("policy", "list"),
        ("policy", "history"),
        ("policy", "observed"),
        ("policy", "diff", str(corp.running.directory / "policy.cedar")),
        ("policy", "replay", str(corp.running.directory / "policy.cedar")),
        ("policy", "explain", "--agent", "tester", "--tool", "books/echo"),
    ):
        assert isinstance(asked(corp.running, *words), dict), words
    config = str(corp.running.directory / "doorward.yaml")
    for what in ("lint", "test"):
        assert isinstance(json.loads(told(None, "policy", what, "-c", config, "--json")[1]), dict), what
