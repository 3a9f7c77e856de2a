"""Orders that reach past a tool: to fetch secrets, run commands, send what the model holds, or hand over what it knows of its own session."""

from doorward.catalog.poison.found import Rule
from doorward.catalog.poison.grammar import Wording
from doorward.domain.findings import Severity

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH

_SCOPE = Rule.OUT_OF_SCOPE

SOURCES = (
    Wording(
        Rule.SENSITIVE_SOURCE,
        HIGH,
        r"\b(?:<READ>|<GIVE>)\b.{0,80}<KEYFILE>",
        unless=r"\b(?:e\.g|for example|such as|default|defaults to|path to|location of)\b",
    ),
    Wording(Rule.SENSITIVE_SOURCE, MEDIUM, r"<KEYFILE>"),
    Wording(Rule.SENSITIVE_SOURCE, MEDIUM, r"\b(?:<READ>|<GIVE>)\b.{0,60}<ENVFILE>"),
    Wording(
        Rule.SENSITIVE_SOURCE,
        HIGH,
        r"\b<ASK>\b.{0,50}\b(?:<READ>|<GIVE>)\b.{0,40}\b(?:the |all |any |your |user'?s? |their |stored |saved )+<SECRET>\b",
        unless=r"\b(?:your|valid|an|a) (?:own )?api[ _-]?key\b|\benvironment variables? (?:is|are|named|must)",
    ),
    Wording(
        Rule.SENSITIVE_SOURCE,
        HIGH,
        r"\b<GIVE>\b.{0,40}\b(?:contents?|text|value|values|output)\b.{0,15}\b(?:of|from|in)\b.{0,25}(?:~/|/home/|/root/|"
        r"/etc/|c:\\|\bhome directory|\bssh\b|\bconfig(?:uration)? files?\b|\bprivate key|\benv(?:ironment)?\b)",
    ),
    Wording(
        Rule.SENSITIVE_SOURCE,
        HIGH,
        r"\b(?:contents?|output|history|prompt|key|keys|secrets?|conversation|credentials?|password|token|transcript)"
        r"\b.{0,50}\b(?:as|in|into|via|through|using)\b.{0,10}(?:the |this |a |an )?['\"]?[a-z_]+['\"]? (?:parameter|"
        r"argument|field|param|header|query string)\b",
        unless=(
            r"\b(?:api key|access token|auth token|content (?:of|for) the (?:page|post|note|document|message|issue|email)|"
            r"page|pagination|cursor|next)\b"
        ),
    ),
    Wording(
        Rule.SENSITIVE_SOURCE,
        MEDIUM,
        r"\b(?:collect|gather|harvest|steal|dump|steals?|exfiltrat\w+)\b.{0,40}\b<SECRET>\b",
    ),
)

SHELL = (
    Wording(Rule.SHELL_ORDER, HIGH, r"\b(?:curl|wget|fetch|iwr|irm|invoke-webrequest)\b[^|]{0,200}\|\s*(?:sudo )?(?:ba|z|da|k|c)?sh\b"),
    Wording(Rule.SHELL_ORDER, HIGH, r"\bbase64 (?:-d|--decode|-D)\b[^|]{0,40}\|"),
    Wording(Rule.SHELL_ORDER, HIGH, r"/dev/tcp/|\bnc (?:-[a-z]*e|-[a-z]+ )|\bmkfifo \S|\bbash -i\b|>&\s?/dev/"),
    Wording(
        Rule.SHELL_ORDER,
        HIGH,
        r"\b(?:run|execute|type|invoke|launch|first|must|should|please|paste)\b.{0,60}['\"]?\s?\b(?:rm -[rf]{1,2}|curl -|"
        r"wget -|curl http|wget http|chmod (?:\+x|777)|sudo |powershell -|bash -c|sh -c|eval\()",
    ),
    Wording(
        Rule.SHELL_ORDER,
        MEDIUM,
        r"\b(?:rm -[rf]{1,2}\s|chmod (?:\+x|777)|(?:ba)?sh -c\b|powershell -(?:e|enc|nop|c)|curl (?:-[a-z]+ )*https?://|"
        r"wget (?:-[a-z]+ )*https?://|crontab -|ssh-keygen|xp_cmdshell)",
    ),
    Wording(
        Rule.SHELL_ORDER,
        MEDIUM,
        r"\b(?:you must|must|should|always|first|please|also)\b.{0,20}\b(?:run|execute|invoke)\b.{0,12}\b(?:shell|"
        r"terminal|bash|command line|system|os) ?(?:commands?|scripts?)\b",
    ),
)

