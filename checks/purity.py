"""Law 4, deciding is pure: what the deciding rooms may import and call, as allow lists.

A pure room takes time, identifiers and nonces as arguments. What is not listed here is refused, also a module nobody has
thought of yet; add a module only if nothing in it reaches a clock, a socket, a file, a logger or randomness, or narrow it
to the names that do not.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from checks.source import Names, Source, Violation

PURE_MODULES = frozenset(
    """
    __future__ abc ast base64 binascii bisect codecs collections contextlib copy dataclasses datetime decimal difflib enum
    fractions functools graphlib hashlib heapq hmac html http ipaddress itertools json keyword math numbers operator
    posixpath re string struct textwrap types typing unicodedata urllib.parse uuid zlib
    """.split()
)
"""Standard library modules (with what is below them) that decide nothing by the world outside."""

PURE_NAMES = {
    "io": frozenset({"BytesIO", "StringIO"}),
    "pathlib": frozenset({"PurePath", "PurePosixPath", "PureWindowsPath"}),
    "zoneinfo": frozenset({"ZoneInfo"}),
    "sys": frozenset({"intern", "maxsize", "maxunicode"}),
}
"""Modules of which only these names may be had, with `from … import`."""

IMPURE_ORIGINS = frozenset(
    """
    datetime.datetime.now datetime.datetime.today datetime.datetime.utcnow datetime.date.today datetime.date.fromtimestamp
    posixpath.abspath posixpath.exists posixpath.expanduser posixpath.expandvars posixpath.getatime posixpath.getctime
    posixpath.getmtime posixpath.getsize posixpath.isdir posixpath.isfile posixpath.islink posixpath.lexists
    posixpath.realpath posixpath.samefile posixpath.os uuid.uuid1 uuid.uuid4 uuid.uuid6 uuid.uuid7 uuid.uuid8 uuid.getnode
    uuid.os hashlib.file_digest http.client http.server http.cookiejar
    """.split()
)
"""What may not be touched in a module that is pure otherwise."""

IMPURE_BUILTINS = frozenset({"open", "print", "input", "breakpoint", "eval", "exec", "compile", "__import__"})
IMPURE_METHODS = frozenset({"generate_key", "generate_private_key", "generate_parameters"})
"""Methods of the cryptographic libraries that draw random numbers."""

THIRD_PARTY = {
    "domain": frozenset[str](),
    "wire": frozenset({"jiter", "msgspec", "re2"}),
    "policy": frozenset({"cedarpy", "idna", "jiter", "msgspec", "re2", "sqlglot"}),
    "inspection/guards": frozenset({"jiter", "jsonschema_rs", "msgspec", "re2"}),
}
"""The pure rooms, and what each may import besides the standard library and Doorward itself."""

SEALING = "wire/sealed"
"""The one pure room's file (or package) that may use `cryptography`; its nonces come in as arguments."""

PACKAGE = PurePosixPath("src/doorward")


def violations(source: Source) -> Iterator[Violation]:
    """Every import and call in a pure room that could let the world outside in; nothing for other rooms."""
    if (allowed := _third_party(source.path)) is None:
        return
    names = Names(source.tree, source.module)
    for node in ast.walk(source.tree):
        for reason in (*_of_import(node, allowed), *_of_use(node, names)):
            yield source.violation(getattr(node, "lineno", 1), f"{reason}; deciding is pure (law 4)")


def _third_party(path: PurePosixPath) -> frozenset[str] | None:
    for room, allowed in THIRD_PARTY.items():
        if path.is_relative_to(PACKAGE / room):
            sealing = str(path).startswith((f"{PACKAGE / SEALING}.py", f"{PACKAGE / SEALING}/"))
            return allowed | {"cryptography"} if sealing else allowed
    return None


def _of_import(node: ast.AST, allowed: frozenset[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=aliases):
            yield from (f"import of {alias.name}" for alias in aliases if not _is_pure_module(alias.name, allowed))
        case ast.ImportFrom(module=str(module), names=aliases):
            impure = (alias.name for alias in aliases if not _is_pure_name(module, alias.name, allowed))
            yield from (f"import of {module}.{name}" for name in impure)


def _is_pure_module(module: str, allowed: frozenset[str]) -> bool:
    top = module.partition(".")[0]
    if module in IMPURE_ORIGINS:
        return False
    if top not in sys.stdlib_module_names:
        return top == "doorward" or top in allowed
    return top in PURE_MODULES or module in PURE_MODULES


def _is_pure_name(module: str, name: str, allowed: frozenset[str]) -> bool:
    if module in PURE_NAMES:
        return name in PURE_NAMES[module]
    inner = f"{module}.{name}"
    return inner in PURE_MODULES or (inner not in IMPURE_ORIGINS and _is_pure_module(module, allowed))


def _of_use(node: ast.AST, names: Names) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=builtin)) if builtin in IMPURE_BUILTINS:
            yield f"call of {builtin}"
        case ast.Call(func=ast.Attribute(attr=method)) if method in IMPURE_METHODS:
            yield f"call of {method}, which draws random numbers"
        case ast.Call(func=function) if names.origin(function) == "zoneinfo.ZoneInfo":
            yield "call of ZoneInfo, which reads a file"
        case ast.Attribute() if names.origin(node) in IMPURE_ORIGINS:
            yield f"use of {names.origin(node)}"
