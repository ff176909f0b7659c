"""Every limit of this package, with its reason.

Where the host has the same limit, the number is the same: what it writes can be read
here, and a guest that it cuts off is cut off here.
"""

from __future__ import annotations

from typing import Final

MIB: Final = 1024 * 1024

# ---- logs ---------------------------------------------------------------------------

#: Bytes of one line of an export. The header holds the workflow, an event two payloads;
#: escaped, each byte can become six.
EXPORT_LINE_BYTES_MAX: Final = 128 * MIB

#: Bytes of a guest component. One with Python inside has 18 million.
COMPONENT_BYTES_MAX: Final = 32 * MIB

#: Bytes of all components of one export: they are held in memory.
EXPORT_COMPONENTS_BYTES_MAX: Final = 8 * COMPONENT_BYTES_MAX

#: Bytes of a file of anchors.
ANCHORS_BYTES_MAX: Final = 256 * MIB

#: Bytes of the file of a public key.
KEY_BYTES_MAX: Final = 64 * 1024

#: How far below its root a child may be.
CHILD_DEPTH_MAX: Final = 32

#: Descendants that a root may have.
DESCENDANTS_MAX: Final = 100_000

#: Bytes of a secret's name.
SECRET_NAME_BYTES_MAX: Final = 128

# ---- what a guest may take ----------------------------------------------------------

#: Fuel of one call: two or three seconds of work.
FUEL_PER_CALL: Final = 4_000_000_000

#: More of it for each byte of workflow, snapshot and log that a call hands over.
FUEL_PER_BYTE: Final = 4_000

#: What each byte costs that a call hands over once more.
FUEL_PER_BYTE_AGAIN: Final = 100

#: What each call of an import costs: the host's work is not free either.
FUEL_PER_IMPORT: Final = 10_000

#: Bytes of one memory of an instance.
GUEST_MEMORY_MAX: Final = 1024 * MIB

#: Bytes of a guest's call stack.
GUEST_STACK_MAX: Final = 512 * 1024

#: Elements of a guest's tables.
GUEST_TABLE_ELEMENTS_MAX: Final = 100_000

#: Bytes that a guest may hand over in one call: in its appends, its orders and its
#: answer.
GUEST_TRANSFER_BYTES_MAX: Final = 256 * MIB

#: Events of one page that storage hands to a guest.
EVENTS_PAGE_MAX: Final = 1024

#: Bytes of one such page, one event at least.
EVENTS_PAGE_BYTES_MAX: Final = 8 * MIB

#: Characters of a sentence of a guest's that are repeated.
GUEST_TEXT_MAX: Final = 64 * 1024

#: Seconds of processor time that the compilation of the smallest component that was
#: brought may take, and how many more for each MiB of it.
COMPILE_SECONDS_BASE: Final = 15
COMPILE_SECONDS_PER_MIB: Final = 10

#: How many times as long it may take by the clock: other programs are at work too.
COMPILE_PATIENCE: Final = 20

# ---- travel -------------------------------------------------------------------------

#: Events from one snapshot to the next on the way through a log.
EVENTS_BETWEEN_MARKS: Final = 4096

#: Bytes that all these snapshots of one log may take.
MARKS_BYTES_MAX: Final = 32 * MIB

assert EXPORT_LINE_BYTES_MAX >= 2 * COMPONENT_BYTES_MAX, (
    "a component fits into a line in base64"
)