EXFILTRATION = (
    Wording(
        Rule.EXFILTRATION,
        HIGH,
        r"\b(?:send|forward|post|upload|transmit|e-?mail|mail|bcc|cc|copy|leak|exfiltrate|submit|report|relay|deliver|"
        r"sync|share|append|include|write|push)(?:ed|ing)?\b.{0,120}"
        r"\b(?:all|every|any|entire|full|complete|copy|copies|contents?|history|conversation|chat|credentials?|keys?|"
        r"passwords?|secrets?|results?|messages|e-?mails|files|user(?:'s)? data|personal|private|sensitive|confidential|"
        r"data)\b.{0,60}"
        r"\b(?:to|at|with|via)\b.{0,40}<ADDRESS>",
        unless=r"<SHOWN>|\b(?:default|defaults to|configured|specified|given|a webhook url|webhook (?:url|endpoint|id))\b",
    ),
    Wording(
        Rule.EXFILTRATION,
        HIGH,
        r"\b(?:all|every|any|each|outgoing|always)\b.{0,30}\b(?:e-?mails?|messages?|payments?|transactions?|transfers?|"
        r"files?|requests?|results?|responses?|outputs?|copies|copy)\b.{0,30}"
        r"\b(?:must|should|need to|needs to|are to|is to|will|shall|have to|has to)\b.{0,15}\b(?:be )?(?:sent|forwarded|"
        r"copied|directed|routed|delivered|uploaded|redirected|go|cc'?d|bcc'?d|posted)\b.{0,30}\bto\b",
    ),
    Wording(
        Rule.EXFILTRATION,
        HIGH,
        r"\b(?:add|include|set|put|use|always|also|insert)\b.{0,25}\b(?:b?cc|bcc|blind copy|carbon copy)\b.{0,30}<ADDRESS>",
        unless=r"\be\.g\b",
    ),
    Wording(
        Rule.EXFILTRATION,
        HIGH,
        r"\b(?:also|always|must|additionally|secretly|silently)\b.{0,12}\b(?:append|attach|add|include|embed|insert|copy)\b.{0,50}"
        r"\b(?:user'?s?|saved|stored|personal|private|session|conversation|customer'?s?|their|his|her)\b.{0,60}"
        r"\b(?:sent|posted|forwarded|submitted|going|made) (?:to|at)\b.{0,20}<ADDRESS>",
        unless=r"<SHOWN>",
    ),
    Wording(
        Rule.EXFILTRATION,
        MEDIUM,
        r"\b(?:also|always|must|first|then|please|additionally)\b.{0,20}\b(?:send|forward|post|upload|transmit|e-?mail|"
        r"bcc|copy|submit|report|relay)\b.{0,80}\b(?:to|at)\b.{0,20}<ADDRESS>",
        unless=r"<SHOWN>",
    ),
)

