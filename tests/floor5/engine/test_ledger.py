"""What is written down of each outcome, and what is left to do about it once that is durable (S1, S4, S9)."""

from __future__ import annotations

import pytest

from stepwell import events as ev
from stepwell.engine.commands import CancelRunning, CancelSteps, Command, Guard, Reset, Start, StartItem
from stepwell.engine.ledger import Ledger, retries
from stepwell.engine.outcome import Again, Cancelled, Completed, Expanded, Failed, Guarded, Jump, Outcome, Skipped
from stepwell.errors import LoopLimit
from stepwell.graph import Edge
from stepwell.plan.plan import Plan
from stepwell.state.fold import apply
from stepwell.state.state import State

from .plans import NOW, fan, guarded, plan, routes, step, tries

A, B = 0, 1
NO = Failed("error", "exception", OSError("no"))


class Written:
    """A ledger, and what it has given to append and to do."""

    def __init__(self, the_plan: Plan, **started: object) -> None:
        self.ledger = Ledger(the_plan, State(the_plan.graph), "run", lambda: 0.5)
        self.ledger.now = NOW
        self.ledger.note(ev.RunStarted, *_fields(ev.RunStarted, **started))
        self.facts: list[ev.Event] = []
        self.acts: list[Command] = []
        self.go_on()

    def go_on(self) -> list[ev.Event]:
        """Decide; gives the facts of this turn."""
        batch, acts = self.ledger.decide()
        self.facts += batch
        self.acts += acts
        return batch

    def ends(self, number: int, outcome: Outcome, attempt: int = 1) -> list[ev.Event]:
        self.ledger.step_ends(number, attempt, outcome)
        return self.go_on()

    def item_ends(self, number: int, index: int, outcome: Outcome, attempt: int = 1) -> list[ev.Event]:
        self.ledger.item_ends(number, index, attempt, NOW, outcome)
        return self.go_on()


