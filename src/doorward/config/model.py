"""The document an operator writes (`doorward.yaml`): every field, its default and its unit."""

from typing import Literal

from pydantic import ConfigDict, Field

from doorward.config.alerts import Alerts
from doorward.config.approvals import Approvals
from doorward.config.budgets import Budget, BudgetName
from doorward.config.connections import Connections
from doorward.config.credentials import Credential
from doorward.config.drift import Drift
from doorward.config.encryption import Encryption
from doorward.config.facts import FactName, FactRule
from doorward.config.flow import FlowRules, Labels
from doorward.config.health import HealthRules
from doorward.config.identity import Identity, IssuerName
from doorward.config.inspection import InspectionRules
from doorward.config.limits import Limit, LimitName
from doorward.config.part import Name, Part, Reference, UpstreamName
from doorward.config.runaway import Runaway
from doorward.config.secrets import Secrets
from doorward.config.supply import Pin, Sandbox
from doorward.config.syslog import Syslog
from doorward.config.telemetry import Telemetry
from doorward.domain.catalog import Posture, Reversibility, Trust

Group = Literal["read", "write", "destructive", "external"]
"""A policy group of tools; `destructive` includes `write`."""


class Tls(Part):
    """TLS of a listener. Changed files are taken over without dropping a connection."""

    certificate: str = Field(description="The server's certificate and its chain (PEM), relative to the document")
    key: str = Field(description="Its private key (PEM), relative to the document; readable by the gateway's user alone")
    minimum: Literal["1.2", "1.3"] = Field("1.3", description="The oldest version that is spoken")
    clients: Literal["off", "optional", "required"] = Field("off", description="Whether clients show certificates of their own")
    roots: tuple[str, ...] = Field((), description="The authorities of client certificates (PEM), besides the embedded one")
    crls: tuple[str, ...] = Field((), description="Revocation lists of those authorities (PEM or DER), signed by them")


class Proxy(Part):
    """A reverse proxy that ends TLS in front of this gateway and tells who the client is."""

    addresses: tuple[str, ...] = Field(
        min_length=1, description="Addresses or networks it connects from, such as `10.0.0.5/32`; the header is refused from anywhere else"
    )
    client_cert: bool = Field(True, description="It verifies client certificates and passes them in `Client-Cert` (RFC 9440)")


class Listen(Part):
    """Where agents connect."""

    host: str = Field("127.0.0.1", description="The address to listen on; beyond loopback, TLS belongs here or on a proxy in front")
    port: int = Field(8420, ge=0, le=65535, description="0 takes any free port")
    public_url: str | None = Field(
        None, description="How clients see this gateway, such as `https://mcp.example.com`; default `http://host:port`"
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="`Host` header values accepted besides the listener's own, such as `mcp.example.com`"
    )
    allowed_origins: tuple[str, ...] = Field(
        (), description="`Origin` header values accepted besides the listener's own, such as `https://mcp.example.com`"
    )
    tls: Tls | None = Field(None, description="TLS, and the certificates of clients; without it the listener speaks plain HTTP")
    proxy: Proxy | None = Field(None, description="A reverse proxy in front that is trusted to tell who the client is")


class Timeouts(Part):
    """How long an upstream may take, in seconds."""

    connect: float = Field(3, gt=0, le=60, description="To open a connection")
    first_byte: float = Field(60, gt=0, le=3600, description="From the request to the first byte of the answer")
    idle: float = Field(60, gt=0, le=3600, description="Between two pieces of an answer that streams")
    total: float = Field(600, gt=0, le=86400, description="For a whole call, whatever else is granted")
    start: float = Field(30, gt=0, le=600, description="From starting a process to its first answer")


class ToolRule(Part):
    """What an operator says of one tool, whatever the server claims."""

    groups: tuple[Group, ...] = Field(
        (),
        description="The policy groups the tool belongs to; `destructive` includes `write`. "
        "Without them a tool is `write`, `destructive` and `external`, unless `hints: believe` says otherwise",
    )
    reversibility: Reversibility | None = Field(
        None, description="What it takes to undo the tool's effect; default: `read` for a tool that only reads, else `irreversible`"
    )
    labels: Labels | None = Field(None, description="How its results are labelled; what is not said here, the upstream's `labels` say")
    facts: dict[FactName, FactRule] = Field(
        default_factory=dict, description="What policies read as `context.derived.NAME`, worked out of the tool's arguments"
    )


