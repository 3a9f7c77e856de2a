"""`make run`: Doorward in front of four real servers that nobody here wrote and a small bank, with an agent, its key and what to try."""

from __future__ import annotations

import argparse
import shlex
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from examples.clients import Access, configurations
from examples.gateway import AGENT, TEAM, Gateway, StartError, agent_key, gateway
from examples.ground import CONFIG, HOME, ROOT, prepare, relocated

PORT = 8420

TRY = """
agent tools
    what this agent may see, of all servers
agent call time__get_current_time timezone=UTC
    allowed
agent call sqlite__read_query query="SELECT name, city FROM customers"
    allowed
agent call sqlite__read_query query="SELECT email FROM contacts"
    denied: the policy looks at the argument
agent call bank__pay to=acme euros=250
    waits for a person: `doorward approval list`, `doorward approval approve ID`, then the same call again
agent call sqlite__write_query query="DELETE FROM orders"
    hidden: for this agent there is no such tool
doorward log list
    everything that happened
doorward receipt REFERENCE
    the proof of one call
doorward stop agent claude-desktop --reason "lunch"
    at once, also in flight; `doorward resume agent claude-desktop` lets it go on
"""


def main() -> int:
    """Runs the tour until it is ended (Ctrl-C, SIGTERM, a closed terminal) or the gateway ends by itself; gives the exit code."""
    given = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    directory: Path = given.directory.resolve()
    prepare(directory)
    config = CONFIG if (directory, given.port) == (HOME, PORT) else relocated(directory, given.port)
    try:
        with gateway(config, directory) as running:
            print(_welcome(running, config), flush=True)
            return 0 if given.check else _by_itself(running)
    except StartError as error:
        print(_apology(str(error), given.port), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nDoorward has ended; everything is kept for the next run.")
        return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("examples.run", description="Doorward in front of four real servers.")
    parser.add_argument("--directory", type=Path, default=HOME, help="where state, database and notes are kept")
    parser.add_argument("--port", type=int, default=PORT, help="where agents connect; 0 takes any free port")
    parser.add_argument("--check", action="store_true", help="end as soon as everything is ready")
    return parser.parse_args()


def _by_itself(running: Gateway) -> int:
    code = running.process.wait()
    print(f"\nDoorward ended by itself with code {code}; {_short(running.directory / 'journal.jsonl')} says why.", file=sys.stderr)
    return 1


def _welcome(running: Gateway, config: Path) -> str:
    key = agent_key(running)
    access = Access(running.url(), key, running.directory / "agent.key")
    clients = "\n\n".join(f"  {name}\n{textwrap.indent(text, '    ')}" for name, text in configurations(access).items())
    return f"""Doorward is ready.

  all servers    {running.url()}
  one server     {running.url("git")} (or time, sqlite, fetch, bank)
  agent          {AGENT}, of the team {TEAM}
  its key        {key}

  configuration  {_short(config)}, which may be edited while it runs; so may the policies beside it
  journal        {_short(running.directory / "journal.jsonl")}

Connect a client

{clients}

Or try it in another shell, after

  . {_short(_environment(running))}

{textwrap.indent(TRY.strip(), "  ")}

Ctrl-C ends it."""


def _environment(running: Gateway) -> Path:
    """A file that a shell reads so that `doorward` and `agent` speak to this gateway."""
    text = f"""# Read by a shell: `doorward` operates the gateway of the tour, `agent` is an agent behind it.
export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"
export DOORWARD_SOCKET={shlex.quote(str(running.socket))}
export DOORWARD_URL={running.url()}
agent() {{
    DOORWARD_KEY=$(cat {shlex.quote(str(running.directory / "agent.key"))}) python {shlex.quote(str(ROOT / "examples" / "agent.py"))} "$@"
}}
"""
    path = running.directory / "env"
    path.write_text(text, "utf-8")
    return path


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _apology(why: str, port: int) -> str:
    if "owns the state directory" in why:
        why = "it is running already, in another shell"
    elif "Errno 98" in why or "Errno 48" in why:
        why = f"port {port} is taken by another program; take another one: .venv/bin/python -m examples.run --port {port + 1}"
    return f"Doorward did not start: {why}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"the tour could not be prepared: {error}")
