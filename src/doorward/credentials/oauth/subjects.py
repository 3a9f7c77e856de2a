"""In whose name a token is asked for: the person behind a call, and the agent that acts for them (RFC 8693 §4.1).

LAW: the person is the verified subject of the principal, never what an agent says of itself; and a presented token goes to servers of
its own issuer's people alone.
"""

from doorward.credentials.chain import acting
from doorward.credentials.oauth.means import Means
from doorward.credentials.oauth.plans import Presented, Subject, Vouched
from doorward.credentials.oauth.signing import momentary, signed_with
from doorward.credentials.port import Use
from doorward.domain.reasons import Reason, Refused
from doorward.domain.secret import Secret

TYPE = "JWT"


def person(subject: Subject, use: Use) -> str:
    """What the person is called towards the server; raises `Refused` NO_CREDENTIAL where there is nobody, or somebody else's."""
    principal = use.call.principal
    if principal.subject is None:
        raise _refused(use, "no person", "is used in a person's name, and this agent acts for nobody")
    match subject:
        case Presented(issuer=issuer):
            if use.presented is None or principal.proof.issuer != issuer:
                why = f"takes access tokens of `{issuer}` in exchange, and the caller did not come with one"
                raise _refused(use, f"no access token of {issuer} was presented", why)
            return principal.subject.id
        case Vouched(issuer=None):
            return principal.subject.id
        case Vouched(issuer=issuer):
            name = principal.subject.id.removeprefix(f"{issuer}:")
            if name == principal.subject.id:
                raise _refused(use, f"{principal.subject.id} is nobody of {issuer}", f"knows the people of `{issuer}` alone")
            return name


def told(subject: Subject, use: Use, audience: str, means: Means) -> tuple[Secret, tuple[Secret, ...]]:
    """The token that tells a server of the person, and what it was made of; raises `Refused` NO_CREDENTIAL or a `DoorwardError`."""
    name = person(subject, use)
    match subject:
        case Presented():
            assert use.presented is not None
            return use.presented, ()
        case Vouched():
            claims = {**momentary(name, subject.audience or audience, means), "act": acting(use.call.principal)}
            return _vouched(subject, claims, means)


def of_agent(subject: Subject, use: Use, audience: str, means: Means) -> Secret:
    """A token that tells a server of the agent; raises a `DoorwardError`."""
    claims = momentary(use.call.principal.agent.id, audience, means)
    return _vouched(subject, claims, means)[0] if isinstance(subject, Vouched) else means.sign(claims, TYPE)


def _vouched(subject: Vouched, claims: dict[str, object], means: Means) -> tuple[Secret, tuple[Secret, ...]]:
    if subject.key is None:
        return means.sign(claims, TYPE), ()
    token, key = signed_with(subject.key, {"typ": TYPE}, {"iss": subject.name, **claims}, means)
    return token, (key,)


def _refused(use: Use, detail: str, why: str) -> Refused:
    upstream = use.call.target.upstream
    return Refused(
        Reason.NO_CREDENTIAL, f"upstream {upstream}: {detail}", sentence=f"The upstream `{upstream}` {why}; the call was not made."
    )
