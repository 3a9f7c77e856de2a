"""The page and the chart of a run."""

from xml.etree import ElementTree

from bench.cores import Reading
from bench.load import Seen
from bench.peers import fastmcp, litellm, ours, proxies
from bench.peers.report import chart, page
from bench.peers.run import Figures, Found
from bench.peers.visit import FULL, Measured, Visit
from bench.speech import Era

MACHINE = {"Processor": "a processor"}


def _measured(calls: int, spent: float) -> Measured:
    seen = Seen(calls, 2.0, 0.001, 0.002, 0.003, 0.004, 0, (), Reading({}, {}))
    return Measured(seen, spent, 0.0)


def _visit(calls: int, eras: tuple[Era, ...]) -> Visit:
    return Visit(1.5, 90.0, 120.0, {(era, number): _measured(calls, 2.0) for era in eras for number in (1, 16, 64)}, [])


def _figures(litellm_calls: int = 100) -> Figures:
    both, session = (Era.SESSION, Era.EXCHANGE), (Era.SESSION,)
    return Figures(
        MACHINE,
        FULL,
        [
            Found(ours.FLOOR, "0.1.0", 0.0, [_visit(40_000, both)]),
            Found(ours.DOORWARD, "0.1.0", 0.0, [_visit(12_000, (Era.EXCHANGE,))]),
            Found(litellm.LITELLM, "1.2.3", 531.4, [_visit(litellm_calls + step, session) for step in (0, 2, 4)]),
            Found(fastmcp.SHARED, "", 0.0, faults=["it was not installed: no such\nwheel | here"]),
        ],
    )


def test_the_page_has_medians_spread_and_the_share_of_the_floor() -> None:
    lines = _page(_figures()).splitlines()
    assert "| LiteLLM, MCP gateway | 51 | 51 | 51 | 4 % | 51 | 0.003 | 1.00 | 1.00 | 3.00 |" in lines
    assert "| Doorward | 6,000 | 6,000 | 6,000 | 0 % | 6,000 | 0.300 | 1.00 | 1.00 | 3.00 |" in lines
    assert "| LiteLLM, MCP gateway | 1.2.3 | 1.50 | 90 | 120 | 531 |" in lines


def test_a_peer_is_in_the_tables_of_the_eras_that_it_speaks() -> None:
    _, session, exchange = _page(_figures()).split(" era\n\nRevision")
    assert ("| LiteLLM" in session, "| LiteLLM" in exchange.partition("## Memory")[0]) == (True, False)


def test_what_each_had_on_is_told_of_those_that_did_not_run_as_well() -> None:
    lines = _page(_figures()).splitlines()
    assert "| LiteLLM, MCP gateway | one master key | none | none | none | 2025-11-25 |" in lines
    assert "| FastMCP proxy, one shared client | none | none | none | none | 2025-11-25, 2026-07-28 |" in lines
    assert "- FastMCP proxy, one shared client: it was not installed: no such wheel \\| here" in lines


def test_two_runs_differ_only_where_their_figures_differ() -> None:
    one, other = (_page(_figures(calls)).splitlines() for calls in (100, 300))
    changed = [line for line, other_line in zip(one, other, strict=True) if line != other_line]
    assert changed
    assert all(line.startswith("| LiteLLM") for line in changed)


def test_the_chart_is_xml_and_has_every_gateway_that_was_measured() -> None:
    text = chart(_figures())
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert ("LiteLLM" in text, "FastMCP" in text, "Doorward" in text) == (True, False, True)


def test_nginx_and_the_floor_are_drawn_as_bounds() -> None:
    figures = Figures(MACHINE, FULL, [Found(proxies.NGINX, "1", 1.0, [_visit(10, (Era.SESSION,))])])
    assert 'class="bound" cx' in chart(figures)


def _page(figures: Figures) -> str:
    return page(figures, "2026-01-02")
