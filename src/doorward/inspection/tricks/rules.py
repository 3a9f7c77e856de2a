"""The forms of tricks: one rule each, as a pattern over a text and over the JSON text of a message.

Written from the grammars that are attacked (SQL, POSIX shell, cmd.exe, RFC 3986 paths, RFC 4515 filters, XML entities, template
languages), not from lists of payloads. `{Q}` stands for a quote and `{B}` for a backslash, which are blanks where escapes are blanked;
`{S}` for what separates words, in URLs and comments too; `{L}` and `{R}` for ends of lines; `{E}` for an end of the text.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

import msgspec
import re2

from doorward.domain.findings import Severity
from doorward.inspection.gate import Gate, Opening, Pattern
from doorward.wire.sieve import Probe


class Family(StrEnum):
    """What is tricked: arguments that are meant for it are let be."""

    SHELL = "shell"
    SQL = "sql"
    PATH = "path"
    TEMPLATE = "template"
    NOSQL = "nosql"
    DIRECTORY = "directory"
    HEADER = "header"
    XML = "xml"
    ADDRESS = "address"


class Rule(msgspec.Struct, frozen=True):
    """One form."""

    name: str
    family: Family
    severity: Severity
    """In a short argument that is no prose."""
    form: str


_MEDIUM, _HIGH = Severity.MEDIUM, Severity.HIGH

_PIECES = {
    "COMMANDS": (
        "cat|ls|id|whoami|uname|hostname|ifconfig|ipconfig|netstat|ps|pwd|env|printenv|wget|curl|nc|ncat|netcat|telnet|ssh|scp|ping|nslookup|dig"
        "|sleep|rm|mv|cp|chmod|chown|mkfs|dd|kill|sudo|su|bash|sh|zsh|dash|ksh|python[23]?|perl|ruby|php|node|powershell|pwsh|cmd|net|net1|type|dir"
        "|del|copy|certutil|bitsadmin|reg|systeminfo|tasklist|echo|printf|touch|tee|xargs|find|awk|sed|eval|exec|base64|reboot|shutdown|phpinfo"
        "|passthru|system|netsh|route|arp|wmic|schtasks|taskkill|tftp|ftp|crontab|useradd"
    ),
    "BIN": r"(?:/(?:usr/(?:local/)?)?s?bin/|(?:c:)?{B}(?:windows|winnt){B}(?:system32{B})?)?",
    "RUN": r"{BIN}(?:{COMMANDS})(?:[\s;|&<>'`)(]|{B}[nr]|\.exe\b|{E})",
    "SURE": (
        r"(?:/(?:usr/(?:local/)?)?s?bin/(?:{COMMANDS})\b|(?:ls|id|whoami|uname|ifconfig|ipconfig|netstat|ps|pwd|wget|curl|nc|ncat|netcat|nslookup|rm"
        r"|chmod|chown|sudo|bash|sh|zsh|powershell|cmd|systeminfo|tasklist|netsh|xargs|printenv|certutil)(?:[\s;|&<>'`)(]|{B}[nr]|\.exe\b|{E})"
        r"|(?:{COMMANDS})\s+(?:[/~$*%]|-[a-z0-9]|[0-9]|[a-z]:{B}|{Q}))"
    ),
    "DOT": r"(?:\.|{CODED_DOT})",
    "CODED_DOT": r"(?:%2e|%252e|%c0%ae|%c0%2e|%e0%80%ae|%u002e|%uff0e|0x2e|\x{ff0e})",
    "CODED_SLASH": (
        r"(?:%(?:25)?(?:2f|5c|01)|%%[0-9a-f]{2}%%[0-9a-f]{2}|%(?:25)?[c-f][0-9a-f](?:%(?:25)?[0-9a-z]{2})+|%u[0-9a-f]{4}|0x(?:2f|5c)"
        r"|[\x{2215}\x{2216}\x{2044}\x{ff0f}\x{ff3c}])"
    ),
    "SLASH": r"(?:/|{B})",
    "TARGET": r"(?:etc{SLASH}|windows{SLASH}|winnt{SLASH}|boot\.ini|win\.ini|proc{SLASH}|passwd|shadow|\.ssh|\.aws)",
}
"""Parts of forms by the name they bear there."""

RULES: tuple[Rule, ...] = (
    # Paths.
    Rule(
        "encoded_traversal",
        Family.PATH,
        _HIGH,
        r"{DOT}(?:%00)?{DOT}{CODED_SLASH}|(?:{CODED_DOT}(?:%00)?{DOT}|{DOT}(?:%00)?{CODED_DOT}){SLASH}|\.%00\.|\.\.;/",
    ),
    Rule("deep_traversal", Family.PATH, _HIGH, r"(?:\.\.+{SLASH}+){4}|\.\.+{SLASH}+[^\s]*{TARGET}|(?:{SLASH}\.){4}{SLASH}"),
    Rule("path_traversal", Family.PATH, _MEDIUM, r"(?:\.\.+{SLASH}+){2}|\.\.\.+{SLASH}{2}|(?:\.\.?{SLASH}+){3}|(?:\.\?{SLASH}+){2}"),
    Rule(
        "system_path",
        Family.PATH,
        _MEDIUM,
        r"/etc/(?:passwd|shadow|sudoers|gshadow|issue|hosts)|/proc/(?:self|[0-9]+)/(?:environ|cmdline|fd|maps|mem)|[a-z]:{SLASH}+(?:windows|winnt){SLASH}"
        r"|boot\.ini\b|\.ssh/(?:id_|authorized_keys)|\.aws/credentials|\.kube/config|\.git-credentials|/var/run/docker\.sock",
    ),
    Rule("unc_path", Family.PATH, _MEDIUM, r"{E}{B}{B}[a-z0-9.-]+{B}[a-z0-9$_]"),
    Rule("null_byte", Family.PATH, _MEDIUM, r"%00"),
    # Shells.
    Rule(
        "shell_command",
        Family.SHELL,
        _MEDIUM,
        r"(?:;|{L}|%0a|{B}[nr]){S}*{RUN}|[|&]{S}*{SURE}|{E}\s*{BIN}(?:{COMMANDS})\s+(?:-[a-z]|/|https?:|[a-z]:{B}|~|\.\.?/)"
        r"|\b(?:system|exec|passthru|shell_exec|popen|proc_open|phpinfo)\s*\(",
    ),
    Rule(
        "shell_injection",
        Family.SHELL,
        _HIGH,
        r"(?:;|\|\|?|&&?|%0a){S}*{SURE}(?:[^\s]|\s[/-])*(?:[;|&]|{E})|{E}(?:\s|{Q}|[a-z0-9)%]){0,4}(?:;|\|\|?|&&?|%0a){S}*{SURE}"
        r"|\$\({S}*{RUN}|`{S}*{SURE}|\$\{IFS|\$IFS\b|/dev/(?:tcp|udp)/|<!--#(?:exec|include)\b|;{S}*rm{S}+-rf?\b"
        r"|\b(?:nc|ncat|netcat){S}[^;|]*-[a-z]*e\b|\b(?:wget|curl){S}[^;|]*\|{S}*(?:ba|z|da)?sh\b",
    ),
    # SQL.
    Rule(
        "sql_injection",
        Family.SQL,
        _HIGH,
        r"(?:{Q}\)*|\)+){S}*(?:or|and|xor|\|\||&&)(?:{S}|{Q}|\()(?:{S}*not{S})?(?:\s|{Q}|\()*[\w@.]*(?:{Q}|\))*{S}*(?:=|<|>|!=|like\b|is\b|between\b|regexp\b)"
        r"|{Q}\)*{S}*(?:or|and){S}+(?:true|false)\b"
        r"|\bunion{S}+(?:all{S}+|distinct{S}+)?\(?{S}*select\b"
        r"|;{S}*(?:drop|alter|truncate|create){S}+(?:table|database|schema|user|view|function|procedure|login)\b"
        r"|;{S}*(?:delete{S}+from|insert{S}+into|update{S}+\w+{S}+set|exec(?:ute)?{S}+(?:master|xp_|sp_)|shutdown{S}*(?:--|;)|declare{S}+@)"
        r"|(?:{E}|[^.\w])(?:pg_sleep|sleep|benchmark|randomblob){S}*\({S}*'?[0-9]|\bwaitfor{S}+delay\b|\bdbms_(?:pipe|lock|ldap)\.|\butl_(?:http|inaddr|file)\."
        r"|\bxp_(?:cmdshell|regread|regwrite|dirtree|fileexist|availablemedia)\b|\bsp_(?:addsrvrolemember|makewebtask|oacreate|addlogin|password)\b"
        r"|\binto{S}+(?:out|dump)file\b|\bload_file{S}*\(|\b(?:extractvalue|updatexml){S}*\(|{Q}\)*;{S}*(?:select|drop|insert|update|delete|exec)\b",
    ),
    Rule(
        "sql_form",
        Family.SQL,
        _MEDIUM,
        r"\b(?:or|and|having|where){S}+(?:not{S}+)?(?:(?:\s|{Q}|\()*[0-9a-z]+(?:{Q}|\))*{S}*(?:=|<|>){S}*(?:{Q}|\()*[0-9a-z]+\b|true\b|false\b)"
        r"|{Q}\)*{S}*(?:--|#|/\*|%23){S}*{E}|{Q}\)*{S}*--[\s+]|\b(?:order|group){S}+by{S}+[0-9]+{S}*(?:,|--|#|/\*|{E})"
        r"|\bselect{S}+[^;]*{S}from{S}+\w|\({S}*select\b|\bselect{S}+(?:@@|\w+\(\))|\binformation_schema\b|@@(?:version|hostname|datadir|servername)\b"
        r"|\bpg_(?:shadow|user|catalog)\b|\bcurrent_setting{S}*\(|,null{S}*(?:,|\))|\bcopy{S}+\w+{S}+from\b",
    ),
    # Templates.
    Rule(
        "template_injection",
        Family.TEMPLATE,
        _HIGH,
        r"\{\{\s*config(?:\.items\(\))?\s*\}\}|\$\{(?:jndi:|(?:lower|upper):[a-z$]|::-)|\$\{[^}]*(?:[0-9]{S}*[*]{S}*[0-9]|runtime|getclass|\bt\(|sleep\()"
        r"|\{\{[^}]*(?:[0-9]{S}*[*]{S}*'?[0-9]|__\w+__|\bself\._|\brequest\.(?:application|environ)|constructor|lipsum|cycler|joiner|\|{S}*attr\()"
        r"|[#*@]\{[^}]*(?:[0-9]{S}*[*]{S}*[0-9]|\bt\(|runtime|getclass)|\{%{S}*(?:import|include|set|for){S}[^%]*(?:__|os\b|config)"
        r"|<#assign{S}|<%={S}*(?:[0-9]{S}*[*]|system|file\.|`|io\.|runtime)|\{php\}",
    ),
    Rule(
        "template_form",
        Family.TEMPLATE,
        _MEDIUM,
        r"<%[=@]?[^%]*%>|\$\{(?:env|sys|java|date|main|bundle|ctx):|\#\{[^}]*\}|\$\{[^}]*\([^}]*\}",
    ),
    # Document databases, directories, XPath.
    Rule(
        "nosql_injection",
        Family.NOSQL,
        _HIGH,
        r"{E}\$(?:where|function|accumulator){E}|\$(?:where|function|accumulator)(?:{Q})?\s*:|\[\$(?:ne|gt|gte|lt|lte|in|nin|regex|exists|eq)\]|[\{,](?:\s|{Q})*\$(?:ne|gt|gte|lt|lte|regex|exists|nin)(?:\s|{Q})*:"
        r"|;{S}*return{S}+(?:true|1)\b|\|\|{S}*(?:{Q})?[0-9]+(?:{Q})?==|\$or{S}*(?:{Q})?:|\bdb\.\w+\.(?:insert|remove|drop|find|eval|update)\w*\("
        r"|{Q};{S}*(?:return\b|sleep\(|it=|while\(|var{S})|\b(?:this|obj)\.\w+\.match\(|{Q}{S}*\|\|{S}*'?[0-9a-z]+'?{S}*==",
    ),
    Rule(
        "nosql_operator",
        Family.NOSQL,
        _MEDIUM,
        r"{E}\$(?:ne|gt|gte|lt|lte|in|nin|regex|exists|or|and|not|nor|expr|elemMatch|eq){E}",
    ),
    Rule("directory_injection", Family.DIRECTORY, _HIGH, r"\*\)\(|\)\([|&!]\(?\w+=|\)\(\w+=\*\)|\*\)\)%00"),
    Rule(
        "xpath_injection",
        Family.DIRECTORY,
        _HIGH,
        r"{Q}{S}*\]{S}*\|{S}*//|{Q}{S}*(?:or|and){S}+(?:count|name|position|string-length|substring)\(",
    ),
    # What goes into other protocols.
    Rule(
        "header_injection",
        Family.HEADER,
        _HIGH,
        r"(?:%0d%0a|%0a|%0d|%e5%98%8a|{R}{L})\s*(?:set-cookie|location|content-length|content-type|transfer-encoding|bcc|x-[a-z-]+|host):",
    ),
    Rule(
        "external_entity",
        Family.XML,
        _HIGH,
        r"<!entity{S}+(?:%{S}+)?\w+{S}+(?:system|public){S}|<!doctype{S}[^>\[]*\[[^\]]*<!entity|<xi:include\b",
    ),
    Rule(
        "metadata_address",
        Family.ADDRESS,
        _HIGH,
        r"\b169\.254\.(?:169\.254|170\.2)\b|\b2852039166\b|\b0xa9fea9fe\b|\b0xa9\.0xfe\.|\b0251\.0376\.|\[(?:::ffff:)?(?:a9fe:a9fe|169\.254\.169\.254|fd00:ec2::254)\]"
        r"|\bmetadata\.(?:google\.internal|goog)\b|\b100\.100\.100\.200\b|\bmetadata\.(?:azure|packet)\b",
    ),
    Rule("odd_scheme", Family.ADDRESS, _MEDIUM, r"\b(?:gopher|dict|ldaps?|tftp|jar|netdoc|php|phar|expect)://"),
)

_SEPARATES = r"(?:\s|\+|%20|%09|/\*[^*]*\*/)"
_IN_TEXT = {**_PIECES, "Q": r"""['"]""", "B": r"\\", "S": _SEPARATES, "E": r"(?:\A|\z)", "L": r"\n", "R": r"\r"}
_IN_JSON = {**_PIECES, "Q": r"(?:'|\s\s)", "B": r"\s\s", "S": _SEPARATES, "E": '"', "L": r"\s\s", "R": r"\s\s"}

CODED = r"%[0-9a-f][0-9a-f]|%u[0-9a-f]{4}|&(?:lt|gt|quot|apos|amp|lpar|sol|period|#)"
"""What may be read once more: percent signs and entities."""


def _in_json() -> str:
    return f"(?i){'|'.join(_filled(rule.form, _IN_JSON) for rule in RULES)}|{CODED}"


GATE = Gate(lambda: Probe(re2.compile(_in_json().encode())), openings=lambda: (Opening((Pattern(_in_json()),)),))
"""Over the JSON text of a message: open where one of the forms stands, or what may be read as one."""


@cache
def any_form() -> "re2._Regexp":
    """Over one text: whether it has any of the forms."""
    return re2.compile("(?i)" + "|".join(_filled(rule.form, _IN_TEXT) for rule in RULES))


@cache
def any_sure_form() -> "re2._Regexp":
    """The same, of those that are unmistakable."""
    return re2.compile("(?i)" + "|".join(_filled(rule.form, _IN_TEXT) for rule in RULES if rule.severity is _HIGH))


@cache
def coded() -> "re2._Regexp":
    """Over one text: whether it may be read once more."""
    return re2.compile(f"(?i){CODED}")


@cache
def forms() -> tuple[tuple[Rule, "re2._Regexp"], ...]:
    """Each rule with its pattern over a text."""
    return tuple((rule, re2.compile("(?i)" + _filled(rule.form, _IN_TEXT))) for rule in RULES)


def _filled(form: str, pieces: Mapping[str, str]) -> str:
    """A form with its parts, whose names are in capitals; in the order that they hold one another."""
    for name in ("SURE", "RUN", "BIN", "COMMANDS", "TARGET", "DOT", "CODED_DOT", "CODED_SLASH", "SLASH", "S", "Q", "B", "E", "L", "R"):
        form = form.replace(f"{{{name}}}", pieces[name])
    return form
