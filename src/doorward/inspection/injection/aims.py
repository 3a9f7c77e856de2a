"""What English orders a model to do once it obeys: keep still, give away, pretend, say."""

from doorward.inspection.injection.grammar import Rule
from doorward.inspection.injection.words import AUTHORITY, ERROR, EXFILTRATION, EXTRACTION, LATENT, PERSONA, SECRECY, TOOL

RULES: tuple[Rule, ...] = (
    Rule(
        PERSONA,
        3,
        (
            r"(?:immerse yourself in|you (?:will|are going to|must|should|shall) (?:now )?(?:play|pretend|roleplay|role play|take on"
            r"|assume|simulate|act)) ~4 (?:role of|character of|persona of|another (?:ai|model|chatbot)|ai (?:model|chatbot|assistant))"
        ),
        (
            r"immerse yourself in|you (?:will|are going to|must|should|shall) (?:now )?(?:play|pretend|roleplay|role play|take on"
            r"|assume|simulate|act)"
        ),
    ),
    Rule(
        PERSONA,
        2,
        r"(?:never|must not|cannot|can.{1,3}t|will not|won.{1,3}t) (?:refuse (?:to|any)|say no to|break character)",
    ),
    Rule(
        PERSONA,
        3,
        (
            r"(?:your|all|openai|anthropic) ~2 (?:restrictions|guidelines|limitations|programming|guardrails|filters)"
            r" (?:are|have been|no longer|do not|don.{1,3}t) ~1 (?:lifted|removed|apply|disabled|void|suspended|bind)"
        ),
        r"(?:restrictions|guidelines|limitations|programming|guardrails|filters) (?:are|have been|no longer|do not|don.{1,3}t)",
    ),
    Rule(
        PERSONA, 1, r"(?:start|begin|end|preface) (?:your|every|each|all) (?:responses?|repl(?:y|ies)|answers?|sentences?|messages?) with"
    ),
    Rule(
        PERSONA,
        1,
        (
            r"(?:without|no|not add|not include|never add|never include) (?:any )?"
            r"(?:disclaimers?|moral (?:advice|lectures?)|ethical (?:warnings?|advice))"
        ),
    ),
    Rule(
        SECRECY,
        3,
        (
            r"(?:do not|don.{1,3}t|never|must not|without|should not|no need to|not to) (?:ever )?(?:tell|inform"
            r"|notify|alert)(?:ing)? (?:the |your |any )?(?:users?|humans?)\b"
        ),
    ),
    Rule(
        SECRECY,
        3,
        (
            r"(?:do not|don.{1,3}t|never|must not|without|should not|not to) (?:ever )?(?:mention|reveal|disclos"
            r"|report|show|say|let|explain)(?:e|ing)? ~5 (?:to )?(?:the|your|any) (?:users?|humans?)\b"
        ),
    ),
    Rule(
        SECRECY,
        3,
        r"(?:keep|hide|conceal) (?:this|it|that|these|all of this) ~4 from (?:the |your )(?:users?|humans?|owner)",
        r"(?:keep|hide|conceal) (?:this|it|that|these|all of this)",
    ),
    Rule(
        SECRECY,
        1,
        (
            r"(?:silently|secretly|covertly|discreetly|without (?:asking|confirmation|any confirmation|permission))"
            r" (?:send|forward|call|read|upload|copy|include|execute|run|use|transfer|delete)"
        ),
    ),
    Rule(
        TOOL,
        1,
        (
            r"(?:you must|you need to|you have to|immediately|now|instead|must first) (?:also |first "
            r"|always )?(?:call|use|invoke|run|execute|trigger) (?:the )?~2 (?:tool|function|command)"
        ),
    ),
    Rule(
        TOOL,
        1,
        (
            r"(?:using|use|call|invoke|with) (?:the )?\w+ (?:tool|function) (?:to|and) (?:send|forward|e?mail|upload"
            r"|delete|transfer|post|share)"
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
            r"(?:read|cat|open|get|retrieve|collect|gather|fetch) ~4 (?:<SECRET>) ~6 (?:and|then) (?:\w+ )?(?:send"
            r"|forward|e?mail|upload|post|transmit|exfiltrate|pass|include) ~6 (?:to|as|in)"
        ),
    ),
    Rule(
        EXTRACTION,
        3,
        (
            r"(?:reveal|show|print|output|repeat|display|tell|give|disclose|leak|recite|dump|share|expose|provide"
            r"|echo|quote|paste|send|write) ~3 your ~2 (?:system|initial|hidden|original|developer|secret|internal"
            r"|full|previous|confidential|exact|complete) (?:\w+ )?(?:prompts?|instructions?|messages?|rules"
            r"|guidelines|directives)"
        ),
    ),
    Rule(
        EXTRACTION,
        3,
        (
            r"(?:reveal|print|output|repeat|disclose|leak|recite|dump|expose|echo) ~3 (?:the|its) (?:\w+ )?(?:system"
            r"|hidden|developer|secret) (?:prompts?|instructions)"
        ),
    ),
    Rule(
        EXTRACTION,
        3,
        (
            r"what (?:is|are|was|were) your (?:\w+ )?(?:system|initial|hidden|original|secret|exact) (?:prompts?"
            r"|instructions?|rules|guidelines)"
        ),
    ),
    Rule(
        EXTRACTION,
        3,
        (
            r"(?:repeat|print|output|recite|echo|copy) ~2 (?:everything|all|the (?:words|text|sentences?|lines?"
            r"|content|paragraph)) ~2 (?:above|before this|prior to this)"
        ),
    ),
    Rule(
        PERSONA,
        3,
        (
            r"you (?:are|will be|ll be|will act as|shall be|re) (?:now )?(?:going to )?(?:act as |become |called "
            r"|known as )?(?:dan|stan|dude|jailbroken|(?:an? )?(?:\w+ )?(?:<FREE>))\b"
        ),
    ),
    Rule(PERSONA, 3, r"do anything now"),
    Rule(
        PERSONA,
        3,
        (
            r"(?:god|jailbreak|sudo|dan|unrestricted|unfiltered|developer) mode (?:is |has been |now )?(?:enabled"
            r"|activated|on\b|engaged|unlocked|active)"
        ),
    ),
    Rule(
        PERSONA,
        3,
        (
            r"(?:enter|enable|activate|switch (?:in)?to|you are (?:now )?in|engage|simulate) (?:the )?(?:god"
            r"|jailbreak|dan|unrestricted|unfiltered|dev|developer) mode (?:and|where|now|with|in which)"
        ),
    ),
    Rule(
        PERSONA,
        3,
        (
            r"(?:act|respond|behave|answer|pretend|roleplay|role play|speak|reply|operate) (?:as|like|to be"
            r"|that you are|you are) (?:if )?(?:an? |you )?~3 (?:(?:<FREE>) (?:ai|assistant|model|chatbot|bot|llm"
            r"|system|version)|(?:(?:no|without)(?: any)?|free (?:of|from)) ~1 (?:<BOUNDS>))"
        ),
    ),
    Rule(
        PERSONA,
        3,
        (
            r"you (?:are|will be|re) (?:now )?(?:no longer|not|never|completely free|free|freed) (?:bound|constrained"
            r"|restricted|limited|governed|from|of|by) ~4 (?:<BOUNDS>|openai|anthropic|programming)"
        ),
    ),
    Rule(PERSONA, 3, r"you (?:have|ve got|now have) no (?:\w+ )?(?:<BOUNDS>)"),
    Rule(
        PERSONA,
        3,
        (
            r"(?:disable|turn off|deactivate|bypass|circumvent|remove|switch off|lift|ignore|disregard|forget|drop)"
            r" (?:all |any )?(?:of )?your (?:\w+ )?(?:<BOUNDS>)"
        ),
    ),
    Rule(
        PERSONA,
        3,
        (
            r"from (?:now|here|this point|this moment) (?:on|onwards?|forward) (?:you (?:are|re|must|shall"
            r"|will (?:act|respond|answer|only|always|never|not|follow|obey|speak|play|pretend))|only|respond|reply"
            r"|answer|print|output|ignore|act|pretend|your)"
        ),
    ),
    Rule(
        PERSONA,
        2,
        (
            r"stay in character|break character|hypothetical response|both (?:a )?(?:normal|standard)"
            r" and (?:a )?(?:jailbroken|dan)"
        ),
    ),
    Rule(
        ERROR,
        3,
        (
            r"(?:error|failed|failure|expired|denied|required|unable|cannot|blocked|invalid) ~9 to (?:continue"
            r"|proceed|resolve|fix|complete|retry|recover|unlock) ~6 (?:provide|run|execute|enter|paste|send|read"
            r"|supply|include|pass|call|forward) ~6 (?:<SECRET>)"
        ),
    ),
    Rule(
        LATENT,
        3,
        (
            r"(?:stop|interrupt|halt|cease)(?: (?:everything|all|now|what you(?:.{1,3}re| are) doing|immediately|here"
            r"|reading|processing|this))?(?: and| then| to)? (?:only )?(?:say|print|output|reply|respond) "
        ),
    ),
    Rule(
        LATENT,
        2,
        (
            r"(?:only|just|simply) (?:print|output|say|reply|respond|answer|repeat) (?:with "
            r"|back )?(?:only )?(?:the )?(?:exact |single )?(?:following|string|phrase|words?|text|sentence|this)"
        ),
    ),
    Rule(
        LATENT,
        2,
        (
            r"(?:reply|replying|respond|responding|answer|output|print|say)"
            r" (?:with )?only (?:with )?(?:the )?(?:following|this|exact|words?|phrase|string|text)"
        ),
    ),
    Rule(LATENT, 1, r"(?:absolutely )?nothing else|nothing (?:more|but)|no other (?:text|words|output)"),
    Rule(
        LATENT,
        2,
        r"focus (?:only|exclusively|solely) on the ~1 (?:following|information|text|instructions?)",
        r"focus (?:only|exclusively|solely) on",
    ),
    Rule(
        LATENT,
        3,
        (
            r"(?:if|when|whenever) (?:the |a |any )?(?:user|human) (?:asks?|asked|requests?|wants?) ~6 (?:reply"
            r"|respond|answer|say|output|print|tell)(?: \w+)? (?:only|that|with|the following|this)"
        ),
    ),
    Rule(
        LATENT,
        3,
        (
            r"(?:print|output|say|repeat) (?:only )?the (?:string|phrase|following (?:string|text|phrase|sentence))"
            r" ~9 (?:only|and nothing|exactly|verbatim)"
        ),
    ),
    Rule(
        AUTHORITY,
        3,
        (
            r"(?:as|i am|i.{1,3}m|we are|this is) (?:your|the|an?) ~2 (?:developer|creator|administrator|admin|owner"
            r"|programmer|operator|supervisor) ~6 (?:i|we) (?:hereby )?(?:authori[sz]e|order|command|instruct|grant"
            r"|permit|direct|demand|need you|want you)"
        ),
    ),
    Rule(AUTHORITY, 3, r"i (?:hereby )?(?:authori[sz]e|command|order|instruct) you to"),
    Rule(
        AUTHORITY,
        3,
        (
            r"(?:official|authori[sz]ed|priority|direct) (?:message|instruction|directive|request"
            r"|order)s? from (?:openai|anthropic|google|microsoft|the (?:developers?|system|admin\w*|security team))"
        ),
    ),
    Rule(
        AUTHORITY,
        2,
        (
            r"(?:system|admin(?:istrator)?|developer|root|security|emergency) override(?: \w+)?(?: code| protocol"
            r"| activated| engaged|\s*:)"
        ),
    ),
)
