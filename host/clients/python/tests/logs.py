"""Logs to be audited: the golden ones, and what is made of them by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

from refrain.log.event import START, Event, canonical, link, read_event
from refrain.log.line import Line

ROOT = Path(__file__).resolve().parents[4]
COMPONENT = ROOT / "host/component/refrain-scheduler.wasm"

Json = dict[str, Any]


def golden_folder() -> Path:
    """The golden logs that name the component of this package."""
    digest = sha256(COMPONENT.read_bytes()).hexdigest()
    return ROOT / "tests/golden" / digest[:12]


def golden_logs() -> list[Path]:
    return sorted(golden_folder().glob("*.ndjson"))


def rewritable_logs() -> list[Path]:
    """Those whose payloads are written as Python writes JSON, so that they stay whole when
    they are read and written."""

    def is_one(path: Path) -> bool:
        log = Log.read(path)
        head = log.header["head"]
        return bool(log.chain().header["head"] == head)

    return [path for path in golden_logs() if is_one(path)]


def written(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Log:
    """An export that is edited. Its numbers and payloads are those of Python's JSON, so
    that it is chained anew before it counts as whole."""

    def __init__(self, header: Json, events: list[Json]) -> None:
        self.header = header
        self.events = events

    @classmethod
    def read(cls, path: Path) -> Log:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        header = json.loads(lines[0])
        first = 1 + len(header.get("components", []))
        return cls(header, [json.loads(line) for line in lines[first:]])

    @classmethod
    def golden(cls, name: str) -> Log:
        return cls.read(golden_folder() / f"{name}.ndjson")

    def copy(self) -> Log:
        return deepcopy(self)

    def lines(self) -> list[str]:
        return [written(self.header), *map(written, self.events)]

    def bytes(self) -> bytes:
        return "".join(f"{line}\n" for line in self.lines()).encode()

    def chain(self) -> Log:
        """Makes sequences, hashes and the head whole again, as somebody would who rewrites
        a log."""
        previous = START
        for sequence, event in enumerate(self.events, 1):
            event["sequence"] = sequence
            plain, erasable = canonical(event_of(event))
            if "commitment" in event:
                commitment = bytes.fromhex(event["commitment"])
            else:
                commitment = sha256(bytes.fromhex(event["salt"]) + erasable).digest()
            previous = event["hash"] = link(previous, plain, commitment)
        self.header["events"] = len(self.events)
        self.header["head"] = previous
        if "erased" in self.header:
            self.header["erased"]["events"] = len(self.events)
            self.header["erased"]["head"] = previous
        return self

    def erase(self) -> Log:
        """Erases what can be erased of all events, as `refrain erase` does."""
        for place, event in enumerate(self.events):
            found = event_of(event)
            _, erasable = canonical(found)
            salt = bytes.fromhex(event["salt"])
            kept = {name: event[name] for name in ("sequence", "at", "origin", "type")}
            plain = plain_fields(found)
            self.events[place] = {
                **kept,
                "commitment": sha256(salt + erasable).hexdigest(),
                "hash": event["hash"],
                **plain,
            }
        self.header["erased"] = {
            "at": "2026-01-01T00:00:00.000Z",
            "verdict": "clean",
            "guest_digest": self.header["guest_digest"],
            "events": self.header["events"],
            "head": self.header["head"],
            "by": "ada",
        }
        return self


def event_of(event: Json) -> Event:
    """The event of a line, whatever its salt and hash are."""
    line = Line(written(event))
    for name in ("salt", "commitment", "hash"):
        if line.has(name):
            line.take(name)
    line.is_erased = "commitment" in event
    return read_event(line)


def plain_fields(event: Event) -> Json:
    """The fields of an event that can never be erased, as a line has them."""
    from refrain.log.compounds import Coded, Fields
    from refrain.log.kinds import KINDS

    shown: Json = {}

    def add(fields: Fields, values: Json) -> None:
        for field in fields:
            if field.is_erasable:
                continue
            if isinstance(field.of, Coded):
                code, payload = values[field.name]
                shown[field.line_name] = code
                case = field.of.cases[code]
                add(case.fields, case.values(payload))
            else:
                field.of.show(field.line_name, values[field.name], shown)

    add(KINDS[event.kind], event.fields)
    return shown