class UpstreamTls(Part):
    """With what TLS is spoken to an upstream. Changed files are used for the next connection."""

    certificate: str | None = Field(None, description="The gateway's own certificate and its chain (PEM), relative to the document")
    key: str | None = Field(None, description="Its private key (PEM), relative to the document; readable by the gateway's user alone")
    ca_file: str | None = Field(
        None, description="The only authorities (PEM) the upstream's certificate may come from; default: the system's"
    )


Per = Literal["everybody", "agent", "user", "principal"]
"""For whom there is a process of its own: nobody, each agent, each person that agents act for, each agent for each person."""


class Stdio(Part):
    """An upstream that is a process speaking MCP on its standard streams."""

    command: tuple[str, ...] = Field(min_length=1, description="Program and arguments; no shell, no references")
    cwd: str | None = Field(None, description="The directory it runs in, relative to the document; default: that of the document")
    env: dict[str, Reference] = Field(
        default_factory=dict,
        description="The whole environment besides `PATH`; values may hold references, secrets must be references. "
        "`${credential}` is the token of the upstream's `credential`",
    )
    processes: int = Field(
        1, ge=1, le=64, description="How many of it run side by side; more than one only where it keeps nothing between calls"
    )
    per: Per = Field(
        "everybody",
        description="For whom there is a process of its own: one for all, each agent, each person whom agents act for (an agent that acts for "
        "nobody is refused), or each agent together with the person",
    )
    most: int = Field(16, ge=1, le=1024, description="How many of these processes there are at most; one that is idle makes room")
    pin: Pin = Field(Pin(), description="By what its program and packages are known again before each start")
    sandbox: Sandbox | None = Field(None, description="What it may touch; without it, whatever the gateway's user may")
    idle_seconds: float = Field(600, ge=1, le=86400, description="One of these processes that nobody has used for so long ends")


class Upstream(Part):
    """One MCP server behind us: exactly one of `url`, `urls` and `stdio`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["url"], "properties": {"url": {"type": "string"}}},
                {"required": ["urls"], "properties": {"urls": {"type": "array"}}},
                {"required": ["stdio"], "properties": {"stdio": {"type": "object"}}},
            ]
        }
    )

    url: str | None = Field(None, description="The MCP endpoint of a Streamable HTTP server")
    urls: tuple[str, ...] = Field((), max_length=64, description="Several of them instead, of replicas that all show the same definitions")
    stdio: Stdio | None = Field(None, description="The process to start instead")
    health: HealthRules = Field(HealthRules(), description="When an address is left out because it fails")
    era: Literal["auto", "session", "exchange"] = Field(
        "auto",
        description="The protocol family: probed, with `initialize` and sessions (to 2025-11-25), or one exchange a request (from 2026-07-28)",
    )
    private: bool = Field(False, description="The address may be loopback, link-local or otherwise special-use")
    plain_http: bool = Field(False, description="http instead of https is meant")
    stateless: bool = Field(False, description="A session-era upstream that keeps nothing between calls: one session serves all principals")
    trust: Trust = Field(Trust.REVIEW, description="What makes a definition accepted: a person's review, or being the first one seen")
    drift: Drift = Field(Drift(), description="Which changes of what was accepted are taken without a look; by default none")
    hints: Literal["caution", "believe"] = Field(
        "caution",
        description="Whether the server's own annotations (`readOnlyHint`, `destructiveHint`, `openWorldHint`) may make a tool count as harmless. "
        "`caution`: never; `believe`: where no rule under `tools` names its groups",
    )
    posture: Posture = Field(Posture.ENFORCE, description="`observe`: a call that policy denies passes, and its receipt says so")
    team: Name = Field("platform", description="The team that owns it")
    credential: Credential | None = Field(None, description="With which credential it is met; none by default")
    tls: UpstreamTls | None = Field(None, description="Certificates of ours and authorities of theirs, for https")
    timeouts: Timeouts = Field(Timeouts(), description="How long it may take")
    refresh_seconds: float = Field(300, gt=0, le=86400, description="How old the list of definitions may get")
    result_bytes: int = Field(4 * 2**20, ge=1024, le=64 * 2**20, description="The largest result that is passed on")
    client_input: tuple[Literal["elicitation", "sampling", "roots"], ...] = Field(
        ("elicitation",), description="What the server may ask of a client in the middle of a call, where the client offers it"
    )
    extra_arguments: Literal["refuse", "allow"] = Field(
        "refuse", description="Arguments that a tool's schema does not name, where it names others and does not say that more may come"
    )
    labels: Labels = Field(Labels(), description="How what it says is labelled")
    tools: dict[Name, ToolRule] = Field(default_factory=dict, description="Rules by the tool's own name, without prefix")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it is; none for a process."""
        return self.urls if self.url is None else (self.url, *self.urls)


