"""Compiles the component on stdin, and writes its machine code to stdout.

This is a program of its own (`python -m refrain.component.compiling SECONDS`), so that it
can be stopped: it may take so many seconds of processor time, where the system counts
them.
"""

from __future__ import annotations

import sys
from typing import Any

import wasmtime
from wasmtime import component as wasm

from .guest import engine

resource: Any
try:
    import resource
except ImportError:
    # Then the caller's clock alone says when it takes too long.
    resource = None


def main(arguments: list[str]) -> int:
    if resource is not None:
        seconds = int(arguments[0])
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        component = wasm.Component(engine(), sys.stdin.buffer.read())
    except wasmtime.WasmtimeError as error:
        sys.stderr.write(str(error))
        return 1
    sys.stdout.buffer.write(component.serialize())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
