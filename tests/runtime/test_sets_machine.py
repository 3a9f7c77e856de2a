"""Files, reloads, rollbacks and restarts in any order, against a model of a few lines: what is in force, and whether the files are."""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from doorward.domain.ids import Digest
from doorward.policy.history import Why
from doorward.runtime.sets import Cause
from doorward.runtime.workbench import ReloadError
from doorward.testing.house import PERMIT_ALL
from tests.runtime.bench import FIRST_USE, made

TEXTS = (PERMIT_ALL, *(f'@id("p{number}") @reason("So.") permit (principal, action, resource);\n' for number in range(2)))
BROKEN = '@id("p") permit (principal, action, resource);\n'
texts = st.sampled_from((*TEXTS, BROKEN))


class Sets(RuleBasedStateMachine):
    """A workbench on a directory, restarted now and then on what it kept."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.bench = made(Path(self.directory.name), TEXTS[0], git=FIRST_USE)
        self.burst = 10
        self.disk = self.in_force = TEXTS[0]
        self.stands_instead_of: str | None = None
        self.digests: dict[str, Digest] = {}
        self.do(self.bench.workbench.begin())

    def teardown(self) -> None:
        self.loop.close()
        self.directory.cleanup()

    def do(self, work: Coroutine[Any, Any, object]) -> bool:
        """Whether it was taken."""
        try:
            self.loop.run(work)
        except ReloadError:
            return False
        return True

    def files_are_read(self) -> None:
        """What the model makes of files that are read."""
        if self.stands_instead_of == self.disk:
            return
        self.in_force, self.stands_instead_of = self.disk, None

    @rule(text=texts)
    def files_change(self, text: str) -> None:
        self.disk = text
        self.bench.write({"git": FIRST_USE}, text, admission={"burst": self.burst})

    @rule()
    def document_changes(self) -> None:
        self.burst += 1
        self.bench.write({"git": FIRST_USE}, self.disk, admission={"burst": self.burst})

    @rule()
    def reload(self) -> None:
        is_readable = self.disk != BROKEN or self.stands_instead_of == BROKEN
        assert self.do(self.bench.workbench.reload("ann")) is is_readable
        if is_readable:
            self.files_are_read()

    @rule(text=st.sampled_from(TEXTS))
    def roll_back(self, text: str) -> None:
        known = self.digests.get(text, Digest("0" * 64))
        is_taken = text in self.digests and text != self.in_force
        assert self.do(self.bench.workbench.roll_back(known, Cause(Why.ROLLBACK, "ada", "so"))) is is_taken
        if is_taken:
            self.in_force, self.stands_instead_of = text, None if text == self.disk else self.disk

    @rule()
    def undo(self) -> None:
        is_taken = self.stands_instead_of is not None and self.disk != BROKEN
        assert self.do(self.bench.workbench.undo_rollback("ada")) is is_taken
        if is_taken:
            self.in_force, self.stands_instead_of = self.disk, None

    @precondition(lambda self: self.disk != BROKEN or self.stands_instead_of == BROKEN)
    @rule()
    def restart(self) -> None:
        self.bench = self.bench.again()
        self.do(self.bench.workbench.begin())
        self.files_are_read()

    @invariant()
    def what_is_in_force_is_what_the_model_says(self) -> None:
        policies = self.bench.generations.current.policies
        self.digests[self.in_force] = policies.digest
        assert [source.text for source in self.bench.workbench.sources] == [self.in_force]
        assert {rule.source.text for rule in policies.rules} == {self.in_force}

    @invariant()
    def what_is_in_force_is_the_newest_of_what_is_kept(self) -> None:
        last = self.bench.sets.last()
        assert last is not None
        assert (last.entry.digest, last.sources) == (self.bench.generations.current.policies.digest, self.bench.workbench.sources)

    @invariant()
    def whether_the_files_are_in_force_is_said(self) -> None:
        said = any("the files on disk are not in force" in warning for warning in self.bench.workbench.warnings)
        assert said is (self.stands_instead_of is not None)


Sets.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestSets = Sets.TestCase
