"""Compiles the component on stdin, and writes its machine code to stdout.

This is a program of its own (`python -m refrain.component.compiling`), so that it can be
stopped.
"""

from __future__ import annotations

import sys

import wasmtime
from wasmtime import component as wasm

from .guest import engine


def main() -> int:
    try:
        component = wasm.Component(engine(), sys.stdin.buffer.read())
    except wasmtime.WasmtimeError as error:
        sys.stderr.write(str(error))
        return 1
    sys.stdout.buffer.write(component.serialize())
    return 0


if __name__ == "__main__":
    sys.exit(main())
