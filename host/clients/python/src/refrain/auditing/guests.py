"""The guests of an audit: instances that go from one log to the next.

An instance that has played a log to its end, and forgotten it, plays the next one,
because what a guest keeps is only a cache. Should a guest keep more than that, a log in
which it finds no fault is still what it decides; and a fault is believed only if a fresh
instance finds it.
"""

from __future__ import annotations

from ..component.guest import ComponentFault, Guest, built_in, load
from ..component.instance import GuestFailure
from ..contract import Refusal, Scheduler, Values
from ..log.export import Recording
from ..orders.rules import OrderRules
from .ports import ReplayPorts
from .verdict import AuditError


class Player:
    """A guest that plays a recording: it sees the log's first events, and whatever it
    does is compared with the rest."""

    def __init__(self, scheduler: Scheduler, recording: Recording, rules: OrderRules) -> None:
        self.scheduler = scheduler
        self.ports = ReplayPorts(recording, rules)
        self._execution_id = recording.execution_id

    def step(self, now: int) -> Values:
        """Lets the guest decide, with the clock at `now`. What it decided is in the
        ports. It has seen the facts in the log, so it is offered none.

        Raises `Refusal` or `GuestFailure`.
        """
        self.ports.begin(now)
        last = self.ports.revealed
        outcome = self.scheduler.step(self.ports, self._execution_id, last, [])
        if self.ports.mismatch is None:
            self.ports.check_orders()
        return outcome

    def explain(self, node_id: str) -> Values | None:
        """Why the node is where it is. `None` if the guest cannot say it."""
        self.ports.begin(self.ports.last_at)
        try:
            return self.scheduler.explain(self.ports, self._execution_id, node_id)
        except (Refusal, GuestFailure):
            return None

    def state_hash(self) -> str | None:
        """The SHA-256 of the state. `None` if the guest cannot say it."""
        self.ports.begin(self.ports.last_at)
        try:
            digest: str = self.scheduler.inspect(self.ports, self._execution_id)["hash"]
        except (Refusal, GuestFailure):
            return None
        return digest


class Guests:
    """The guests that are at hand, and the instances of them that are idle."""

    def __init__(self) -> None:
        self._bytes: dict[str, bytes] = {}
        self._loaded: dict[str, Guest] = {}
        self._idle: dict[str, Scheduler] = {}
        # What the last workflow lets be ordered: the next log is often of the same one.
        self._rules: tuple[str, OrderRules] | None = None

    def add(self, guest: Guest) -> None:
        """Takes in a guest."""
        self._loaded[guest.digest] = guest

    def add_bytes(self, digest: str, component: bytes) -> None:
        """Takes in a component that an export brings, to be loaded when it is needed."""
        self._bytes.setdefault(digest, component)

    def player(
        self, digest: str, recording: Recording, may_be_reused: bool
    ) -> tuple[Player, bool]:
        """A player of the guest with this digest; and whether it has played before.

        Raises `AuditError` if there is no such guest, or it does not run.
        """
        idle = self._idle.pop(digest, None) if may_be_reused else None
        rules = self._rules_of(recording.workflow)
        if idle is not None:
            return Player(idle, recording, rules), True
        return Player(self.scheduler(digest), recording, rules), False

    def scheduler(self, digest: str) -> Scheduler:
        """A fresh instance of the guest with this digest.

        Raises `AuditError` if there is no such guest, or it does not run.
        """
        try:
            return Scheduler(self._guest(digest))
        except GuestFailure as error:
            raise AuditError(f"the guest {digest} cannot start: {error}") from None

    def put_back(self, player: Player, recording: Recording) -> None:
        """Takes back a player that has come to the end of its part."""
        try:
            player.scheduler.forget(recording.execution_id)
        except GuestFailure:
            return
        self._idle[player.scheduler.digest] = player.scheduler

    def _rules_of(self, workflow: str) -> OrderRules:
        if self._rules is None or self._rules[0] != workflow:
            self._rules = workflow, OrderRules(workflow)
        return self._rules[1]

    def _guest(self, digest: str) -> Guest:
        guest = self._loaded.get(digest)
        if guest is not None:
            return guest
        known = built_in()
        component = self._bytes.get(digest)
        if digest == known.digest:
            guest = known
        elif component is None:
            raise AuditError(
                f"the scheduler component {digest} is not at hand; export the log with it"
                " (`refrain export --with-guest`), or name its file"
            )
        else:
            try:
                guest = load(component)
            except ComponentFault as error:
                raise AuditError(
                    f"the component {digest} that the export brings cannot be used: {error}"
                ) from None
        self._loaded[digest] = guest
        return guest
