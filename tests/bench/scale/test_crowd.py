"""Crowds: however many there are, everything is about somebody who calls."""

import pytest

from bench.scale.crowd import SHARE, Crowd, policies
from bench.scale.log import Size


def test_each_agent_and_each_tool_is_part_of_the_calls() -> None:
    for crowd in (Crowd(3, 7), Crowd(7, 3), Crowd(1, 1), Crowd(2, SHARE + 1)):
        assert {agent for agent, _ in crowd.pairs} == set(range(crowd.agents))
        assert {tool for _, tool in crowd.pairs} == set(crowd.called)
        assert len(set(crowd.called)) == crowd.tools


def test_where_one_tool_is_called_one_policy_reads_its_argument_and_none_else_is_about_it() -> None:
    crowd = Crowd(tools=10, policies=50, aims=1)
    assert crowd.called == ["records-0__echo_0"]
    about = [text for text in policies(crowd).split("@id") if 'records-0/echo_0"' in text]
    assert len(about) == 1
    assert "context.input" in about[0]
    assert policies(crowd).count("@id") == 50


@pytest.mark.parametrize(
    ("receipts", "steps"),
    [(7, [7]), (9_999, [9_999]), (10_000, [1_000, 10_000]), (10_000_000, [1_000, 10_000, 100_000, 1_000_000, 10_000_000])],
)
def test_a_log_is_measured_at_each_power_of_ten(receipts: int, steps: list[int]) -> None:
    assert Size(receipts, 0.1).steps == steps
