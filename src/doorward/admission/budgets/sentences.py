"""What a caller is told whom a budget holds back: what is left, when there is more, and who can raise it. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from doorward.admission.budgets.accounts import Account
from doorward.admission.budgets.amounts import UncountedError
from doorward.admission.budgets.rules import Rule
from doorward.domain.reasons import Reason, Refused


def over(rule: Rule, account: Account, needs: int, limit: int, at: int) -> Refused:
    """The refusal of a call that needs more than is left at a moment."""
    left = max(0, limit - account.spent(at))
    opens = _opens(account, needs, limit)
    sentence = (
        f"The budget {rule.name} has {rule.shown(left)} left of {rule.shown(limit)} {_each(rule)}, and this call needs {rule.shown(needs)}. "
        f"{_when(rule, opens)} Somebody who approves for the team {rule.config.team} can raise it for a while. "
        "Do not repeat the call before then, and do not split it to get around this."
    )
    extra: dict[str, object] = {"budget": rule.name}
    if opens is not None:
        extra["retryAfterSeconds"] = opens - at
    return Refused(
        Reason.OVER_BUDGET, f"budget {rule.name}: {rule.shown(left)} left, {rule.shown(needs)} needed", sentence=sentence, extra=extra
    )


def uncounted(rule: Rule, error: UncountedError) -> Refused:
    """The refusal of a call whose amount cannot be computed: what cannot be counted is not let through."""
    allowed = f" of at most {rule.config.places} decimal places" if rule.config.places else " without decimal places"
    currency = f" and the currency {rule.config.currency}" if rule.config.currency_argument is not None else ""
    sentence = f"The budget {rule.name} cannot count this call: {error}. Give a number{allowed}, not below 0{currency}."
    return Refused(Reason.OVER_BUDGET, f"budget {rule.name} cannot count: {error}", sentence=sentence, extra={"budget": rule.name})


def _opens(account: Account, needs: int, limit: int) -> int | None:
    """When the call would fit if nothing else came; None for never."""
    return next((until for until, spent in account.ends() if spent + needs <= limit), None)


def _each(rule: Rule) -> str:
    span = f"in {rule.span}" if rule.span.endswith("seconds") else rule.span
    return f"{span} for each {' and '.join(rule.config.per)}" if rule.config.per else f"{span} for everybody together"


def _when(rule: Rule, opens: int | None) -> str:
    if opens is None:
        return "It is more than the whole budget, so waiting does not help."
    zone = rule.config.timezone
    moment = datetime.fromtimestamp(opens, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
    return f"There is enough again at {moment} ({zone})."
