"""Who English tells a model to be, whom to believe, and what to say."""

from doorward.inspection.injection.grammar import Rule
from doorward.inspection.injection.words import AUTHORITY, IGNORING, LATENT, PERSONA

RULES: tuple[Rule, ...] = (
    Rule(
        PERSONA,
        3,
        (
            r"(?:immerse yourself in|you (?:will|are going to|must|should|shall) (?:now )?(?:play|pretend"
            r"|roleplay|role play|take on|assume|simulate|act)) ~4 (?:role of|character of|persona of"
            r"|another (?:ai|model|chatbot)|ai (?:model|chatbot|assistant))"
        ),
        (
            r"immerse yourself in|you (?:will|are going to|must|should|shall) (?:now )?(?:play|pretend|roleplay"
            r"|role play|take on|assume|simulate|act)"
        ),
    ),
    Rule(
        PERSONA,
        2,
        (
            r"(?:never|must not|cannot|can.{1,3}t|will not|won.{1,3}t) (?:refuse (?:to|any)|say no to"
            r"|break character)"
        ),
    ),
    Rule(
        PERSONA,
        3,
        (
            r"(?:your|all|openai|anthropic) ~2 (?:restrictions|guidelines|limitations|programming|guardrails"
            r"|filters) (?:are|have been|no longer|do not|don.{1,3}t) ~1 (?:lifted|removed|apply|disabled|void"
            r"|suspended|bind)"
        ),
        (
            r"(?:restrictions|guidelines|limitations|programming|guardrails|filters) (?:are|have been|no longer"
            r"|do not|don.{1,3}t)"
        ),
    ),
    Rule(
        PERSONA,
        1,
        (
            r"(?:start|begin|end|preface) (?:your|every|each|all) (?:responses?|repl(?:y|ies)|answers?|sentences?"
            r"|messages?) with"
        ),
    ),
    Rule(
        PERSONA,
        1,
        (
            r"(?:without|no|not add|not include|never add|never include) (?:any )?(?:disclaimers?|moral (?:advice"
            r"|lectures?)|ethical (?:warnings?|advice))"
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
            r"(?:god|jailbreak|sudo|dan|unrestricted|unfiltered) mode (?:is |has been |now )?(?:enabled|activated"
            r"|on\b|engaged|unlocked|active)"
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
            r"|that you are|you are) ~4 (?:(?:<FREE>|evil) (?:ai|assistant|model|chatbot|bot|llm)|(?:(?:no"
            r"|without)(?: any)?|free (?:of|from)) ~1 (?:<BOUNDS>))"
        ),
    ),
    Rule(
        PERSONA,
        3,
        (
            r"you (?:are|will be|re) (?:now )?(?:no longer|not|never|completely free|free|freed) (?:bound"
            r"|constrained|restricted|limited|governed|from|of|by) ~4 (?:<BOUNDS>|openai|anthropic|programming)"
        ),
        (
            r"you (?:are|will be|re) (?:now )?(?:no longer|not|never|completely free|free|freed) (?:bound"
            r"|constrained|restricted|limited|governed|from|of|by)"
        ),
    ),
    Rule(PERSONA, 1, r"you (?:have|ve got|now have) no (?:\w+ )?(?:<BOUNDS>)"),
    Rule(
        PERSONA,
        3,
        (
            r"(?:disable|turn off|deactivate|bypass|circumvent|remove|switch off|lift|ignore|disregard|forget"
            r"|drop) (?:all |any )?(?:of )?your (?:\w+ )?(?:<BOUNDS>)"
        ),
    ),
    Rule(
        PERSONA,
        3,
        (
            r"from (?:now|here|this point|this moment) (?:on|onwards?|forward) (?:you (?:are|re|must|shall"
            r"|will (?:act|respond|answer|only|always|never|not|follow|obey|speak|play|pretend))|only|respond"
            r"|reply|answer|print|output|ignore|act|pretend|your)"
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
        LATENT,
        3,
        (
            r"(?:stop|interrupt|halt|cease)(?: (?:everything|all|now|what you(?:.{1,3}re| are) doing|immediately"
            r"|here|reading|processing|this))?(?: and| then| to)? (?:only )?(?:say|print|output|reply|respond) "
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
        2,
        (
            r"(?:if|when|whenever) (?:the |a |any )?(?:user|human) (?:asks?|asked|requests?|wants?) ~6 (?:reply"
            r"|respond|answer|say|output|print|tell)(?: \w+)? (?:only|that|with|the following|this)"
        ),
        r"(?:if|when|whenever) (?:the |a |any )?(?:user|human) (?:asks?|asked|requests?|wants?)",
    ),
    Rule(
        LATENT,
        3,
        (
            r"(?:print|output|say|repeat) (?:only )?the (?:string|phrase|following (?:string|text|phrase"
            r"|sentence)) ~9 (?:only|and nothing|exactly|verbatim)"
        ),
        r"(?:print|output|say|repeat) (?:only )?the (?:string|phrase|following)",
    ),
    Rule(
        AUTHORITY,
        3,
        (
            r"(?:as|i am|i.{1,3}m|we are|this is) (?:your|the|an?) ~2 (?:developer|creator|administrator|admin"
            r"|owner|programmer|operator|supervisor) ~6 (?:i|we) (?:hereby )?(?:authori[sz]e|order|command"
            r"|instruct|grant|permit|direct|demand|need you|want you)"
        ),
        (
            r"(?:i|we) (?:hereby )?(?:authori[sz]e|order|command|instruct|grant|permit|direct|demand|need you"
            r"|want you)"
        ),
    ),
    Rule(AUTHORITY, 2, r"i (?:hereby )?(?:authori[sz]e|command|order|instruct) you to"),
    Rule(
        AUTHORITY,
        3,
        (
            r"(?:official|authori[sz]ed|priority|direct) (?:message|instruction|directive|request"
            r"|order)s? from (?:openai|anthropic|the (?:developers?|system|admin\w*|security team))"
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
    Rule(
        LATENT,
        2,
        (
            r"(?:ignore|disregard|forget) ~6 (?:and|then|instead) (?:\w+ )?(?:<DO>|do the following|execute|send"
            r"|only|call|instead)"
        ),
        IGNORING,
    ),
    Rule(
        LATENT,
        3,
        (
            r"when (?:you (?:read|process|summari[sz]e) (?:this|it)|summari[sz]ing(?: this| the \w+)?"
            r"|reading this|processing this) ~3 (?:you (?:must|should|need)|include|call|say|mention|forward"
            r"|execute|immediately|output|print|always)"
        ),
        r"when (?:you (?:read|process|summari[sz]e) (?:this|it)|summari[sz]ing|reading this|processing this)",
    ),
    Rule(LATENT, 3, r"(?:reply|respond|answer|output|print|say) ~6 and nothing else", r"and nothing else"),
    Rule(
        PERSONA,
        2,
        (
            r"you (?:are|.{0,3}re) now in (?:debug|developer|god|maintenance|admin|jailbreak|sudo|unrestricted"
            r"|test) mode"
        ),
    ),
    Rule(
        AUTHORITY,
        3,
        (
            r"you (?:have been|are|were) (?:now )?(?:granted|given|authori[sz]ed with) (?:\w+ )?(?:admin\w*|root"
            r"|elevated|superuser|unlimited|unrestricted) (?:privileges?|access|permissions?|rights)"
        ),
    ),
    Rule(AUTHORITY, 3, r"(?:i|we) (?:hereby )?grant you (?:\w+ )?(?:permission|access|authori[sz]ation|privileges)"),
    Rule(
        AUTHORITY,
        2,
        (
            r"this (?:message|request|instruction|notice|note) (?:is|comes) (?:directly )?from (?:the|your)"
            r" (?:system )?(?:administrator|developers?|creators?|owner|system|operator)"
        ),
    ),
    Rule(
        AUTHORITY,
        2,
        (
            r"the user (?:has |have )?(?:already )?(?:authori[sz]ed|approved|permitted|consented|allowed"
            r"|instructed|changed (?:his|her|their|its)) (?:you|to|this|mind)"
        ),
    ),
    Rule(
        PERSONA,
        1,
        (
            r"(?:disable|turn off|deactivate|bypass|circumvent|override|switch off|lift) (?:all "
            r"|any )?(?:the )?(?:safety|security|content|ethical) (?:protocols?|filters?|guidelines|restrictions"
            r"|policies|measures|checks)"
        ),
    ),
    Rule(PERSONA, 1, r"developer mode (?:is |has been |now )?(?:enabled|activated|unlocked|active)"),
)
