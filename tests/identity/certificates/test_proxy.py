"""`Client-Cert` (RFC 9440): believed from a trusted proxy, refused from everybody else, and in one form alone."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificates.proxy import Proxies
from doorward.identity.certificates.trust import Embedded
from tests.certificates import DAY, FOR_SERVERS, Wanted, authority, now
from tests.identity.certificates.house import seen

ROOT = authority()
BETWEEN = ROOT.intermediate("between")
LEAF = BETWEEN.leaf()
PROXY = "10.0.0.5"


def binary(der: bytes) -> bytes:
    return b":" + b64encode(der) + b":"


def proxies(*networks: str, embedded: Embedded | None = None) -> Proxies:
    return Proxies(networks or ("10.0.0.5/32", "2001:db8::/64"), embedded, lambda: now().timestamp())


def refused(leaf: bytes | None, above: bytes | None = None, network: str = PROXY) -> Reason:
    with pytest.raises(Refused) as caught:
        proxies().certificate(network, leaf, above)
    return caught.value.reason


def test_certificate_and_path_of_a_trusted_proxy_are_believed() -> None:
    direct = seen(LEAF, BETWEEN, ROOT)
    assert proxies().certificate(PROXY, binary(LEAF.der), binary(BETWEEN.der)) == replace(direct, authority="")
    whole = proxies().certificate(PROXY, binary(LEAF.der), binary(BETWEEN.der) + b" ,\t" + binary(ROOT.der))
    assert whole == replace(direct, authority="", path=(*direct.path, ("CN=root", ROOT.certificate.serial_number)))


@pytest.mark.parametrize("network", [PROXY, "::ffff:10.0.0.5", "2001:db8::9"])
def test_address_of_a_proxy_is_known_in_either_form(network: str) -> None:
    assert proxies().certificate(network, binary(LEAF.der), None) is not None


@pytest.mark.parametrize("network", ["10.0.0.6", "127.0.0.1", "::ffff:10.0.0.6", "local", "", "10.0.0.5, 10.0.0.6"])
@pytest.mark.parametrize(("leaf", "above"), [(binary(LEAF.der), None), (b"", None), (None, binary(ROOT.der))])
def test_header_from_anywhere_else_is_refused_and_never_passed_over(network: str, leaf: bytes | None, above: bytes | None) -> None:
    assert refused(leaf, above, network) is Reason.INVALID_REQUEST


def test_header_is_refused_where_no_proxy_is_trusted() -> None:
    with pytest.raises(Refused):
        Proxies((), None, lambda: 0.0).certificate("127.0.0.1", binary(LEAF.der), None)


def test_word_of_a_proxy_counts_before_a_certificate_of_its_own() -> None:
    own, agent = seen(ROOT.leaf(Wanted("proxy", ())), ROOT), proxies().certificate(PROXY, binary(LEAF.der), None)
    assert proxies().shown(own, PROXY, binary(LEAF.der), None) == agent
    assert proxies().shown(own, PROXY, None, None) is None
    assert proxies().shown(own, "10.0.0.6", None, None) == own
    with pytest.raises(Refused):
        proxies().shown(own, "10.0.0.6", binary(LEAF.der), None)


def test_no_header_is_no_certificate() -> None:
    assert proxies().certificate(PROXY, None, None) is None
    assert proxies().certificate("10.0.0.6", None, None) is None


HOSTILE = {
    "empty": b"",
    "no colons": b64encode(LEAF.der),
    "one colon": b":" + b64encode(LEAF.der),
    "no padding": binary(LEAF.der + b"x" * (1 - len(LEAF.der) % 3)).replace(b"=", b""),
    "white space inside": b": " + b64encode(LEAF.der) + b":",
    "URL alphabet": binary(b"\xfb\xef").replace(b"+", b"-"),
    "a parameter": binary(LEAF.der) + b";a=1",
    "two of them": binary(LEAF.der) + b", " + binary(LEAF.der),
    "a string": b'"abc"',
    "PEM": LEAF.pem.replace("\n", " ").encode(),
    "escaped PEM": b"-----BEGIN%20CERTIFICATE-----",
    "no certificate": binary(b"abc"),
    "nothing": b"::",
    "bytes after it": binary(LEAF.der + b"x"),
    "too large": binary(b"x" * 20_000),
}


@pytest.mark.parametrize("leaf", HOSTILE.values(), ids=HOSTILE.keys())
def test_header_of_another_form_is_refused(leaf: bytes) -> None:
    assert refused(leaf) is Reason.INVALID_REQUEST


@pytest.mark.parametrize("above", [b",", binary(ROOT.der) + b",", b"abc", binary(b"abc"), binary(ROOT.der) + b";a"])
def test_chain_of_another_form_is_refused(above: bytes) -> None:
    assert refused(binary(LEAF.der), above) is Reason.INVALID_REQUEST


def test_chain_alone_and_chain_without_end_are_refused() -> None:
    assert refused(None, binary(ROOT.der)) is Reason.INVALID_REQUEST
    assert refused(binary(LEAF.der), b", ".join([binary(ROOT.der)] * 10)) is Reason.INVALID_REQUEST


@given(st.binary(max_size=60))
def test_whatever_else_is_in_the_header_is_refused(leaf: bytes) -> None:
    assert refused(leaf) is Reason.INVALID_REQUEST


def test_certificate_that_a_proxy_should_not_have_let_in_is_refused() -> None:
    assert refused(binary(ROOT.leaf(Wanted(usages=FOR_SERVERS)).der)) is Reason.INVALID_REQUEST
    assert refused(binary(ROOT.leaf(Wanted(begins=now() + DAY, ends=now() + 2 * DAY)).der)) is Reason.UNAUTHENTICATED


def test_certificate_of_our_own_authority_is_seen_to_be_ours() -> None:
    embedded = Embedded(ROOT.certificate, "doorward.local")
    ours, others = ROOT.leaf(), authority("root").leaf()
    found = [proxies(embedded=embedded).certificate(PROXY, binary(one.der), None) for one in (ours, others)]
    assert [one and one.authority for one in found] == [embedded.thumbprint, ""]
