"""Who is remembered to be where."""

from doorward.upstream.circuit import Circuit, Terms
from doorward.upstream.replicas.address import Address
from doorward.upstream.replicas.affinity import Affinity
from tests.upstream.kit import KEYED, order
from tests.upstream.replicas.yard import FakeSpeaker


def address(name: str) -> Address:
    return Address(name, name, FakeSpeaker(name, Circuit(Terms(), lambda: 0.0, lambda: 0.0), []))


def test_a_session_is_of_one_principal_and_one_credential() -> None:
    affinity, one = Affinity(), address("a")
    affinity.bind(order(principal="ann"), one)
    assert affinity.of(order("resources/read", {}, principal="ann")) is one
    assert affinity.of(order(principal="bob")) is None
    assert affinity.of(order(principal="ann", lease=KEYED)) is None


def test_whoever_was_not_heard_of_for_longest_is_forgotten_first() -> None:
    affinity, one = Affinity(most=2), address("a")
    for name in ("ann", "bob"):
        affinity.bind(order(principal=name), one)
    affinity.of(order(principal="ann"))
    affinity.bind(order(principal="cid"), one)
    assert [affinity.of(order(principal=name)) for name in ("ann", "bob", "cid")] == [one, None, one]


def test_nobody_is_at_an_address_that_is_gone() -> None:
    affinity, one, two = Affinity(), address("a"), address("b")
    affinity.bind(order(principal="ann"), one)
    affinity.bind(order(principal="bob"), two)
    affinity.forget(one)
    assert [affinity.of(order(principal=name)) for name in ("ann", "bob")] == [None, two]
