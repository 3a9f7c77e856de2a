"""Payments, shops, exchanges, shipping."""

from doorward.domain.findings import Severity
from doorward.inspection.secrets.rule import ALNUM, HEX, LOWER, URL64, UUID, Rule, token

MONEY: tuple[Rule, ...] = (
    token("stripe_live_key", "Stripe", "[sr]k_live_", ALNUM + "{10,250}"),
    token("stripe_test_key", "Stripe", "[sr]k_(?:test|prod)_", ALNUM + "{10,250}", Severity.MEDIUM),
    token("stripe_publishable_key", "Stripe", "pk_live_", ALNUM + "{10,250}", Severity.LOW),
    token("stripe_webhook_secret", "Stripe", "whsec_", "[0-9A-Za-z+/]{32,}={0,2}"),
    token("paypal_token", "PayPal", "access_token\\$(?:production|sandbox)\\$", LOWER + "{16}\\$[0-9a-f]{32}"),
    token("square_token", "Square", "EAAA", URL64 + "{22,60}"),
    token("square_old_token", "Square", "sq0atp-", URL64 + "{22}"),
    token("square_secret", "Square", "sq0csp-", URL64 + "{43}"),
    token("shopify_token", "Shopify", "shp(?:at|ca|pa|ss|ua|tka)_", "[0-9A-Fa-f]{32}"),
    token("shopify_partner_token", "Shopify", "(?:prtapi|atkn)_", "[0-9A-Fa-f]{32,64}"),
    token("adyen_key", "Adyen", "AQE[a-z]hmf", "[0-9A-Za-z+/=_-]{60,}"),
    token("mollie_key", "Mollie", "(?:live|test)_", ALNUM + "{30}", Severity.MEDIUM),
    token("flutterwave_secret", "Flutterwave", "FLWSECK(?:_TEST)?-", LOWER + "{32}-X"),
    token("flutterwave_encryption_key", "Flutterwave", "FLWSECK_TEST-", LOWER + "{12}"),
    token("flutterwave_public_key", "Flutterwave", "FLWPUBK(?:_TEST)?-", LOWER + "{32}-X", Severity.LOW),
    token("paystack_key", "Paystack", "sk_(?:live|test)_", HEX + "{40}"),
    token("checkout_key", "Checkout.com", "sk_(?:sbox_)?", "[a-z2-7]{26}[0-9A-Za-z*#$=]", Severity.MEDIUM),
    token("plaid_token", "Plaid", "access-(?:sandbox|development|production)-", UUID),
    token("gocardless_live_token", "GoCardless", "live_", URL64 + "{40}", Severity.MEDIUM),
    token("lob_live_key", "Lob", "live_", HEX + "{35}"),
    token("easypost_key", "EasyPost", "EZ[AT]K", ALNUM + "{54}"),
    token("shippo_token", "Shippo", "shippo_(?:live|test)_", "[0-9A-Fa-f]{40}"),
    token("duffel_token", "Duffel", "duffel_(?:test|live)_", "[0-9A-Za-z_=-]{43}"),
    token("adobe_secret", "Adobe", "p8e-", URL64 + "{32}"),
    token("adobe_ims_secret", "Adobe", "p8", "[eF]-[0-9A-Za-z_-]{32}", Severity.MEDIUM),
    token("polar_token", "Polar", "polar_(?:oat|pat|whs)_", ALNUM + "{32,}"),
)
