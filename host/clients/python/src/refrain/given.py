"""What the command line is given: files, folders of logs, and stdin."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from .auditing.anchors import AnchorFault, Anchors
from .component.guest import ComponentFault, Guest, load
from .limits import ANCHORS_BYTES_MAX, COMPONENT_BYTES_MAX, KEY_BYTES_MAX
from .log.export import Recording, UnreadableLog, read_log
from .signing import KeyFault, public_key

#: The name under which stdin is given.
STDIN = "-"

_T = TypeVar("_T")


class CommandError(Exception):
    """The command cannot do what was asked; `code` says why for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def logs(path: str) -> list[str]:
    """The file, or the logs in the folder, by their names."""
    if path == "":
        raise CommandError("usage", "a log has no name; give that of its file")
    if path == STDIN or not Path(path).is_dir():
        return [path]

    def found_in(folder: Path) -> list[str]:
        return sorted(str(it) for it in folder.iterdir() if it.suffix == ".ndjson")

    found = _read(path, "log_unreadable", "the folder", lambda: found_in(Path(path)))
    if not found:
        raise CommandError(
            "log_unreadable",
            f"there is no log in the folder {path}: none of its files ends in .ndjson",
        )
    return found


def log(path: str) -> Recording | UnreadableLog:
    """The log in a file; one that is none is an answer, too."""

    def read() -> Recording | UnreadableLog:
        try:
            return read_log(sys.stdin.buffer if path == STDIN else Path(path))
        except UnreadableLog as error:
            return error

    return _read(path, "log_unreadable", "the log", read)


def guest(path: str) -> Guest:
    """The scheduler component in a file."""
    component = _bytes(path, "component_unreadable", "the component", COMPONENT_BYTES_MAX)
    try:
        return load(component)
    except ComponentFault as error:
        message = f"{path} is not a scheduler component: {error}"
        raise CommandError("invalid_component", message) from None


def anchors(path: str) -> Anchors:
    """The anchors in a file."""
    text = _text(path, "anchors_unreadable", "the anchors", ANCHORS_BYTES_MAX)
    try:
        return Anchors.read(text, path)
    except AnchorFault as error:
        raise CommandError(
            "invalid_anchors", f"cannot use the anchors {path}: {error}"
        ) from None


def key(path: str) -> str:
    """The public key in a file: 64 hexadecimal digits."""
    text = _text(path, "key_unreadable", "the key", KEY_BYTES_MAX)
    try:
        return public_key(text)
    except KeyFault as error:
        raise CommandError("invalid_key", f"cannot use the key in {path}: {error}") from None


def _read(path: str, code: str, what: str, read: Callable[[], _T]) -> _T:
    try:
        return read()
    except OSError as error:
        message = f"cannot read {what} {path}: {error.strerror or error}"
        raise CommandError(code, message) from None
    except UnicodeDecodeError as error:
        raise CommandError(
            code, f"cannot read {what} {path}: it is no UTF-8: {error}"
        ) from None


def _bytes(path: str, code: str, what: str, bytes_max: int) -> bytes:
    def read() -> bytes:
        if path == STDIN:
            return _up_to(bytes_max, sys.stdin.buffer)
        with open(path, "rb") as file:
            return _up_to(bytes_max, file)

    return _read(path, code, what, read)


def _up_to(bytes_max: int, file: BinaryIO) -> bytes:
    content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        problem = f"it is longer than {bytes_max} bytes, which is the limit"
        raise OSError(errno.EFBIG, problem)
    return content


def _text(path: str, code: str, what: str, bytes_max: int) -> str:
    content = _bytes(path, code, what, bytes_max)
    text = _read(path, code, what, content.decode)
    if text.startswith("\ufeff"):
        problem = "it begins with a byte order mark; save it as UTF-8 without one"
        raise CommandError(code, f"cannot read {what} {path}: {problem}")
    return text
