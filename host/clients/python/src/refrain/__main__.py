"""`python -m refrain`."""

import os
import sys

from .cli import main


def run() -> int:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Whoever starts the program may have closed it.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            # Logs hold any text, whatever the machine's own encoding is.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return main()


if __name__ == "__main__":
    sys.exit(run())
