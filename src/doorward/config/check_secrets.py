"""Checks of the sources of secrets, and that every reference has one."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from importlib.util import find_spec
from urllib.parse import SplitResult

from doorward.config.addresses import is_loopback, is_special, split_url
from doorward.config.authorities import AuthorityError, certificates
from doorward.config.check_credentials import secret_of, text_of
from doorward.config.ground import Found, Ground, error, note
from doorward.config.inline import by_name
from doorward.config.mentions import mentions
from doorward.config.model import Document
from doorward.config.problems import Step, listed, meant, quoted
from doorward.config.references import OWN_SCHEMES, MalformedError, Remote, references_in
from doorward.config.secrets import SECRETS, OpenBao

GROUP = "doorward.secret_sources"
"""Entry points by which other packages bring sources."""

AT: tuple[Step, ...] = ("secrets",)


def secrets(document: Document, ground: Ground) -> Iterator[Found]:
    """Everything there is to say of sources and of what is read from them."""
    declared = document.secrets
    if declared.openbao is not None:
        yield from _openbao(declared.openbao, ground, (*AT, "openbao"))
    for scheme, settings in declared.sources.items():
        yield from _source(scheme, settings, ground, (*AT, "sources", scheme))
    for index, directory in enumerate(declared.directories):
        if not (ground.root / directory).is_dir():
            yield note(f"no directory {ground.root / directory}", *AT, "directories", index)
    for mention in mentions(document):
        if isinstance(mention.pointer, Remote) and mention.path[:1] != AT:
            yield from _remote(mention.pointer, document, mention.path)


def _openbao(openbao: OpenBao, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    yield from _address(openbao, (*at, "address"))
    for field in SECRETS[type(openbao.auth)]:
        is_name = field == "role_id"
        yield from _local(str(getattr(openbao.auth, field)), ground, (*at, "auth", field), must_refer=not is_name)
    if openbao.ca_file is not None:
        try:
            certificates(ground.root / openbao.ca_file)
        except AuthorityError as wrong:
            yield error(str(wrong), *at, "ca_file")


def _address(openbao: OpenBao, at: tuple[Step, ...]) -> Iterator[Found]:
    parts = split_url(openbao.address)
    if isinstance(parts, str):
        yield error(parts, *at)
        return
    if parts.query or parts.path:
        yield error("expected scheme, host and port alone, such as https://bao.example.com:8200", *at)
    yield from _scheme(openbao, parts, at)
    if not openbao.private and is_special(parts.hostname or ""):
        yield error("this address is loopback, private or otherwise special-use; if that is meant, say private: true", *at)


def _scheme(openbao: OpenBao, parts: SplitResult, at: tuple[Step, ...]) -> Iterator[Found]:
    match parts.scheme, openbao.plain_http:
        case "http", False:
            yield error("expected https; if http is meant, say plain_http: true", *at)
        case "https", True:
            yield error("plain_http is said of an https url; one of them is a mistake", *at[:-1], "plain_http")
        case "http", True if not is_loopback(parts.hostname or ""):
            yield note("secrets travel unencrypted over http", *at)
        case _:
            return


def _source(scheme: str, settings: Mapping[str, str], ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    if scheme in OWN_SCHEMES:
        yield error("this source is Doorward's own", *at)
        return
    installed = sorted(entry.name for entry in entry_points(group=GROUP))
    if scheme not in installed:
        known = f"; installed are {listed(installed, 'and')}" if installed else "; none is installed"
        yield error(f"no installed package brings a source of this name{meant(scheme, installed) or known}", *at)
    for name, text in settings.items():
        yield from _local(text, ground, (*at, name), must_refer=by_name(name, text))


def _local(text: str, ground: Ground, at: tuple[Step, ...], *, must_refer: bool) -> Iterator[Found]:
    """What a source is opened with cannot be in a source: it comes from variables and files."""
    yield from (secret_of if must_refer else text_of)(text, ground, at)
    try:
        pointers = references_in(text)
    except MalformedError:
        return  # said already
    if any(isinstance(pointer, Remote) for pointer in pointers):
        yield error("a source of secrets is opened with what stands in variables and files", *at)


def _remote(pointer: Remote, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    match pointer.scheme:
        case "openbao" if document.secrets.openbao is None:
            yield error("OpenBao is not declared; say under secrets.openbao where it is and how to sign in", *at)
        case "keyring" if find_spec("keyring") is None:
            yield error("the package keyring is not installed; install doorward[keyring]", *at)
        case "openbao" | "keyring":
            return
        case scheme if scheme not in document.secrets.sources:
            known = (*OWN_SCHEMES, *document.secrets.sources)
            yield error(f"no source is called {quoted(scheme)}{meant(scheme, known) or '; known are ' + listed(known, 'and')}", *at)
