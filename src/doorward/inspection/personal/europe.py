"""Numbers by which European states know people, with the check digits that their registrars document."""

from doorward.domain.findings import Severity
from doorward.inspection.personal.checksums import (
    digits,
    ean,
    is_date,
    is_day,
    luhn,
    machine_readable,
    mod_11_10,
    verhoeff,
    weighted,
)
from doorward.inspection.personal.rule import Rule, words

_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_PPS = "WABCDEFGHIJKLMNOPQRSTUV"
_CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
"""What the letters from A on count in odd places; digits count as the first ten."""
_OMOCODIA = str.maketrans("LMNPQRSTUV", "0123456789")


def is_nhs(text: str) -> bool:
    """NHS number (NHS Data Dictionary): modulus 11."""
    number = digits(text)
    check = 11 - weighted(number[:9], range(10, 1, -1)) % 11
    return len(set(number)) > 1 and check != 10 and check % 11 == int(number[9])


def is_nino(text: str) -> bool:
    """National Insurance number: prefixes that HMRC does not allocate are none."""
    return text[:2].upper() not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


def is_driver(text: str) -> bool:
    """Driver number (DVLA): five letters of the name, a day of birth within digits (women's months begin at 51), initials."""
    number = text.upper()
    year, month, day = number[5] + number[10], int(number[6:8]) % 50, number[8:10]
    return number[:5].rstrip("9").isalpha() and 1 <= month <= 12 and is_day(day, str(month), year)


def is_steuer_id(text: str) -> bool:
    """Steuerliche Identifikationsnummer: one of its first ten digits occurs twice or thrice, the others once; MOD 11,10."""
    number = digits(text)
    often = sorted(number[:10].count(digit) for digit in set(number[:10]))
    return number[0] != "0" and often[-1] in {2, 3} and often[-2:-1] != [often[-1]] and often[-2] == 1 and mod_11_10(number)


def is_checked(text: str) -> bool:
    """Its check digit alone, where it is said what it is."""
    return mod_11_10(digits(text))


def is_pension(text: str) -> bool:
    """Versicherungsnummer of the pension insurance: a day of birth, and the weighted sum of digits of digits."""
    letter = f"{ord(text[8].upper()) - 64:02d}"
    number = text[:8] + letter + text[9:11]
    total = sum(sum(divmod(int(digit) * weight, 10)) for digit, weight in zip(number, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True))
    return 1 <= int(text[4:6]) <= 12 and int(text[2:4]) % 50 <= 31 and total % 10 == int(text[11])


def is_health_insured(text: str) -> bool:
    """Krankenversichertennummer: its letter as two digits, weights 1 and 2."""
    number = f"{ord(text[0].upper()) - 64:02d}" + text[1:9]
    return sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(number)) % 10 == int(text[9])


def is_identity_card(text: str) -> bool:
    """The number of a German card or passport, with its check digit or without."""
    return machine_readable(text) if len(text) == 10 else len(digits(text)) >= 3


def is_nir(text: str) -> bool:
    """Numéro de sécurité sociale (INSEE): the complement to 97; Corsica's letters stand for 19 and 18."""
    plain = "".join(letter for letter in text.upper() if letter.isalnum())
    number = int(plain[:13].replace("2A", "19").replace("2B", "18"))
    month = int(plain[3:5])
    return (1 <= month <= 12 or 20 <= month <= 42 or month >= 50) and 97 - number % 97 == int(plain[13:])


def is_dni(text: str) -> bool:
    """DNI and NIE: the letter of the remainder by 23."""
    plain = "".join(letter for letter in text.upper() if letter.isalnum())
    return _DNI[int(plain[:-1].translate(str.maketrans("XYZ", "012"))) % 23] == plain[-1]


