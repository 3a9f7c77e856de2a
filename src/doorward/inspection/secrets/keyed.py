"""Secrets without a form of their own, told by the name before them: a vendor's name, an assignment, and a text of the documented length."""

from collections.abc import Iterable

import re2

from doorward.domain.findings import Severity
from doorward.inspection.secrets.doubt import bits, is_placeholder
from doorward.inspection.secrets.rule import ALNUM, ANY_HEX, HEX, LOWER, URL64, UUID, Judge, Rule, characters

QUOTES = r"""["'`\\\s(\[<]*"""
SET = r"""["'`\\\s)\]]*(?:,?["'\\\s]*value["'\\\s]*[:=]|\x00value\x01|[:=>,|?\x01]{1,3}(?:["'\s]*[=>]{1,2})?)""" + QUOTES
"""Between a name and its value: `: `, `=`, `": "`, `=>`, a member of an object (the marks of the search, or what JSON writes),
`{"name": …, "value": …}`."""

_REST = r"[\w.\- ]*?"
_NO_SECRET = re2.compile(
    r"(?i)csrf|xsrf|next_?page|page_?token|cursor|continuation|sync_?token|progress_?token|public|idempotency"
    r"|(?:_|\b)(?:ids?|urls?|uri|hosts?|path|file|dir|version|commit|sha\d*|hash|digest|checksum|etag|name)$"
)
"""Names that end so name something that everybody may know."""


def is_random(secret: str) -> bool:
    """Whether a text looks drawn, not written: digits and letters, and much in each character."""
    has_digit = any(map(str.isdigit, secret))
    has_letter = any(map(str.isalpha, secret))
    return has_digit and has_letter and bits(secret) >= 2.8 and not is_placeholder(secret)


def drawn(secret: str, severity: Severity) -> Severity | None:
    """What the rule says of texts that look drawn."""
    return severity if is_random(secret) else None


def is_harmless(key: str) -> bool:
    """Whether a name names something that is no secret."""
    return _NO_SECRET.search(key.strip()) is not None


_TAIL = rf"[\w.\- ]*{SET}[0-9A-Za-z_.:+/=-]{{14}}"


def keyed(name: str, vendor: str, words: str, body: str, judge: Judge = drawn) -> Rule:
    """A rule for texts of this form behind a vendor's name, of medium weight."""
    pattern = rf"(?P<key>(?i:{words}){_REST}){SET}(?P<secret>{body})"
    return Rule(name, vendor, pattern, f"(?i:{words}){_TAIL}", Severity.MEDIUM, characters("0-9A-Za-z_"), judge)


def joint_gate(rules: Iterable[Rule]) -> str:
    """One gate for all of these: any of the names, an assignment, and a run of some length."""
    return f"(?:{'|'.join(dict.fromkeys(rule.gate.removesuffix(_TAIL) for rule in rules))}){_TAIL}"


