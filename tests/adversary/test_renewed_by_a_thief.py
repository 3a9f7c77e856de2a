"""What a thief renewed a stolen certificate into goes with the stolen one."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.certificates import Issued, named
from tests.e2e.secured import DOMAIN, Place, print_of, said
from tests.e2e.secured import named as of_company
from tests.e2e.witness import witnessing
from tests.gateway import Running, doorward, http_upstream


class TurnedAwayError(Exception):
    """The status of an answer without a certificate."""


def enrolled(running: Running, tls: ssl.SSLContext, key: str = "") -> Issued:
    """A certificate from our own authority, for an agent key or for the certificate of the connection."""
    mine = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(named("")).sign(mine, hashes.SHA256())
    connection = http.client.HTTPSConnection("localhost", running.port, timeout=20, context=tls)
    headers = {"Content-Type": "application/x-pem-file", **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        connection.request("POST", "/enroll", request.public_bytes(Encoding.PEM), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise TurnedAwayError(answer.status)
        return Issued(x509.load_pem_x509_certificates(text)[0], mine)
    finally:
        connection.close()


def test_certificates_that_came_of_a_revoked_one_are_revoked_with_it(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with witnessing() as witness:
        document = {
            "listen": {**place.listen(), "host": "localhost"},
            "identity": {"ca": {}},
            "upstreams": {"up": http_upstream(witness.url)},
        }
        with doorward(tmp_path, document) as running:
            key = running.key("laptop")
            stolen, mine = (enrolled(running, place.context(), key) for _ in range(2))
            renewed = enrolled(running, place.context(stolen))
            again = enrolled(running, place.context(renewed))
            shown = [place.context(one) for one in (stolen, renewed, again, mine)]
            assert [said(running, tls).status for tls in shown] == [200] * 4
            running.admin.post("/v1/stops", {"matter": f"certificate:{print_of(stolen)}", "reason": "stolen", "effect": "revoked"})
            assert [said(running, tls).status for tls in shown] == [401, 401, 401, 200]
            stops = {stop["matter"]: stop["effect"] for stop in running.admin.get("/v1/stops")["stops"]}
            assert stops == {f"certificate:{print_of(one)}": "revoked" for one in (stolen, renewed, again)}


def test_a_certificate_of_another_authority_is_not_turned_into_one_of_ours_which_its_revocation_list_could_not_end(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with witnessing() as witness:
        document = {
            "listen": {**place.listen(), "host": "localhost"},
            "identity": {"ca": {}, "certificates": {"trust_domains": ["example.org"]}},
            "upstreams": {"up": http_upstream(witness.url)},
        }
        with doorward(tmp_path, document) as running:
            running.key("laptop")
            running.admin.post("/v1/agents/laptop/bind", {"identity": f"{DOMAIN}/agents/laptop"})
            shown = place.context(place.root.leaf(of_company("laptop")))
            assert said(running, shown).status == 200
            with pytest.raises(TurnedAwayError, match="403"):
                enrolled(running, shown)
