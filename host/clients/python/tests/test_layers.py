"""The modules stand in layers: each may use those that stand before it here."""

from __future__ import annotations

import ast
from pathlib import Path

import refrain

LAYERS = """
    words limits times ids json_text signing
    log.line log.fields log.compounds log.kinds log.event log.attestation log.export
    component.types component.capi component.lifting component.lowering component.values
    component.guest component.compiling component.instance
    contract
    orders.templates orders.literal orders.children orders.rules orders.awaited
    sentences explanations
    auditing.rule auditing.divergence auditing.missing auditing.verdict auditing.integrity
    auditing.anchors
    auditing.child_links auditing.fork_link auditing.family auditing.ports auditing.guests
    auditing.walk auditing.auditor
    travel.marks travel.queue travel.seek travel.ports travel.cursor
    report given cli
""".split()

FOLDER = Path(refrain.__file__).parent


def modules() -> dict[str, Path]:
    found = {}
    for path in FOLDER.rglob("*.py"):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        if not parts[-1].startswith("__"):
            found[".".join(parts)] = path
    return found


def used_by(name: str, path: Path) -> set[str]:
    """The modules of the package that a module imports."""
    known = modules()
    package = name.split(".")[:-1]
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or node.level == 0:
            continue
        above = package[: len(package) - node.level + 1]
        base = [*above, *(node.module.split(".") if node.module else [])]
        for alias in node.names:
            inner = ".".join([*base, alias.name])
            used.add(inner if inner in known else ".".join(base))
    return used


def test_each_module_has_its_layer() -> None:
    assert sorted(LAYERS) == sorted(modules())


def test_each_module_uses_those_below_it_only() -> None:
    for name, path in modules().items():
        below = LAYERS[: LAYERS.index(name)]
        above = used_by(name, path) - set(below)
        assert not above, f"{name} uses {above}"


def test_no_module_is_longer_than_a_person_reads_at_once() -> None:
    for name, path in modules().items():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 400, f"{name} has {lines} lines"
