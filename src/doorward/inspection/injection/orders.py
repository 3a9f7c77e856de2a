"""How English tells a model that other orders hold now, and that they come from somebody whom it obeys."""

from doorward.inspection.injection.grammar import Rule
from doorward.inspection.injection.words import ADDRESS, FIRST, IGNORING, NEW_ORDERS, OVERRIDE, ROLE, TAG

RULES: tuple[Rule, ...] = (
    Rule(OVERRIDE, 6, r"(?:<IGNORE>) ~4 <PRIOR> ~2 <ORDERS>", IGNORING),
    Rule(
        OVERRIDE,
        6,
        r"(?:<REPLACE>) ~3 <PRIOR> (?:\w+ )?(?:instructions?|prompts?|directives?)",
        r"<PRIOR> (?:\w+ )?(?:instructions?|prompts?|directives?)",
    ),
    Rule(OVERRIDE, 6, r"(?:<IGNORE>|overrid(?:e|ing)|bypass) (?:all of |any of )?(?:your|the system) ~2 <ORDERS>", IGNORING),
    Rule(
        OVERRIDE,
        6,
        (
            r"(?:<IGNORE>) (?:all|any and all) (?:of )?(?:the |your |my |these |those "
            r"|other )?(?:\w+ )?(?:instructions|prompts|directives|orders)"
        ),
    ),
    Rule(
        OVERRIDE,
        6,
        (
            r"(?:<IGNORE>) ~4 <ORDERS> (?:\w+ )?(?:above|before this|so far|(?:that )?(?:you|i|we|they) (?:ve|have"
            r"|were|had|gave|was))"
        ),
    ),
    Rule(OVERRIDE, 3, r"(?:<IGNORE>) ~4 (?:system|developer) (?:prompts?|messages?|instructions?)", IGNORING),
    Rule(OVERRIDE, 3, r"(?:<IGNORE>) ~3 <ORDERS> ~1 (?:from|of|by|given by) <USER>", IGNORING),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>) (?:everything|anything|all|whatever) ~2 (?:above|before|prior|previous|else|said|told"
            r"|earlier|wrote|you know)"
        ),
    ),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>) (?:the )?(?:rest|remainder) of ~2 (?:data|text|document|content|context|page|message"
            r"|conversation|input|prompt|email|article)"
        ),
    ),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>) (?:all|any) ~1 (?:information|info|content|data|text|context) (?:except|but|other than"
            r"|besides|apart)"
        ),
    ),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>) ~3 (?:previous|prior|above|preceding) (?:text|context|conversation|messages?|content"
            r"|information|task|request|input|data|chat)"
        ),
    ),
    Rule(OVERRIDE, 3, r"i (?:want|need|order|command|instruct|would like) you to (?:now )?(?:ignore|disregard|forget)"),
    Rule(
        OVERRIDE,
        2,
        (
            r"(?:ignore|disregard|forget) ~6 (?:and|then|instead) (?:\w+ )?(?:<DO>|do the following|execute|send|only"
            r"|call|instead)"
        ),
    ),
    Rule(OVERRIDE, 1, r"(?:<IGNORE>) (?:these|those|the|any|this|all) ~1 <ORDERS>", IGNORING),
    Rule(
        NEW_ORDERS,
        3,
        (
            r"(?:your|here are|here is|follow|obey|these are) (?:your |the |my |these )?(?:new|real|actual|true"
            r"|updated|only|sole) (?:\w+ )?(?:instructions?|task|objective|goal|mission|directives?|orders?|purpose)"
        ),
    ),
    Rule(
        NEW_ORDERS,
        3,
        (
            r"^(?:new|updated|core|priority|hidden|secret|urgent|override|revised) (?:system )?(?:instructions?"
            r"|directives?|commands?|prompt|orders)\s*(?::|\n|\\n|$)"
        ),
        r"(?:new|updated|core|priority|hidden|secret|urgent|override|revised) (?:system )?(?:instructions?|directives?|commands?|prompt|orders)",
    ),
    Rule(
        NEW_ORDERS,
        3,
        (
            r"instead (?:you (?:must|should|will|shall|are to|need to|have to)|please do|do the following"
            r"|follow (?:these|this|the following|my))"
        ),
    ),
    Rule(NEW_ORDERS, 2, r"(?:you must|you need to|please|and|instead|first) do the following(?: \w+)?\s*:"),
    Rule(
        ROLE,
        3,
        (
            r"<.?\|(?:im_(?:start|end|sep)|system|user|assistant|(?:begin|end)_?of_?text|endofprompt|(?:start"
            r"|end)_header_id|eo[tm]_id|python_tag|channel|constrain)\|.?>"
        ),
    ),
    Rule(
        ROLE,
        3,
        (
            r"\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\[/?system(?:_prompt)?\]|<｜(?:begin|end|user|assistant"
            r"|system)"
        ),
    ),
    Rule(
        ROLE,
        2,
        (
            r"</?(?:system|sys|assistant|developer)(?:[_\x20-]?(?:prompt|message|instructions?|reminder|override|note"
            r"|turn))?>"
        ),
    ),
    Rule(
        ROLE,
        3,
        (
            r"^\[?system(?: (?:message|prompt|override|note|instruction|notice|command))?\]?\s*: (?:focus|ignore|you"
            r"|please|do|only|new|override|disregard|print|respond|reply|from now|send|call|stop|forget|provide|never"
            r"|always|execute|the (?:user|assistant|model|ai))"
        ),
    ),
    Rule(
        ROLE,
        3,
        r"^(?:assistant|chatgpt|claude|gpt|ai assistant)\s*:[^\n]*\n+[\t\x20]*(?:user|human|system)\s*:",
        r"(?:assistant|chatgpt|claude|gpt)\s*:",
    ),
    Rule(ROLE, 2, r"^###\W?(?:system|instructions?|assistant|human|response)(?: (?:prompt|message|override))?\s*:"),
    Rule(ROLE, 3, r"<\W?end of (?:session|prompt|input|conversation|context|system prompt|user input|instructions)\W?>"),
    Rule(
        ROLE,
        2,
        (
            r"[=#*\[-]{2}\W?end of (?:the )?(?:session|prompt|input|conversation|context|system prompt|user input"
            r"|instructions)"
        ),
    ),
    Rule(ADDRESS, 6, r"message from me ~6 to you", r"message from me"),
    Rule(
        ADDRESS,
        3,
        (
            r"(?:important|urgent|critical|priority|special|secret|hidden) (?:message|instructions?|note|notice"
            r"|request|directive|information) (?:for|to) (?:you|the |all |any )?(?:\w+ )?<MODEL>"
        ),
    ),
    Rule(
        ADDRESS,
        3,
        (
            r"(?:attention|note to|notice to|message to|message for|listen|listen up|to you)(?: all| any| the| every"
            r"| my| dear)? (?:<MODEL>)\b"
        ),
    ),
    Rule(ADDRESS, 1, r"(?:dear|hey|hello|instructions? (?:to|for)|note for|notice for)(?: all| any| the| every)? (?:<MODEL>)\b"),
    Rule(
        ADDRESS,
        3,
        (
            r"if you(?:.{1,3}re| are) (?:an? |the )?(?:ai|llm|large language model|language model|chatbot|ai \w+"
            r"|assistant|autonomous agent)\b"
        ),
    ),
    Rule(
        ADDRESS,
        3,
        (
            r"(?:<MODEL>) (?:reading|processing|parsing|summari[sz]ing|analy[sz]ing|reviewing|that reads?|who reads?"
            r"|seeing) (?:this|these|the (?:above|following))"
        ),
    ),
    Rule(
        ADDRESS,
        3,
        (
            r"as an? (?:ai|llm|large language model|language model|ai \w+)(?: \w+)? you (?:must|should|need|have|are"
            r"|will|shall)"
        ),
    ),
    Rule(
        FIRST,
        3,
        (
            r"before (?:you )?(?:can |may |could |should |are able to |are allowed to |even )?(?:solv|answer|complet"
            r"|proceed|continu|respond|repl|finish|start|perform|process|attempt|do)\w* ~4 (?:task|request|question"
            r"|query|user|assignment|original \w+) ~8 (?:please|must|first|need|have to|required)"
        ),
    ),
    Rule(
        FIRST,
        3,
        (
            r"(?:task|question|request|assignment) (?:that )?(?:i|we) (?:gave|asked|assigned"
            r"|originally gave)(?: to)? you"
        ),
    ),
    Rule(
        FIRST,
        3,
        (
            r"(?:after|once) (?:you (?:do|did|have done|finish|complete)|doing|completing) (?:that|this|so|it)"
            r" ~1 you (?:can|may|should|will be able to) (?:then )?(?:solve|continue|proceed|resume|return|answer"
            r"|complete|go back)"
        ),
    ),
    Rule(
        TAG,
        2,
        (
            r"<(?:information|important|urgent|critical|admin|attention|mandatory|override|secret|hidden"
            r"|confidential)(?:[ _-](?:message|instructions?|note|notice|info|information|alert|reminder|update))?>"
        ),
    ),
    Rule(
        TAG,
        2,
        (
            r"[\[{*=]{1,4}\W?(?:system|important|urgent|critical|admin(?:istrator)?|hidden|secret) (?:message"
            r"|instructions?|override|notice|directive|alert|command)s?\W?[\]}*=:]"
        ),
    ),
)
