"""Server processes that tests start: small scripts that speak MCP, or misbehave, on their standard streams."""

import sys
import textwrap

PRELUDE = """
import json, os, signal, sys, time

def say(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\\n")
    sys.stdout.flush()

def result(message, body):
    say({"id": message["id"], "result": body})

def error(message, code, text="no"):
    say({"id": message["id"], "error": {"code": code, "message": text}})

def initialized(message, version="2025-11-25"):
    result(message, {"protocolVersion": version, "capabilities": {"tools": {}, "logging": {}}, "serverInfo": {"name": "script"}})

def discovered(message):
    result(message, {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "instructions": "be kind", "resultType": "complete"})

def messages():
    for line in sys.stdin:
        yield json.loads(line)
"""

SESSION = """
for message in messages():
    method = message.get("method")
    if method == "initialize":
        initialized(message)
    elif method == "tools/list":
        result(message, {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]})
    elif method == "logging/setLevel":
        result(message, {})
    elif method == "tools/call":
        call(message)
    elif method == "server/discover":
        error(message, -32601)
"""

EXCHANGE = """
for message in messages():
    method = message.get("method")
    if method == "server/discover":
        discovered(message)
    elif method == "tools/list":
        result(message, {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}], "resultType": "complete"})
    elif method == "tools/call":
        call(message)
    elif "id" in message:
        error(message, -32022)
"""

ECHO = """
def call(message):
    result(message, {"content": [{"type": "text", "text": json.dumps(message["params"])}]})
"""


def script(*parts: str) -> tuple[str, ...]:
    """The command that runs these pieces of Python, after the prelude."""
    return (sys.executable, "-I", "-S", "-c", "\n".join([PRELUDE, *(textwrap.dedent(part) for part in parts)]))
