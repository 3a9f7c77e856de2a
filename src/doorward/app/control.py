"""The control plane of a house: its routes, plain pages and socket."""

from collections.abc import Callable, Mapping
from functools import partial

from doorward.admission.matters import Matter
from doorward.app import clocks
from doorward.app.house import House
from doorward.app.operators import Behind
from doorward.call.flowing import present
from doorward.config.check_control import NAME as SOCKET_NAME
from doorward.control.agents import Agents
from doorward.control.alerts import AlertTest
from doorward.control.answer_hooks import AnswerHooks, Senders
from doorward.control.app import control_app
from doorward.control.approval_pages import ApprovalPages
from doorward.control.approvals import Approvals
from doorward.control.break_glass import BreakGlass
from doorward.control.budgets import BudgetRows
from doorward.control.catalog import Catalog
from doorward.control.certificates import IssuedCertificates
from doorward.control.configuration import Configurations
from doorward.control.connections import ConnectionRows
from doorward.control.encryption import EncryptionKeys
from doorward.control.exceptions import Exceptions
from doorward.control.flow import FlowRows
from doorward.control.limits import LimitRows
from doorward.control.listener import ControlListener
from doorward.control.log import Log
from doorward.control.network import Ground, Page, session_seconds
from doorward.control.observed import Observed
from doorward.control.pages import Pages
from doorward.control.past import Past
from doorward.control.people import People
from doorward.control.policies import PolicyDesk
from doorward.control.policy_sets import PolicyHistory
from doorward.control.replays import Replays
from doorward.control.routes import Route
from doorward.control.secrets import SecretRows
from doorward.control.sessions import SessionRows
from doorward.control.status import Evidence, Status
from doorward.control.stops import Stops
from doorward.control.upstreams import Upstreams
from doorward.control.waivers import Ground as WaiverGround
from doorward.identity.tokens.issuer import OWN
from doorward.telemetry.journal import Journal, Level


def control_listener(house: House, not_ready: Callable[[], tuple[str, ...]]) -> ControlListener:
    """The listener of the admin API: in the state directory, or where the document says."""
    rules = house.generations.current.document.control
    pages = Pages(not_ready, house.meter)
    app = control_app(_routes(house, not_ready), lambda: house.generations.current.document.control.operators, pages.plain())
    path = house.state.database.directory.path / SOCKET_NAME if rules.socket is None else house.root / rules.socket
    return ControlListener(app, path, rules.group)


def network_door(house: House, not_ready: Callable[[], tuple[str, ...]]) -> Behind:
    """What is behind the TLS listener of operators: the same routes and pages."""
    return Behind(
        document=lambda: house.generations.current.document,
        root=house.root,
        sign_ins=house.identification.sign_ins,
        switch=house.state.switch,
        sessions=house.operator_sessions,
        recorder=house.state.evidence.recorder,
        routes=_routes(house, not_ready),
        plain=Pages(not_ready, house.meter).plain(),
        pages=partial(_pages, house),
        opened=house.asking.open_at,
    )


def _routes(house: House, not_ready: Callable[[], tuple[str, ...]]) -> tuple[Route, ...]:
    state = house.state
    recorder, auditor, alarms = state.evidence.recorder, state.evidence.auditor, house.alerting.alarms
    evidence = Evidence(recorder, state.evidence.anchors, state.evidence.log)
    withdraw = partial(_withdraw, house)
    waivers = WaiverGround(state.waivers, state.registry, house.generations, recorder, clocks.now, clocks.new_id)
    return (
        *Status(
            not_ready, house.generations, house.workbench, house.fleet, house.flight, evidence, partial(_loud, house), alarms.standing
        ).routes(),
        *AlertTest(alarms.test).routes(),
        *Configurations(house.generations, house.workbench).routes(),
        *Agents(
            state.registry, recorder, clocks.now, house.identification.enrolment.could_enrol, partial(_is_issuer, house), withdraw
        ).routes(),
        *IssuedCertificates(state.issued, state.switch).routes(),
        *Stops(state.switch, state.registry, house.generations, recorder, withdraw).routes(),
        *Catalog(house.workbench, house.generations, house.discovery.look, recorder, house.programs).routes(),
        *PolicyDesk(house.generations, state.registry, house.moments, state.waivers.besides_own, partial(present, state.contexts)).routes(),
        *PolicyHistory(house.workbench, state.policy_sets, partial(_warn, house.journal)).routes(),
        *Replays(house.generations, house.workbench, state.registry, recorder, auditor, (clocks.now, clocks.monotonic)).routes(),
        *Past(house.generations, state.registry, recorder, auditor, state.policy_sets).routes(),
        *Approvals(state.desk, recorder, house.answers.check_edit).routes(),
        *Exceptions(waivers).routes(),
        *BreakGlass(waivers).routes(),
        *Log(auditor, recorder, state.evidence.anchors, clocks.now).routes(),
        *Observed(auditor, clocks.now).routes(),
        *People(house.operator_sessions, lambda: session_seconds(house.generations.current.document.control.listen), recorder).routes(),
        *SessionRows(house.sessions, recorder).routes(),
        *Upstreams(house.fleet, house.generations, recorder).routes(),
        *ConnectionRows(house.connecting.connections, house.generations, recorder, house.connecting.own_link).routes(),
        *EncryptionKeys(state.rotation, recorder).routes(),
        *SecretRows(house.sourcing.inventory(lambda: house.generations.current.document, house.broker.used), clocks.now).routes(),
        *LimitRows(house.dispatch.gate).routes(),
        *FlowRows(state.contexts, state.registry, recorder).routes(),
        *BudgetRows(state.budgets, state.registry, recorder, state.budgets.now, clocks.new_id).routes(),
    )


def _pages(house: House, ground: Ground) -> Mapping[str, Page]:
    """The pages for people on the network door, besides those by which they sign in: approvals, and the way in for signed answers."""
    senders = Senders(lambda: house.generations.current.document.approvals.webhooks, house.asking.secret, ground.is_barred, clocks.now)
    return {**ApprovalPages(ground, house.answers).pages(), **AnswerHooks(house.answers, senders).pages()}


def _loud(house: House) -> tuple[str, ...]:
    """What everybody should hear of."""
    return (*house.state.waivers.loud(), *house.connecting.loud())


def _warn(journal: Journal, text: str) -> None:
    journal.say("warning", Level.WARNING, text=text)


async def _withdraw(house: House, matter: Matter, why: str) -> None:
    """Ends what was given to, for or by somebody or something that has been revoked."""
    await house.identification.withdraw(matter, why)
    await house.connecting.withdraw(matter, why)


def _is_issuer(house: House, name: str) -> bool:
    """Whether tokens of an issuer that is called so are accepted, as the document in force has it."""
    rules = house.generations.current.document.identity
    return name in rules.issuers or (name == OWN and rules.authority is not None)
