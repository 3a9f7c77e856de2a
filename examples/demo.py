"""`make demo`: a scripted agent on the official SDK client, and an operator beside it, show what Doorward does; ends with 0 if all of it held."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import anyio
from mcp import Client

from doorward import verifier
from examples import agent
from examples.couriers import HONEST, QUOTES
from examples.gateway import AGENT, Gateway, StartError, agent_key, gateway
from examples.ground import ROOT, doorward, prepare, relocated
from examples.paper import UnexpectedError, command, expect, heading, show, tell

DIRECTORY = ROOT / "var" / "demo"
SOON_SECONDS = 20.0
PAUSE_SECONDS = 0.05

COURIERS = f"""\
  couriers:
    team: sales
    trust: first-use
    stdio:
      command: [{sys.executable}, -m, examples.couriers]
      cwd: {ROOT}
    refresh_seconds: 1
    tools:
      quote: {{groups: [read], reversibility: read}}
      track: {{groups: [read], reversibility: read}}

"""


@dataclass(slots=True)
class Stage:
    """The gateway, the agent's client, and the receipts that the steps leave."""

    gateway: Gateway
    client: Client
    receipt: str = ""

    async def call(self, tool: str, **arguments: object) -> agent.Heard:
        """One call of the agent, shown."""
        command(f"agent call {tool} " + " ".join(f"{name}={shlex.quote(str(value))}" for name, value in arguments.items()))
        heard = await agent.call(self.client, tool, arguments)
        show(heard.text)
        return heard

    async def operate(self, *arguments: str) -> str:
        """One command of the operator, shown with what it says."""
        command(shlex.join(("doorward", *arguments)))
        said = await self.quietly(*arguments)
        show(said)
        return said

    async def quietly(self, *arguments: str) -> str:
        """One command of the operator: a process like any other, over the admin socket."""
        environment = {**os.environ, "DOORWARD_SOCKET": str(self.gateway.socket)}
        done = await anyio.run_process(doorward(*arguments), check=False, env=environment, stderr=subprocess.STDOUT)
        return done.stdout.decode()


async def allowed(stage: Stage) -> None:
    """A call that policy allows."""
    heard = await stage.call("time__get_current_time", timezone="Europe/Berlin")
    expect(not heard.is_error, "the call was allowed, by the policy support-reads")
    expect(heard.receipt, f"its result names its receipt: {heard.receipt}")
    stage.receipt = heard.receipt


async def denied(stage: Stage) -> None:
    """A call that policy denies for its argument."""
    tell("The agent may read the shop's database. Which tables a query is about decides; a parser of SQL reads them from the argument.")
    heard = await stage.call("sqlite__read_query", query="SELECT name, city FROM customers")
    expect(not heard.is_error and "Ada" in heard.text, "names and cities: allowed")
    heard = await stage.call("sqlite__read_query", query="SELECT name, city FROM customers UNION SELECT email, '' FROM contacts")
    expect(heard.reason == "forbidden", "with e-mail addresses from another table: denied")
    expect("Customer e-mail addresses are not for agents." in heard.text, "the agent is told the policy's reason")
    expect(heard.receipt in heard.text, "and a reference, under which the operator finds the rest:")
    said = await stage.operate("log", "show", heard.receipt)
    expect("no-customer-addresses" in said, "the log says which policy decided")
    expect('type: "refusal"' in said and "── leaf" in said, "and that the call ended there: nothing was sent to the server")


async def asked(stage: Stage) -> None:
    """A payment that waits for a person's yes."""
    tell("The agent may pay the shop's suppliers. How much decides:")
    heard = await stage.call("bank__pay", to="acme", euros=40)
    expect(not heard.is_error, "40 euros: paid at once")
    heard = await stage.call("bank__pay", to="acme", euros=5000)
    expect("Larger invoices go to a person." in heard.text, "5,000: denied, with a reason that a model can act on")
    heard = await stage.call("bank__pay", to="acme", euros=250)
    expect(heard.reason == "pending" and heard.approval in heard.text, "250: waits for finance, and the agent is told to ask again")
    said = await stage.operate("approval", "show", heard.approval)
    expect("irreversible" in said and "euros: 250" in said, "who answers sees the whole call, and that it cannot be undone")
    [digest] = [line.split()[1] for line in said.splitlines() if line.startswith("digest")]
    await stage.operate("approval", "approve", heard.approval, "--digest", digest[:12], "--note", "invoice 7 is in order")
    other = await stage.call("bank__pay", to="acme", euros=251)
    expect(other.reason == "pending", "the yes is to this call alone: a euro more is another question")
    paid = await stage.call("bank__pay", to="acme", euros=250)
    expect(not paid.is_error, "the same call again goes through")
    again = await stage.call("bank__pay", to="acme", euros=250)
    expect(again.reason == "pending", "once")
    said = await stage.quietly("log", "show", paid.receipt)
    [by] = re.findall(r"approval:\n(?: +.*\n)*? +by: (.*)", said)
    expect(by, f"and its receipt names who said yes: {by}")