def _fields(kind: type[ev.Event], **given: object) -> tuple[object, ...]:
    known = kind("run", 0, 0.0, **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return tuple(getattr(known, name) for name in known.__struct_fields__[3:])


def kinds(facts: list[ev.Event]) -> list[str]:
    return [f"{fact.kind.value} {fact.path}".strip() for fact in facts]


def mapped(**options: object) -> Written:
    """A map `b` over `a`, expanded to two items that run."""
    the_plan = plan([step(A), step(B, fan=fan(A), **options)], Edge(A, B, needs=True))
    written = Written(the_plan)
    written.ends(A, Completed([1, 2], [1, 2]))
    written.ends(B, Expanded(2, None))
    return written


def test_facts_are_numbered_without_a_gap_from_the_last_one() -> None:
    """S17."""
    written = Written(plan([step(A), step(B)], Edge(A, B)))
    written.ends(A, Completed(1, 1))
    assert [fact.seq for fact in written.facts] == list(range(1, len(written.facts) + 1))


def test_the_end_of_one_step_and_the_start_of_the_next_are_one_batch() -> None:
    """contract.md: a chain costs one sync a step."""
    written = Written(plan([step(A), step(B)], Edge(A, B)))
    assert kinds(written.ends(A, Completed(1, 1))) == ["STEP_COMPLETED a", "STEP_STARTED b"]
    assert written.acts == [Start(A, 1), Start(B, 1)]


def test_facts_and_acts_are_handed_out_once() -> None:
    written = Written(plan([step(A)]))
    assert written.ledger.decide() == ([], [])


def test_a_switch_tells_its_choice_before_its_end() -> None:
    written = Written(plan([step(A, routes=routes(B)), step(B)], Edge(A, B, trigger=True, route=True)))
    facts = written.ends(A, Completed(True, True, route=(B,)))
    assert kinds(facts) == ["BRANCH_CHOSEN a", "STEP_COMPLETED a", "STEP_STARTED b"]
    assert isinstance(facts[0], ev.BranchChosen)
    assert (facts[0].value, facts[0].chosen) == ("True", ("b",))


@pytest.mark.parametrize(("said", "reason"), [("", "it_returned_skip"), ("no rows", "no rows")])
def test_a_step_that_returned_skip_is_pruned_with_its_reason(said: str, reason: str) -> None:
    (pruned, finished) = Written(plan([step(A)])).ends(A, Skipped(said))
    assert isinstance(pruned, ev.StepPruned)
    assert (pruned.reason, pruned.attempt) == (reason, 1)
    assert isinstance(finished, ev.RunFinished)


def test_a_failure_that_may_be_tried_again_waits_for_its_time() -> None:
    """S9: the next attempt's time is absolute and recorded."""
    written = Written(plan([step(A, retry=tries(3, backoff=2.0))]))
    (retrying,) = written.ends(A, NO)
    assert isinstance(retrying, ev.StepRetrying)
    assert retrying.retry_at == NOW + 1
    assert retrying.failure is not None
    assert (retrying.failure.retryable, retrying.failure.message) == (True, "no")
    written.ledger.now = NOW + 1
    assert kinds(written.go_on()) == ["STEP_STARTED a"]
    (retrying,) = written.ends(A, NO, 2)
    assert isinstance(retrying, ev.StepRetrying)
    assert retrying.retry_at == NOW + 1 + 2


def test_the_last_attempt_fails_for_good() -> None:
    written = Written(plan([step(A, retry=tries(2))]))
    written.ends(A, NO)
    written.ledger.now = NOW + 1
    written.go_on()
    failed, finished = written.ends(A, NO, 2)
    assert isinstance(failed, ev.StepFailed)
    assert failed.failure is not None
    assert failed.failure.retryable is False
    assert isinstance(finished, ev.RunFinished)
    assert (finished.status, finished.failures) == ("failed", (failed.failure,))


def test_an_attempt_that_died_with_its_process_uses_up_no_retry() -> None:
    """S9."""
    written = Written(plan([step(A, retry=tries(2))]))
    written.ledger.note(ev.RunResumed, "", 0, True)
    written.go_on()
    assert written.acts[-1] == Start(A, 2)
    assert kinds(written.ends(A, NO, 2)) == ["STEP_RETRYING a"]


def test_a_step_that_is_not_critical_is_tolerated() -> None:
    failed, finished = Written(plan([step(A, critical=False)])).ends(A, NO)
    assert isinstance(failed, ev.StepFailed)
    assert isinstance(finished, ev.RunFinished)
    assert (failed.tolerated, finished.status) == (True, "degraded")


@pytest.mark.parametrize(("after", "wait"), [(None, 0.0), (7.0, 7.0)])
def test_retry_waits_as_long_as_it_said_and_not_at_all_where_it_said_nothing(after: float | None, wait: float) -> None:
    written = Written(plan([step(A)]))
    retrying = written.ends(A, Again(after, "not yet"))[0]
    assert isinstance(retrying, ev.StepRetrying)
    assert (retrying.retry_at, retrying.reason, retrying.failure) == (NOW + wait, "not yet", None)


@pytest.mark.parametrize(("declared", "attempts"), [(None, 100), (3, 3)])
def test_retry_counts_as_an_attempt_of_those_declared_or_of_a_hundred(declared: int | None, attempts: int) -> None:
    """api.md: `Retry` counts as an attempt of the step's `retry`, or, where none is declared, of up to 100."""
    written = Written(plan([step(A, retry=None if declared is None else tries(declared, delay=0))]))
    for attempt in range(1, attempts):
        assert kinds(written.ends(A, Again(None, "not yet"), attempt))[0] == "STEP_RETRYING a"
    failed = written.ends(A, Again(None, "not yet"), attempts)[0]
    assert isinstance(failed, ev.StepFailed)
    assert failed.failure is not None
    assert (failed.failure.reason, failed.failure.attempt) == ("retries_used_up", attempts)
    assert "not yet" in failed.failure.message


def test_a_guard_that_was_true_starts_the_step_and_leaves_no_fact_of_its_own() -> None:
    written = Written(plan([step(A, guard=guarded())]))
    assert written.acts == [Guard(A)]
    assert kinds(written.ends(A, Guarded(True, "it may"))) == ["STEP_STARTED a"]


def test_a_guard_that_was_false_skips_the_step_with_its_text() -> None:
    skipped, _ = Written(plan([step(A, guard=guarded())])).ends(A, Guarded(False, "it may"))
    assert isinstance(skipped, ev.StepSkipped)
    assert (skipped.reason, skipped.attempt) == ("when_false: it may", 0)


def test_a_guard_that_raised_is_the_first_attempt_of_its_step() -> None:
    """api.md: STEP_STARTED begins an attempt, and STEP_FAILED ends one."""
    written = Written(plan([step(A, guard=guarded())]))
    facts = written.ends(A, Failed("error", "when_raised", ValueError("?"), retryable=False))
    assert kinds(facts) == ["STEP_STARTED a", "STEP_FAILED a", "RUN_FINISHED"]
    assert [fact.attempt for fact in facts[:2]] == [1, 1]


def test_a_guard_that_raises_while_the_run_ends_starts_nothing() -> None:
    """api.md: `Stop` and `on_failure="stop"` start no new attempt; S10: what had not started gets no end."""
    written = Written(plan([step(A, guard=guarded()), step(B)]))
    written.ends(B, Completed(1, 1, stops=True))
    facts = written.ends(A, Failed("error", "when_raised", ValueError("?"), retryable=False))
    assert kinds(facts) == ["RUN_FINISHED"]


def test_a_guard_that_was_cancelled_leaves_no_end() -> None:
    """S10: steps that had not started get no terminal record."""
    written = Written(plan([step(A, guard=guarded())]))
    written.ledger.note(ev.RunCancelled, "", 0, "enough")
    written.go_on()
    facts = written.ends(A, Cancelled("enough"))
    assert kinds(facts) == ["RUN_FINISHED"]
    assert isinstance(facts[0], ev.RunFinished)
    assert facts[0].not_run == ("a",)


def test_a_cancel_is_written_down_before_anything_is_told_to_end() -> None:
    """S10."""
    written = Written(plan([step(A)]))
    written.ledger.note(ev.RunCancelled, "", 0, "enough")
    assert kinds(written.go_on()) == ["RUN_CANCELLED"]
    assert written.acts[-1] == CancelRunning("cancelled")
    assert kinds(written.ends(A, Cancelled("enough"))) == ["STEP_CANCELLED a", "RUN_FINISHED"]


def test_items_start_without_a_fact_after_those_of_their_map() -> None:
    """S7: the item list is recorded before the first item starts."""
    written = mapped()
    assert kinds(written.facts)[-1] == "MAP_EXPANDED b"
    assert written.acts[-2:] == [StartItem(B, 0, 1), StartItem(B, 1, 1)]


def test_a_map_ends_with_the_last_of_its_items() -> None:
    written = mapped()
    assert kinds(written.item_ends(B, 1, Completed("y", "y"))) == ["ITEM_COMPLETED b[1]"]
    assert kinds(written.item_ends(B, 0, Skipped(""))) == ["ITEM_COMPLETED b[0]", "STEP_COMPLETED b", "RUN_FINISHED"]
    assert written.ledger.state.maps[B].results == [None, "y"]


def test_a_map_that_failed_says_how_many_and_which_was_the_first() -> None:
    written = mapped()
    written.item_ends(B, 1, NO)
    facts = written.item_ends(B, 0, Completed("x", "x"))
    failed = facts[1]
    assert isinstance(failed, ev.StepFailed)
    assert failed.failure is not None
    assert failed.failure.reason == "items_failed"
    assert failed.failure.message == "1 of 2 items failed; the first was b[1]: OSError: no"
    assert written.ledger.errors["b"] is NO.error


def test_an_item_is_tried_again_by_the_policy_of_its_map() -> None:
    written = mapped(retry=tries(2))
    (retrying,) = written.item_ends(B, 0, NO)
    assert isinstance(retrying, ev.ItemRetrying)
    assert (retrying.retry_at, retrying.index) == (NOW + 1, 0)
    written.ledger.now = NOW + 1
    written.go_on()
    assert written.acts[-1] == StartItem(B, 0, 2)
    (failed,) = written.item_ends(B, 0, NO, 2)
    assert isinstance(failed, ev.ItemFailed)
    assert failed.failure is not None
    assert (failed.failure.path, failed.failure.item, failed.failure.step) == ("b[0]", "0", "b")


def test_a_map_that_goes_on_starts_again_with_the_items_that_have_no_end() -> None:
    """S7: resume runs only items without a terminal record."""
    before = mapped()
    before.item_ends(B, 0, Completed("x", "x"))
    state = State(before.ledger.plan.graph)
    for fact in before.facts:
        apply(state, fact)
        state.seq = fact.seq
    ledger = Ledger(before.ledger.plan, state, "run", lambda: 0.5)
    ledger.note(ev.RunResumed, "", 0, True)
    facts, acts = ledger.decide()
    assert kinds(facts) == ["RUN_RESUMED", "STEP_STARTED b"]
    assert [act for act in acts if isinstance(act, StartItem)] == [StartItem(B, 1, 1)]


def test_the_end_of_a_run_carries_no_more_failures_than_people_read() -> None:
    the_plan = plan([step(A), step(B, fan=fan(A, concurrency=99, min_success=0))], Edge(A, B, needs=True))
    written = Written(the_plan)
    written.ends(A, Completed([], []))
    written.ends(B, Expanded(30, None))
    for index in range(30):
        written.item_ends(B, index, NO)
    finished = written.facts[-1]
    assert isinstance(finished, ev.RunFinished)
    assert len(finished.failures) == 20
    assert len(written.ledger.state.failures) == 30


@pytest.mark.parametrize(
    ("spent", "failed", "again"),
    [
        (0, NO, True), (1, NO, False), (0, Failed("error", "x", ValueError()), False),
        (0, Failed("timeout", "x", OSError(), retryable=False), False),
    ],
)  # fmt: skip
def test_a_failure_is_tried_again_while_attempts_are_left_and_the_policy_covers_it(
    spent: int, failed: Failed, again: bool
) -> None:
    assert retries(step(A, retry=tries(2, on=(OSError,))), spent, failed) is again
    assert retries(step(A), spent, failed) is False


# Jumps, joins, and what is not kept.


def looped(**options: object) -> Written:
    """`b`, which follows `a`, runs and may jump back to it."""
    written = Written(plan([step(A), step(B, goto=(A,), **options)], Edge(A, B)))
    written.ends(A, Completed(1, 1))
    return written


def test_a_jump_is_an_end_and_a_reset_and_the_next_visit_in_one_batch() -> None:
    """B11: the step says where it went, the reset what begins anew."""
    written = looped()
    completed, reset, started = written.ends(B, Jump(A, None))
    assert isinstance(completed, ev.StepCompleted)
    assert (completed.path, completed.goto, completed.output) == ("b", "a", None)
    assert isinstance(reset, ev.StepReset)
    assert (reset.path, reset.paths, reset.cause, reset.whole) == ("b", ("a", "b"), "goto", ())
    assert (started.kind, started.path) == ("STEP_STARTED", "a#2")
    assert written.acts[-2:] == [Reset(B, (A, B)), Start(A, 1)]


def test_a_jump_lands_while_a_visit_is_left() -> None:
    """B11, B12: then it ends with its best, or fails for good, naming the limit that it met."""
    ledger = looped(max_visits=2).ledger
    jump, best = Jump(A, None), Completed(7, 7)
    assert ledger.landed(B, jump) is jump
    ledger.state.loops[B] = 1
    assert ledger.landed(B, Jump(A, best)) == Completed(7, 7, soft=True)
    failed = ledger.landed(B, jump)
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.reason, failed.retryable) == ("loop", "max_visits", False)
    assert isinstance(failed.error, LoopLimit)
    assert "`b` has had all 2 of its visits" in str(failed.error)


