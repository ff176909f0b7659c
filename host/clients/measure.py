"""Measures the three auditors and prints a table: `bash host/clients/measure` runs it.

Each figure of time is the median of several runs, in which the programs take turns; processor
time counts all their threads and processes. What a program keeps between runs is there already.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
import zlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
JAVASCRIPT = ROOT / "host/clients/js/audit"
PYTHON = ROOT / "host/clients/python/src/refrain"

STARTS = 15
LONG_RUNS = 3

# Maps one after another: three events for an instance, two for a map and two for the execution.
MAPS = 20
INSTANCES = 1666


class Run(NamedTuple):
    """Of one run: seconds that passed, seconds of processors, bytes of memory at most."""

    wall: float
    processor: float
    memory: float


def run(command: list[str]) -> Run:
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}, where 0 says clean")
    return Run(
        time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
    )


def in_turns(programs: dict[str, list[str]], log: Path, times: int) -> dict[str, Run]:
    """Of each program the medians of so many runs, after one that does not count."""
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for turn in range(times + 1):
        for name, command in programs.items():
            measured = run([*command, str(log)])
            if turn > 0:
                runs[name].append(measured)
    return {
        name: Run(*map(statistics.median, zip(*all_runs))) for name, all_runs in runs.items()
    }


def tool(name: str) -> dict[str, object]:
    return {"kind": {"type": "tool", "tool_ref": name}}


def short_workflow() -> dict[str, object]:
    edges = [{"from": "first", "to": "second"}]
    return {
        "nodes": {"first": tool("a"), "second": tool("b")},
        "edges": edges,
        "start_node": "first",
    }


def long_workflow() -> dict[str, object]:
    body = {"type": "tool", "tool_ref": "t"}
    kind = {"type": "map", "over": "input.items", "max_items": INSTANCES, "body": body}
    nodes = {f"m{place}": {"kind": kind} for place in range(MAPS)}
    edges = [{"from": f"m{place}", "to": f"m{place + 1}"} for place in range(MAPS - 1)]
    return {"nodes": nodes, "edges": edges, "start_node": "m0"}


def logged(work: Path, name: str, workflow: dict[str, object]) -> tuple[Path, int]:
    """The log of a simulated run, and how many events it has."""
    program = os.environ["REFRAIN_PROGRAM"]
    env = {**os.environ, "REFRAIN_DB": str(work / f"{name}.db")}
    file, given, log = (
        work / f"{name}.json",
        work / f"{name}-input.json",
        work / f"{name}.ndjson",
    )
    file.write_text(json.dumps({"workflow_id": name, "version": "1.0.0", **workflow}))
    given.write_text(json.dumps({"items": list(range(INSTANCES))}))
    commands = [
        ["run", str(file), "--simulate", "--input", f"@{given}"],
        ["export", "@last", "-o", str(log)],
    ]
    for command in commands:
        subprocess.run(
            [program, *command],
            env=env,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    with log.open() as lines:
        return log, sum(1 for _ in lines) - 1


def packed(files: Iterable[Path]) -> tuple[int, int]:
    """The bytes of these files, and what zlib makes of them at its best."""
    compressor = zlib.compressobj(9)
    before = after = 0
    for file in files:
        with file.open("rb") as opened:
            while chunk := opened.read(1 << 20):
                before += len(chunk)
                after += len(compressor.compress(chunk))
    return before, after + len(compressor.flush())


def bytes_of(count: float) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} KB"


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.0f} ms"


def rate(value: float) -> str:
    return f"{float(f'{value:.2g}'):,.0f}"


def table(rows: list[list[str]]) -> None:
    for place, row in enumerate(rows):
        print(f"| {' | '.join(row)} |")
        if place == 0:
            print("|---" * len(row) + "|")


def main(work: Path) -> None:
    program = os.environ["REFRAIN_PROGRAM"]
    programs = {
        "`refrain audit --file`": [program, "audit", "--file"],
        "`refrain-audit.js`": ["node", str(JAVASCRIPT / "bin/refrain-audit.js")],
        "`python -m refrain audit`": [sys.executable, "-m", "refrain", "audit"],
    }
    sources = [
        packed(sorted([*(JAVASCRIPT / "src").rglob("*.js"), *(JAVASCRIPT / "bin").iterdir()])),
        packed(sorted(PYTHON.rglob("*.py"))),
    ]
    binary, bundle = packed([Path(program)]), packed([work / "audit.min.js"])
    component = packed([JAVASCRIPT / "component/refrain-scheduler.wasm"])

    short_log, few = logged(work, "short", short_workflow())
    long_log, many = logged(work, "long", long_workflow())
    starts = in_turns(programs, short_log, STARTS)
    audits = in_turns(programs, long_log, LONG_RUNS)

    def per_second(name: str, of: str) -> str:
        return rate((many - few) / (getattr(audits[name], of) - getattr(starts[name], of)))

    rows = [
        ["", *programs],
        ["source", "", *(bytes_of(source) for source, _ in sources)],
        [
            "compressed",
            f"{bytes_of(binary[1])}, the whole program",
            f"{bytes_of(bundle[1])} minified",
            bytes_of(sources[1][1]),
        ],
        [
            f"start, and a log of {few} events",
            *(seconds(starts[name].wall) for name in programs),
        ],
        ["… processor time", *(seconds(starts[name].processor) for name in programs)],
        [f"events a second, of {many:,}", *(per_second(name, "wall") for name in programs)],
        ["… a second of processor time", *(per_second(name, "processor") for name in programs)],
        [f"memory, with {few} events", *(bytes_of(starts[name].memory) for name in programs)],
        [
            f"memory, with {many:,} events",
            *(bytes_of(audits[name].memory) for name in programs),
        ],
    ]
    table(rows)
    whole, small = map(bytes_of, component)
    print(f"\nThe scheduler component, which each brings: {whole}, compressed {small}.")
    print(f"The long log: {bytes_of(long_log.stat().st_size)}, {INSTANCES:,} instances a map.")
    print(f"{processor_name()}, {os.cpu_count()} cores; Node {node_version()}, Python")
    print(f"{platform.python_version()} with wasmtime {version('wasmtime')}.")


def node_version() -> str:
    said = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True)
    return said.stdout.strip()


def processor_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
