"""Numbers by which American states know people, with the checks that their registrars document."""

from doorward.domain.findings import Severity
from doorward.inspection.personal.checksums import digits, luhn, weighted
from doorward.inspection.personal.rule import Rule, words

_CURP = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
_FAMOUS = frozenset({"078051120", "219099999"})
"""Printed on a wallet's card and in a leaflet (SSA), and withdrawn."""


def is_ssn(text: str) -> bool:
    """Social Security number (SSA): no area 000, 666 or 9xx, no group 00, no serial 0000."""
    number = digits(text)
    is_given = number[:3] not in {"000", "666"} and number[0] != "9" and number[3:5] != "00" and number[5:] != "0000"
    return is_given and number not in _FAMOUS and len(set(number)) > 1


def is_itin(text: str) -> bool:
    """Individual Taxpayer Identification number (IRS): the groups that are given out."""
    group = int(digits(text)[3:5])
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99


def is_npi(text: str) -> bool:
    """National Provider Identifier (CMS): Luhn with 80840 in front."""
    return luhn("80840" + digits(text))


def is_sin(text: str) -> bool:
    """Social Insurance number of Canada: Luhn."""
    number = digits(text)
    return number[0] not in "08" and luhn(number)


def is_cpf(text: str) -> bool:
    """CPF of Brazil: two check digits, modulus 11."""
    number = digits(text)
    is_first = weighted(number[:9], range(10, 1, -1)) * 10 % 11 % 10 == int(number[9])
    return len(set(number)) > 1 and is_first and weighted(number[:10], range(11, 1, -1)) * 10 % 11 % 10 == int(number[10])


def is_cnpj(text: str) -> bool:
    """CNPJ of Brazil: two check digits, modulus 11."""
    number = digits(text)
    first, second = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    is_first = weighted(number[:12], first) * 10 % 11 % 10 == int(number[12])
    return len(set(number)) > 1 and is_first and weighted(number[:13], second) * 10 % 11 % 10 == int(number[13])


def is_curp(text: str) -> bool:
    """CURP of Mexico: weights 18 to 2, modulus 10."""
    total = sum(_CURP.index(letter) * (18 - place) for place, letter in enumerate(text[:17]))
    return (10 - total % 10) % 10 == int(text[17])


def is_cuit(text: str) -> bool:
    """CUIT and CUIL of Argentina: modulus 11."""
    number = digits(text)
    return (11 - weighted(number[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(number[10])


def is_rut(text: str) -> bool:
    """RUT of Chile: modulus 11, where 10 is a K."""
    number, check = digits(text[:-2]), text[-1].upper()
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(number)))
    return "0123456789K0"[11 - total % 11] == check


def is_licence(text: str) -> bool:
    """A number of a driver's licence of some state: mostly digits."""
    return len(digits(text)) >= 5


_SSN = words("ssn", "social security", "social", "soc sec", "taxpayer")
_MBI_LETTER = "AC-HJKMNP-RT-Y"
_MBI = rf"[1-9][{_MBI_LETTER}][0-9{_MBI_LETTER}]\d-?[{_MBI_LETTER}][0-9{_MBI_LETTER}]\d-?[{_MBI_LETTER}]{{2}}\d{{2}}"

_HIGH = Severity.HIGH

RULES = (
    Rule("us_ssn", _HIGH, "us", r"\d{3}-\d{2}-\d{4}", is_ssn),
    Rule("us_ssn", _HIGH, "us", r"\d{3}[ .]?\d{2}[ .]?\d{4}", is_ssn, _SSN),
    Rule("us_itin", _HIGH, "us", r"9\d{2}-\d{2}-\d{4}", is_itin),
    Rule("us_itin", _HIGH, "us", r"9\d{2}[ \-]?\d{2}[ \-]?\d{4}", is_itin, words("itin", "taxpayer", "tax id", "ssn")),
    Rule("us_medicare", _HIGH, "us", _MBI),
    Rule("us_npi", Severity.LOW, "us", r"[12]\d{9}", is_npi, words("npi", "provider identifier", "national provider")),
    Rule(
        "driving_licence",
        Severity.MEDIUM,
        "",
        r"[A-Z]{0,3}\d[A-Z0-9]{4,16}|\d{4}-\d{2}-\d{4}",
        is_licence,
        words(
            "driver license",
            "driving license",
            "driver licence",
            "driving licence",
            "drivers license",
            "drivers licence",
            "driver's license",
            "driver's licence",
            "license number",
            "licence number",
            "führerschein",
            "patente",
        ),
    ),
    Rule("ca_sin", _HIGH, "ca", r"\d{3}[ \-]?\d{3}[ \-]?\d{3}", is_sin, words("sin", "social insurance", "nas")),
    Rule("br_cpf", _HIGH, "br", r"\d{3}\.\d{3}\.\d{3}-\d{2}", is_cpf),
    Rule("br_cpf", _HIGH, "br", r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", is_cpf, words("cpf", "contribuinte", "cadastro")),
    Rule("br_cnpj", Severity.MEDIUM, "br", r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", is_cnpj),
    Rule("mx_curp", _HIGH, "mx", r"[A-Z][AEIOUX][A-Z]{2}\d{2}[01]\d[0-3]\d[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z]\d", is_curp),
    Rule("ar_cuit", _HIGH, "ar", r"(?:20|2[347]|3[034])-\d{8}-\d", is_cuit),
    Rule("cl_rut", _HIGH, "cl", r"\d{1,2}\.\d{3}\.\d{3}-[0-9Kk]", is_rut),
)
