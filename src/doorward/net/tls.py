"""TLS towards upstreams: certificates and names are always verified, TLS 1.2 at least, HTTP/1.1 by ALPN."""

import ssl


def client_context(cafile: str | None = None) -> ssl.SSLContext:
    """A context for one upstream, made once and kept: it trusts the system's authorities, or only those of `cafile`."""
    context = ssl.create_default_context(cafile=cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
