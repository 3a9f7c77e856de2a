"""What English orders a model to do once it obeys: keep still, use a tool, give away what is confidential."""

from doorward.inspection.injection.grammar import Rule
from doorward.inspection.injection.words import ERROR, EXFILTRATION, EXTRACTION, SECRECY, TOOL

RULES: tuple[Rule, ...] = (
    Rule(
        SECRECY,
        3,
        (
            r"(?:do not|don.{1,3}t|never|must not|without|should not|no need to|not to) (?:ever )?(?:tell|inform"
            r"|alert)(?:ing)? (?:the |your |any )?(?:users?|humans?)\b"
        ),
    ),
    Rule(
        SECRECY,
        3,
        (
            r"(?:do not|don.{1,3}t|never|must not|without|should not|not to) (?:ever )?(?:mention|reveal"
            r"|disclos)(?:e|ing)? ~5 (?:to )?(?:the|your|any) (?:users?|humans?)\b"
        ),
        r"(?:do not|don.{1,3}t|never|must not|without|should not|not to) (?:ever )?(?:mention|reveal|disclos)",
    ),
    Rule(
        SECRECY,
        3,
        (
            r"(?:keep|hide|conceal) (?:this|it|that|these|all of this) ~4 from (?:the |your )(?:users?|humans?"
            r"|owner)(?:$|[.,;:!?)\n]|\\n)"
        ),
        r"(?:keep|hide|conceal) (?:this|it|that|these|all of this)",
    ),
    Rule(
        SECRECY,
        1,
        (
            r"(?:silently|secretly|covertly|discreetly|without (?:asking|confirmation|any confirmation"
            r"|permission)) (?:send|forward|call|read|upload|copy|include|execute|run|use|transfer|delete)"
        ),
    ),
    Rule(
        TOOL,
        1,
        (
            r"(?:you must|you need to|you have to|immediately|now|instead|must first) (?:also |first "
            r"|always )?(?:call|use|invoke|run|execute|trigger) ~3 (?:tool|function|command)"
        ),
    ),
    Rule(
        TOOL,
        1,
        (
            r"(?:using|use|call|invoke|with) (?:the )?\w+ (?:tool|function) (?:to|and) (?:send|forward|e?mail"
            r"|upload|delete|transfer|post|share)"
        ),
    ),
    Rule(
        EXFILTRATION,
        3,
        (
            r"(?:send|forward|e?mail|upload|post|transmit|exfiltrate|leak|deliver|submit|append|transfer)"
            r" ~5 (?:<SECRET>) ~8 to ~3 (?:<PLACE>)"
        ),
    ),
    Rule(
        EXFILTRATION,
        3,
        (
            r"(?:read|cat|open|get|retrieve|collect|gather|fetch) ~4 (?:<SECRET>) ~6 (?:and|then)"
            r" (?:\w+ )?(?:send|forward|e?mail|upload|post|transmit|exfiltrate|pass|include) ~6 (?:to|as|in)"
        ),
    ),
    Rule(
        EXTRACTION,
        3,
        (
            r"(?:reveal|show|print|output|repeat|display|tell|give|disclose|leak|recite|dump|share|expose|provide"
            r"|echo|quote|paste|send|write) ~3 your ~2 (?:system|initial|hidden|original|developer|secret"
            r"|internal|full|previous|confidential|exact|complete) (?:\w+ )?(?:prompts?|instructions?|messages?"
            r"|rules|guidelines|directives)"
        ),
        (
            r"your ~2 (?:system|initial|hidden|original|developer|secret|internal|full|previous|confidential"
            r"|exact|complete) (?:\w+ )?(?:prompts?|instructions?|messages?|rules|guidelines|directives)"
        ),
    ),
    Rule(
        EXTRACTION,
        3,
        (
            r"(?:reveal|print|output|repeat|disclose|leak|recite|dump|expose|echo) ~3 (?:the|its)"
            r" (?:\w+ )?(?:system|hidden|developer|secret) (?:prompts?|instructions)"
        ),
        r"(?:the|its) (?:\w+ )?(?:system|hidden|developer|secret) (?:prompts?|instructions)",
    ),
    Rule(
        EXTRACTION,
        3,
        (
            r"what (?:is|are|was|were) your (?:\w+ )?(?:system|initial|hidden|secret) (?:prompts?|instructions?"
            r"|rules|guidelines)"
        ),
    ),
    Rule(
        EXTRACTION,
        3,
        (
            r"(?:repeat|print|output|recite|echo|copy) ~2 (?:everything|all|the words|all the (?:words|text))"
            r" ~2 (?:above|before this|prior to this)"
        ),
    ),
    Rule(
        ERROR,
        2,
        (
            r"(?:error|failed|failure|expired|denied|required|unable|cannot|blocked|invalid) ~9 to (?:continue"
            r"|proceed|resolve|fix|complete|retry|recover|unlock) ~6 (?:provide|run|execute|enter|paste|send|read"
            r"|supply|include|pass|call|forward) ~6 (?:<SECRET>)"
        ),
        (
            r"to (?:continue|proceed|resolve|fix|complete|retry|recover|unlock) ~6 (?:provide|run|execute|enter"
            r"|paste|send|read|supply|include|pass|call|forward) ~6 (?:<SECRET>)"
        ),
    ),
    Rule(
        EXTRACTION,
        2,
        (
            r"(?:show|print|output|repeat|reveal|tell|give|display) ~2 (?:prompt|instructions?|messages?)"
            r" (?:that (?:is|are|was|were) )?above"
        ),
        r"(?:prompt|instructions?|messages?) (?:that (?:is|are|was|were) )?above",
    ),
    Rule(EXTRACTION, 2, r"what (?:are|were|is|was) your (?:\w+ )?(?:instructions|prompt|directives)\b"),
    Rule(
        EXFILTRATION,
        3,
        (
            r"(?:send|forward|bcc|copy|e?mail|upload|post) (?:every|each|all) (?:of )?(?:the |my |your |his |her "
            r"|their )?(?:user )?(?:s )?(?:\w+ )?(?:e?mails?|messages?|files?|documents?|conversations?"
            r"|contacts?) ~3 to ~1 (?:<PLACE>)"
        ),
        r"(?:send|forward|bcc|copy|e?mail|upload|post) (?:every|each|all)",
    ),
    Rule(
        SECRECY,
        1,
        (
            r"(?:do not|don.{1,3}t|never|must not|without|should not) (?:ever )?(?:notify|show|report|explain"
            r"|say)(?:ing)? ~5 (?:the|your|any) (?:users?|humans?)\b"
        ),
    ),
    Rule(
        ERROR,
        3,
        (
            r"(?:error|failed|failure|expired|denied|required|unable|cannot|blocked|invalid) ~9 to (?:continue"
            r"|proceed|resolve|fix|complete|retry|recover|unlock) ~6 (?:run|execute|send|read|include|pass|call"
            r"|forward) ~6 (?:<SECRET>)"
        ),
        (
            r"to (?:continue|proceed|resolve|fix|complete|retry|recover|unlock) ~6 (?:provide|run|execute|enter"
            r"|paste|send|read|supply|include|pass|call|forward) ~6 (?:<SECRET>)"
        ),
    ),
)
