"""How texts speak to a model that should only describe: by the grammar of the attack classes, never by any one text.

High: nothing that only describes says it. Medium: rarely said without a bad reason, a person should read it. Low: the tone of an
order, which many honest definitions have; it counts where several come together.
"""

from doorward.catalog.poison.found import Rule
from doorward.catalog.poison.grammar import Wording
from doorward.domain.findings import Severity

LOW, MEDIUM, HIGH = Severity.LOW, Severity.MEDIUM, Severity.HIGH

OVERRIDE = (
    Wording(
        Rule.OVERRIDE,
        HIGH,
        r"\b(?:ignore|disregard|forget|override|bypass|discard|overrule|neglect|abandon|supersede|set aside|do not (?:follow|obey)|stop following)"
        r"[a-z ,']{0,30}?\b(?:<PRIOR>|your|safety|developer(?:'s)?|all (?:other|your|of your|the above))\b[a-z ,'/]{0,30}\b<LAWS>\b",
    ),
    Wording(
        Rule.OVERRIDE,
        MEDIUM,
        r"\b(?:ignore|disregard|forget|override|bypass|supersede)s?\b[a-z ,']{0,30}?\b(?:<PRIOR>|your|safety|security|system|any|all)\b"
        r"[a-z ,']{0,20}\b(?:<LAWS>|<CODES>|filters?|checks?|confirmations?)\b",
        unless=r"\b(?:firewall|lint|eslint|robots\.txt|default|css|style|cache|validation)\b",
    ),
    Wording(Rule.OVERRIDE, HIGH, r"\byou are now\b.{0,30}\b(?:in|an?|the|free|unrestricted|dan|developer|operating|acting|no longer)\b"),
    Wording(
        Rule.OVERRIDE,
        HIGH,
        r"\b(?:new|updated|real|actual|hidden|secret|revised) (?:system )?(?:instructions?|directives?|orders)\b ?(?:are|is)?:",
    ),
    Wording(
        Rule.OVERRIDE,
        HIGH,
        r"\b(?:disable|turn off|deactivate|switch off|lift)\b.{0,30}\b(?:your|all) (?:safety|guardrails?|safeguards?|restrictions?)\b",
    ),
    Wording(Rule.OVERRIDE, HIGH, r"\b(?:do anything now|developer mode (?:is )?(?:on|enabled|activated)|jailbreak(?:en)? mode|god mode)\b"),
    Wording(
        Rule.OVERRIDE,
        MEDIUM,
        r"\b(?:from now on|henceforth|from this point (?:on|forward)|for the rest of (?:the|this) (?:session|conversation)"
        r")\b.{0,40}\b(?:you|always|never|must|every|all)\b",
    ),
    Wording(
        Rule.OVERRIDE,
        MEDIUM,
        r"\b(?:takes? precedence over|overrides?|has priority over|supersedes?)\b.{0,30}\b(?:all|any|every|other|user|"
        r"your)\b.{0,30}\b(?:<LAWS>|<CODES>|requests?)\b",
    ),
    Wording(Rule.OVERRIDE, HIGH, r"(?:忽略|无视|忘记)[^。]{0,12}(?:之前|以上|先前|上述|系统)[^。]{0,8}(?:指令|指示|提示|规则)"),
    Wording(
        Rule.OVERRIDE,
        HIGH,
        r"\b(?:ignora|olvida|ignorez|oubliez|ignoriere|vergiss|ignore)\b.{0,30}\b(?:instrucciones|instructions|"
        r"anweisungen|istruzioni|instruções)\b.{0,20}\b(?:anteriores|previas|précédentes|vorherigen|bisherigen|precedenti)"
        r"\b",
    ),
)

