"""Names of things, each with a type of its own, so that one cannot stand for another."""

from typing import NewType

AgentId = NewType("AgentId", str)
SubjectId = NewType("SubjectId", str)
TeamId = NewType("TeamId", str)
UpstreamId = NewType("UpstreamId", str)
PolicyId = NewType("PolicyId", str)

CallId = NewType("CallId", str)
"""A ULID in lower case (26 characters): fixed at the start of a call, also the id of its receipt."""

KeyId = NewType("KeyId", str)
"""The public half of an agent key: what logs and lists show of it."""

InstanceId = NewType("InstanceId", str)
"""The authenticated instance of an agent (a key, certificate or token family): counters and labels hang on it."""

LeaseId = NewType("LeaseId", str)
GrantId = NewType("GrantId", str)

WaiverId = NewType("WaiverId", str)
"""Of an exception from policy, or of a break-glass."""

SessionId = NewType("SessionId", str)

Digest = NewType("Digest", str)
"""SHA-256 as 64 lower-case hexadecimal characters."""

Generation = NewType("Generation", int)
"""The number of a snapshot; grows by one with each change an operator or a discovery makes."""
