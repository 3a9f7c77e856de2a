"""The document an operator writes (`doorward.yaml`): every field, its default and its unit."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from doorward.domain.catalog import Posture, Reversibility, Trust

UpstreamName = Annotated[str, StringConstraints(pattern=r"^[a-z](?:-?[a-z0-9]){0,30}$")]
"""Lower-case letters, digits and single hyphens, at most 31: so that prefixed names split in one way only."""

Reference = str
"""A text that may hold `${env:NAME}` or `${file:path}`; resolved only when a credential is leased."""


class Part(BaseModel):
    """A frozen piece of the document that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Listen(Part):
    """Where agents connect."""

    host: str = "127.0.0.1"
    port: int = Field(8420, ge=0, le=65535)
    public_url: str | None = Field(None, description="How clients see this gateway, such as https://mcp.example.com; default http://host:port")
    allowed_hosts: tuple[str, ...] = Field((), description="Host header values accepted besides the listener's own, such as mcp.example.com")
    allowed_origins: tuple[str, ...] = Field((), description="Origin header values accepted besides the listener's own")


class Timeouts(Part):
    """How long an upstream may take, in seconds."""

    connect: float = Field(3, gt=0, le=60)
    first_byte: float = Field(60, gt=0, le=3600)
    idle: float = Field(60, gt=0, le=3600, description="Between two pieces of an answer that streams")
    total: float = Field(600, gt=0, le=86400)
    start: float = Field(30, gt=0, le=600, description="From starting a process to its first answer")


class ToolRule(Part):
    """What an operator says of one tool, whatever the server claims."""

    groups: tuple[Literal["read", "write", "destructive", "external"], ...] = ()
    reversibility: Reversibility = Reversibility.IRREVERSIBLE


class Credential(Part):
    """A static secret in a header of each request to an upstream (HTTP only)."""

    header: str = Field("Authorization", pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
    value: Reference = Field(description="Such as `Bearer ${env:GITHUB_TOKEN}`")


class Stdio(Part):
    """An upstream that is a process speaking MCP on its standard streams."""

    command: tuple[str, ...] = Field(min_length=1, description="Program and arguments; no shell")
    cwd: str | None = None
    env: dict[str, Reference] = Field(default_factory=dict, description="The whole environment, besides PATH; values may be references")


class Upstream(Part):
    """One MCP server behind us: exactly one of `url` and `stdio`."""

    url: str | None = None
    stdio: Stdio | None = None
    era: Literal["auto", "session", "exchange"] = "auto"
    private: bool = Field(False, description="The address may be loopback, link-local or otherwise special-use")
    plain_http: bool = Field(False, description="http instead of https is meant")
    stateless: bool = Field(False, description="A session-era upstream that keeps nothing between calls: one session serves all principals")
    trust: Trust = Trust.REVIEW
    posture: Posture = Posture.ENFORCE
    team: str = "platform"
    credential: Credential | None = None
    timeouts: Timeouts = Timeouts()
    refresh_seconds: float = Field(300, gt=0, le=86400, description="How old the list of definitions may get")
    result_bytes: int = Field(4 * 2**20, ge=1024, le=64 * 2**20)
    tools: dict[str, ToolRule] = Field(default_factory=dict)


class Policies(Part):
    """Which Cedar files decide."""

    files: tuple[str, ...] = Field((), description="Paths or globs, relative to the document")
    timezone: str = Field("UTC", description="IANA name: the zone of `context.time`")


class Anonymous(Part):
    """Which agent a caller without a credential is (only on a loopback listener)."""

    agent: str
    team: str = "local"


class Identity(Part):
    """Who may act at all, besides the agents that Doorward has issued keys to."""

    anonymous: Anonymous | None = None


class Admission(Part):
    """How much one agent may do."""

    calls_per_minute: int = Field(600, ge=1, le=1_000_000)
    burst: int = Field(100, ge=1, le=1_000_000)
    concurrent: int = Field(32, ge=1, le=10_000, description="Calls of one agent at the same time")
    in_flight: int = Field(1024, ge=1, le=100_000, description="Calls of everybody at the same time; more are shed with 503")


class Sessions(Part):
    """Bounds of session-era sessions."""

    idle_seconds: int = Field(1800, ge=10, le=604800)
    per_principal: int = Field(100, ge=1, le=100_000)
    overall: int = Field(10_000, ge=1, le=1_000_000)


class Syslog(Part):
    """A syslog server that checkpoints are sent to (RFC 5424 over UDP or TCP)."""

    host: str
    port: int = Field(514, ge=1, le=65535)
    protocol: Literal["udp", "tcp"] = "udp"


class Audit(Part):
    """How the log is kept."""

    origin: str = Field("doorward.local/log", description="The checkpoint origin: names this log (C2SP tlog-checkpoint)")
    receipts: Literal["queued", "strict"] = Field("queued", description="strict: the outcome is durable before the reply leaves")
    anchor_file: str | None = Field(None, description="An append-only copy of checkpoints, on another path or host")
    anchor_syslog: Syslog | None = None
    keep_side_records_days: int = Field(90, ge=0, le=36500, description="How long encrypted arguments and results are kept; 0 keeps none")
    side_record_bytes: int = Field(65536, ge=0, le=4 * 2**20, description="Cap of each stored argument or result")


class Document(Part):
    """The whole of `doorward.yaml`."""

    version: Literal[1] = 1
    state: str = Field("state", description="Directory of the database, keys and socket, relative to the document")
    listen: Listen = Listen()
    upstreams: dict[UpstreamName, Upstream] = Field(default_factory=dict)
    policies: Policies = Policies()
    identity: Identity = Identity()
    admission: Admission = Admission()
    sessions: Sessions = Sessions()
    audit: Audit = Audit()
