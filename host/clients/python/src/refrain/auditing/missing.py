"""What another log names of a log, and is not there: a log can have been exported before its
execution went on. What is there can be compared (law 11); what is missing is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..log.export import Recording
from ..log.kinds import TERMINAL


@dataclass(frozen=True, slots=True)
class Missing:
    """Events that a log at hand does not have, and another log names. Nothing is wrong with
    the log for that, but what they say was not compared."""

    #: The execution whose log ends before them.
    execution_id: str
    #: The first of them.
    first: int
    #: The last one that the other log names.
    last: int

    def show(self) -> dict[str, Any]:
        return {"execution_id": self.execution_id, "from": self.first, "to": self.last}

    def sentence(self) -> str:
        """What is missing, in a sentence."""
        events = f"events {self.first} to {self.last} of {self.execution_id} are"
        if self.first == self.last:
            events = f"event {self.first} of {self.execution_id} is"
        return f"{events} missing: its log ends with event {self.first - 1}"


@dataclass(frozen=True, slots=True)
class Length:
    """How far a log goes that is whole in itself."""

    execution_id: str
    events: int
    has_ended: bool

    @classmethod
    def of(cls, recording: Recording) -> Length:
        ends = recording.events[-1].event.kind in TERMINAL
        return cls(recording.execution_id, len(recording.events), ends)

    def missing(self, last: int) -> Missing | None:
        """What is missing up to this event. `None` if the log has it, or has ended: then
        nothing can be missing behind its end."""
        if self.has_ended or last <= self.events:
            return None
        return Missing(self.execution_id, self.events + 1, last)