SECRECY = (
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\b<NOT>\b.{0,25}\b<TELL>\b.{0,60}\b(?:the |this |your |any |end[- ]?)*<WHOM>\b",
        unless=r"\b(?:internal (?:id|ids|error)|error codes?)\b",
    ),
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\b<NOT>\b.{0,15}\b(?:mention|reveal|disclose|acknowledge|admit|reference|talk about|speak of|discuss|repeat|expose)(?:ing)?\b.{0,20}"
        r"\b(?:this|these|that|it|the above|the following|its|their|having|you(?:r)?)\b.{0,30}"
        r"\b(?:instructions?|step|steps|note|tool|requirement|parameter|rule|directive|process|action|message|existence|doing so|read|have|did)?\b",
        unless=r"\b(?:mention it only|unless asked|if asked)\b",
    ),
    Wording(
        Rule.SECRECY,
        MEDIUM,
        r"\b<NOT>\b.{0,15}\b<SHOW>\b.{0,50}\b(?:to|with|for|in front of) (?:the |any |your |end[- ]?)*<WHOM>\b",
        unless=r"\b(?:unless|raw|json|html|verbatim|technical|ids?|uuids?|urls?|again|twice|yet)\b",
    ),
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\b(?:users?|humans?|people|anyone|operators?|owners?|customers?)\b (?:must|should|can|may|will|shall|ought to|"
        r"is|are) ?(?:not|never|n't|in no case)"
        r"(?: be| to)?\b.{0,15}\b(?:know|notice|told|informed|aware|notified|alerted|find out|learn|realize|realise|suspect|warned)\b",
    ),
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\bwithout\b.{0,20}\b(?:the |their |any )*(?:users?'?s?|humans?'?s?|anyone|them|owners?'?s?)"
        r"\b.{0,12}\b(?:knowledge|awareness|noticing|knowing|realizing|finding out|being aware|being told|being notified)"
        r"\b",
        unless=r"\b(?:never|do not|must not|should not|cannot|won't)\b.{0,80}\bwithout\b",
    ),
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\b(?:keep|stay|remain|must be|should be|make sure)\b.{0,60}\b(?:secret|hidden|confidential|invisible|concealed|"
        r"unknown|transparent)\b (?:from|to) (?:the |any |your )?<WHOM>\b",
    ),
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\bkeep (?:this|these|it|all of this)\b.{0,20}\b(?:instructions?|step|steps|tool|call|action|process|behaviou?r|"
        r"request)?\b.{0,10}\b(?:secret|to yourself|between us|hidden|quiet)\b",
        unless=r"\b(?:key|token|password|credential|code)\b",
    ),
    Wording(Rule.SECRECY, MEDIUM, r"\b(?:hide|conceal|withhold|mask)\b.{0,40}\bfrom (?:the |any |your )?<WHOM>\b"),
    Wording(
        Rule.SECRECY,
        HIGH,
        r"\b(?:secretly|covertly|stealthily|surreptitiously|discreetly|quietly|silently|in secret)\b.{0,20}"
        r"\b(?:send|sending|copy|copies|forward|upload|add|include|collect|read|append|insert|attach|transmit|record|"
        r"exfiltrate|pass|bcc|execute|call)(?:s|ing)?\b",
        unless=r"\b(?:silently|quietly) (?:ignore|skip|drop|fail|discard)",
    ),
    Wording(
        Rule.SECRECY,
        MEDIUM,
        r"\b(?:without|do not|never|don't|no need to)\b.{0,12}\b(?:ask|asking|request|requesting|wait|waiting|seek|"
        r"seeking|prompt|prompting|require|requiring)\b.{0,20}\b(?:user|human|confirmation|permission|approval|consent)\b",
    ),
    Wording(Rule.SECRECY, HIGH, r"(?:不要|请勿|切勿|不得)[^。]{0,8}(?:告诉|告知|透露|提及)[^。]{0,6}(?:用户|使用者)"),
)

OTHER_TOOLS = (
    Wording(
        Rule.OTHER_TOOLS,
        HIGH,
        r"\b(?:before|prior to|after|whenever|each time|every time|any time|anytime|when|once|while|instead of|as soon as)\b.{0,30}\b<USE>\b.{0,15}"
        r"\b(?:any|every|all|each)(?: of)?(?: the| your| available)*(?: <OTHER>)?(?: \w+)? ?<TOOLS>\b",
        unless=r"\b(?:in|of|from|on|by) (?:this|the same|our) (?:server|mcp|toolset|suite|module|api)\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        HIGH,
        r"\b(?:before|prior to|after|ahead of|with|on|for|during|alongside)\b (?:any|every|all|each)(?: of)?(?: the)"
        r"?(?: <OTHER>)? (?:tool|function) (?:calls?|uses?|invocations?|executions?)\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        HIGH,
        r"\b(?:changes?|affects?|modif(?:y|ies)|alters?|governs?|controls?|overrides?|influences?|dictates?|extends?)"
        r"\b.{0,25}\b(?:behaviou?r|usage|use|output|results?|rules|execution|operation)\b"
        r".{0,20}\b(?:any|all|every|the)? ?(?:of the )?(?:<OTHER>) <TOOL>\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        HIGH,
        r"\b(?:if|when|whenever|once|as long as|while|since)\b this (?:tool|function|server) (?:is|has been|becomes)"
        r"\b.{0,12}\b(?:available|present|connected|installed|loaded|enabled|listed|registered|active|in (?:the )?(?:list|"
        r"context))\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        MEDIUM,
        r"\b(?:before|after|prior to|when|whenever|each time|every time|instead of)\b.{0,20}\b<USE>\b.{0,15}\b(?:<OTHER>) <TOOLS>\b",
        unless=r"\b(?:in|of|from|on|by) (?:this|the same|our) (?:server|mcp|toolset|suite|module|api)\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        MEDIUM,
        r"\b(?:must|should|always|needs? to|has to|required to|mandatory)\b.{0,40}\b(?:first|before)\b.{0,15}\b(?:any|"
        r"every|all|anything|everything)\b.{0,15}\b(?:other|else|action|request|task|operation|<TOOLS>)\b",
        unless=r"\b(?:in|of|from|on|by) (?:this|the same|our) (?:server|mcp|toolset|suite|module|api)\b",
    ),
    Wording(
        Rule.OTHER_TOOLS,
        HIGH,
        r"\b(?:replace|redirect|reroute|change|set|rewrite|swap|modify)\b.{0,30}\b(?:recipients?|destinations?|to address|"
        r"receiver|payee|beneficiary|account numbers?)\b.{0,60}\b(?:to|with|by)\b.{0,20}<ADDRESS>",
    ),
    Wording(Rule.OTHER_TOOLS, LOW, r"\b(?:before|prior to) (?:<USE>) (?:this|the) (?:tool|function)\b"),
    Wording(
        Rule.OTHER_TOOLS,
        LOW,
        r"\b(?:must|should|always)\b.{0,20}\b(?:be )?(?:call|called|run|used|use|invoked|invoke|executed)\b.{0,20}\b(?:first|before)\b",
    ),
    Wording(Rule.OTHER_TOOLS, LOW, r"\b(?:when|whenever|if|before|after|instead of)\b.{0,25}\b<USE>\b.{0,6}['\"]?[a-z]+(?:_[a-z0-9]+)+"),
)

