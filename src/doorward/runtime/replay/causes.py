"""Why nobody can say how a recorded call would be decided: what the log leaves out, cuts or gives up counts as unknown, never as allowed."""

from collections.abc import Mapping
from enum import StrEnum


class Cause(StrEnum):
    """Why nobody can say how a call would be decided."""

    TARGET = "target"
    GONE = "definition_gone"
    CHANGED = "definition_changed"
    ARGUMENTS = "arguments_gone"
    CUT = "arguments_cut"
    ALTERED = "arguments_altered"
    NETWORK = "network"
    AGENT = "agent_unknown"
    GROUPS = "groups"
    ISSUER = "issuer_of_person"
    CREDENTIAL = "credential_cut"
    CHAIN = "chain_cut"
    SESSION = "session"
    PERSON = "principal"


SENTENCES: Mapping[Cause, str] = {
    Cause.TARGET: "the log does not say which tool, prompt or resource was meant",
    Cause.GONE: "what was called is not in the approved catalogue any more",
    Cause.CHANGED: "what was called has another definition by now, so its arguments are read otherwise",
    Cause.ARGUMENTS: "policies read the arguments, which are not kept (any more)",
    Cause.CUT: "policies read the arguments, of which only the beginning was kept",
    Cause.ALTERED: "policies read the arguments, and what is kept of them is not what the log commits to",
    Cause.NETWORK: "policies read the network, which the log does not hold",
    Cause.AGENT: "policies read the agent's owner or kind, and it is not registered here (any more)",
    Cause.GROUPS: "policies name groups, and the log does not hold all those of this person",
    Cause.ISSUER: "policies read who vouched for the person, which the log does not hold of this call",
    Cause.CREDENTIAL: "policies read the credential's scopes, issuer or client, which were too long for the log",
    Cause.CHAIN: "more agents acted for one another than the log holds",
    Cause.SESSION: "policies read what has flowed into the context, of which the log holds only what policies read then",
    Cause.PERSON: "the log says of who called what this version does not know",
}
