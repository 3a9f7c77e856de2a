"""Which addresses may be connected to, for all of them."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.net.addresses import Address, Reach, is_never, objection, special_use

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)

SPECIAL = [
    ("0.0.0.0", "this network"),
    ("10.1.2.3", "private"),
    ("100.64.0.1", "carrier-grade NAT"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("169.254.169.254", "link-local"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.8", "protocol assignment"),
    ("192.168.1.1", "private"),
    ("198.18.0.1", "benchmarking"),
    ("203.0.113.9", "documentation"),
    ("224.0.0.251", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::ffff:127.0.0.1", "IPv4-mapped"),
    ("::ffff:8.8.8.8", "IPv4-mapped"),
    ("::127.0.0.1", "IPv4-compatible"),
    ("64:ff9b::a9fe:a9fe", "NAT64"),
    ("64:ff9b:1::1", "local NAT64"),
    ("100::1", "discard"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
    ("2001:db8::1", "documentation"),
    ("2002:7f00:1::", "6to4"),
    ("fc00::1", "unique local"),
    ("fd00:ec2::254", "unique local"),
    ("fe80::1", "link-local"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("4000::1", "unassigned"),
]


@pytest.mark.parametrize(("text", "name"), SPECIAL)
def test_special_use_address_is_named_and_refused(text: str, name: str) -> None:
    address = ip_address(text)
    assert special_use(address) == name
    assert objection(address, Reach.PUBLIC) is not None


@pytest.mark.parametrize("text", ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"])
def test_ordinary_address_is_allowed(text: str) -> None:
    assert objection(ip_address(text), Reach.PUBLIC) is None


@given(V4 | V6)
def test_allowed_address_is_global_to_the_standard_library_too(address: Address) -> None:
    if objection(address, Reach.PUBLIC) is None:
        assert address.is_global
        assert not any((address.is_private, address.is_loopback, address.is_link_local, address.is_multicast, address.is_reserved))


@given(V4, st.sampled_from(["::ffff:0:0", "64:ff9b::", "::"]))
def test_no_address_that_carries_an_ipv4_one_is_public(inner: IPv4Address, prefix: str) -> None:
    assert objection(IPv6Address(int(IPv6Address(prefix)) + int(inner)), Reach.PUBLIC) is not None


@given(V4)
def test_no_6to4_address_is_public(inner: IPv4Address) -> None:
    assert objection(IPv6Address((0x2002 << 112) + (int(inner) << 80)), Reach.PUBLIC) is not None


@given(V4 | V6)
def test_private_reach_allows_all_but_what_never_makes_sense(address: Address) -> None:
    assert (objection(address, Reach.PRIVATE) is not None) == is_never(address)


@pytest.mark.parametrize(
    "text", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0", "64:ff9b::", "::ffff:224.0.0.1", "2002:e000:1::"]
)
def test_unspecified_multicast_and_broadcast_are_refused_even_when_private(text: str) -> None:
    assert objection(ip_address(text), Reach.PRIVATE) is not None


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"])
def test_private_reach_allows_special_unicast(text: str) -> None:
    assert objection(ip_address(text), Reach.PRIVATE) is None