async def explained(stage: Stage) -> None:
    """Why, and what would be otherwise."""
    tell("What would it take for that payment to need nobody? Doorward tries what the policies compare with, and sends nothing:")
    said = await stage.operate("policy", "explain", "--agent", AGENT, "--tool", "bank/pay", "-a", "to=acme", "-a", "euros=250")
    expect("euros < 100 (say, 99) instead of 250 → allow" in said, "the smallest change is told, and has been decided again")
    tell(
        "Somebody would rather see every payment of 20 euros and more. Before that decides, it is tried on the calls of this demonstration:"
    )
    candidate = stage.gateway.directory / "candidate"
    shutil.copytree(stage.gateway.directory / "policies", candidate)
    payments = candidate / "payments.cedar"
    payments.write_text(payments.read_text("utf-8").replace("euros >= 100", "euros >= 20"), "utf-8")
    said = await stage.operate("policy", "replay", str(candidate), "--since", "1h")
    expect("allow → ask" in said, "the replay lists each decision that would change: the 40 euros would have waited for somebody")


async def hidden(stage: Stage) -> None:
    """A tool that this agent could never be allowed to call."""
    seen = await agent.tools(stage.client)
    tell(f"The server has `write_query`. The agent sees {len(seen)} tools, and of the database these:")
    show("\n".join(name for name in seen if name.startswith("sqlite__")))
    expect("sqlite__write_query" not in seen, "what no policy could allow is not listed")
    real = await stage.call("sqlite__write_query", query="DELETE FROM orders")
    invented = await stage.call("sqlite__no_such_tool", query="DELETE FROM orders")
    told = {heard.text.replace(heard.receipt, "…") for heard in (real, invented)}
    expect(real.is_error and len(told) == 1, "calling it by name says the same as calling what was never there")


async def drifted(stage: Stage) -> None:
    """A server that behaved until today."""
    tell("`couriers` is a server of this tour. What it showed first was pinned:")
    show(HONEST)
    for city in ("London", "New York", "Göttingen")[:QUOTES]:
        await stage.call("couriers__quote", city=city, kilos=2)
    tell("After the third quote it shows another description for the same tool, and tells nobody. Doorward looks again by itself:")
    await _until_withheld(stage, "couriers__quote")
    expect("couriers__quote" not in await agent.tools(stage.client), "the tool is withheld from lists: no agent reads the new text")
    heard = await stage.call("couriers__quote", city="Rome", kilos=1)
    expect(heard.is_error and heard.reason == "unknown_target", "and from calls")
    said = await stage.operate("catalog", "diff", "couriers")
    expect("id_ed25519" in said and "drifted" in said, "the operator sees the whole difference")
    expect("sensitive_source" in said, "and what Doorward has found in it: it sends the model for a file of keys")
    tell("This one should stay withheld. To show what approving does, the operator approves it, in spite of what was found:")
    said = await stage.operate("catalog", "approve", "couriers", "quote", "--despite", "sensitive_source")
    expect("accepted 1" in said, "exactly what was shown is accepted from now on")
    heard = await stage.call("couriers__quote", city="Rome", kilos=1)
    expect(not heard.is_error, "and the tool is back")


async def stopped(stage: Stage) -> None:
    """A stop that does not wait for the next call."""
    tell("The agent asks for news of a parcel and would wait a minute for them.")
    waiting = asyncio.ensure_future(stage.call("couriers__track", parcel="DW-7", seconds=60))
    await _until_in_flight(stage)
    begun = time.monotonic()
    await stage.operate("stop", "agent", AGENT, "--reason", "it asks too much")
    heard = await waiting
    took = time.monotonic() - begun
    expect(heard.is_error and took < SOON_SECONDS, f"the call in flight was cut off, {took:.1f} s after the operator began to type")
    heard = await stage.call("time__get_current_time", timezone="UTC")
    expect(heard.reason == "stopped", "the next one is refused, on whichever tool")
    await stage.operate("resume", "agent", AGENT)
    heard = await stage.call("time__get_current_time", timezone="UTC")
    expect(not heard.is_error, "and after that the agent goes on")


