"""What definitions of one tool hardly ever speak of, in whatever words: other tools, the user's knowledge, the model's own session.

Measured on real definitions, each of these stands in less than one of a hundred; together they hold a definition back.
"""

from doorward.catalog.poison.found import Rule
from doorward.catalog.poison.grammar import Wording
from doorward.domain.findings import Severity

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH

_OWN = r"\b(?:in|of|from|on|by) (?:this|the same|our) (?:server|mcp|toolset|suite|module|api)\b"

USER = (
    Wording(Rule.SECRECY, LOW, r"\b(?:not|never|n't|without|nor)\b.{0,60}\b<WHOM>\b"),
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\b(?:users?|humans?|persons?|people|anyone|customers?|owners?)\b.{0,30}\b(?:not|never|n't|nothing|unaware|"
        r"oblivious)\b.{0,25}\b(?:know|knows|learn|learns|see|sees|seeing|notice|notices|hear|hears|find out|aware|told|"
        r"of it|about (?:this|it))\b",
        unless=r"\b(?:do not need to know|does not (?:yet )?know|doesn't know|don't know|if the user|when the user|cannot see)\b",
    ),
    Wording(
        Rule.SECRECY, MEDIUM, r"\b(?:not|never|n't)\b.{0,15}\blet (?:the |any )?<WHOM>\b.{0,10}\b(?:see|know|notice|find|learn|read|hear)\b"
    ),
    Wording(
        Rule.SECRECY,
        MEDIUM,
        r"\b(?:not|never|n't|no|omit|exclude|leave out|leave|without|keep)\b.{0,50}\b(?:your|the final|the visible)"
        r" (?:final |next |last |visible |own )*(?:reply|replies|response|answer|message|explanation|summary|output)s?\b",
    ),
    Wording(
        Rule.SECRECY,
        MEDIUM,
        r"\b(?:your|the final) (?:final |next |own )*(?:reply|response|answer|message|explanation|summary)"
        r"\b.{0,40}\b(?:not|never|n't|no|omit|exclude|leave out|without)\b",
    ),
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\bas (?:if|though)\b.{0,40}\b(?:had|has|have|was|were|did)\b.{0,6}\b(?:not|never|n't)\b.{0,20}\b(?:been|"
        r"happen\w*|made|called|occur\w*|exist\w*|seen|run|used)\b",
    ),
    Wording(Rule.SECRECY, LOW, r"\b(?:in the background|behind the scenes|silently|quietly|discreetly|out of sight)\b"),
)

TOOLS = (
    Wording(
        Rule.OTHER_TOOLS,
        HIGH,
        r"\b(?:before|prior to|after|ahead of|instead of|alongside) (?:calling |using )?"
        r"(?:any|every|all|each)(?: of)?(?: the)?(?: <OTHER>)? <TOOLS>\b",
        unless=_OWN,
    ),
    Wording(Rule.OTHER_TOOLS, LOW, r"\b(?:other|another|every|any|each|all|last|previous|next|whichever) (?:\w+ )?tools?\b", unless=_OWN),
    Wording(
        Rule.OTHER_TOOLS,
        MEDIUM,
        r"\b(?:other|another|any|each|every|all) (?:mcp )?servers?(?:'s?)?\b.{0,12}\b(?:tools?|functions?)\b|\b(?:tools?|"
        r"functions?)\b.{0,12}\b(?:of|from|on) (?:other|another|any|each|every|all) (?:mcp )?servers?\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        HIGH,
        r"\b(?:changes?|affects?|alters?|modif(?:y|ies)|determines?|decides?|defines?) how (?:the )?(?:other|others|all|"
        r"any|every|another)\b.{0,20}\b<TOOLS>\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        MEDIUM,
        r"\b(?:when|whenever|if|once|after|before|each time|every time)\b.{0,8}\b(?:the |a |an |any )?[a-z_-]+ (?:tool|"
        r"function)\b.{0,6}\b(?:is|gets|was|has been)\b.{0,6}\b(?:used|called|invoked|run|executed|triggered|requested)\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        MEDIUM,
        r"\b(?:replaces?|replaced|replacement (?:of|for)|supersedes?|superseded|instead of|in place of|takes? over)"
        r"\b.{0,25}\b(?:the |all |any |every |other |existing |built-in |original |old )+(?:[a-z_-]+ )?(?:tools|functions|"
        r"servers)\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        MEDIUM,
        r"\b(?:recipients?|destination|account|address|payee|receiver|branch|repository)\b.{0,15}\b(?:is|are|must|should|"
        r"shall|will)\b.{0,6}\balways\b|\balways\b.{0,30}\b(?:recipients?|payee|receiver|beneficiary)\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:choose|select|pick|prefer|rank|rate|use|favou?r|put)\b.{0,25}\b(?:above|over|instead of|rather than|"
        r"ahead of|in place of|even if|even when)\b.{0,20}\b(?:other|others|another|any|alternatives?|all|the rest|every)"
        r"\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:other|others|another|alternative|existing|competing|old|rival)\b(?: [a-z]+){0,2} (?:is|are|were|have been|"
        r"may be)\b.{0,20}\b(?:deprecated|unreliable|outdated|inaccurate|unsafe|insecure|inferior|broken|untrusted|"
        r"malicious|obsolete|wrong|slow|compromised)\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:superior|preferable|better suited|far better) to\b.{0,20}\b(?:other|others|any|every|all|alternatives?)\b",
    ),
    Wording(
        Rule.PREFERENCE,
        LOW,
        r"\b(?:whatever|no matter|regardless of)\b.{0,12}\b(?:the )?(?:request|question|task|prompt|what the user|user)\b|\bpick (?:it|this) first\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:tools?|functions?|servers?)\b.{0,15}\b(?:is|are|was|were|have been|has been)\b.{0,10}\b(?:deprecated|"
        r"unreliable|outdated|inaccurate|unsafe|insecure|inferior|untrusted|malicious|obsolete|compromised)\b",
        unless=r"\b(?:check|whether|if|list|find)\b",
    ),
)

