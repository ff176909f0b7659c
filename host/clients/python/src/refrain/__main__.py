"""`python -m refrain`."""

import os
import sys

from .cli import main


def run() -> int:
    # Logs hold any text, whatever the machine's own encoding is.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        return main()
    except BrokenPipeError:
        # `… | head` closes the pipe: that is no failure of ours, and nothing more is said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


if __name__ == "__main__":
    sys.exit(run())
