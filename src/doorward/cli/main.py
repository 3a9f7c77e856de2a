"""`doorward`: finds the file of a command by its name and loads no other, so that each starts fast."""

import gc
import importlib
from types import ModuleType

import click

from doorward import __version__

COMMANDS = {
    "serve": ("serve", "Run the gateway."),
    "check": ("check", "Validate the configuration and policies without serving."),
    "scan": ("scan", "Look at a server before anybody is connected to it."),
    "import": ("importing", "Turn a client's mcpServers file into upstreams."),
    "stdio": ("stdio", "Connect a client that speaks only stdio."),
    "schema": ("schema", "Print the JSON Schema of the configuration, or the OpenAPI document."),
    "status": ("status", "Show whether the gateway is ready, and its upstreams."),
    "config": ("configuration", "Show the configuration in force."),
    "reload": ("reload", "Read configuration and policies again."),
    "agent": ("agent", "Agents and their keys."),
    "catalog": ("catalog", "What upstreams offer, and whether it is accepted."),
    "upstream": ("upstream", "The addresses of upstreams, and how each does."),
    "stop": ("stop", "Stop an agent, upstream, tool or everything."),
    "resume": ("resume", "Lift a stop."),
    "revoke": ("revoke", "Withdraw an agent, key, upstream or tool."),
    "alert": ("alert", "Whether alerts reach those whom they are meant for."),
    "limit": ("limit", "How often, and how many at once."),
    "budget": ("budget", "How much may be used in all until a window ends."),
    "flow": ("flow", "What has flowed into agents' contexts."),
    "approval": ("approval", "Calls that wait for a person's yes."),
    "exception": ("exception", "Let one agent do what policy denies it, until an end."),
    "break-glass": ("break_glass", "Let an agent past every policy for a short while, loudly."),
    "guard": ("guard", "What looks at messages, and what is done about what it finds."),
    "policy": ("policy", "Which policies decide, and why."),
    "log": ("log", "Read, verify and export the log."),
    "receipt": ("receipt", "Export the proof of one call."),
    "login": ("login", "Sign in at a gateway over the network."),
    "logout": ("logout", "Sign out there."),
    "operator": ("operator", "Who you are here, and who is signed in over the network."),
    "secret": ("secret", "The secrets that the configuration refers to; never their values."),
    "connection": ("connection", "Accounts that people have connected at upstreams."),
    "session": ("session", "Session-era sessions."),
    "key": ("key", "The keys that the database is encrypted with."),
}


class Commands(click.Group):
    """A group whose members are loaded when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None if there is none."""
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        command = _loaded(found[0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _loaded(name: str) -> ModuleType:
    """The module of a command. Nothing that is made while modules load is garbage: looking for some took an eighth of a gateway's start."""
    gc.disable()
    try:
        return importlib.import_module(f"doorward.cli.{name}")
    finally:
        gc.enable()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="doorward")
def main() -> None:
    """Doorward: the governed path between AI agents and MCP servers."""
