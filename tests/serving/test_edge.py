"""Which Host and Origin values are a listener's own."""

from doorward.config.model import Listen, Tls
from doorward.serving.edge import allowed

HOSTS = frozenset({b"127.0.0.1:8420", b"localhost:8420", b"[::1]:8420"})


def test_own_origins_have_the_scheme_that_is_spoken() -> None:
    tls = Tls(certificate="server.pem", key="server.key")
    plain, secured = (allowed(listen, 8420) for listen in (Listen(), Listen(tls=tls)))
    assert (plain.hosts, secured.hosts) == (HOSTS, HOSTS)
    assert plain.origins == {b"http://" + host for host in HOSTS}
    assert secured.origins == {b"https://" + host for host in HOSTS}