class TeamPolicies(Part):
    """The policies that a team writes for the upstreams it owns."""

    files: tuple[str, ...] = Field(min_length=1, description="Paths or globs, relative to the document")


class BreakGlass(Part):
    """Who may let an agent past every policy for a short while; loud, and in the log."""

    operators: tuple[Name, ...] = Field(min_length=1, description="Their names: local users, or `issuer:subject`")
    minutes: float = Field(15, gt=0, le=240, description="The longest time")


class Policies(Part):
    """Which Cedar files decide."""

    files: tuple[str, ...] = Field(
        (), description="The global layer: paths or globs, relative to the document; with no policy at all, nothing is allowed"
    )
    teams: dict[Name, TeamPolicies] = Field(
        default_factory=dict,
        description="Policies by team: they decide for the upstreams of that team alone, and no forbid of the global layer is loosened by them",
    )
    break_glass: BreakGlass | None = Field(None, description="Without it, there is none")
    tests: tuple[str, ...] = Field(
        ("policies/tests/*.yaml",), description="Files of tests for `doorward policy test`: paths or globs, relative to the document"
    )
    timezone: str = Field("UTC", description="IANA name, such as `Europe/Berlin`: the zone of `context.time`")


class Admission(Part):
    """How much one agent may do."""

    calls_per_minute: int = Field(600, ge=1, le=1_000_000, description="Calls of one agent a minute, once its burst is used up")
    burst: int = Field(100, ge=1, le=1_000_000, description="Calls of one agent that may come at once")
    concurrent: int = Field(32, ge=1, le=10_000, description="Calls of one agent at the same time")
    in_flight: int = Field(1024, ge=1, le=100_000, description="Calls of everybody at the same time; more are shed with 503")
    requests: int = Field(
        2048, ge=1, le=100_000, description="Requests of everybody that are read or answered at the same time; more are shed with 503"
    )
    bytes_in_flight_per_agent: int = Field(
        64 * 2**20, ge=2**20, le=2**40, description="Bytes of one agent's requests, and of answers on their way to it, at the same time"
    )
    bytes_in_flight: int = Field(512 * 2**20, ge=2**20, le=2**40, description="The same of everybody; more are shed with 503")


class Sessions(Part):
    """Bounds of session-era sessions."""

    idle_seconds: int = Field(1800, ge=10, le=604800, description="A session that says nothing for so long ends")
    absolute_seconds: int = Field(86400, ge=60, le=2592000, description="Every session ends after so long, whatever it says")
    per_principal: int = Field(100, ge=1, le=100_000, description="Sessions of one principal at the same time")
    overall: int = Field(10_000, ge=1, le=1_000_000, description="Sessions of everybody at the same time")


class Audit(Part):
    """How the log is kept."""

    origin: str = Field("doorward.local/log", description="The checkpoint origin: names this log (C2SP tlog-checkpoint)")
    receipts: Literal["queued", "strict"] = Field("queued", description="`strict`: the outcome is durable before the reply leaves")
    anchor_file: str | None = Field(
        None, description="An append-only copy of checkpoints, on another path or host; relative to the document"
    )
    anchor_syslog: Syslog | None = Field(None, description="A syslog server that is sent each checkpoint")
    keep_side_records_days: int = Field(90, ge=0, le=36500, description="How long encrypted arguments and results are kept; 0 keeps none")
    side_record_bytes: int = Field(65536, ge=0, le=4 * 2**20, description="Cap of each stored argument or result")


