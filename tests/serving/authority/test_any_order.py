"""Whatever two people's browsers do, in whatever order, each knowing all that the other was shown: nobody consents for anybody else."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.serving.asgi import Exchange
from tests.serving.authority.made import ASKED, IDP, LOCAL, Browser, House, authorize, back, token

pytestmark = pytest.mark.anyio

PEOPLE = ("alice", "mallory")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["begin", "sign in", "look", "allow", "deny", "sign out", "wait"]),
        st.integers(0, 7),
    ),
    max_size=25,
)


@dataclass
class World:
    """Two browsers, what everybody knows, and who has agreed to what."""

    house: House = field(default_factory=House)
    links: list[str] = field(default_factory=list)
    """To the provider: anybody may open any of them."""
    questions: list[tuple[str, str]] = field(default_factory=list)
    """Whom it was put to, and the token in the form."""
    agreed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.browsers = {name: Browser(self.house) for name in PEOPLE}

    def see(self, who: str, page: Exchange) -> None:
        if page.status == 303 and page.headers["location"].startswith(IDP):
            self.links.append(page.headers["location"])
        elif page.status == 200 and b'name="question"' in page.raw:
            self.questions.append((who, token(page)))

    async def step(self, who: str, what: str, number: int) -> None:
        browser = self.browsers[who]
        match what:
            case "begin" | "look":
                self.see(who, await browser.get(authorize(prompt="login" if number > 5 else "")))
            case "sign in" if self.links:
                page = await browser.get(back(self.links[number % len(self.links)], code=who))
                if page.status == 303:
                    self.see(who, await browser.get(page.headers["location"]))
            case "allow" | "deny" if self.questions:
                asked, question = self.questions[number % len(self.questions)]
                if what == "allow" and asked == who:
                    self.agreed.append(who)
                answer = await browser.post("/oauth/consent", {"question": question, "decision": what})
                assert answer.status in (303, 403)
                assert asked == who or answer.status == 403
            case "sign out":
                await browser.post("/oauth/signout", {})
            case "wait":
                self.house.clock.at += 250


@given(STEPS)
async def test_nobody_consents_for_anybody_else(steps: list[tuple[str, str, int]]) -> None:
    world = World()
    # A program on the own machine: each of its codes needs an answer of its own.
    world.house.authority.known = {ASKED.client_id: LOCAL}
    for who, what, number in steps:
        before = len(world.house.authority.granted_to)
        world.agreed.clear()
        await world.step(who, what, number)
        granted = [subject for _, subject in world.house.authority.granted_to[before:]]
        assert granted in ([], [f"corp:{who}"])
        assert len(granted) <= len(world.agreed)
