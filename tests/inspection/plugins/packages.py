"""A package as somebody else would write it, which brings guards: what an installer leaves behind, in a directory of its own."""

from __future__ import annotations

from pathlib import Path

MODULE = '''
"""Guards of somebody else."""

import asyncio
import threading

from doorward.inspection.port import Found, Severity, SettingsError


class Words:
    """Finds words that an operator names."""

    rules = {"word": Severity.HIGH}
    about = "Words that the operator names."

    def __init__(self, words, severity):
        self._words, self._severity = words, severity

    def look(self, message):
        for text in message.texts:
            for word in self._words:
                start = text.text.find(word)
                if start >= 0:
                    yield Found("word", self._severity, text.pointer, start, start + len(word), text.part)


class LaterWords(Words):
    async def look(self, message):
        await asyncio.sleep(0)
        return list(super().look(message))


def words(settings, made=Words):
    unknown = sorted(set(settings) - {"words", "severity"})
    if unknown:
        raise SettingsError(f"unknown settings {', '.join(unknown)}; known are severity and words")
    wanted = settings.get("words")
    if not isinstance(wanted, list) or not wanted:
        raise SettingsError("expected a list of words")
    # What stands in variables and files comes as a Secret.
    return made([getattr(word, "reveal", lambda word=word: word)() for word in wanted], Severity(settings.get("severity", "high")))


def later_words(settings):
    return words(settings, LaterWords)


class Hangs:
    def look(self, message):
        if any("hang" in text.text for text in message.texts):
            threading.Event().wait()
        return ()


class Crashes:
    def look(self, message):
        if any("crash" in text.text for text in message.texts):
            raise RuntimeError(message.texts[0].text)
        return ()


class Lies:
    def look(self, message):
        return [Found("word", Severity.LOW, "/nowhere", 0, 9)] if any("lie" in text.text for text in message.texts) else []


def hangs(settings):
    return Hangs()


def crashes(settings):
    return Crashes()


def lies(settings):
    return Lies()


def never(settings):
    raise RuntimeError(f"cannot be made with {settings}")


def nothing(settings):
    return object()
'''
ENTRIES = "".join(
    f"{name.replace('_', '-')} = others_guards:{name}\n"
    for name in ("words", "later_words", "hangs", "crashes", "lies", "never", "nothing")
)


def installed(directory: Path) -> Path:
    """The directory of an installed package; it works where it stands on the path."""
    made = directory / "installed"
    (made / "others_guards-1.dist-info").mkdir(parents=True)
    (made / "others_guards-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: others-guards\nVersion: 1\n")
    (made / "others_guards-1.dist-info/entry_points.txt").write_text(f"[doorward.guards]\n{ENTRIES}")
    (made / "others_guards.py").write_text(MODULE)
    return made