OperatorRole = Literal["viewer", "auditor", "approver", "owner", "admin"]
"""What an operator may do; `owner` is everything of the teams it belongs to."""


class OperatorGroup(Part):
    """What the members of a group of the identity provider may do here."""

    role: OperatorRole = Field(description="Their role")
    teams: tuple[Name, ...] = Field((), description="The teams they speak for, as approvers and owners")


class ControlListen(Part):
    """Where operators sign in over the network, with TLS."""

    host: str = Field("127.0.0.1", description="The address to listen on")
    port: int = Field(8421, ge=0, le=65535, description="0 takes any free port")
    public_url: str | None = Field(
        None, description="How operators see it, such as `https://doorward.example.com`; default `https://host:port`"
    )
    tls: Tls = Field(description="TLS; it cannot be left out")
    sign_in: IssuerName = Field(description="The issuer that operators sign in with; it needs `sign_in`")
    groups: dict[Name, OperatorGroup] = Field(
        default_factory=dict, description="What the issuer's groups may do, by the group's name in its tokens; others may do nothing"
    )
    session_minutes: float = Field(480, gt=0, le=1440, description="How long a sign-in lasts")


class Control(Part):
    """Who may operate the gateway, and through which doors."""

    socket: str | None = Field(
        None,
        description="The control socket, relative to the document; default: `control.sock` in the state directory, "
        "which the gateway's own user and root alone can reach",
    )
    group: Name | None = Field(
        None,
        description="A system group whose members may open the socket besides its owner; needs `socket` outside of the state directory",
    )
    listen: ControlListen | None = Field(
        None, description="Where operators sign in over the network; without it the socket is the only door"
    )
    operators: dict[Name, OperatorRole] = Field(
        default_factory=dict,
        description="Roles of local users by name or uid; the gateway's own user and root are admins",
    )


class Document(Part):
    """The whole of `doorward.yaml`."""

    version: Literal[1] = Field(1, description="The version of this format")
    state: str = Field("state", description="Directory of the database, keys and socket, relative to the document")
    listen: Listen = Field(Listen(), description="Where agents connect")
    upstreams: dict[UpstreamName, Upstream] = Field(
        default_factory=dict,
        description="The MCP servers behind this gateway, by name: at most 31 lower-case letters, digits and single hyphens",
    )
    policies: Policies = Field(Policies(), description="Which Cedar files decide")
    approvals: Approvals = Field(Approvals(), description="How people are asked for their yes")
    identity: Identity = Field(Identity(), description="Who may act at all")
    inspection: InspectionRules = Field(InspectionRules(), description="What is looked for in messages, and what is done about it")
    flow: FlowRules = Field(FlowRules(), description="What is made of where things come from and where they go")
    admission: Admission = Field(Admission(), description="How much one agent may do")
    limits: dict[LimitName, Limit] = Field(
        default_factory=dict,
        description="Further limits by name, on any calls and lists and counted apart for anything; a call has to be within all of them",
    )
    budgets: dict[BudgetName, Budget] = Field(
        default_factory=dict,
        description="How much may be used in all until a window ends, by name; a call has to fit into all that are about it",
    )
    runaway: Runaway = Field(Runaway(), description="Watching for agents that go in circles")
    sessions: Sessions = Field(Sessions(), description="Bounds of session-era sessions")
    alerts: Alerts = Field(Alerts(), description="Who hears of what should be looked at at once")
    secrets: Secrets = Field(Secrets(), description="Where secrets are kept besides variables and files, and what is watched of them")
    connections: Connections = Field(Connections(), description="How people connect accounts of their own at upstreams (`kind: user`)")
    control: Control = Field(Control(), description="Who may operate this gateway")
    audit: Audit = Field(Audit(), description="How the log is kept")
    encryption: Encryption = Field(Encryption(), description="How the database is encrypted")
    telemetry: Telemetry = Field(Telemetry(), description="What is measured besides what the metrics always have")
