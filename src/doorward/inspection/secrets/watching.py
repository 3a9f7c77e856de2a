"""What watches: metrics, logs, errors, analytics, flags."""

from doorward.domain.findings import Severity
from doorward.inspection.secrets.rule import ALNUM, HEX, LOWER, URL64, UUID, Rule, shape, token

WATCHING: tuple[Rule, ...] = (
    token("grafana_service_token", "Grafana", "glsa_", ALNUM + "{32}_[0-9A-Fa-f]{8}"),
    token("grafana_cloud_token", "Grafana", "glc_", "[0-9A-Za-z+/]{32,400}={0,3}"),
    token("grafana_old_key", "Grafana", "eyJrIjoi", "[0-9A-Za-z+/_-]{60,400}={0,3}"),
    token("newrelic_user_key", "New Relic", "NRAK-", ALNUM + "{27}"),
    token("newrelic_insert_key", "New Relic", "NRI[IQ]-", URL64 + "{25,32}"),
    token("newrelic_browser_key", "New Relic", "NRJS-", HEX + "{19}"),
    token("newrelic_admin_key", "New Relic", "NRAA-", HEX + "{27}"),
    shape(
        "newrelic_license_key",
        "New Relic",
        r"[0-9a-f]NRAL\b",
        r"\b(?P<secret>(?:eu01xx|eu01x|[0-9a-f]{2})[0-9a-f]{30,34}NRAL)\b",
    ),
    token("dynatrace_token", "Dynatrace", "dt0[a-z][0-9]{2}\\.", ALNUM + "{24}\\.[0-9A-Za-z]{64}"),
    token("sentry_org_token", "Sentry", "sntrys_", "[0-9A-Za-z+/]{40,}={0,2}_?[0-9A-Za-z+/_-]{20,}"),
    token("sentry_user_token", "Sentry", "sntry[ua]_", HEX + "{64}"),
    shape(
        "sentry_dsn",
        "Sentry",
        r"://[0-9a-f]{32}(?::[0-9a-f]{32})?@[\w.-]*sentry",
        r"://[0-9a-f]{32}:(?P<secret>[0-9a-f]{32})@[\w.-]*sentry",
        Severity.MEDIUM,
    ),
    token("posthog_personal_key", "PostHog", "ph[xs]_", ALNUM + "{43,64}"),
    token("honeycomb_key", "Honeycomb", "hc[abx](?:ik|lk|mk)_", LOWER + "{58}"),
    token("logfire_token", "Logfire", "pylf_v[0-9]_(?:us|eu)_", ALNUM + "{40,}"),
    token("axiom_token", "Axiom", "xa(?:at|pt)-", UUID),
    token("datadog_prefixed_key", "Datadog", "dd(?:p|a)at_", ALNUM + "{30,}"),
    token("launchdarkly_prefixed_key", "LaunchDarkly", "(?:sdk|api|mob)-", UUID),
    token("statsig_secret", "Statsig", "secret-", ALNUM + "{43}", Severity.MEDIUM),
    token("configcat_key", "ConfigCat", "configcat-sdk-1/", URL64 + "{22}/[0-9A-Za-z_-]{22}"),
    shape(
        "unleash_token",
        "Unleash",
        r":(?:production|development)\.[0-9a-f]{8}",
        r"(?P<secret>[*0-9a-z-]{1,32}:(?:production|development)\.[0-9a-f]{56,64})",
    ),
    token("segment_token", "Segment", "sgp_", ALNUM + "{64}"),
    token("elastic_key", "Elastic", "essu_", "[0-9A-Za-z+/=_-]{40,}"),
    token("coralogix_key", "Coralogix", "cx(?:tp|up|rp)_", ALNUM + "{28,36}"),
    token("freemius_secret", "Freemius", "sk_", "[0-9A-Za-z!@#$%^&*()_+=-]{29}", Severity.LOW),
)
