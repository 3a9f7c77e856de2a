"""Which texts the rules that ship take for personal data, and which they do not. The numbers are registrars' examples or made up."""

import pytest

from doorward.inspection.personal.every import COUNTRIES, NAMES, RULES, RuleError, chosen
from doorward.inspection.personal.search import Search

EXAMPLES = (
    ("card", "4111 1111 1111 1111"),
    ("card", "378282246310005"),
    ("card", "5555-5555-5555-4444"),
    ("card", "3530111333300000"),
    ("card", "30569309025904"),
    ("card", "6011111111111117"),
    ("iban", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "DE89370400440532013000"),
    ("iban", "NO93 8601 1117 947"),
    ("us_ssn", "536-90-4399"),
    ("us_itin", "912-70-1234"),
    ("us_medicare", "1EG4-TE5-MK73"),
    ("us_npi", "NPI 1234567893"),
    ("us_routing_number", "routing number 021000021"),
    ("ca_sin", "SIN 130 692 544"),
    ("br_cpf", "111.444.777-35"),
    ("br_cnpj", "11.222.333/0001-81"),
    ("mx_curp", "HEGG560427MVZRRL04"),
    ("ar_cuit", "20-05536168-2"),
    ("cl_rut", "12.531.909-2"),
    ("gb_nhs_number", "NHS number 943 476 5919"),
    ("gb_nino", "AB 12 34 56 C"),
    ("gb_driver_number", "MORGA657054SM9IJ"),
    ("de_tax_id", "86095742719"),
    ("de_pension_number", "65170839J003"),
    ("de_health_number", "KVNR A123456780"),
    ("de_identity_card", "Personalausweis T220001293"),
    ("fr_nir", "2 55 08 14 168 025 38"),
    ("es_dni", "12345678Z"),
    ("es_dni", "X1234567L"),
    ("it_codice_fiscale", "RSSMRA85T10A562S"),
    ("pl_pesel", "PESEL 44051401359"),
    ("nl_bsn", "BSN 111222333"),
    ("se_personnummer", "811228-9874"),
    ("fi_hetu", "131052-308T"),
    ("dk_cpr", "CPR 070761-4285"),
    ("no_fodselsnummer", "15108695088"),
    ("be_national_number", "85.07.30-033.28"),
    ("ch_ahv", "756.9217.0769.85"),
    ("at_svnr", "Sozialversicherungsnummer 1237 010180"),
    ("pt_nif", "NIF 123456789"),
    ("ie_pps", "PPS 6433435F"),
    ("ie_pps", "PPSN 1234567FA"),
    ("cz_rodne_cislo", "710319/2745"),
    ("bg_egn", "EGN 7523169263"),
    ("ro_cnp", "CNP 1630615123457"),
    ("ee_lt_personal_code", "isikukood 37605030299"),
    ("gr_amka", "AMKA 01013099997"),
    ("hr_oib", "OIB 33392005961"),
    ("si_emso", "EMŠO 0101006500006"),
    ("lu_matricule", "matricule 1893120105732"),
    ("ru_snils", "112-233-445 95"),
    ("tr_national_id", "10000000146"),
    ("in_aadhaar", "2341 2341 2346"),
    ("in_pan", "ABCPD1234E"),
    ("in_gstin", "27AAPFU0939F1ZV"),
    ("au_tfn", "TFN 123 456 782"),
    ("au_abn", "51 824 753 556"),
    ("au_acn", "ACN 004 085 616"),
    ("au_medicare", "Medicare 2123 45670 1"),
    ("nz_ird", "IRD 49-091-850"),
    ("sg_nric", "S1234567D"),
    ("sg_nric", "F1612345P"),
    ("kr_rrn", "900101-1234568"),
    ("cn_resident_id", "11010519491231002X"),
    ("hk_identity_card", "A123456(3)"),
    ("tw_national_id", "national ID A123456789"),
    ("jp_my_number", "My Number 1234 5678 9018"),
    ("th_national_id", "1-1017-00230-70-8"),
    ("my_mykad", "830530-14-5245"),
    ("za_id_number", "ID number 8001015009087"),
    ("il_identity_number", "Israeli ID 123456782"),
    ("ae_emirates_id", "784-1985-1234567-3"),
    ("ng_nin", "NIN 12345678901"),
    ("id_nik", "NIK 3171234567890123"),
    ("crypto_address", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"),
    ("crypto_address", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
    ("email", "jane.doe+x@example.co.uk"),
    ("phone", "+44 20 7946 0958"),
    ("phone", "(212) 555-0123"),
    ("phone", "call me at 030 1234567"),
    ("ip_address", "203.0.113.195"),
    ("ip_address", "2001:4860:4860::8888"),
    ("birth_date", "born on 4 March 1971"),
    ("birth_date", "date of birth: 1971-03-04"),
    ("passport", "passport 123456789"),
    ("driving_licence", "driver's license D1234567"),
    ("bank_account", "account number 12345678"),
)


def found(text: str) -> list[str]:
    return [hit.rule for hit in Search(RULES).hits(text.encode())]


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_what_is_valid_is_found(name: str, text: str) -> None:
    assert found(f"so {text}, yes") == [name]


def test_every_rule_has_an_example() -> None:
    assert {name for name, _ in EXAMPLES} == NAMES


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "000-12-3456",
        "666-12-3456",
        "078-05-1120",
        "NHS number 943 476 5918",
        "GB123456C",
        "86095742718",
        "12345678A",
        "RSSMRA85T10A562T",
        "S1234567E",
        "11010519491231002Y",
        "811328-9874",
        "131052-308U",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdr",
        "icon@2x.png",
        "lodash@4.17.21",
        "https://user:secret@host.example/",
        "version 10.2.3.4.5",
        "256.1.1.1",
        "version 1.2.3.4",
        '{"version":"1.2.3.4"}',
        "a[::2] and two colons ::",
        "LV80 bANK 0000 4351 9500 1",
        "std::begin and Face::Add",
        "12:30:45 on 2024-11-21",
        "order 123456789, item 2345678901, at 1732190000000",
        "550e8400-e29b-41d4-a716-446655440000",
        "2024-11-21T10:30:00.123456789Z",
        "+1 point, +20 %, +12345",
        "021000021",
        "111222333",
    ],
)
def test_what_only_looks_alike_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"ssn": "536904399"}', ["us_ssn"]),
        ('{"customerSsn":536904399}', ["us_ssn"]),
        ('{"ssn": null, "order": "536904399"}', []),
        ("{  ssn  : null,  order  : 536904399}", []),
        ('{"phone":null,"order":"2345678901"}', []),
        ("536904399 (SSN)", ["us_ssn"]),
        ("536904399", []),
    ],
)
def test_a_number_is_believed_for_words_near_it_and_the_name_of_its_field(text: str, names: list[str]) -> None:
    assert found(text) == names


def test_what_is_off_and_what_is_of_other_countries_is_not_asked() -> None:
    few = {rule.name for rule in chosen(("card",), ("us",))}
    assert {"us_ssn", "iban", "email"} <= few
    assert few.isdisjoint({"card", "fr_nir", "gb_nino"})
    assert {"us", "de", "in"} <= COUNTRIES
    assert chosen((), None) == RULES


@pytest.mark.parametrize(("off", "countries"), [(("e_mail",), None), ((), ("uk",))])
def test_a_rule_or_country_that_there_is_none_of_is_told(off: tuple[str, ...], countries: tuple[str, ...] | None) -> None:
    with pytest.raises(RuleError):
        chosen(off, countries)


def test_of_two_readings_of_a_place_the_graver_and_longer_is_told() -> None:
    assert found("call 4111 1111 1111 1111") == ["card"]
    assert found("my phone is 536-90-4399") == ["us_ssn"]