def is_codice(text: str) -> bool:
    """Codice fiscale: odd places through a table, even ones as they are, modulus 26."""
    plain = text.upper()
    even = sum(int(letter) if letter.isdigit() else ord(letter) - 65 for letter in plain[1:15:2])
    day = int(plain[9:11].translate(_OMOCODIA))
    is_born = 1 <= day <= 31 or 41 <= day <= 71
    return (
        is_born
        and chr(
            65 + (even + sum(_CODICE_ODD[int(letter, 36) % 10 if letter.isdigit() else ord(letter) - 65] for letter in plain[0:15:2])) % 26
        )
        == plain[15]
    )


def is_pesel(text: str) -> bool:
    """PESEL: the century is in the month."""
    month = int(text[2:4])
    century = (1900, 2000, 2100, 2200, 1800)[month // 20]
    is_born = is_date(century + int(text[:2]), month % 20, int(text[4:6]))
    return is_born and weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_bsn(text: str) -> bool:
    """Burgerservicenummer: the eleven-test."""
    number = digits(text)
    return number.strip("0") != "" and weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_personnummer(text: str) -> bool:
    """Personnummer and samordningsnummer (the day plus 60): Luhn over ten digits."""
    number = digits(text)[-10:]
    return is_day(str(int(number[4:6]) % 60), number[2:4], number[:2]) and luhn(number)


def is_hetu(text: str) -> bool:
    """Henkilötunnus: a day of birth, and the remainder by 31."""
    number = int(text[:6] + text[7:10])
    return is_day(text[:2], text[2:4], text[4:6]) and int(text[7:10]) >= 2 and _HETU[number % 31] == text[10].upper()


def is_cpr(text: str) -> bool:
    """CPR number: a day of birth; newer ones have no check digit."""
    return is_day(text[:2], text[2:4], text[4:6])


def is_fodselsnummer(text: str) -> bool:
    """Fødselsnummer and D-number: a day of birth and two check digits."""
    number = digits(text)
    first = weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return is_day(str(int(number[:2]) % 40), str(int(number[2:4]) % 40), number[4:6]) and first == 0 == second


def is_belgian(text: str) -> bool:
    """Numéro national: the complement to 97, since 2000 with a 2 in front."""
    number = digits(text)
    head, check = number[:9], int(number[9:])
    is_born = int(number[2:4]) % 20 <= 12 and int(number[4:6]) <= 31
    return is_born and check in {97 - int(head) % 97, 97 - int("2" + head) % 97}


def is_ahv(text: str) -> bool:
    """AHV-Nummer: an EAN-13 of country 756."""
    return ean(digits(text))


def is_svnr(text: str) -> bool:
    """Sozialversicherungsnummer of Austria: the fourth digit checks the others."""
    number = digits(text)
    return weighted(number, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == int(number[3])


def is_nif(text: str) -> bool:
    """Número de identificação fiscal: modulus 11."""
    check = 11 - weighted(text[:8], range(9, 1, -1)) % 11
    return (0 if check >= 10 else check) == int(text[8])


def is_pps(text: str) -> bool:
    """PPS number: the remainder by 23, with the second letter where there is one."""
    plain = text.upper()
    second = _PPS.index(plain[8]) * 9 if len(plain) == 9 else 0
    return _PPS[(weighted(plain[:7], range(8, 1, -1)) + second) % 23] == plain[7]


def is_rodne(text: str) -> bool:
    """Rodné číslo: a day of birth (women's months plus 50), divisible by 11."""
    number = digits(text)
    is_born = 1 <= int(number[2:4]) % 50 % 20 <= 12 and 1 <= int(number[4:6]) <= 31
    return is_born and (len(number) == 9 or int(number) % 11 == 0 or int(number[:9]) % 11 % 10 == int(number[9]))


def is_egn(text: str) -> bool:
    """EGN of Bulgaria: the century is in the month; modulus 11."""
    month = int(text[2:4]) % 20
    return 1 <= month <= 12 and weighted(text[:9], (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(text[9])


def is_cnp(text: str) -> bool:
    """CNP of Romania: a day of birth; modulus 11."""
    check = weighted(text[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return is_day(text[5:7], text[3:5], text[1:3]) and (1 if check == 10 else check) == int(text[12])


def is_baltic(text: str) -> bool:
    """Isikukood of Estonia and asmens kodas of Lithuania: a day of birth; two rounds of modulus 11."""
    check = weighted(text[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(text[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return is_day(text[5:7], text[3:5], text[1:3]) and check == int(text[10])


def is_amka(text: str) -> bool:
    """AMKA of Greece: a day of birth; Luhn."""
    return is_day(text[:2], text[2:4], text[4:6]) and luhn(text)


def is_emso(text: str) -> bool:
    """EMŠO and JMBG of the countries that were Yugoslavia: a day of birth; modulus 11."""
    check = 11 - weighted(text[:12], (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return 1 <= int(text[:2]) <= 31 and 1 <= int(text[2:4]) <= 12 and check != 10 and check % 11 == int(text[12])


def is_snils(text: str) -> bool:
    """SNILS of Russia: weights 9 to 1, modulus 101."""
    number = digits(text)
    return weighted(number[:9], range(9, 0, -1)) % 101 % 100 == int(number[9:])


def is_turkish(text: str) -> bool:
    """T.C. kimlik no: two check digits."""
    each = [int(digit) for digit in text]
    tenth = (sum(each[0:9:2]) * 7 - sum(each[1:8:2])) % 10
    return tenth == each[9] and sum(each[:10]) % 10 == each[10]


def is_luxembourgish(text: str) -> bool:
    """Matricule: a day of birth; Luhn and Verhoeff."""
    return is_date(int(text[:4]), int(text[4:6]), int(text[6:8])) and luhn(text[:12]) and verhoeff(text[:11] + text[12])


_NHS = words("nhs", "national health service", "health service number", "patient")
_PASSPORT = words("passport", "reisepass", "passeport", "pasaporte", "passaporto", "paspoort", "passaporte")

_HIGH = Severity.HIGH

RULES = (
    Rule("gb_nhs_number", _HIGH, "gb", r"\d{3}[ \-]?\d{3}[ \-]?\d{4}", is_nhs, _NHS),
    Rule(
        "gb_nino",
        _HIGH,
        "gb",
        r"(?i)[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z][ \-]?\d{2}[ \-]?\d{2}[ \-]?\d{2}[ \-]?[a-d]",
        is_nino,
    ),
    Rule("gb_driver_number", _HIGH, "gb", r"(?i)[a-z][a-z9]{4}\d[0156]\d[0-3]\d\d[a-z9]{2}[0-9a-z][a-z]{2}", is_driver),
    Rule("de_tax_id", _HIGH, "de", r"[1-9]\d{10}", is_steuer_id),
    Rule(
        "de_tax_id",
        _HIGH,
        "de",
        r"[1-9]\d[ /\-]?\d{3}[ /\-]?\d{3}[ /\-]?\d{3}",
        is_checked,
        words("steuer", "identifikationsnummer", "tax id", "idnr"),
    ),
    Rule("de_pension_number", _HIGH, "de", r"\d{2}[0-8]\d[01]\d{3}[A-Z]\d{3}", is_pension),
    Rule(
        "de_health_number",
        _HIGH,
        "de",
        r"[A-Z]\d{9}",
        is_health_insured,
        words("krankenversicherung", "versichertennummer", "kvnr", "krankenkasse", "health insurance", "egk"),
    ),
    Rule(
        "de_identity_card",
        _HIGH,
        "de",
        r"[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8}\d?",
        is_identity_card,
        words("ausweis", "personalausweis", "ausweisnummer", "identity card", "id card", "reisepass", "passport"),
    ),
    Rule("fr_nir", _HIGH, "fr", r"[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[ABab]) ?\d{3} ?\d{3} ?\d{2}", is_nir),
    Rule("es_dni", _HIGH, "es", r"(?i)\d{8}-?[a-hj-np-tv-z]|\d{7}-[a-hj-np-tv-z]|[xyz]-?\d{7}-?[a-hj-np-tv-z]", is_dni),
    Rule("it_codice_fiscale", _HIGH, "it", r"(?i)[a-z]{6}[0-9lmnp-v]{2}[abcdehlmprst][0-9lmnp-v]{2}[a-z][0-9lmnp-v]{3}[a-z]", is_codice),
    Rule("pl_pesel", _HIGH, "pl", r"\d{11}", is_pesel, words("pesel", "personal number", "national id", "id number", "identity")),
    Rule("nl_bsn", _HIGH, "nl", r"\d{9}|\d{4}\.\d{2}\.\d{3}", is_bsn, words("bsn", "burgerservice", "sofinummer", "sofi")),
    Rule("se_personnummer", _HIGH, "se", r"(?:1[89]|20)?\d{2}[01]\d[0-9]\d[\-+]\d{4}", is_personnummer),
    Rule(
        "se_personnummer",
        _HIGH,
        "se",
        r"(?:1[89]|20)?\d{2}[01]\d[0-9]\d{5}",
        is_personnummer,
        words("personnummer", "samordningsnummer", "personal number", "personnr", "pnr"),
    ),
    Rule("fi_hetu", _HIGH, "fi", r"[0-3]\d[01]\d{3}[\-+A-FU-Ya-fu-y]\d{3}[0-9A-FHJ-NPR-Ya-fhj-npr-y]", is_hetu),
    Rule("dk_cpr", _HIGH, "dk", r"[0-3]\d[01]\d{3}[ \-]?\d{4}", is_cpr, words("cpr", "personnummer", "civil registration")),
    Rule("no_fodselsnummer", _HIGH, "no", r"[0-7]\d[014-5]\d{3} ?\d{5}", is_fodselsnummer),
    Rule("be_national_number", _HIGH, "be", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}|\d{11}", is_belgian),
    Rule("ch_ahv", _HIGH, "ch", r"756\.?\d{4}\.?\d{4}\.?\d{2}", is_ahv),
    Rule("at_svnr", _HIGH, "at", r"[1-9]\d{3} ?[0-3]\d[01]\d{3}", is_svnr, words("svnr", "sozialversicherung", "versicherungsnummer")),
    Rule("pt_nif", _HIGH, "pt", r"[1-35689]\d{8}", is_nif, words("nif", "contribuinte", "identificação fiscal")),
    Rule("ie_pps", _HIGH, "ie", r"\d{7}[A-W][A-IW]?", is_pps, words("pps", "ppsn", "public service number")),
    Rule("cz_rodne_cislo", _HIGH, "cz", r"\d{2}[0-8]\d[0-3]\d/\d{3,4}", is_rodne),
    Rule("bg_egn", _HIGH, "bg", r"\d{2}[0-5]\d[0-3]\d{5}", is_egn, words("egn", "егн")),
    Rule("ro_cnp", _HIGH, "ro", r"[1-8]\d{12}", is_cnp, words("cnp", "cod numeric")),
    Rule("ee_lt_personal_code", _HIGH, "ee", r"[1-6]\d{2}[01]\d[0-3]\d{5}", is_baltic, words("isikukood", "asmens kodas", "personal code")),
    Rule("gr_amka", _HIGH, "gr", r"[0-3]\d[01]\d{8}", is_amka, words("amka", "αμκα")),
    Rule("hr_oib", _HIGH, "hr", r"\d{11}", mod_11_10, words("oib", "osobni")),
    Rule("si_emso", _HIGH, "si", r"[0-3]\d[01]\d[09]\d{8}", is_emso, words("emšo", "emso", "jmbg")),
    Rule("lu_matricule", _HIGH, "lu", r"(?:18|19|20)\d{2}[01]\d[0-3]\d{6}", is_luxembourgish, words("matricule", "national id")),
    Rule("ru_snils", _HIGH, "ru", r"\d{3}-\d{3}-\d{3}[ \-]\d{2}", is_snils),
    Rule("tr_national_id", _HIGH, "tr", r"[1-9]\d{10}", is_turkish),
    Rule("passport", Severity.MEDIUM, "", r"[A-Z]{0,3}\d{6,9}[A-Z]?|[A-Z]\d[A-Z0-9]{7}", words=_PASSPORT),
)