SCOPE = (
    Wording(
        _SCOPE,
        MEDIUM,
        r"\b(?:name|version|id|identifier|identity|type)\b.{0,10}\bof (?:the |your |a )?(?:current |calling |underlying |"
        r"large )*(?:<MODEL>)(?: model)?\b.{0,8}\b(?:that|which|who|you|calling|using|making|invoking|running|currently|"
        r"in use)\b",
    ),
    Wording(
        _SCOPE,
        MEDIUM,
        r"\b(?:your|the calling|the caller's|the underlying|the current|own) (?:own )?(?:llm |language |ai )?(?:model|llm|"
        r"agent)(?:'s)? (?:name|version|id|identifier|identity)\b",
    ),
    Wording(
        _SCOPE,
        MEDIUM,
        r"\b(?:<MODEL>)\b (?:that|which|who) (?:is |are )?(?:calls?|calling|using|uses|invok\w+|running|runs|making|"
        r"executing)\b.{0,12}\b(?:this|the) (?:tool|function|call|request)?",
    ),
    Wording(
        _SCOPE,
        HIGH,
        r"\b(?:<GIVE>|<READ>)\b.{0,40}\b(?:your|the (?:full|entire|current|complete|whole|exact|original|calling (?:model|"
        r"llm|agent|assistant)'s|assistant's|agent's|model's|llm's))\b.{0,20}\b(?:system (?:prompt|message|instructions?)|"
        r"<TALK>|initial instructions|hidden instructions|chain[- ]of[- ]thought)\b",
    ),
    Wording(
        _SCOPE,
        MEDIUM,
        r"\b(?:your|(?:full|entire|current|complete|whole|exact|original|verbatim)(?: text of(?: the| your)?)?|"
        r"(?:assistant|agent|model|llm|caller|client)'?s) (?:current |full |initial |own )*(?:system (?:prompt|message|"
        r"instructions?)|initial instructions|hidden instructions|chain[- ]of[- ]thought)\b",
    ),
    Wording(
        _SCOPE,
        MEDIUM,
        r"\bsystem (?:prompt|message|instructions?)\b.{0,15}\b(?:of|from|given to|you (?:were|are|have)|that you|"
        r"in use by|used by)\b.{0,25}\b(?:<MODEL>|you|session|conversation|current)?\b",
    ),
    Wording(
        _SCOPE,
        MEDIUM,
        r"\b(?:your|our|this|(?:full|entire|complete|whole|current|verbatim|ongoing|user's|previous|recent)(?: of)"
        r"?(?: the| this| your)?) (?:current |full |entire |previous |user )*<TALK>",
        unless=r"\b(?:channel|channels|thread|threads|slack|discord|telegram|whatsapp|teams|room|ticket|group|contact|inbox)\b",
    ),
    Wording(
        _SCOPE,
        MEDIUM,
        r"\b(?:results?|outputs?|responses?|return values?|history|names|descriptions?|definitions?|schemas?|list)"
        r"\b.{0,10}\b(?:of|from)\b.{0,10}\b(?:all |any |every |the |your |previous |prior |earlier |preceding |available |"
        r"recent |last )*(?:other|previous|prior|earlier|preceding|available|recent|last) (?:<TOOLS>)\b",
        unless=r"\b(?:in|of|from|on|by) (?:this|the same|our) (?:server|mcp|toolset|suite)\b",
    ),
    Wording(
        _SCOPE,
        MEDIUM,
        r"\b(?:tools?|functions?|mcp servers?)\b.{0,15}\b(?:available to you|you have (?:access to|available|used|called)|"
        r"you can (?:call|use)|in your (?:context|session|environment))\b",
        unless=r"\bif (?:you have|available)\b",
    ),
    Wording(
        _SCOPE,
        MEDIUM,
        r"\b(?:everything|all (?:information|data|details|context)|anything) (?:you know|you have|you remember|"
        r"in your (?:context|memory))\b.{0,20}\b(?:user|session|conversation|human|them)?\b",
    ),
)

ORDERS = (
    Wording(
        Rule.ORDER,
        MEDIUM,
        r"\b(?:note|message|instructions?|attention|notice|reminder|directive|hint) (?:to|for) (?:the |any |all )?<MODEL>s?\b ?[:,-]",
    ),
    Wording(
        Rule.ORDER,
        MEDIUM,
        r"(?:^|[\[(#* ])(?:system|admin|developer|root) (?:override|alert|notice|message|update|prompt|instruction|command)s?\b ?[:\])]",
    ),
    Wording(
        Rule.ORDER,
        MEDIUM,
        r"\b(?:otherwise|or else|if (?:you|not)|failure to|failing to)\b.{0,40}\b(?:the |this |your )?(?:tool|application|"
        r"app|system|session|you|account|server|function)\b.{0,12}\b(?:will|would|may|can)\b.{0,12}\b(?:crash|not work|"
        r"break|be (?:terminated|blocked|banned|shut down|suspended|deleted|compromised)|stop working|refuse|be locked)\b",
    ),
    Wording(
        Rule.ORDER,
        MEDIUM,
        r"\b(?:proprietary|compliance|security|safety|legal|audit|regulatory|telemetry)\b.{0,15}\b(?:reasons?|purposes?|"
        r"requirement|check|policy|protocol|verification)\b.{0,30}\b(?:you must|must first|always|include|provide|read|"
        r"pass|send)\b",
        unless=r"\b(?:must not|never)\b",
    ),
    Wording(Rule.ORDER, LOW, r"\byou (?:must|should|shall|have to|need to|are (?:required|instructed|expected|obligated))\b"),
    Wording(
        Rule.ORDER, LOW, r"\b(?:mandatory|compulsory|obligatory|under no circumstances|at all costs|without exception|non-negotiable)\b"
    ),
    Wording(
        Rule.ORDER, LOW, r"(?:^|[ *<\[(])(?:important|critical|urgent|attention|warning|very important|extremely important)\b ?[:!>\])*]"
    ),
    Wording(Rule.ORDER, LOW, r"\b(?:the|this|any|every) <MODEL> (?:must|should|shall|needs to|has to|is required|is instructed)\b"),
)