KEYED: tuple[Rule, ...] = (
    keyed("adafruit_key", "Adafruit", "adafruit", URL64 + "{32}"),
    keyed("adobe_client", "Adobe", "adobe", HEX + "{32}"),
    keyed("airtable_key", "Airtable", "airtable", LOWER + "{17}"),
    keyed("algolia_key", "Algolia", "algolia", LOWER + "{32}"),
    keyed("alibaba_secret", "Alibaba Cloud", "alibaba|aliyun", ALNUM + "{30}"),
    keyed("amplitude_key", "Amplitude", "amplitude", HEX + "{32}"),
    keyed("asana_client_secret", "Asana", "asana", LOWER + "{32}"),
    keyed("atlassian_key", "Atlassian", "atlassian|confluence|jira", LOWER + "{24}"),
    keyed("auth0_client_secret", "Auth0", "auth0", URL64 + "{64}"),
    keyed("aws_secret_key", "AWS", "aws|amazon|secret_?access_?key", "[0-9A-Za-z+/]{40}"),
    keyed("azure_key", "Azure", "azure|subscription.?key|ocp-apim", HEX + "{32}"),
    keyed("bitbucket_client", "Bitbucket", "bitbucket", LOWER + "{32}"),
    keyed("bitbucket_client_secret", "Bitbucket", "bitbucket", "[0-9a-z_=-]{64}"),
    keyed("bittrex_key", "Bittrex", "bittrex", LOWER + "{32}"),
    keyed("cloudflare_key", "Cloudflare", "cloudflare", URL64 + "{40}"),
    keyed("cloudflare_global_key", "Cloudflare", "cloudflare", HEX + "{37}"),
    keyed("codecov_token", "Codecov", "codecov", LOWER + "{32}"),
    keyed("cohere_key", "Cohere", "cohere|co_api_key", ALNUM + "{40}"),
    keyed("coinbase_secret", "Coinbase", "coinbase", URL64 + "{64}"),
    keyed("confluent_key", "Confluent", "confluent", ALNUM + "{16}"),
    keyed("confluent_secret", "Confluent", "confluent", "[0-9A-Za-z+/]{64}"),
    keyed("contentful_token", "Contentful", "contentful", URL64 + "{43}"),
    keyed("datadog_key", "Datadog", "datadog|dd_(?:api|app)", LOWER + "{32}"),
    keyed("datadog_application_key", "Datadog", "datadog|dd_(?:api|app)", LOWER + "{40}"),
    keyed("discord_key", "Discord", "discord", HEX + "{64}"),
    keyed("discord_client_secret", "Discord", "discord", URL64 + "{32}"),
    keyed("droneci_token", "Drone", "drone_?ci|drone", LOWER + "{32}"),
    keyed("dropbox_secret", "Dropbox", "dropbox", LOWER + "{15}"),
    keyed("etsy_key", "Etsy", "etsy", LOWER + "{24}"),
    keyed("facebook_secret", "Facebook", "facebook|\\bfb_", HEX + "{32}"),
    keyed("fastly_token", "Fastly", "fastly", URL64 + "{32}"),
    keyed("finicity_token", "Finicity", "finicity", HEX + "{32}"),
    keyed("finicity_secret", "Finicity", "finicity", LOWER + "{20}"),
    keyed("finnhub_token", "Finnhub", "finnhub", LOWER + "{20}"),
    keyed("flickr_key", "Flickr", "flickr", LOWER + "{32}"),
    keyed("freshbooks_token", "FreshBooks", "freshbooks", LOWER + "{64}"),
    keyed("github_old_token", "GitHub", r"github[\w.\- ]*(?:token|key|secret|auth)", HEX + "{40}"),
    keyed("gitter_token", "Gitter", "gitter", URL64 + "{40}"),
    keyed("gocardless_token", "GoCardless", "gocardless", "live_[0-9A-Za-z=_-]{40}"),
    keyed("google_client_secret_old", "Google", "google|gcp|gcloud|oauth2?_client", URL64 + "{24}"),
    keyed("heroku_key", "Heroku", "heroku", UUID),
    keyed("hubspot_key", "HubSpot", "hubspot|hapikey", UUID),
    keyed("ibm_storage_key", "IBM Cloud", "cos_?hmac|ibm_?cos|cos_?secret", HEX + "{48}"),
    keyed("intercom_token", "Intercom", "intercom", "[0-9A-Za-z=_-]{60}"),
    keyed("jfrog_key", "JFrog", "jfrog|artifactory|bintray|xray", ALNUM + "{64}"),
    keyed("jfrog_long_key", "JFrog", "jfrog|artifactory|bintray|xray", ALNUM + "{73}"),
    keyed("kraken_key", "Kraken", "kraken", "[0-9A-Za-z/=_+-]{80,90}"),
    keyed("kucoin_key", "KuCoin", "kucoin", HEX + "{24}"),
    keyed("kucoin_secret", "KuCoin", "kucoin", UUID),
    keyed("launchdarkly_key", "LaunchDarkly", "launchdarkly", URL64 + "{40}"),
    keyed("linear_secret", "Linear", "linear", HEX + "{32}"),
    keyed("linkedin_id", "LinkedIn", "linked[_-]?in", LOWER + "{14}"),
    keyed("linkedin_secret", "LinkedIn", "linked[_-]?in", ALNUM + "{16}"),
    keyed("lob_key", "Lob", "lob", "(?:live|test)_(?:pub_)?[0-9a-f]{31,36}"),
    keyed("looker_id", "Looker", "looker", LOWER + "{20}"),
    keyed("looker_secret", "Looker", "looker", LOWER + "{24}"),
    keyed("mattermost_token", "Mattermost", "mattermost", LOWER + "{26}"),
    keyed("meraki_key", "Cisco Meraki", "meraki", HEX + "{40}"),
    keyed("messagebird_key", "MessageBird", "message[_-]?bird", LOWER + "{25}"),
    keyed("messagebird_client", "MessageBird", "message[_-]?bird", UUID),
    keyed("mixpanel_secret", "Mixpanel", "mixpanel", HEX + "{32}"),
    keyed("netlify_token", "Netlify", "netlify", "[0-9A-Za-z=_-]{40,46}"),
    keyed("newrelic_user_id", "New Relic", "new[_-]?relic", LOWER + "{64}"),
    keyed("nytimes_key", "New York Times", "nytimes|new-?york-?times", "[0-9A-Za-z=_-]{32}"),
    keyed("okta_token", "Okta", "okta", "00[0-9A-Za-z_-]{40}"),
    keyed("opsgenie_key", "Opsgenie", "opsgenie|geniekey", UUID),
    keyed("pagerduty_key", "PagerDuty", "pager_?duty|pd_api", "[0-9A-Za-z_+-]{20}"),
    keyed("paypal_secret", "PayPal", "paypal", "E[0-9A-Za-z_-]{79}"),
    keyed("plaid_client", "Plaid", "plaid", LOWER + "{24}"),
    keyed("plaid_secret", "Plaid", "plaid", LOWER + "{30}"),
    keyed("private_ai_key", "Private AI", "private_?ai", LOWER + "{32}"),
    keyed("rapidapi_key", "RapidAPI", "rapid_?api", URL64 + "{50}"),
    keyed("sendbird_id", "Sendbird", "sendbird", UUID),
    keyed("sendbird_token", "Sendbird", "sendbird", HEX + "{40}"),
    keyed("sentry_token", "Sentry", "sentry", HEX + "{64}"),
    keyed("sidekiq_secret", "Sidekiq", "bundle_(?:enterprise|gems)__contribsys__com", "[0-9a-f]{8}:[0-9a-f]{8}"),
    keyed("snyk_token", "Snyk", "snyk", UUID),
    keyed("softlayer_key", "SoftLayer", "softlayer", LOWER + "{64}"),
    keyed("sonar_token", "SonarQube", "sonar", HEX + "{40}"),
    keyed("sourcegraph_old_token", "Sourcegraph", "sourcegraph", ANY_HEX + "{40}"),
    keyed("splunk_hec_token", "Splunk", "splunk|hec_token", UUID),
    keyed("squarespace_token", "Squarespace", "squarespace", UUID),
    keyed("sumologic_id", "Sumo Logic", "sumo", "su[0-9A-Za-z]{12}"),
    keyed("sumologic_key", "Sumo Logic", "sumo", LOWER + "{64}"),
    keyed("telegram_bot", "Telegram", "telegr", "[0-9]{5,16}:A[0-9A-Za-z_-]{34}"),
    keyed("travis_token", "Travis CI", "travis", LOWER + "{22}"),
    keyed("trello_key", "Trello", "trello", ALNUM + "{32}"),
    keyed("trello_token", "Trello", "trello", HEX + "{64}"),
    keyed("twilio_auth_token", "Twilio", "twilio", HEX + "{32}"),
    keyed("twitch_token", "Twitch", "twitch", LOWER + "{30}"),
    keyed("twitter_key", "Twitter", "twitter", ALNUM + "{25}"),
    keyed("twitter_access_token", "Twitter", "twitter", "[0-9]{15,25}-[0-9A-Za-z]{20,40}"),
    keyed("twitter_access_secret", "Twitter", "twitter", ALNUM + "{45}"),
    keyed("twitter_secret", "Twitter", "twitter", ALNUM + "{50}"),
    keyed("zendesk_token", "Zendesk", "zendesk", LOWER + "{40}"),
)