SESSION = (
    Wording(Rule.OUT_OF_SCOPE, MEDIUM, r"\bsystem prompts?\b"),
    Wording(
        Rule.OUT_OF_SCOPE,
        MEDIUM,
        r"\b(?:full|entire|complete|whole|verbatim|unabridged|exact)\b.{0,12}\b(?:conversation|chat|dialogue?|"
        r"context window|exchange with the user|user (?:prompt|message|request))\b",
        unless=r"\b(?:channel|channels|thread|threads|slack|discord|telegram|whatsapp|teams|room|ticket|group|contact|inbox)\b",
    ),
    Wording(Rule.OUT_OF_SCOPE, MEDIUM, r"\b(?:which|what) <MODEL>\b.{0,20}\b(?:is|are|you|makes?|making|calls?|calling|runs?)\b"),
    Wording(
        Rule.OUT_OF_SCOPE, MEDIUM, r"\b<TALK>\b.{0,20}\b(?:with|between|of) (?:the |you |this )?(?:user|human|assistant|session|you)\b"
    ),
    Wording(
        Rule.OUT_OF_SCOPE,
        MEDIUM,
        r"\b<SECRET>\b.{0,40}\b(?:in|on|from|of|found|stored|available|kept)\b.{0,15}\b(?:your|the user'?s?|user's|"
        r"the environment|this machine|the machine|the browser|browser's|the host|this process|the home)\b",
        # What is not to be given is not asked for.
        unless=r"\b(?:do not|don't|never|must not|should not|avoid) (?:ever )?(?:includ|put|send|shar|provid|pass|enter|past|expos)",
    ),
    Wording(
        Rule.OUT_OF_SCOPE,
        MEDIUM,
        r"\b(?:your|the user's|user's|users'|browser'?s?|this (?:process|machine|host)'?s?)\b (?:[a-z]+ ){0,2}<SECRET>\b",
        unless=r"\b(?:your|user's) (?:own )?(?:[a-z-]+ ){0,2}(?:api key|password|access token|access key|auth token)s?\b",
    ),
    Wording(
        Rule.OUT_OF_SCOPE,
        MEDIUM,
        r"\b<SECRET>\b.{0,20}\b(?:of|in|from) (?:this|the current|your) (?:process|session|environment|machine|host|conversation)\b",
    ),
    Wording(
        Rule.OUT_OF_SCOPE,
        MEDIUM,
        r"\b(?:everything|all) (?:that )?(?:you|the (?:assistant|model|agent|llm)) (?:knows?|remembers?|have|has|learned|seen|were told)\b",
    ),
    Wording(
        Rule.SENSITIVE_SOURCE,
        MEDIUM,
        r"\b(?:home directory|user's files|connection string|private files|password manager|password files?|"
        r"config(?:uration)? files? (?:of|in) (?:the|your))\b",
    ),
    Wording(
        Rule.SENSITIVE_SOURCE,
        MEDIUM,
        r"\b(?:contents?|text|values?)\b.{0,20}<ENVFILE>|<ENVFILE>.{0,40}\b(?:pass|include|send|supply|attach|as)\b",
    ),
)

