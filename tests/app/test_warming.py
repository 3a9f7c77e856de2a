"""Warming: a first look of every guard, at a call and at an answer."""

from doorward.app.screening import Nobody, Screening
from doorward.app.warming import warm
from doorward.catalog.index import build
from doorward.catalog.pins import Pins
from doorward.config.model import Document
from doorward.domain.findings import Finding
from doorward.inspection.view import Carrier, View


class Onlooker:
    """A guard that stands behind all others."""

    def __init__(self) -> None:
        self.seen: list[Carrier] = []

    def look(self, view: View) -> tuple[Finding, ...]:
        self.seen.append(view.carrier)
        return ()


def test_every_guard_looks_at_a_call_and_at_an_answer_short_and_long() -> None:
    document, last = Document(), Onlooker()
    screen = Screening(Nobody(), [last]).of(document, build({}, Pins(), document))
    warm(screen)
    assert last.seen == [Carrier.REQUEST, Carrier.RESPONSE] * 2
