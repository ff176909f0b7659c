"""Law 11 as far as one log alone shows it: a child's id follows from what its event 1
says of its parent, and the ids and workflows of the children that a log names follow from
it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NoReturn

from .. import ids
from ..limits import CHILD_DEPTH_MAX
from ..log.event import Event
from ..log.export import Recording
from ..orders.rules import OrderRules
from ..words import quoted
from .divergence import Divergence, between
from .integrity import Finding


def parent_of(recording: Recording) -> dict[str, Any] | None:
    """The parent that the log names. `None` if it is of no child."""
    started = recording.started
    named: dict[str, Any] | None = None if started is None else started.fields["parent"]
    return named


def check(recording: Recording) -> None:
    """Finds what no log of this execution can say of its parent and its children."""
    named = parent_of(recording)
    if named is not None:
        message = _origin_fault(recording, named)
        if message is not None:
            _illegal(Divergence(1, message))
    _check_children(recording)


def _illegal(divergence: Divergence) -> NoReturn:
    raise Finding("illegal", divergence)


def _origin_fault(recording: Recording, named: dict[str, Any]) -> str | None:
    """What is wrong with the origin of a child, if anything is."""
    own = recording.execution_id
    if _forked_from(recording) is not None:
        return "event 1 names a parent, and the origin of a fork: a fork is nobody's child"
    parent, root, depth = named["execution_id"], named["root"], named["depth"]
    if not (ids.is_execution_id(parent) and ids.is_execution_id(root)):
        return "event 1 names a parent or a root that is no execution's id"
    node_id, attempt, iteration = named["node_id"], named["attempt"], named["iteration"]
    derived = ids.of_child(parent, node_id, attempt, iteration)
    if derived != own:
        return (
            f"event 1 names attempt {attempt} and iteration {iteration} of node"
            f" {quoted(node_id)} of {parent}, and the child of that is {derived}"
        )
    if not 1 <= depth <= CHILD_DEPTH_MAX:
        return (
            f"event 1 says that the child is {depth} levels below its root, and there are 1 to"
            f" {CHILD_DEPTH_MAX}"
        )
    if root == own or (depth == 1) != (root == parent):
        return (
            f"event 1 says that the child is {depth} levels below {root}, and that its parent"
            f" is {parent}: who is one level below its root is its child"
        )
    return None


def _forked_from(recording: Recording) -> dict[str, Any] | None:
    started = recording.started
    origin: dict[str, Any] | None = None if started is None else started.fields["forked_from"]
    return origin


def own_events(recording: Recording) -> Iterator[Event]:
    """The events of its own; what stands before them in a fork's log is of its origin's
    children."""
    origin = _forked_from(recording)
    common = 0 if origin is None else origin["sequence"]
    for kept in recording.events:
        if kept.event.sequence > common:
            yield kept.event


def asked_for(recording: Recording) -> Iterator[str]:
    """The ids of the children that a log asks for."""
    for event in own_events(recording):
        if event.kind == "child_requested":
            yield child_of(recording.execution_id, event)


def child_of(parent: str, event: Event) -> str:
    """The id of the child that an event is about."""
    fields = event.fields
    return ids.of_child(parent, fields["node_id"], fields["attempt"], fields["iteration"])


def _check_children(recording: Recording) -> None:
    """Finds the first child whose id does not follow from this execution and from what it
    was started for, or whose workflow is not the one that the node has written in
    place."""
    rules: OrderRules | None = None
    digests: dict[str, str | None] = {}
    for event in own_events(recording):
        if event.kind not in ("child_started", "child_ended"):
            continue
        node_id, named = event.fields["node_id"], event.fields["child_id"]
        child = child_of(recording.execution_id, event)
        if child != named:
            message = (
                f"event {event.sequence} names {named} as the child of node {quoted(node_id)},"
                f" and that is another one's id: the child is {child}"
            )
            _illegal(Divergence(event.sequence, message))
        if event.kind == "child_ended":
            continue
        rules = rules or OrderRules(recording.workflow)
        node = ids.node_of(node_id)
        if node not in digests:
            of_node = rules.child(node_id)
            text = None if of_node is None else of_node.in_place
            digests[node] = None if text is None else sha256(text.encode()).hexdigest()
        expected, found = digests[node], event.fields["workflow_digest"]
        if expected is not None and expected != found:
            message = (
                f"event {event.sequence} says that the child of node {quoted(node_id)} is of"
                " another workflow text than the one that is written there"
            )
            _illegal(between(event.sequence, message, expected, found))