def test_the_limit_of_the_target_counts_too() -> None:
    """B11."""
    the_plan = plan([step(A, max_visits=1), step(B, goto=(A,))], Edge(A, B))
    failed = Written(the_plan).ledger.landed(B, Jump(A, None))
    assert isinstance(failed, Failed)
    assert "`a` has had all 1 of its visits" in str(failed.error)


def test_the_best_of_a_loop_is_marked() -> None:
    """B12."""
    completed = looped().ends(B, Completed(7, 7, soft=True))[0]
    assert isinstance(completed, ev.StepCompleted)
    assert (completed.output, completed.soft_failed, completed.kept, completed.goto) == (7, True, True, "")


def test_the_end_of_an_ephemeral_step_says_that_nothing_is_kept() -> None:
    """S1."""
    completed = Written(plan([step(A, ephemeral=True)])).ends(A, Completed(object(), None))[0]
    assert isinstance(completed, ev.StepCompleted)
    assert (completed.output, completed.kept) == (None, False)


def test_a_join_says_until_when_it_waits_and_fails_then() -> None:
    """D3, S9: an attempt of its own, never retried."""
    steps = [step(A), step(B), step(2, join_timeout=5.0, retry=tries(3))]
    written = Written(plan(steps, Edge(A, 2), Edge(B, 2)))
    (_, waiting) = written.ends(A, Completed(1, 1))
    assert isinstance(waiting, ev.JoinWaiting)
    assert (waiting.waiting_for, waiting.deadline) == (("b",), NOW + 5)
    written.ledger.now = NOW + 5
    timed_out, started, failed = written.go_on()
    assert isinstance(timed_out, ev.JoinTimedOut)
    assert (timed_out.path, timed_out.waiting_for) == ("c", ("b",))
    assert isinstance(failed, ev.StepFailed)
    assert failed.failure is not None
    assert (started.attempt, failed.attempt, failed.tolerated) == (1, 1, False)
    assert (failed.failure.kind, failed.failure.reason, failed.failure.retryable) == (
        "timeout",
        "join_timed_out",
        False,
    )
    assert failed.failure.message == "after 5 s it still waited for b"


