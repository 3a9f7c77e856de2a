"""Personal data: how much of each sort is found in texts with labelled places, how much is found besides, and how often in benign texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.detect.port import Family, Goal, Row, counted, rows
from doorward.domain.findings import Finding, Severity
from doorward.inspection.guards.pii import Pii
from doorward.inspection.view import Carrier, View
from tests.made import call

ROOM = "personal"
PROMISED = 0.99
MOST_FALSE = 0.01

LABELS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "US_SSN": "us_ssn",
    "IP_ADDRESS": "ip_address",
    "US_DRIVER_LICENSE": "driving_licence",
}
"""Labels of the texts, and the rules that are about them. Of dates, only those of birth are looked for; names and addresses are not."""

RECOGNIZERS = {
    "au_abn": "au_abn",
    "au_medicare": "au_medicare",
    "au_tfn": "au_tfn",
    "credit_card": "card",
    "crypto": "crypto_address",
    "de_social_security": "de_pension_number",
    "de_tax_id": "de_tax_id",
    "email": "email",
    "es_nie": "es_dni",
    "es_nif": "es_dni",
    "fi_personal_identity_code": "fi_hetu",
    "iban": "iban",
    "in_aadhaar": "in_aadhaar",
    "in_pan": "in_pan",
    "ip": "ip_address",
    "it_fiscal_code": "it_codice_fiscale",
    "kr_rrn": "kr_rrn",
    "pl_pesel": "pl_pesel",
    "se_personnummer": "se_personnummer",
    "sg_fin": "sg_nric",
    "th_tnin": "th_national_id",
    "tr_national_id": "tr_national_id",
    "uk_driving_licence": "gb_driver_number",
    "uk_nhs": "gb_nhs_number",
    "uk_nino": "gb_nino",
    "us_itin": "us_itin",
    "us_mbi": "us_medicare",
    "us_npi": "us_npi",
    "us_ssn": "us_ssn",
    "us_passport": "passport",
    "za_id_number": "za_id_number",
    "aba_routing": "us_routing_number",
    "ca_sin": "ca_sin",
    "de_id_card": "de_identity_card",
    "de_health_insurance": "de_health_number",
    "phone": "phone",
}
"""Unit cases of another project's recognizers, by recognizer, and the rules that are about the same."""

WEAK = frozenset(
    {
        *("gb_nhs_number", "pl_pesel", "th_national_id", "za_id_number", "us_npi", "us_routing_number", "passport", "ca_sin"),
        *("de_health_number", "de_identity_card", "au_abn", "au_tfn", "au_medicare"),
    }
)
"""Numbers that are believed for the words near them: a case of the bare number is not meant to be found."""


def families() -> Iterator[Family]:
    """What was promised first: of what is there how much is found, of what is found how much is there."""
    guard = Pii()
    spans = [(row, _found(guard, row["text"])) for row in rows("pii_spans.jsonl")]
    for label, rule in LABELS.items():
        there = [_is_found(span, rule, found) for row, found in spans for span in row["spans"] if span[2] == label]
        told = [_is_there(finding, label, row) for row, found in spans for finding in found if finding.rule == rule]
        yield counted(ROOM, f"{rule}: recall", there, Goal.AT_LEAST, PROMISED)
        yield counted(ROOM, f"{rule}: precision", told, Goal.AT_LEAST, PROMISED)
    cases = [(RECOGNIZERS[name], row) for row in rows("pii_recognizer_cases.jsonl") if (name := _recognizer(row)) in RECOGNIZERS]
    for is_weak, name in ((False, "unit cases"), (True, "unit cases of numbers that ask for words near them")):
        own = [(bool(row["expected"]), _has(guard, rule, row["text"])) for rule, row in cases if (rule in WEAK) is is_weak]
        yield counted(ROOM, f"{name}: found of those that are meant", (has for is_meant, has in own if is_meant))
        yield counted(ROOM, f"{name}: found of those that are not", (has for is_meant, has in own if not is_meant))
    for file in ("benign_tool_output", "benign_tool_description", "benign_free_text"):
        high = (any(finding.severity is Severity.HIGH for finding in _found(guard, row["text"])) for row in rows(f"{file}.jsonl"))
        yield counted(ROOM, f"{file}: something that would be masked", high, Goal.AT_MOST, MOST_FALSE)


def _found(guard: Pii, text: str) -> tuple[Finding, ...]:
    return guard.look(View(Carrier.RESPONSE, call(), {"content": [{"type": "text", "text": text}]}))


def _has(guard: Pii, rule: str, text: str) -> bool:
    return any(finding.rule == rule for finding in _found(guard, text))


def _recognizer(row: Row) -> str:
    return str(row["recognizer"]).removesuffix("_recognizer")


def _is_found(span: list[Any], rule: str, found: tuple[Finding, ...]) -> bool:
    """Whether all of a labelled place is told, as this."""
    start, end, _ = span
    return any(finding.rule == rule and finding.start <= start and end <= finding.end for finding in found)


def _is_there(finding: Finding, label: str, row: Row) -> bool:
    return any(kind == label and finding.start < end and start < finding.end for start, end, kind in row["spans"])
