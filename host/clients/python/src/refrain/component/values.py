"""Values on their way between Python and a guest.

wasmtime's own Python values ask for their types anew at each call, and hand over
results without saying which case they are. So values are read and written here by the C
interface of wasmtime, whose structures are described once; the codec of a type is made
once. What is read is plain:

- a record is a dict, with `_` for `-` in the names of its fields;
- a case of a variant is a pair of its name (`_` for `-`) and its payload;
- a value of an enum is its name (`_` for `-`);
- an option is its value or `None`;
- a result is a pair of whether it is good and its payload.

A number that does not fit its type is refused; wasmtime would cut it off silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import lifting, lowering
from .capi import VALUE_BYTES, string_at
from .lifting import Lift
from .lowering import Lower
from .types import Enum, ListOf, Option, Record, Scalar, Signature, Type, Variant


def snake(name: str) -> str:
    """A name of the contract, as a name of Python."""
    return name.replace("-", "_")


class Codecs:
    """The codecs of types, each made once.

    `special` has, for some types, what is made of a value when it is read, and what a
    value is made of when it is written.
    """

    def __init__(
        self,
        special: Mapping[Type, tuple[Callable[[Any], Any], Callable[[Any], Any]]],
    ) -> None:
        self._special = special
        self._lifts: dict[Type, Lift] = {}
        self._lowers: dict[Type, Lower] = {}

    def params(self, signature: Signature) -> Callable[[int], list[Any]]:
        """Reads the arguments of a function, which stand at an address."""
        lifts = [self.lift(of) for of in signature.params]
        places = range(0, VALUE_BYTES * len(lifts), VALUE_BYTES)
        size = VALUE_BYTES * len(lifts)

        def read(address: int) -> list[Any]:
            block = string_at(address, size)
            return [lift(block, place) for lift, place in zip(lifts, places)]

        return read

    def lift(self, of: Type) -> Lift:
        found = self._lifts.get(of)
        if found is None:
            found = self._made_lift(of)
            special = self._special.get(of)
            if special is not None:
                found = _then(found, special[0])
            self._lifts[of] = found
        return found

    def lower(self, of: Type) -> Lower:
        found = self._lowers.get(of)
        if found is None:
            found = self._made_lower(of)
            special = self._special.get(of)
            if special is not None:
                found = _before(found, special[1])
            self._lowers[of] = found
        return found

    def _made_lift(self, of: Type) -> Lift:
        if isinstance(of, Scalar):
            return lifting.SCALARS[of.name]
        if isinstance(of, ListOf):
            return lifting.list_of(self.lift(of.element))
        if isinstance(of, Record):
            return lifting.record([(snake(name), self.lift(it)) for name, it in of.fields])
        if isinstance(of, Variant):
            return lifting.variant(
                {
                    name.encode(): (snake(name), None if it is None else self.lift(it))
                    for name, it in of.cases
                }
            )
        if isinstance(of, Enum):
            return lifting.enum({name.encode(): snake(name) for name in of.names})
        if isinstance(of, Option):
            return lifting.option(self.lift(of.payload))
        return lifting.result(
            None if of.ok is None else self.lift(of.ok),
            None if of.err is None else self.lift(of.err),
        )

    def _made_lower(self, of: Type) -> Lower:
        if isinstance(of, Scalar):
            return lowering.SCALARS[of.name]
        if isinstance(of, ListOf):
            if of.element == Scalar("u8"):
                return lowering.bytes_
            return lowering.list_of(self.lower(of.element))
        if isinstance(of, Record):
            return lowering.record(
                [(name.encode(), snake(name), self.lower(it)) for name, it in of.fields]
            )
        if isinstance(of, Variant):
            return lowering.variant(
                {
                    snake(name): (name.encode(), None if it is None else self.lower(it))
                    for name, it in of.cases
                }
            )
        if isinstance(of, Enum):
            return lowering.enum({snake(name): name.encode() for name in of.names})
        if isinstance(of, Option):
            return lowering.option(self.lower(of.payload))
        return lowering.result(
            None if of.ok is None else self.lower(of.ok),
            None if of.err is None else self.lower(of.err),
        )


def _then(lift: Lift, made: Callable[[Any], Any]) -> Lift:
    return lambda block, place: made(lift(block, place))


def _before(lower: Lower, made: Callable[[Any], Any]) -> Lower:
    return lambda value: lower(made(value))