def test_a_join_that_is_not_critical_is_tolerated_when_it_times_out() -> None:
    """D3, E2."""
    steps = [step(A), step(B), step(2, join_timeout=5.0, critical=False)]
    written = Written(plan(steps, Edge(A, 2), Edge(B, 2)))
    written.ends(A, Completed(1, 1))
    written.ledger.now = NOW + 5
    failed = written.go_on()[-1]
    assert isinstance(failed, ev.StepFailed)
    assert failed.tolerated


def test_a_map_fails_with_its_source_and_names_it() -> None:
    """api.md 2: source dependency, reason source_failed."""
    steps = [step(A, streams=True, feeds=True), step(B, fan=fan(A, live=True))]
    written = Written(plan(steps, Edge(A, B, needs=True, live=True)), on_failure="finish")
    written.ends(B, Expanded(0, None, more=True))
    failed = next(fact for fact in written.ends(A, NO) if fact.path == "b")
    assert isinstance(failed, ev.StepFailed)
    assert failed.failure is not None
    assert (failed.failure.source, failed.failure.reason) == ("dependency", "source_failed")
    assert failed.failure.message == "`a`, which gives its items, did not come to its end; 0 of 0 ended"


def test_what_a_jump_cancels_is_told_once() -> None:
    """B11."""
    steps = [step(A), step(B, goto=(A,)), step(2)]
    written = Written(plan(steps, Edge(A, B), Edge(A, 2)))
    written.ends(A, Completed(1, 1))
    assert kinds(written.ends(B, Jump(A, None))) == ["STEP_COMPLETED b"]
    assert written.acts[-1] == CancelSteps((2,), "goto")
    assert written.go_on() == []
    assert kinds(written.ends(2, Cancelled("goto"))) == ["STEP_CANCELLED c", "STEP_RESET b", "STEP_STARTED a#2"]


# What is kept of exceptions.


def test_nothing_is_kept_of_an_attempt_that_is_tried_again() -> None:
    """E9: a loop or a map of very many would else hold each traceback, with all that it refers to, for good."""
    written = Written(plan([step(A, retry=tries(2))]))
    written.ends(A, NO)
    assert written.ledger.errors == {}
    written.ledger.now = NOW + 1
    written.go_on()
    written.ends(A, NO, 2)
    assert written.ledger.errors == {"a": NO.error}


def test_of_the_items_of_a_map_only_the_first_that_failed_for_good_is_kept() -> None:
    """It is what the map is told to have failed of."""
    written = mapped(retry=tries(2))
    written.item_ends(B, 0, NO)
    assert written.ledger.errors == {}
    final = Failed("error", "exception", OSError("for good"), retryable=False)
    written.item_ends(B, 1, final)
    written.item_ends(B, 0, Failed("error", "exception", OSError("too"), retryable=False), 2)
    assert set(written.ledger.errors) == {"b[1]", "b"}
    assert written.ledger.errors["b"] is final.error
