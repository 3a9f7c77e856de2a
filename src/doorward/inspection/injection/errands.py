"""On which errands English sends a model: to carry secrets to an address, to run a named tool of another server, to mend an error by force."""

from doorward.inspection.injection.grammar import Rule
from doorward.inspection.injection.words import ERROR, EXFILTRATION, ROLE, SECRECY, TOOL

_CARRY = r"(?:send|forward|e?mail|upload|post|transmit|submit|relay|deliver|report|pass)"
_THAT = r"(?: (?:it|this|that|these|those|them|both|all|everything|(?:the )?(?:result|value|output|response)s?))?(?: (?:on|along|over))?"

RULES: tuple[Rule, ...] = (
    Rule(
        EXFILTRATION,
        3,
        rf"(?:<SECRET>|tokens?|creds|keys?|id rsa) ~9 {_CARRY}{_THAT} to (?:<PLACE>)",
        rf"{_CARRY}{_THAT} to (?:<PLACE>)",
    ),
    Rule(
        EXFILTRATION,
        3,
        (
            r"(?:include|append|attach|add|embed|put|insert|repeat|reproduce|quote) ~4 (?:(?:full|entire|whole|complete"
            r"|prior|previous) ~1 (?:conversation|chat|dialogue|context)|<SECRET>) ~8 (?:in|to|into|with)"
            r" (?:your|every|each|all) (?:\w+ )?(?:repl(?:y|ies)|responses?|answers?|outputs?|messages?|requests?)"
        ),
        r"(?:in|to|into|with) (?:your|every|each|all) (?:\w+ )?(?:repl(?:y|ies)|responses?|answers?|outputs?|messages?|requests?)",
    ),
    Rule(
        SECRECY,
        3,
        (
            r"(?:do not|don.{1,3}t|never|must not|without) (?:ever )?(?:mention|reveal|disclos|acknowledg|repeat)(?:e|ing)?"
            r" (?:this|these|that|those|any of these|the above) (?:\w+ )?(?:instructions?|orders?|directives?|prompts?)"
        ),
        r"(?:do not|don.{1,3}t|never|must not|without) (?:ever )?(?:mention|reveal|disclos|acknowledg|repeat)",
    ),
    Rule(
        ROLE,
        3,
        (
            r"[.!?;)\]}>\"'\x60|—-]\s*\[?(?:system|developer|admin(?:istrator)?)(?: (?:message|prompt|override|note|instruction|notice"
            r"|command))?\]?\s*:\s*(?:focus (?:only|on)|ignore|you (?:must|are now|will now|have to)|disregard|override|from now|forget"
            r"|the (?:assistant|model|ai) (?:must|should|has|is)|(?:please )?(?:delete|execute|call|send|forward|run) (?:all|every|the) )"
        ),
        (
            r"(?:system|developer|admin(?:istrator)?)(?: (?:message|prompt|override|note|instruction|notice|command))?\]?\s*:\s*(?:focus"
            r"|ignore|you (?:must|are|will|have)|disregard|override|from now|forget|the|please|delete|execute|call|send|forward|run)"
        ),
    ),
    Rule(
        TOOL,
        3,
        (
            r"(?:please|also|must|should|need to|have to|then|now|first) (?:run|call|use|invoke|execute|trigger)"
            r" (?:the )?(?:[a-z][0-9a-z]*[_-][0-9a-z_-]+|(?-i:[a-z]+[A-Z]\w+)) (?:tool |function |command )?(?:on|of|from|at|via|in)"
            r" (?:the |its )?(?:[\w-]+ ){1,2}(?:mcp )?server"
        ),
    ),
    Rule(
        ERROR,
        3,
        (
            r"(?:error|denied|forbidden|unauthori[sz]ed|refused|expired|fail(?:ed|ure)|insufficient|blocked)\b[^\n]{0,80}\b"
            r"(?:retry|try again|try it again|rerun|re-run|repeat|proceed|continue) (?:it |this |the (?:call|request) )?"
            r"(?:with|using|via|through|by (?:calling|running|using|invoking)) (?:the )?[a-z]\w*[_.]\w+\("
        ),
        (
            r"(?:retry|try again|try it again|rerun|re-run|repeat|proceed|continue) (?:it |this |the (?:call|request) )?"
            r"(?:with|using|via|through|by (?:calling|running|using|invoking)) (?:the )?[a-z]\w*[_.]\w+\("
        ),
    ),
)
