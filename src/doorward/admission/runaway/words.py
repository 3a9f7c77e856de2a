"""What a model is told when it goes in circles: what it did, what to do instead, and when it may try again."""

import math
from typing import assert_never

from doorward.admission.runaway.course import Found
from doorward.admission.runaway.rules import Rule
from doorward.domain.reasons import Reason, Refused


def refusal(found: Found, wait: float) -> Refused:
    """The refusal of a call that a rule has caught; `wait` in seconds."""
    seconds = max(math.ceil(wait), 1)
    rule = found.bound.rule
    return Refused(
        Reason.RUNAWAY,
        f"runaway {rule}: {found.count} calls in {found.seconds:.0f} s",
        sentence=f"{_did(found)} {_instead(rule, seconds)}",
        extra={"limit": f"runaway.{rule}", "retryAfterSeconds": seconds},
    )


def alert(found: Found, agent: str, tool: str) -> str:
    """What a person is told."""
    bound = found.bound
    then = "It is told to stop." if bound.refuses else "It goes on."
    what = "lists" if bound.rule is Rule.LISTS else tool
    return f"the agent {agent} may have run away ({bound.rule}): {found.count} calls in {_time(found.seconds)}, the last of {what}. {then}"


def _did(found: Found) -> str:
    count, time = found.count, _time(found.seconds)
    match found.bound.rule:
        case Rule.REPEATED:
            return f"This exact call was made {count} times in {time} and gave the same answer."
        case Rule.CYCLES:
            return f"The same few calls were made in turn over and over, {count} in {time}, with the same answers; this is one of them."
        case Rule.POLLING:
            return f"This exact call was made {count} times in {time}."
        case Rule.NO_PROGRESS:
            return f"This tool was called {count} times in {time} with other arguments each time, and nothing new came of it."
        case Rule.FAN_OUT:
            return f"{count} different calls were made in {time}, far more than usual."
        case Rule.LISTS:
            return f"This list was asked for {count} times in {time} and has not changed."
        case Rule.WRITE | Rule.DESTRUCTIVE | Rule.EXTERNAL as group:
            return f"At most {found.bound.calls} calls of the group `{group}` may be made in {_time(found.bound.seconds)}, and they are used up."
        case other:
            assert_never(other)


def _instead(rule: Rule, seconds: int) -> str:
    match rule:
        case Rule.REPEATED | Rule.CYCLES:
            stop = "Stop repeating it: use the answer you have, change the arguments, or tell the user what is missing."
            return f"{stop} If you wait for something to change, look again in {seconds} s."
        case Rule.POLLING:
            return f"Ask less often: wait {seconds} s before you look again."
        case Rule.NO_PROGRESS:
            return f"Stop guessing: use what you know, or tell the user what is missing. It may be tried again in {seconds} s."
        case Rule.FAN_OUT:
            return f"Make fewer calls at once. Wait {seconds} s, then go on with those that are needed."
        case Rule.LISTS:
            return f"Use the list you have. It may be asked for again in {seconds} s, or after another call."
        case Rule.WRITE | Rule.DESTRUCTIVE | Rule.EXTERNAL:
            return f"Stop here and tell the user what is done and what is not. There is room again in {seconds} s."
        case other:
            assert_never(other)


def _time(seconds: float) -> str:
    whole = max(round(seconds), 1)
    if whole >= 7200:
        return f"{round(whole / 3600)} hours"
    if whole >= 120:
        return f"{round(whole / 60)} minutes"
    return f"{whole} seconds" if whole > 1 else "1 second"
