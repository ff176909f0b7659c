"""The walk along a log: every decision is asked for again.

Wherever event k is a decision, the guest sees events 1 to k - 1 and the clock reading of
event k, and what it then appends must be exactly what the log goes on with (law 2).
Between turns, and at the end, it must have nothing to add.
"""

from __future__ import annotations

from typing import NoReturn

from ..component.instance import GuestFailure
from ..contract import Refusal, Values
from ..json_text import JsonError
from ..log.event import Event
from ..log.export import Recording
from ..words import quoted
from . import rule
from .divergence import Code, Divergence, between, node_of
from .guests import Guests
from .integrity import Finding
from .ports import (
    ChildFault,
    Mismatch,
    OtherDecision,
    OtherHead,
    UnnamedOrder,
    ordered_by,
)
from .verdict import AuditError


class Walk:
    """One log under audit, and the guest that has the execution at a place of it."""

    def __init__(
        self, guests: Guests, other: str | None, recording: Recording, may_be_reused: bool
    ) -> None:
        self._guests = guests
        # The guest to ask instead of those that the log names.
        self._other = other
        self._recording = recording
        self._may_be_reused = may_be_reused
        named = other or next(recording.guests(), "")
        self._player, self.is_reused = guests.player(named, recording, may_be_reused)
        # How many events are behind it.
        self._done = 0
        # The host saw the guest fail, and nobody has lifted the stall yet.
        self._is_host_stalled = False
        # When the guest said that it had decided all there was; none once it has seen
        # more.
        self._settled_at: int | None = None
        #: How many decisions came out the same.
        self.decisions = 0
        #: Whether the log ends where a turn's budget cut the guest off.
        self.is_owed_a_step = False
        #: The digests of the inputs that the guest ordered for children, by the events
        #: that ask for them.
        self.inputs: dict[int, str] = {}

    def replay_all(self) -> None:
        """Replays the whole log. Raises the first fault, as a `Finding`."""
        self._at_the_end(self.replay_events())

    def replay_events(self) -> int:
        """Replays all events. What may be missing at their end is not asked. Answers the
        time of the last."""
        events = self._recording.events
        at: int | None = None
        while self._done < len(events):
            next_ = events[self._done].event
            if at is not None and at < next_.at and not _goes_its_own_way(next_):
                self._nothing_to_add(at)
            if next_.is_decision:
                self._ask_again(next_)
            else:
                self._take_fact(next_)
            at = next_.at
        return at or 0

    def over(self) -> None:
        """The walk is over, and nothing was found."""
        self._guests.put_back(self._player, self._recording)

    def _take_fact(self, fact: Event) -> None:
        """The world says what it says; whether that is legal here the guest tells with
        its next answer."""
        self._settled_at = None
        self._done += 1
        self._player.ports.show_first(self._done)
        if fact.kind == "host_stalled":
            self._is_host_stalled = True
        elif fact.kind == "stall_lifted":
            self._is_host_stalled = False
        elif fact.kind == "guest_changed" and self._other is None:
            self._hand_over(fact.fields["guest_digest"])

    def _hand_over(self, digest: str) -> None:
        """The execution goes to another guest, which has seen the same events."""
        player, is_reused = self._guests.player(digest, self._recording, self._may_be_reused)
        self.is_reused |= is_reused
        self._guests.put_back(self._player, self._recording)
        self._player = player
        player.ports.show_first(self._done)

    def _ask_again(self, next_: Event) -> None:
        """The log has a decision next: the guest must come to the same, and to as many
        more as follow from it."""
        outcome = self._step(next_.at)
        self._settled_at = None if outcome["more"] else next_.at
        ports = self._player.ports
        batch = ports.batch()
        if not batch:
            self._diverges("no_decision", "the guest decides nothing here", None)
        for event in batch:
            order = ordered_by(event)
            if order is not None and all(it["node_id"] != order[0] for it in ports.orders):
                message = (
                    f"the guest decides to schedule {quoted(order[0])}, and does not order the"
                    f" item {order[2]}"
                )
                divergence = Divergence(event.sequence, message, code="other_order")
                raise Finding("divergent", divergence)
        self.inputs.update(ports.inputs_of_children())
        self.decisions += len(batch)
        self._done = ports.revealed

    def _nothing_to_add(self, at: int) -> None:
        """With the clock still at `at`, the guest must have no more to decide: it has
        just said so, or it is asked."""
        if self._settled_at == at:
            return
        try:
            self._step(at)
        except Finding as finding:
            # The host saw it fail then; that it fails again, or does again what it may
            # not, is no news.
            if not (self._is_host_stalled and finding.verdict == "divergent"):
                raise

    def _at_the_end(self, at: int) -> None:
        """At the log's end the guest must have no more to decide either, unless the
        execution is said to be owed a step. Then what it decides next may be missing, as
        a whole; and of a guest that fails at that step, the host's stall."""
        if self._settled_at is not None or not self._recording.owed_a_step:
            self._nothing_to_add(at)
            return
        try:
            self._step(at)
        except Finding as finding:
            if finding.verdict != "divergent":
                raise
            self.is_owed_a_step = True

    # ---- what the guest answers, compared --------------------------------------------

    def _step(self, at: int) -> Values:
        """Asks the guest. Whatever it does must stand in the log."""
        ports = self._player.ports
        try:
            outcome = self._player.step(at)
        except Refusal as refusal:
            if ports.mismatch is not None:
                self._mismatched(ports.mismatch)
            if refusal.code == "illegal":
                sequence, reason = refusal.payload["sequence"], refusal.payload["reason"]
                divergence = Divergence(sequence, reason, found=self._shown(sequence))
                raise Finding("illegal", divergence) from None
            self._gives_no_answer(refusal)
        except GuestFailure as failure:
            if ports.mismatch is not None:
                self._mismatched(ports.mismatch)
            self._gives_no_answer(failure)
        if ports.mismatch is not None:
            self._mismatched(ports.mismatch)
        return outcome

    def _gives_no_answer(self, error: Exception) -> NoReturn:
        self._diverges("guest_failed", f"the guest gives no answer: {error}", None)

    def _mismatched(self, mismatch: Mismatch) -> NoReturn:
        if isinstance(mismatch, OtherDecision):
            self._diverges("other_decision", "the guest decides otherwise", mismatch.event)
        if isinstance(mismatch, OtherHead):
            message = f"the guest takes event {mismatch.expected} for the last one of the log"
            self._diverges("other_decision", message, None)
        if isinstance(mismatch, ChildFault):
            self._diverges("other_order", mismatch.fault, None)
        item = mismatch.item
        node = quoted(item["node_id"])
        if isinstance(mismatch, UnnamedOrder):
            self._misordered(
                item["node_id"],
                f"the guest orders an item for {node} that its decision does not name",
                {
                    "node_id": item["node_id"],
                    "attempt": item["attempt"],
                    "item_digest": mismatch.digest,
                },
            )
        self._misordered(
            item["node_id"],
            "the guest orders what the workflow does not hold: the work item of attempt"
            f" {item['attempt']} of node {node} {mismatch.fault}",
            None,
        )

    def _misordered(
        self, node_id: str, message: str, expected: dict[str, object] | None
    ) -> NoReturn:
        """What the guest orders may not be ordered, or is not what it decided."""
        batch = self._player.ports.batch()
        sequence = batch[0].sequence if batch else self._done + 1
        for event in batch:
            order = ordered_by(event)
            if order is not None and order[0] == node_id:
                sequence = event.sequence
                break
        divergence = Divergence(
            sequence,
            message,
            code="other_order",
            expected=expected,
            found=self._shown(sequence),
            rule=rule.scheduling(5),
        )
        self._concluded(divergence, None)

    def _diverges(self, code: Code, message: str, expected: Event | None) -> NoReturn:
        """The log and the guest part: at what the guest decided, or else at the event
        after those it has seen."""
        sequence = self._player.ports.revealed + 1 if expected is None else expected.sequence
        found = self._shown(sequence)
        in_log = self._recording.event(sequence)
        if in_log is None and expected is not None:
            message += f": the log ends before event {sequence}, which is missing"
        else:
            message += f", at event {sequence}"
        node_id = None if expected is None else node_of(expected)
        if node_id is None and in_log is not None:
            node_id = node_of(in_log)
        divergence = between(sequence, message, _shown(expected), found)
        divergence.code = code
        divergence.compared = "guest_with_log"
        divergence.rule = None if expected is None else rule.of_decision(expected)
        self._concluded(divergence, node_id)

    def _concluded(self, divergence: Divergence, node_id: str | None) -> NoReturn:
        """A divergence, with what a fresh instance says of the state just before it. One
        that cannot say anything leaves that out."""
        digest = self._player.scheduler.digest
        try:
            fresh, _ = self._guests.player(digest, self._recording, may_be_reused=False)
        except AuditError:
            raise Finding("divergent", divergence) from None
        fresh.ports.show_first(self._done)
        divergence.state_hash = fresh.state_hash()
        if node_id is not None:
            divergence.explanation = fresh.explain(node_id)
        if divergence.rule is None and divergence.explanation is not None:
            for reason in divergence.explanation["reasons"][:1]:
                divergence.rule = rule.of_cause(*reason["cause"])
        raise Finding("divergent", divergence)

    def _shown(self, sequence: int) -> dict[str, object] | None:
        return _shown(self._recording.event(sequence))


def _shown(event: Event | None) -> dict[str, object] | None:
    """An event as a value of JSON. `None` if there is none, or a number in it is larger
    than any that can be shown."""
    try:
        return None if event is None else event.show()
    except JsonError:
        return None


def _goes_its_own_way(event: Event) -> bool:
    """Whether a fork goes its own way with this event (law 11). Before it nothing is
    missing, whatever was not decided yet: law 2 says so."""
    if event.kind == "node_completed":
        return event.fields["edited_by"] is not None
    return event.kind == "execution_forked"
