"""The types of the component model, as far as the contract uses them.

A component's own types are read once and kept as plain values: two components speak the
same contract exactly if these are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import wasmtime
from wasmtime import component as wasm


@dataclass(frozen=True)
class Scalar:
    """A flag, a number or a text."""

    name: str


@dataclass(frozen=True)
class ListOf:
    element: Type


@dataclass(frozen=True)
class Record:
    fields: tuple[tuple[str, Type], ...]


@dataclass(frozen=True)
class Variant:
    cases: tuple[tuple[str, Type | None], ...]


@dataclass(frozen=True)
class Enum:
    names: tuple[str, ...]


@dataclass(frozen=True)
class Option:
    payload: Type


@dataclass(frozen=True)
class Result:
    ok: Type | None
    err: Type | None


Type = Scalar | ListOf | Record | Variant | Enum | Option | Result


@dataclass(frozen=True)
class Signature:
    """What a function takes and answers. `result` is `None` if it answers nothing."""

    params: tuple[Type, ...]
    result: Type | None


#: The functions of each interface that a component imports or exports.
Interfaces = dict[str, dict[str, Signature]]


class OtherType(Exception):
    """A type that the contract has nowhere."""


_SCALARS: dict[type, Scalar] = {
    wasm.Bool: Scalar("bool"),
    wasm.U8: Scalar("u8"),
    wasm.U32: Scalar("u32"),
    wasm.U64: Scalar("u64"),
    wasm.String: Scalar("string"),
}


def read_type(found: wasm.ValType) -> Type:
    """The type as a plain value.

    Raises `OtherType` for one that the contract has nowhere.
    """
    scalar = _SCALARS.get(type(found))
    if scalar is not None:
        return scalar
    if isinstance(found, wasm.ListType):
        return ListOf(read_type(found.element))
    if isinstance(found, wasm.RecordType):
        return Record(tuple((name, read_type(of)) for name, of in found.fields))
    if isinstance(found, wasm.VariantType):
        return Variant(tuple((name, _optional(of)) for name, of in found.cases))
    if isinstance(found, wasm.EnumType):
        return Enum(tuple(found.names))
    if isinstance(found, wasm.OptionType):
        return Option(read_type(found.payload))
    if isinstance(found, wasm.ResultType):
        return Result(_optional(found.ok), _optional(found.err))
    raise OtherType(f"the contract has no {type(found).__name__}")


def _optional(found: wasm.ValType | None) -> Type | None:
    return None if found is None else read_type(found)


class _HasType(Protocol):
    @property
    def ty(self) -> object: ...


def read_interfaces(engine: wasmtime.Engine, externs: Mapping[str, _HasType]) -> Interfaces:
    """The functions of each of these interfaces. What is no interface has none."""
    interfaces: Interfaces = {}
    for name, extern in externs.items():
        item = extern.ty
        functions: dict[str, Signature] = {}
        if isinstance(item, wasm.ComponentInstanceType):
            for function, of in item.exports(engine).items():
                signature = of.ty
                if isinstance(signature, wasm.FuncType):
                    functions[function] = _signature(signature)
        interfaces[name] = functions
    return interfaces


def _signature(found: wasm.FuncType) -> Signature:
    params = tuple(read_type(of) for _, of in found.params)
    return Signature(params, _optional(found.result))
