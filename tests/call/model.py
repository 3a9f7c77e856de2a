"""A small reference model of policy, pins, approvals, waivers and stops: what must become of a call, said as plainly as can be.

It shares no code with the rooms. Where the rooms say why, the model only says what: `runs`, `pending`, `rejected` or `no`.
"""

from dataclasses import dataclass, field

RUNS, PENDING, REJECTED, NO = "runs", "pending", "rejected", "no"

ANSWER_SECONDS, USE_SECONDS = 3600.0, 600.0

TEAM_OF = {"claude": "support", "gpt": "ops"}
OWNER_OF = {"claude": "ada", "gpt": "bob"}
SUBJECT_OF = {"claude": "corp:ann", "gpt": ""}
"""Whom each agent acts for."""
SPEAKS_FOR = {
    "ada": {"finance", "security"},
    "bob": {"finance"},
    "cat": {"finance"},
    "dan": {"security"},
    "corp:ann": {"finance", "security"},
}
"""People, and the teams they answer for."""

POLICIES = {
    "reads": """permit (principal in Team::"support", action in Action::"read", resource);""",
    "pushes": """permit (principal in Team::"support", action == Action::"git/push", resource);""",
    "no-main": """@exception("security") forbid (principal, action == Action::"git/push", resource) when { context.input.branch == "main" };""",
    "seen": """@approval("2 of finance") forbid (principal, action == Action::"bank/pay", resource) when { context.input.amount >= 100 };""",
    "watched": """@approval("security") @owner("may") forbid (principal, action == Action::"bank/pay", resource)
        when { context.input.to == "abroad" };""",
    "never": """forbid (principal, action == Action::"bank/pay", resource) when { context.input.to == "evil" };""",
    "fails": """forbid (principal, action == Action::"bank/pay", resource)
        when { context.input.amount > 1000 && context.input.amount + 9223372036854775807 > 0 };""",
}
OF_FINANCE = {"pays": """permit (principal, action == Action::"bank/pay", resource);"""}
"""The layer of the team that owns the bank."""


@dataclass(frozen=True)
class Asked:
    """A call: who wants what. `to` is the branch of a push."""

    agent: str
    tool: str
    amount: int = 0
    to: str = ""


@dataclass
class Question:
    """What waits for people."""

    asked: Asked
    definition: int
    until: float
    yeses: set[str] = field(default_factory=set)
    state: str = PENDING


@dataclass
class Model:
    """Everything that decides."""

    now: float = 0.0
    offered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("git/read", "git/push", "bank/pay"), 1))
    """The version of each definition that its upstream shows."""
    pinned: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("git/read", "git/push", "bank/pay"), 1))
    """The version that was accepted."""
    stopped: set[str] = field(default_factory=set)
    """`all`, an agent, an upstream or a tool."""
    exceptions: dict[str, float] = field(default_factory=dict)
    """Of an agent from `no-main`, until when."""
    glasses: dict[str, float] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)

    def call(self, asked: Asked) -> str:
        """What must become of a call; a question or the use of a grant is noted."""
        if self.pinned[asked.tool] != self.offered[asked.tool]:
            return NO
        if self.stopped & {"all", asked.agent, asked.tool.partition("/")[0], asked.tool}:
            return NO
        if self.glasses.get(asked.agent, -1.0) > self.now:
            return RUNS
        needs = self.needs(asked)
        if needs is None:
            return NO
        return self.cleared(asked) if needs else RUNS

    def needs(self, asked: Asked) -> dict[str, int] | None:
        """How many people of which team must say yes; None where nobody can."""
        if asked.tool == "git/read":
            return {} if TEAM_OF[asked.agent] == "support" else None
        if asked.tool == "git/push":
            is_excepted = self.exceptions.get(asked.agent, -1.0) > self.now
            is_permitted = TEAM_OF[asked.agent] == "support" or is_excepted
            return {} if is_permitted and (asked.to != "main" or is_excepted) else None
        if asked.to == "evil" or asked.amount > 1000:
            return None
        seen = {"finance": 2} if asked.amount >= 100 else {}
        return seen | ({"security": 1} if asked.to == "abroad" else {})

    def cleared(self, asked: Asked) -> str:
        """Where the question about a call stands; asked if it is not yet."""
        question = self.open_question(asked)
        if question is None:
            self.questions.append(Question(asked, self.pinned[asked.tool], self.now + ANSWER_SECONDS))
            return PENDING
        if question.state == "approved":
            question.state = "used"
            return RUNS
        return question.state

    def open_question(self, asked: Asked) -> Question | None:
        """The last question about exactly this call, unless it is used or its time is over."""
        same = [one for one in self.questions if one.asked == asked and one.definition == self.pinned[asked.tool]]
        return same[-1] if same and same[-1].state != "used" and same[-1].until > self.now else None

    def waiting(self) -> list[Question]:
        """Questions that can still be answered."""
        return [one for one in self.questions if one.state in (PENDING, "approved") and one.until > self.now]

    def yes(self, question: Question, person: str) -> bool:
        """One person's yes; whether it is taken."""
        if question.state != PENDING or not self.may(question, person):
            return False
        if person in question.yeses:
            return False
        question.yeses.add(person)
        needs = self.needs(question.asked) or {}
        if all(len({one for one in question.yeses if self.counts(question, one, team)}) >= people for team, people in needs.items()):
            question.state, question.until = "approved", self.now + USE_SECONDS
        return True

    def no(self, question: Question, person: str) -> bool:
        """One person's no, also to a yes that was not used; whether it is taken."""
        if question.state not in (PENDING, "approved") or not SPEAKS_FOR[person] & set(self.needs(question.asked) or {}):
            return False
        question.state, question.until = REJECTED, max(question.until, self.now + USE_SECONDS)
        return True

    def may(self, question: Question, person: str) -> bool:
        """Whether a person's yes counts for anything that is needed."""
        return any(self.counts(question, person, team) for team in self.needs(question.asked) or {})

    def counts(self, question: Question, person: str, team: str) -> bool:
        """Whether a person's yes counts for a team: never for who is acted for, for an owner where the policy says so."""
        asked = question.asked
        if person == SUBJECT_OF[asked.agent] or team not in SPEAKS_FOR[person]:
            return False
        return person != OWNER_OF[asked.agent] or team == "security"
