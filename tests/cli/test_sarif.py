"""Findings as SARIF: the shape that the standard requires, names that can be found again, and levels that say how bad it is."""

import json

import jsonschema_rs

from doorward.catalog.poison.found import Found, Rule
from doorward.catalog.suspicions import Suspicion
from doorward.cli.sarif import FINGERPRINT, TEXTS, sarif
from doorward.domain.catalog import Kind
from doorward.domain.findings import Severity
from doorward.domain.ids import UpstreamId

MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
REQUIRED = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {
                                                "id": {"type": "string"},
                                                "name": {"type": "string"},
                                                "shortDescription": MESSAGE,
                                            },
                                            "additionalProperties": False,
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message"],
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": -1},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": MESSAGE,
                                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "properties": {
                                                    "artifactLocation": {"type": "object", "properties": {"uri": {"type": "string"}}}
                                                },
                                                "anyOf": [{"required": ["address"]}, {"required": ["artifactLocation"]}],
                                            },
                                            "logicalLocations": {
                                                "type": "array",
                                                "uniqueItems": True,
                                                "items": {
                                                    "type": "object",
                                                    "properties": {
                                                        "name": {"type": "string"},
                                                        "fullyQualifiedName": {"type": "string"},
                                                        "kind": {"type": "string"},
                                                    },
                                                    "additionalProperties": False,
                                                },
                                            },
                                        },
                                        "additionalProperties": False,
                                    },
                                },
                            },
                            "additionalProperties": False,
                        },
                    },
                },
            },
        },
    },
}
"""What the schema of SARIF 2.1.0 (OASIS) requires of the parts that are written here."""

KEY = (UpstreamId("evil"), Kind.TOOL, "add")


def test_every_rule_is_described() -> None:
    assert set(TEXTS) == set(Rule)


def test_a_log_has_the_shape_that_the_standard_requires_and_says_where_each_finding_is() -> None:
    found = [Suspicion(KEY, Found(rule, severity, "/description", "“x”")) for rule in Rule for severity in Severity]
    made = sarif(found, "tools.json")
    jsonschema_rs.validate(REQUIRED, made)
    run = made["runs"][0]
    assert all(run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])
    assert run["results"][2]["level"] == "error"
    assert run["results"][2]["locations"] == [
        {
            "logicalLocations": [{"name": "add", "fullyQualifiedName": "evil/tool/add#/description", "kind": "member"}],
            "physicalLocation": {"artifactLocation": {"uri": "tools.json"}},
        }
    ]


def test_a_finding_has_the_same_fingerprint_however_bad_it_is_and_another_one_elsewhere() -> None:
    places = [("/a", Severity.LOW), ("/a", Severity.HIGH), ("/b", Severity.LOW)]
    made = sarif(Suspicion(KEY, Found(Rule.ORDER, severity, pointer, "x")) for pointer, severity in places)
    first, second, third = (one["partialFingerprints"][FINGERPRINT] for one in made["runs"][0]["results"])
    assert first == second != third


def test_names_that_cannot_be_seen_are_made_visible() -> None:
    made = sarif([Suspicion((KEY[0], Kind.TOOL, "a\u200bb"), Found(Rule.ORDER, Severity.LOW, "", "x"))])
    assert "⟨U+200B⟩" in json.dumps(made, ensure_ascii=False)
    assert "\u200b" not in json.dumps(made, ensure_ascii=False)
