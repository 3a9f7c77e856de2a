"""One MCP server of a client's file as an upstream: secrets become references, and nothing of them is written."""

import itertools
import re
from collections.abc import Mapping

from doorward.config.emit import Value
from doorward.config.import_remote import LEFT_OUT, remote
from doorward.config.inline import HARMLESS, by_form, by_look, by_name
from doorward.config.ledger import PLACEHOLDER, Ledger, escaped, variable
from doorward.config.problems import listed

UNDERSTOOD = frozenset(
    "command args env cwd url serverUrl httpUrl headers type transport disabled enabled envFile name description".split()
)

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./: ,+-]{0,47}")
"""Texts of an environment that may be written out; anything else might be a secret in a form nobody knows."""

ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
OPTION = re.compile(r"--?([A-Za-z][A-Za-z0-9_-]*)(?:(=)(.*))?", re.DOTALL)
PARTS = re.compile(r"[/?&=@,;\s]")
BRIDGE = re.compile(r"mcp-remote(?:@.*)?")


def convert(name: str, entry: Mapping[str, object], ledger: Ledger) -> dict[str, Value] | None:
    """The upstream as the document writes it; None (and a note why) where there is none to write."""
    if entry.get("disabled") is True or entry.get("enabled") is False:
        ledger.note(name, "switched off in the file, left out")
        return None
    if unknown := sorted(key for key in entry if key not in UNDERSTOOD):
        ledger.note(name, f"{listed(unknown, 'and')} is not carried over; what may be called is a matter of policy")
    url = next((url for key in ("url", "serverUrl", "httpUrl") if isinstance(url := entry.get(key), str)), None)
    if url is not None:
        if "sse" in {entry.get("type"), entry.get("transport")}:
            ledger.note(name, "declared as HTTP+SSE; Doorward speaks Streamable HTTP, see whether the server has an endpoint for it")
        return remote(name, url, texts(entry.get("headers")), ledger)
    return _local(name, entry, ledger)


def texts(value: object) -> dict[str, str]:
    """The texts of an object, numbers and truth values as JSON writes them."""
    if not isinstance(value, Mapping):
        return {}
    return {key: _word(inner) for key, inner in value.items() if isinstance(inner, str | int | float)}


def _word(value: str | int | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _local(name: str, entry: Mapping[str, object], ledger: Ledger) -> dict[str, Value] | None:
    command, arguments = entry.get("command"), entry.get("args", [])
    if not isinstance(command, str) or not command or not isinstance(arguments, list):
        ledger.note(name, "neither a command nor a url, left out")
        return None
    words = [_word(argument) for argument in arguments if isinstance(argument, str | int | float)]
    if (bridged := _bridged(words)) is not None:
        ledger.note(name, "mcp-remote is left out, Doorward speaks HTTP itself; a sign-in by browser is not carried over")
        return remote(name, *bridged, ledger)
    if "envFile" in entry:
        ledger.note(name, "envFile is not carried over; name its variables under stdio.env")
    return {"stdio": _process(name, [command, *words], entry, ledger)}


def _bridged(words: list[str]) -> tuple[str, dict[str, str]] | None:
    """URL and headers of a server that the client reaches through `mcp-remote`."""
    start = next((index for index, word in enumerate(words) if BRIDGE.fullmatch(word)), None)
    if start is None or (url := next((word for word in words[start:] if word.startswith(("http://", "https://"))), None)) is None:
        return None
    given = [value for option, value in itertools.pairwise(words) if option == "--header"]
    return url, {header.strip(): value.strip() for header, _, value in (text.partition(":") for text in given)}


def _process(name: str, words: list[str], entry: Mapping[str, object], ledger: Ledger) -> dict[str, Value]:
    environment = {key: _setting(name, key, text, ledger) for key, text in texts(entry.get("env")).items()}
    command = [_argument(name, words, index, environment, ledger) for index in range(len(words))]
    process: dict[str, Value] = {"command": command}
    if isinstance(cwd := entry.get("cwd"), str):
        process["cwd"] = cwd
        if PLACEHOLDER.search(cwd):
            ledger.note(name, "cwd holds a variable, which is not read there; write the path itself")
    if environment:
        process["env"] = environment
    return process


def _setting(name: str, key: str, text: str, ledger: Ledger) -> str:
    """The value of a variable: as it was only if it is surely no secret."""
    if (referring := ledger.referring(text, name)) is not None:
        return referring
    if HARMLESS.fullmatch(text) or (PLAIN.fullmatch(text) and not by_name(key, text) and not by_look(text)):
        return escaped(text)
    return ledger.reference(variable(key), text, name)


def _argument(name: str, words: list[str], index: int, environment: dict[str, str], ledger: Ledger) -> str:
    """One word of a command, without a secret; `docker -e NAME=secret` hands it over in the environment."""
    word, before = words[index], words[index - 1] if index else ""
    assigned = ASSIGNED.fullmatch(word)
    if assigned is not None and before in {"-e", "--env"} and (by_name(assigned[1], assigned[2]) or by_look(assigned[2])):
        environment[assigned[1]] = ledger.reference(variable(assigned[1]), assigned[2], name)
        return assigned[1]
    if PLACEHOLDER.search(word):
        ledger.note(name, f"argument {index} holds a variable, which is not read there; write the text itself, or use stdio.env")
        return word.replace("${env:", "${")
    if not _is_secret(word, before, ledger):
        return word
    ledger.note(name, f"argument {index} is a secret and left out; see whether the program takes it from its environment (stdio.env)")
    own = OPTION.fullmatch(word)
    return f"--{own[1]}={LEFT_OUT}" if own is not None and own[2] else LEFT_OUT


def _is_secret(word: str, before: str, ledger: Ledger) -> bool:
    if by_form(word) or ledger.holds_secret(word) or any(by_look(part) for part in PARTS.split(word)):
        return True
    own, earlier = OPTION.fullmatch(word), OPTION.fullmatch(before)
    if own is not None:
        return own[2] is not None and by_name(own[1], own[3])
    assigned = ASSIGNED.fullmatch(word)
    if assigned is not None and by_name(assigned[1], assigned[2]):
        return True
    return earlier is not None and earlier[2] is None and by_name(earlier[1], word)
