"""Model providers and what is built around them."""

from doorward.domain.findings import Severity
from doorward.inspection.secrets.rule import ALNUM, HEX, URL64, UUID, Rule, shape, token

MODELS: tuple[Rule, ...] = (
    token("anthropic_key", "Anthropic", "sk-ant-api[0-9]{2}-", URL64 + "{93}AA"),
    token("anthropic_admin_key", "Anthropic", "sk-ant-admin[0-9]{2}-", URL64 + "{93}AA"),
    token("anthropic_oauth_token", "Anthropic", "sk-ant-(?:oat|ort|sid)[0-9]{2}-", URL64 + "{60,}"),
    shape(
        "openai_key",
        "OpenAI",
        r"[0-9A-Za-z_-]T3BlbkFJ[0-9A-Za-z_-]",
        r"(?P<secret>sk-(?:proj-|svcacct-|admin-|None-)?[0-9A-Za-z_-]{20,100}T3BlbkFJ[0-9A-Za-z_-]{20,100})",
    ),
    token("openai_project_key", "OpenAI", "sk-(?:proj|svcacct|admin)-", URL64 + "{40,}"),
    token("openrouter_key", "OpenRouter", "sk-or-v1-", HEX + "{64}"),
    token("langsmith_key", "LangSmith", "lsv2_(?:pt|sk)_", HEX + "{32}_[0-9a-f]{10}"),
    token("langfuse_secret", "Langfuse", "sk-lf-", UUID),
    token("deepseek_key", "DeepSeek", "sk-", HEX + "{32}", Severity.MEDIUM),
    token("moonshot_key", "Moonshot", "sk-", ALNUM + "{48}", Severity.MEDIUM),
    token("huggingface_token", "Hugging Face", "hf_", "[A-Za-z]{34,40}"),
    token("huggingface_org_token", "Hugging Face", "api_org_", "[A-Za-z]{34}"),
    token("groq_key", "Groq", "gsk_", ALNUM + "{52}"),
    token("perplexity_key", "Perplexity", "pplx-", ALNUM + "{48}"),
    token("xai_key", "xAI", "xai-", ALNUM + "{70,84}"),
    token("replicate_token", "Replicate", "r8_", ALNUM + "{37}"),
    token("together_key", "Together AI", "tgp_v1_", URL64 + "{43}"),
    token("fireworks_key", "Fireworks AI", "fw_", ALNUM + "{24}", Severity.MEDIUM),
    token("cerebras_key", "Cerebras", "csk-", ALNUM + "{48}"),
    token("voyage_key", "Voyage AI", "pa-", URL64 + "{43}", Severity.MEDIUM),
    token("jina_key", "Jina AI", "jina_", URL64 + "{60}"),
    token("llama_key", "LlamaIndex", "llx-", URL64 + "{48}"),
    token("tavily_key", "Tavily", "tvly-", "(?:dev-|prod-)?[0-9A-Za-z]{32}"),
    token("firecrawl_key", "Firecrawl", "fc-", HEX + "{32}", Severity.MEDIUM),
    token("elevenlabs_key", "ElevenLabs", "sk_", HEX + "{48}"),
    token("pinecone_key", "Pinecone", "pcsk_", ALNUM + "{5,6}_[0-9A-Za-z]{60,70}"),
    token("weights_biases_key", "Weights & Biases", "wandb_v1_", URL64 + "{40,}"),
    token("meta_llama_key", "Meta Llama API", "LLM\\|", "[0-9]{15,17}\\|[0-9A-Za-z_-]{27}"),
)
