"""Names of executions, and of the runs of nodes."""

from __future__ import annotations

import re
from hashlib import sha256

from .words import quoted

_ID = re.compile(r"exec_[0-9a-f]{32}")
_INSTANCE = re.compile(r"(.+)\[(0|[1-9][0-9]*)\]", re.DOTALL)
_CHILD = b"refrain: a child\0"


def is_execution_id(text: str) -> bool:
    """Whether this is `exec_` and 32 hexadecimal digits."""
    return _ID.fullmatch(text) is not None


def no_execution_id(text: str) -> str:
    """Why this text is no id of an execution."""
    return (
        f'{quoted(text)} is not an execution id: it should be "exec_" and 32 hexadecimal digits'
    )


def numbers_of(execution_id: str) -> tuple[int, int]:
    """The id as two numbers of sixteen digits each, as calls of a guest name it."""
    return int(execution_id[5:21], 16), int(execution_id[21:], 16)


def of_child(parent: str, node_id: str, attempt: int, iteration: int) -> str:
    """The id of the child that a node asks for: it follows from who asks, and what for.

    It is a UUID of version 8, in the shard of its parent.
    """
    own = bytes.fromhex(parent[5:])
    node = node_id.encode()
    asked = len(node).to_bytes(8, "big") + node
    asked += attempt.to_bytes(4, "big") + iteration.to_bytes(4, "big")
    made = bytearray(sha256(_CHILD + own + asked).digest()[:16])
    made[:2] = own[:2]
    made[6] = made[6] & 0x0F | 0x80
    made[8] = made[8] & 0x3F | 0x80
    return f"exec_{made.hex()}"


def instance_of(run: str) -> tuple[str, int] | None:
    """The map and the index of an instance like `resize[3]`. `None` if it is none."""
    found = _INSTANCE.fullmatch(run)
    if found is None or len(found[2]) > 10 or int(found[2]) > 2**32 - 1:
        return None
    return found[1], int(found[2])


def undone_by(run: str) -> str | None:
    """The run that a compensation like `charge!undo` undoes. `None` if it is none."""
    undone = run.removesuffix("!undo")
    return undone if undone and undone != run else None


def node_of(run: str) -> str:
    """The node of the workflow that this is a run of."""
    own = undone_by(run) or run
    instance = instance_of(own)
    return own if instance is None else instance[0]
