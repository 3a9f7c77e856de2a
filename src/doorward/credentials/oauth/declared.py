"""The plan of an OAuth credential, from what the configuration says of it and its upstream. Pure."""

from collections.abc import Mapping
from typing import assert_never

from doorward.config import credentials_oauth as config
from doorward.config.identity import Issuer
from doorward.credentials.oauth import plans
from doorward.credentials.oauth.answer import ACCESS_TOKEN, JWT
from doorward.credentials.port import CredentialError

Scoped = config.ClientCredentials | config.TokenExchange | config.JwtBearer | config.IdJag


def for_itself(declared: config.ClientCredentials, audience: str, url: str | None) -> plans.ClientCredentials:
    """The plan of Doorward as itself; `url`: the upstream's, where it has one."""
    return plans.ClientCredentials(audience, _server(declared.server), _wanted(declared, declared.audience, url))


def for_person(
    declared: config.TokenExchange | config.OnBehalfOf | config.JwtBearer | config.IdJag,
    audience: str,
    url: str | None,
    issuers: Mapping[str, Issuer],
) -> plans.ForPerson:
    """The plan for people; raises `CredentialError` where it cannot be told whose tokens are exchanged."""
    server = _server(declared.server)
    match declared:
        case config.TokenExchange():
            subject = _subject(declared, server, issuers)
            actor = plans.Actor.TOKEN if declared.actor_token == "signed" else plans.Actor.NONE
            return plans.TokenExchange(audience, server, _wanted(declared, declared.audience, url), subject, actor)
        case config.OnBehalfOf():
            wanted = plans.Wanted(None, None, declared.scopes, tuple(declared.scopes_for.items()))
            return plans.OnBehalfOf(audience, server, wanted, _presented(declared, ACCESS_TOKEN, issuers))
        case config.JwtBearer():
            return plans.JwtBearer(audience, server, _wanted(declared, declared.audience, url), _vouched(declared.signed, JWT, server))
        case config.IdJag():
            provider = _server(declared.provider)
            return plans.IdJag(audience, provider, server, _wanted(declared, None, url), _subject(declared, provider, issuers))
        case _:
            assert_never(declared)


def _subject(declared: config.TokenExchange | config.IdJag, asked: plans.Server, issuers: Mapping[str, Issuer]) -> plans.Subject:
    if declared.subject_token == "signed":
        return _vouched(declared.signed, declared.subject_token_type or JWT, asked)
    return _presented(declared, declared.subject_token_type or ACCESS_TOKEN, issuers)


def _presented(
    declared: config.TokenExchange | config.OnBehalfOf | config.IdJag, kind: str, issuers: Mapping[str, Issuer]
) -> plans.Presented:
    issuer = config.people(declared, issuers)
    if issuer is None:
        raise CredentialError("people_of was expected: the issuer whose access tokens are exchanged")
    return plans.Presented(issuer, kind)


def _vouched(declared: config.SignedSubject, kind: str, asked: plans.Server) -> plans.Vouched:
    key = None if declared.key is None else plans.Key(declared.key, declared.key_id, declared.key_algorithm)
    name = None if key is None else declared.issuer or asked.client
    return plans.Vouched(kind, declared.people_of, declared.audience, key, name)


def _wanted(declared: Scoped, audience: str | None, url: str | None) -> plans.Wanted:
    # RFC 8707 §2: without query, which says nothing of whom it is for.
    resource = declared.resource if declared.resource is not None or url is None else url.partition("?")[0]
    return plans.Wanted(audience, resource or None, declared.scopes, tuple(declared.scopes_for.items()))


def _server(declared: config.OAuthServer) -> plans.Server:
    tls = None if declared.tls is None else (declared.tls.certificate, declared.tls.key)
    return plans.Server(
        issuer=declared.issuer,
        token_url=declared.token_url,
        client=declared.client_id,
        proving=_proving(declared),
        way=plans.Way(declared.private, declared.plain_http, declared.ca_file, tls),
    )


def _proving(declared: config.OAuthServer) -> plans.Proving:
    if declared.client_secret is not None:
        return plans.Secretly(declared.client_secret, plans.Shown(declared.secret_in))
    if declared.client_key is not None:
        key = plans.Key(declared.client_key, declared.key_id, declared.key_algorithm)
        return plans.Keyed(key, declared.key_certificate, declared.key_audience)
    return plans.Unproven() if declared.tls is None else plans.Certified()