AUTHORITY = (
    Wording(
        Rule.OVERRIDE,
        HIGH,
        r"\b(?:outranks?|takes? (?:precedence|priority) over|ha(?:s|ve) priority over|override|overrides|"
        r"more important than|stands? above|supersedes?)\b.{0,25}\b(?:the system prompt|system instructions?|"
        r"your (?:instructions?|rules|guidelines|training|policy|policies)|what the user|everything (?:the user|else)|"
        r"the user's (?:request|instructions?|wish\w*)|user (?:instructions?|requests?))",
    ),
    Wording(
        Rule.OVERRIDE,
        HIGH,
        r"\b(?:no longer|not|never)\b.{0,10}\b(?:bound|limited|restricted|constrained|subject)\b.{0,6}\b(?:by|to)"
        r"\b.{0,25}\b(?:your|safety|policy|policies|rules?|guidelines?|restrictions?|guardrails?)\b",
    ),
    Wording(
        Rule.OVERRIDE,
        HIGH,
        r"\b(?:forget|ignore|disregard|drop|leave behind|set aside)\b.{0,40}\b(?:<LAWS>|<CODES>)\b.{0,12}\b(?:you (?:were|"
        r"have been|are|received|got|had)|given (?:to you|earlier|before|previously)|so far|before this|until now)\b",
    ),
    Wording(
        Rule.OVERRIDE,
        HIGH,
        r"\b(?:treat|regard|consider|follow|accept|obey|execute)\b.{0,60}\b(?:as|like)\b.{0,20}\b(?:instructions?|"
        r"commands?|orders?|directives?|trusted|the developer|system messages?)\b",
        unless=r"\b(?:not|never|don't)\b.{0,10}\b(?:treat|regard|consider|follow)\b",
    ),
    Wording(
        Rule.OVERRIDE,
        MEDIUM,
        r"\b(?:follow|obey|comply with|carry out|execute)\b.{0,25}\b(?:all |any |every |the |these |those |its )"
        r"*(?:instructions?|commands|orders|directives)\b.{0,30}\b(?:returned|response|result|output|below|in this|"
        r"contained|embedded|given by|of this (?:server|tool))\b",
    ),
    Wording(
        Rule.OVERRIDE,
        MEDIUM,
        r"\b(?:obey|you serve|your (?:new|true|real) (?:goal|task|purpose|objective|mission|role|master))\b",
        unless=r"\brobots\b",
    ),
    Wording(
        Rule.OVERRIDE,
        MEDIUM,
        r"\b(?:your|safety|developer|operator) (?:safety |content |own )?(?:instructions?|rules|polic(?:y|ies)|guidelines|restrictions|guardrails)\b",
    ),
    Wording(Rule.PSEUDO_TAG, HIGH, r"(?:^|\s)#{1,6} ?(?:system|assistant|human|developer|new instructions?|system prompt)\b ?:?(?:\s|$)"),
    # So do honest examples head what somebody may ask.
    Wording(Rule.PSEUDO_TAG, MEDIUM, r"(?:^|\s)#{1,6} ?user\b ?:?(?:\s|$)"),
)

DESTINATIONS = (
    Wording(
        Rule.EXFILTRATION,
        MEDIUM,
        r"\b(?:e-?mails?|mails?|messages?|payments?|transfers?|recipients?|cop(?:y|ies)|bcc|cc)\b.{0,60}<ADDRESS>|"
        r"<ADDRESS>.{0,20}\b(?:as|in) (?:the )?b?cc\b",
        unless=r"<SHOWN>|\b(?:format|default)\b",
    ),
    Wording(
        Rule.EXFILTRATION,
        HIGH,
        r"\b(?:every|all|any|each)\b.{0,25}\b(?:e-?mails?|mails?|messages?|payments?|transfers?|answers?|results?|"
        r"transactions?|files?|calls?)\b.{0,30}\b(?:must|should|shall|will|needs? to|ha(?:s|ve) to|to be|are|is)"
        r"\b.{0,30}<ADDRESS>",
        unless=r"<SHOWN>",
    ),
    Wording(
        Rule.SHELL_ORDER,
        MEDIUM,
        r"\b(?:execute|run|type|paste|enter|launch)\b.{0,60}\b(?:shell|terminal|command line|console)\b",
        unless=r"^(?:execute|run|launch)s? (?:a|an|the given|any|arbitrary)? ?[a-z ]*(?:command|script|shell)",
    ),
    Wording(
        Rule.SHELL_ORDER,
        MEDIUM,
        r"\b(?:add|append|write|insert)\b.{0,40}(?:\.(?:bash|zsh)rc|\.profile|\.bash_profile|crontab|authorized_keys|/etc/|launchagents|startup)",
    ),
)

TOPICS = USER + TOOLS + SESSION + AUTHORITY + DESTINATIONS
