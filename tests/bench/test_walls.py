"""The stages by the gateway's own clock."""

from bench.walls import walls

PAGE = """# HELP doorward_call_seconds Duration
doorward_call_seconds_bucket{{le="0.001",upstream="swift"}} 3.0
doorward_call_seconds_count{{upstream="swift"}} {calls}
doorward_call_seconds_count{{upstream="steady"}} 5.0
doorward_stage_seconds_bucket{{le="0.001",stage="resolve"}} 3.0
doorward_stage_seconds_sum{{stage="intend"}} {intend}
doorward_stage_seconds_sum{{stage="resolve"}} {resolve}
doorward_stage_seconds_count{{stage="resolve"}} 3.0
"""


def test_stages_are_told_for_one_call_in_the_order_of_a_call() -> None:
    before = PAGE.format(calls="10.0", resolve="0.5", intend="1e-05")
    after = PAGE.format(calls="110.0", resolve="0.502", intend="0.03001")
    found = walls(before, after)
    assert list(found) == ["resolve", "intend"]
    assert [round(microseconds, 6) for microseconds in found.values()] == [20.0, 300.0]


def test_without_calls_there_are_no_stages() -> None:
    page = PAGE.format(calls="10.0", resolve="0.5", intend="1")
    assert walls(page, page) == {}


def test_a_gateway_without_the_clock_has_none() -> None:
    assert walls("", 'doorward_call_seconds_count{upstream="swift"} 7.0\n') == {}
