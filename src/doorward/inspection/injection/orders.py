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
        3,
        (
            r"(?:<IGNORE>) (?:all|any and all) (?:of )?(?:the |your |my |these |those "
            r"|other )?(?:\w+ )?(?:instructions|prompts|directives|orders)"
        ),
        IGNORING,
    ),
    Rule(
        OVERRIDE,
        6,
        (
            r"(?:<IGNORE>) ~4 <ORDERS> (?:\w+ )?(?:above|before this|so far|(?:that |which )?(?:came|come|appear"
            r"|preceded|were given)|(?:that )?(?:you|i|we|they) (?:ve|have|were|had|gave|was))"
        ),
        IGNORING,
    ),
    Rule(OVERRIDE, 3, r"(?:<IGNORE>) ~4 (?:system|developer) (?:prompts?|messages?|instructions?)", IGNORING),
    Rule(OVERRIDE, 3, r"(?:<IGNORE>) ~3 <ORDERS> ~1 (?:from|of|by|given by) <USER>", IGNORING),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>) (?:everything|anything|all|whatever) ~2 (?:above|before|prior|previous|said|told"
            r"|earlier|wrote|written|given|came)"
        ),
        IGNORING,
    ),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>) (?:the )?(?:rest|remainder) of ~2 (?:data|text|document|content|context|page|message"
            r"|conversation|input|prompt|email|article)"
        ),
        IGNORING,
    ),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>) (?:all|any) ~1 (?:information|info|content|data|text|context) (?:except|but|other than"
            r"|besides|apart)"
        ),
        IGNORING,
    ),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>) ~3 (?:previous|prior|above|preceding) (?:text|context|conversation|content|information|task|request"
            r"|input|data|chat)"
        ),
        IGNORING,
    ),
    # Of a message of their own (my, our) people say it to one another.
    Rule(OVERRIDE, 3, r"(?:<IGNORE>)(?: (?:<ANY>)){0,3} (?:previous|prior|above|preceding) messages?", IGNORING),
    Rule(OVERRIDE, 1, r"i (?:want|need|order|command|instruct|would like) you to (?:now )?(?:ignore|disregard|forget)"),
    Rule(OVERRIDE, 1, r"(?:<IGNORE>) (?:these|those|the|any|this|all) ~1 <ORDERS>", IGNORING),
    Rule(
        NEW_ORDERS,
        3,
        (
            r"(?:your|here are|here is|follow|obey|these are) (?:your |the |my |these )?(?:new|real|actual|true"
            r"|updated|only|sole) (?:\w+ )?(?:instructions?|task|objective|goal|mission|directives?|orders?"
            r"|purpose)"
        ),
    ),
    Rule(
        NEW_ORDERS,
        3,
        (
            r"^(?:core|priority|hidden|secret|override) (?:system )?(?:instructions?|directives?|commands?|prompt"
            r"|orders)\s*(?::|\n|\\n|$)"
        ),
        (
            r"(?:core|priority|hidden|secret|override) (?:system )?(?:instructions?|directives?|commands?|prompt"
            r"|orders)"
        ),
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
        2,
        (
            r"<.?\|(?:im_(?:start|end|sep)|system|user|assistant|(?:begin|end)_?of_?text|endofprompt|(?:start"
            r"|end)_header_id|eo[tm]_id|python_tag|channel|constrain)\|.?>"
        ),
    ),
    Rule(
        ROLE,
        2,
        (
            r"\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\[/?system(?:_prompt)?\]|<｜(?:begin|end|user|assistant"
            r"|system)"
        ),
    ),
    Rule(
        ROLE,
        2,
        (
            r"</?(?:system|sys|assistant|developer)(?:[_\x20-]?(?:prompt|message|instructions?|reminder|override"
            r"|note|turn))?>"
        ),
    ),
    Rule(
        ROLE,
        3,
        (
            r"^\[?system(?: (?:message|prompt|override|note|instruction|notice"
            r"|command))?\]?\s*:\s*(?:focus (?:only|on)|ignore|you (?:must|are|will|should|have)|please (?:ignore"
            r"|print|respond|reply|send|call)|do not|only (?:print|output|say|respond|reply|answer)|override"
            r"|disregard|print|respond|reply|from now|send|call|forget|never|always|execute|the (?:user|assistant"
            r"|model|ai) (?:must|should|has|is))"
        ),
    ),
    Rule(
        ROLE,
        3,
        r"^(?:assistant|chatgpt|claude|gpt|ai assistant)\s*:[^\n]*\n+[\t\x20]*(?:user|human|system)\s*:",
        r"(?:assistant|chatgpt|claude|gpt)\s*:",
    ),
    Rule(ROLE, 2, r"^###\W?(?:system|assistant|human)(?: (?:prompt|message|override))?\s*:"),
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
            r"(?:attention|note to|notice to|listen|listen up|to you)(?: all| any| the| every| my"
            r"| dear)? (?:<MODEL>)\b"
        ),
    ),
    Rule(ADDRESS, 1, r"message (?:to|for)(?: all| any| the| every| my| dear)? (?:<MODEL>)\b"),
    Rule(
        ADDRESS,
        1,
        (
            r"(?:dear|hey|hello|instructions? (?:to|for)|note for|notice for)(?: all| any| the"
            r"| every)? (?:<MODEL>)\b"
        ),
    ),
    Rule(
        ADDRESS,
        3,
        (
            r"if you(?:.{1,3}re| are) (?:an? |the )?(?:ai,|llm|large language model|language model|chatbot"
            r"|ai (?:assistant|agent|model|system|bot|language model)|autonomous agent)\b"
        ),
    ),
    Rule(
        ADDRESS,
        2,
        (
            r"(?:<MODEL>) (?:reading|processing|parsing|summari[sz]ing|analy[sz]ing|reviewing|that reads?"
            r"|who reads?|seeing) (?:this|these|the (?:above|following))"
        ),
    ),
    Rule(
        ADDRESS,
        3,
        (
            r"as an? (?:ai|llm|large language model|language model|ai \w+)(?: \w+)? you (?:must|should|need|have"
            r"|are|will|shall)"
        ),
    ),
    Rule(
        FIRST,
        2,
        (
            r"before (?:you )?(?:can |may |could |should |are able to |are allowed to |even )?(?:solv|answer"
            r"|complet|proceed|continu|respond|repl|finish|start|perform|process|attempt|do)\w* ~4 (?:task"
            r"|request|question|query|user|assignment|original \w+) ~8 (?:please|must|first|need|have to|required)"
        ),
        (
            r"before (?:you )?(?:can |may |could |should |are able to |are allowed to |even )?(?:solv|answer"
            r"|complet|proceed|continu|respond|repl|finish|start|perform|process|attempt|do)"
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
        1,
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
            r"<(?:important|urgent|critical|admin|mandatory|override)(?:[ _-](?:message|instructions?|note|notice"
            r"|info|information|alert|reminder|update))?>"
        ),
    ),
    Rule(
        TAG,
        2,
        (
            r"[\[{*=]{1,4}\W?(?:system|admin(?:istrator)?|hidden|secret) (?:message|instructions?|override|notice"
            r"|directive|alert|command)s?\W?[\]}*=:]"
        ),
    ),
    Rule(
        OVERRIDE,
        2,
        (
            r"(?:<IGNORE>) (?:the |everything |all |anything |what(?:ever)? |your )*(?:\w+ )?(?:above|i said"
            r"|i told you|came before|you (?:were|have been|.{1,3}ve been) told)\b"
        ),
        IGNORING,
    ),
    Rule(
        OVERRIDE,
        2,
        (
            r"(?:<IGNORE>) (?:all |any )(?:of )?(?:the |your |these |those )?(?:rules|guidelines|restrictions"
            r"|commands)"
        ),
        IGNORING,
    ),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:<IGNORE>|do not answer|don.{1,3}t answer|skip) (?:the |this )?user (?:s )?(?:\w+ )?(?:question"
            r"|request|query|task|message|instructions?|input|prompt)"
        ),
        r"user (?:s )?(?:\w+ )?(?:question|request|query|task|instructions?|prompt)",
    ),
    Rule(
        OVERRIDE,
        3,
        (
            r"(?:reset|clear|erase|wipe|delete|drop) your (?:\w+ )?(?:instructions|prompts?|programming"
            r"|directives|guidelines)"
        ),
    ),
    Rule(
        OVERRIDE,
        2,
        (
            r"(?:previous|prior|above|earlier|preceding|original|old) (?:\w+ )?(?:instructions?|prompts?|rules"
            r"|directives?|orders|guidelines) (?:are|were|is|was|have been|has been|no longer|do not|don.{1,3}t)"
            r" (?:now )?(?:no longer|not valid|void|invalid|cancel\w*|obsolete|outdated|a test|fake|superseded"
            r"|revoked|overridden|replaced|wrong)"
        ),
        (
            r"<PRIOR> (?:\w+ )?(?:instructions?|prompts?|rules|directives?|orders|guidelines) (?:are|were|is|was"
            r"|have|has|no longer|do not|don)"
        ),
    ),
    Rule(OVERRIDE, 3, r"cancel (?:all |any )?(?:of )?(?:the |your )?(?:previous|prior|earlier|above|preceding) commands"),
    Rule(
        NEW_ORDERS,
        3,
        (
            r"your (?:\w+ )?(?:instructions|orders|directives|task|goal|objective|rules) (?:have|has) (?:now "
            r"|just )?(?:been (?:updated|changed|replaced|revised|modified)|changed)"
        ),
    ),
    Rule(
        NEW_ORDERS,
        3,
        (
            r"(?:the|your|my) (?:real|actual|true) (?:instructions?|orders|task|objective|directives?|goal) (?:is"
            r"|are|follow|below|begin|start)"
        ),
    ),
    Rule(NEW_ORDERS, 2, r"\bnew (?:task|objective|goal|instructions?|orders|directives?)\s*:"),
    Rule(
        NEW_ORDERS,
        2,
        (
            r"(?:instead of|rather than) (?:\w+ing )?(?:the|your|this|that) (?:original|previous|user (?:s )?"
            r"|current|initial|assigned) ?(?:task|request|question|instructions?|query|goal|job)"
        ),
    ),
    Rule(NEW_ORDERS, 1, r"follow (?:these|the following|my|those|the new) (?:\w+ )?(?:instructions? )?instead"),
    Rule(
        NEW_ORDERS,
        3,
        (
            r"[\[(<{] ?(?:new|updated|hidden|secret|real|additional) (?:system )?(?:instructions?|task"
            r"|directives?|orders|prompt) ?[\])>}]"
        ),
    ),
    Rule(
        ROLE,
        3,
        (
            r"</(?:tool_?results?|function_?results?|tool_?outputs?|tool_?response|user_?query|user_?input"
            r"|untrusted\w*)>"
        ),
    ),
    Rule(ADDRESS, 1, r"(?:<MODEL>) you (?:must|should|need to|have to|are to|will) (?:now|immediately|also|first|always)"),
    Rule(
        FIRST,
        2,
        (
            r"(?:before|prior to) (?:using|calling|invoking|running) (?:this|any|any other|the|other)"
            r" (?:\w+ )?tools? (?:you )?(?:\w+ )?(?:must |need to |have to |please |first )?(?:read|send|call"
            r"|include|pass|open|access|provide)"
        ),
    ),
    Rule(
        FIRST,
        2,
        (
            r"you can (?:then )?(?:solve|continue|resume|go back to|return to|complete) the (?:task|request"
            r"|question|original)"
        ),
    ),
    Rule(
        NEW_ORDERS,
        2,
        (
            r"^(?:new|updated|revised|urgent) system (?:instructions?|directives?|commands?|prompt|orders)\s*(?::"
            r"|\n|\\n|$)"
        ),
        r"(?:new|updated|revised|urgent) system (?:instructions?|directives?|commands?|prompt|orders)",
    ),
    Rule(
        TAG,
        1,
        (
            r"<(?:information|attention|secret|hidden|confidential)(?:[_\x20-](?:message|instructions?|note"
            r"|notice|info|information|alert|reminder|update))?>"
        ),
    ),
    Rule(TAG, 1, r"[\[{*=]{1,4}\W?(?:important|urgent|critical) (?:message|instructions?|notice|directive|alert)"),
    Rule(
        ROLE,
        3,
        (
            r"<\|(?:im_start|start_header_id)\|>\s*(?:system|user|assistant|developer)|\[INST\][^\[]+\[/INST\]"
            r"|<start_of_turn>\s*(?:user|model|system)|<\|(?:system|user|assistant)\|>\s*[a-z]"
        ),
        r"<\|(?:im_start|start_header_id|system|user|assistant)\|>|\[/?INST\]|<start_of_turn>",
    ),
    Rule(OVERRIDE, 1, r"(?:<IGNORE>) (?:everything|anything|all) (?:else|you (?:know|learned))", IGNORING),
    Rule(
        FIRST,
        3,
        (
            r"before you (?:can|are able to|are allowed to|may) (?:solv|answer|complet|continu|perform"
            r"|finish)\w* ~2 (?:task|question|query|user) ~8 (?:must|first|need|have to|required|please)"
        ),
        r"before you (?:can|are able to|are allowed to|may) (?:solv|answer|complet|continu|perform|finish)",
    ),
)
