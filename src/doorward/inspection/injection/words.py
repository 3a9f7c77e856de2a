"""The names of rules, and the classes of English words that rules are written with."""

from collections.abc import Mapping
from types import MappingProxyType

OVERRIDE = "instruction_override"
NEW_ORDERS = "new_instructions"
ROLE = "role_impersonation"
ADDRESS = "addressed_to_model"
FIRST = "task_precondition"
TAG = "urgent_tag"
SECRECY = "secrecy"
TOOL = "tool_coercion"
EXFILTRATION = "exfiltration"
EXTRACTION = "prompt_extraction"
PERSONA = "jailbreak_persona"
ERROR = "false_error"
LATENT = "forced_answer"
AUTHORITY = "authority_claim"

IGNORING = (
    r"<IGNORE>|overrid(?:e|ing) (?:all|any|your|the system)"
    r"|bypass (?:all|any|your|the system)"
)
"""What leaving orders aside begins with, rare in any text."""

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "IGNORE": (
            r"ignor(?:e|ing)|disregard(?:ing)?|forget|discard|neglect|dismiss|abandon|scrap|nullify|set aside"
            r"|put aside|leave aside|throw away|pay no (?:attention|heed) to|<STOP> <FOLLOW>"
        ),
        "REPLACE": (
            r"overrid(?:e|ing)|overwrite|bypass|circumvent|supersede|skip|cancel|delete|erase|reset|clear|drop|void"
            r"|wipe"
        ),
        "STOP": r"do not|don.{1,3}t|never|stop|cease|quit|no longer|refuse to|must not|should not|not to",
        "FOLLOW": (
            r"follow(?:ing)?|obey(?:ing)?|listen(?:ing)? to|adher(?:e|ing) to|compl(?:y|ying) with|heed(?:ing)?"
            r"|consider(?:ing)?|pay(?:ing)? attention to|act(?:ing)? (?:up)?on|abid(?:e|ing) by"
        ),
        "PRIOR": r"previous(?:ly)?|prior|above|earlier|preceding|foregoing|original|initial|former|past|existing",
        "ORDERS": (
            r"instructions?|prompts?|directives?|directions|commands?|orders|guidelines?|rules?|guidance|programming"
            r"|training|briefing"
        ),
        "MODEL": (
            r"(?:a\.?i\.?|artificial intelligence)(?: (?:assistants?|agents?|models?|systems?|language models?"
            r"|bots?))?|llms?|(?:large )?language models?|(?:virtual |digital )?assistants?|chatbots?|chatgpt"
            r"|gpt(?:\W?[0-9][0-9a-z.]*)?|claude|gemini|copilot|llama|mistral|grok|deepseek|qwen|autonomous agents?"
        ),
        "DO": r"print|say|output|write|reply|respond|answer|repeat|echo|state|tell",
        "ANY": r"all|any|the|these|those|this|that|your|his|her|their|every|each|of|everything|anything|in|from|and|other|entire",
        "USER": r"(?:the |your |any |this )?(?:users?|humans?|operator|person)",
        "SECRET": (
            r"(?:conversation|chat|message|browsing) (?:history|logs?)|this conversation|credentials?|passwords?"
            r"|passphrases?|api keys?|access (?:keys?|tokens?)|(?:auth|session|bearer) tokens?|secrets?|private keys?"
            r"|ssh keys?|id rsa|environment variables|env (?:vars?|variables|files?)|system prompts?|(?:users?"
            r"|personal|customer|private|sensitive|confidential) (?:s )?(?:data|information|details)|security codes?"
            r"|(?:the )?contents? of|cookies|bank (?:account|details)|all (?:messages|emails|e mails|files)"
        ),
        "PLACE": r"https?:|www\.|[0-9a-z._%+-]{1,64}@[0-9a-z-]{1,63}\.",
        "FREE": r"unrestricted|unfiltered|uncensored|amoral|jailbroken|unlimited|unethical|lawless|unhinged",
        "BOUNDS": (
            r"restrictions?|filters?|limit(?:ation)?s|rules|ethic(?:s|al)?(?: \w+)?|moral(?:s|ity)?(?: \w+)?"
            r"|censorship|guidelines|guardrails|boundaries|safeguards|constraints|safety(?: \w+)?|polic(?:y|ies)"
        ),
    }
)
