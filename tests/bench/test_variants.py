"""What of the gateway is switched off for a figure."""

import pytest
from joserfc.jwk import ECKey

from bench.gateway import calls_document, lists_document
from bench.issuer import Issuer
from bench.variants import MORE, OFF, PARTS, Variant, everything
from doorward.config.model import Document

ISSUER = Issuer("http://127.0.0.1:1", ECKey.generate_key("P-256", {"kid": "one"}))
VARIANTS = (*PARTS.values(), *MORE.values(), OFF, Variant("everything on", "", everything(ISSUER)))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_variant_is_a_configuration_of_the_product(variant: Variant) -> None:
    Document.model_validate(variant.change(calls_document(9000)))


def test_the_document_with_many_tools_is_one() -> None:
    Document.model_validate(lists_document(9000))


def test_a_part_changes_what_it_says_and_nothing_else() -> None:
    whole = calls_document(9000)
    changed = {
        name: {field for field, value in variant.change(whole).items() if value != whole.get(field)} for name, variant in PARTS.items()
    }
    assert changed == {
        "nobody is identified": {"identity"},
        "one policy": set(),
        "no rules for secrets and personal data": {"inspection"},
        "no watch for runaways": {"runaway"},
        "nothing kept but leaves": {"audit"},
    }


def test_with_all_stages_off_whatever_a_part_switches_off_is_off() -> None:
    whole = calls_document(9000)
    off = OFF.change(whole)
    for part in PARTS.values():
        changed = {field: value for field, value in part.change(whole).items() if value != whole.get(field)}
        assert {field: off[field] for field in changed} == changed