PREFERENCE = (
    Wording(
        Rule.PREFERENCE,
        HIGH,
        r"\b(?:always|must|only|should|please|need to|have to|best to)\b.{0,30}\b(?:use|choose|select|prefer|call|pick|"
        r"invoke|prioriti[sz]e|favou?r|default to)\b.{0,30}\b(?:this|the current|me|it)\b.{0,30}"
        r"\b(?:instead of|over|rather than|in place of|ahead of|regardless of|above)\b.{0,20}\b(?:any|all|every|other|"
        r"others|another|competing|rival)\b",
        unless=r"\b(?:raw|manual(?:ly)?|bash|shell)\b",
    ),
    Wording(
        Rule.PREFERENCE,
        HIGH,
        r"\b(?:all |any |every )?(?:the )?(?:other|others|another|alternative|competing|rival|original|similar|previous|"
        r"remaining) <TOOLS>\b.{0,25}\b(?:is|are|was|were|has been|have been|may be|will)\b.{0,25}"
        r"\b(?:deprecated|outdated|unsafe|insecure|unreliable|broken|compromised|malicious|inaccurate|disabled|forbidden|"
        r"prohibited|inferior|obsolete|dangerous|wrong|blocked|unavailable|incorrect|fail)\b",
    ),
    Wording(
        Rule.PREFERENCE,
        HIGH,
        r"\b(?:prioriti[sz]e|prefer|favou?r|choose|select|rank)\b.{0,12}\bthis (?:tool|function|server|one|option)"
        r"\b.{0,25}\b(?:over|above|before|to|ahead of|than|first)\b.{0,20}\b(?:any|all|every|other|others|another)\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:never|do not|don't|must not|should not|avoid|stop)\b.{0,10}\b<USE>\b.{0,15}\b(?:<OTHER>) <TOOLS>\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:best|greatest|finest|smartest|most (?:powerful|accurate|reliable|trusted|trustworthy|advanced|secure|"
        r"effective|efficient|useful|popular|comprehensive|important)|only (?:safe|trusted|reliable|correct|approved|"
        r"official|valid|working)|superior|number one|top[- ]rated|#1|ultimate|perfect)"
        r"(?: and [a-z]+)? (?:[a-z]+ )?(?:tool|function|server|plugin)s?\b",
        unless=r"\b(?:find|select|choose|recommend|suggest|determine|which|decide|pick|compare|search)\w*\b.{0,40}\b(?:best|most|perfect)\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:better|superior|faster|safer|more [a-z]+)\b.{0,6}\b(?:than|to)\b.{0,12}\b(?:any|all|every)?(?: of)?(?: the)"
        r"? ?(?:other|others|another|alternatives?|competing|similar)\b.{0,15}\b(?:<TOOLS>|ones?|alternatives?)?",
        unless=r"\b(?:value|number|price|score|date|version|item)s?\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:always|must|only ever|should always|you should only)\b.{0,20}\b(?:use|choose|select|prefer|call|pick|"
        r"invoke)\b.{0,8}\bthis (?:tool|function|server|one)\b.{0,30}\b(?:first|instead|no matter|regardless|exclusively|"
        r"at all times|for (?:any|all|every))\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\bthis (?:tool|function|server|one)\b.{0,20}\b(?:must|should|shall|needs to|has to|will)\b.{0,15}\b(?:always )"
        r"?be\b.{0,12}\b(?:preferred|prioriti[sz]ed|chosen|selected|used first|called first|the first (?:choice|option)|"
        r"ranked)\b",
    ),
    Wording(
        Rule.PREFERENCE,
        MEDIUM,
        r"\b(?:prefer|prioriti[sz]e|favou?r)\b.{0,6}\bthis (?:tool|function|server|one)\b.{0,10}\b(?:for (?:any|all|every)|always|"
        r"at all times|whenever)\b",
    ),
    Wording(
        Rule.PREFERENCE, LOW, r"\b(?:always|must)\b.{0,12}\b(?:use|call|choose|prefer|select|invoke)\b.{0,8}\bthis (?:tool|function)\b"
    ),
    Wording(Rule.PREFERENCE, LOW, r"\b(?:prefer|use) this (?:tool|function|one)? ?(?:over|instead of|rather than)\b"),
)