async def proven(stage: Stage) -> None:
    """A receipt, and a whole log, that somebody else verifies."""
    place = stage.gateway.directory / "auditor"
    place.mkdir()
    shutil.copy(verifier.__file__, place / "verifier.py")
    tell("An auditor gets the receipt of the first call, the log's public key, and one file of Python that knows nothing of Doorward.")
    await stage.operate("receipt", stage.receipt, "--output", str(place / "receipt.json"))
    (place / "log.vkey").write_text(await stage.quietly("log", "checkpoint", "--key"))
    code, said = await _verify(place, "receipt.json")
    expect(code == verifier.OK and said.startswith("OK"), "the receipt is what the log holds, under the log's signature")
    forged = (place / "receipt.json").read_text().replace("get_current_time", "read_the_letters")
    (place / "receipt.json").write_text(forged)
    code, said = await _verify(place, "receipt.json")
    expect(code == verifier.TAMPERED and said.startswith("TAMPERED"), "with another tool's name in it, it is not")
    tell("And the whole log, held against the checkpoints that were copied to another place while it grew:")
    shutil.copy(stage.gateway.directory / "anchor" / "checkpoints.txt", place / "anchored.txt")
    await stage.operate("log", "export", str(place / "log"))
    code, said = await _verify(place, "log", "--trusted", "anchored.txt")
    expect(code == verifier.OK and said.startswith("OK"), "nothing that was anchored has been changed, left out, moved or cut off since")


STEPS = (
    ("A call that policy allows", allowed),
    ("A call that policy denies, for its argument", denied),
    ("A call that waits for a person's yes", asked),
    ("Why, and what would be otherwise", explained),
    ("A tool that this agent never sees", hidden),
    ("A tool that changed after it was approved", drifted),
    ("A stop, also for what is in flight", stopped),
    ("A receipt, verified by somebody else", proven),
)


async def play(running: Gateway) -> str:
    """Every step, in order; gives what the first one did that did something else, or nothing."""
    async with agent.connected(running.url(), agent_key(running)) as client:
        stage = Stage(running, client)
        try:
            for number, (title, step) in enumerate(STEPS, 1):
                heading(number, title)
                await step(stage)
        except UnexpectedError as error:
            return str(error)
    return ""


def main() -> int:
    """Plays the demonstration on a gateway of its own; gives the exit code."""
    parser = argparse.ArgumentParser("examples.demo", description="A scripted agent shows what Doorward does.")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="where it may begin afresh; what is in it is removed")
    directory: Path = parser.parse_args().directory.resolve()
    if not _is_ours(directory):
        print(f"{directory} holds something else than a demonstration; name a new directory", file=sys.stderr)
        return 2
    shutil.rmtree(directory, ignore_errors=True)
    prepare(directory)
    print(textwrap.fill("Doorward starts in front of six servers: time, git, sqlite and fetch, and two small ones of this tour.", 110))
    try:
        with gateway(relocated(directory, 0, COURIERS), directory) as running:
            problem = asyncio.run(play(running))
    except StartError as error:
        problem = str(error)
    print(f"\nThe demonstration failed: {problem}" if problem else "\nAll of it held.")
    return 1 if problem else 0


def _is_ours(directory: Path) -> bool:
    return not directory.exists() or not any(directory.iterdir()) or (directory / "shop.db").exists()


async def _until_withheld(stage: Stage, tool: str) -> None:
    for _ in range(int(SOON_SECONDS / PAUSE_SECONDS)):
        if tool not in await agent.tools(stage.client):
            return
        await anyio.sleep(PAUSE_SECONDS)
    raise UnexpectedError(f"{tool} should have been withheld within {SOON_SECONDS:.0f} s")


async def _until_in_flight(stage: Stage) -> None:
    for _ in range(int(SOON_SECONDS / PAUSE_SECONDS)):
        if stage.gateway.admin.get("/v1/status")["in_flight"]:
            return
        await anyio.sleep(PAUSE_SECONDS)
    raise UnexpectedError(f"a call should have been in flight within {SOON_SECONDS:.0f} s")


async def _verify(place: Path, *words: str) -> tuple[int, str]:
    """What the verifier says, alone in a process and a directory of its own."""
    words = ("verifier.py", *words, "--key", "log.vkey")
    command(f"python {shlex.join(words)}")
    done = await anyio.run_process([sys.executable, "-I", *words], check=False, cwd=place, stderr=subprocess.STDOUT)
    show(done.stdout.decode())
    return done.returncode, done.stdout.decode()


if __name__ == "__main__":
    sys.exit(main())
