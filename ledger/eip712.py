"""EIP-712 digests of typed structs: precomputed type hashes, packed words, exact types and widths or an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct as Layout
from typing import Any, Final

from ledger.errors import MalformedStatement
from ledger.hashing import keccak256
from ledger.words import WORDS, Word

_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
# The exact type of a value by how its word limits it; a word without limits fits no value and is checked by itself.
_LIMITED: Final[Mapping[type, type]] = {tuple: int, int: bytes}
_ARRAY: Final = re.compile(r"(?P<item>.+)\[(?P<length>|[1-9][0-9]*)\]")


class StructType:
    """A struct type with everything a digest needs that its values do not change.

    `members` are (Solidity type, name) in order; `structs` are the struct types that members name. Types are written
    out in full: `uint256`, never `uint`.

    Raises:
        MalformedStatement: when a name is no identifier or comes twice, or a type is unknown.
    """

    __slots__ = (
        "_encoders",
        "_layout",
        "_lengths",
        "_ranges",
        "_subjects",
        "_types",
        "_words",
        "members",
        "name",
        "own_string",
        "referenced",
        "type_hash",
        "type_string",
    )

    def __init__(self, name: str, members: Sequence[tuple[str, str]], structs: Sequence[StructType] = ()) -> None:
        self.name = name
        self.members = tuple(members)
        _check_names(name, [member for _, member in self.members])
        known = {struct.name: struct for struct in structs}
        self.referenced = _collect(name, structs)
        self._words = tuple(_read_type(kind, known, f"{name}.{member}") for kind, member in self.members)
        self._subjects = tuple(f"{name}.{member}" for _, member in self.members)
        self._encoders = tuple((at, word.encode) for at, word in enumerate(self._words) if word.encode is not None)
        self._ranges = [(at, *word.limits) for at, word in enumerate(self._words) if isinstance(word.limits, tuple)]
        self._lengths = [(at, word.limits) for at, word in enumerate(self._words) if isinstance(word.limits, int)]
        self._types = tuple(_LIMITED.get(type(word.limits)) for word in self._words)
        self._layout = Layout(">32s" + "".join(word.pack_format for word in self._words))
        self.own_string = f"{name}({','.join(f'{kind} {member}' for kind, member in self.members)})"
        self.type_string = self.own_string + "".join(self.referenced[key].own_string for key in sorted(self.referenced))
        self.type_hash = keccak256(self.type_string.encode("ascii"))

    def __repr__(self) -> str:
        return f"StructType({self.type_string!r})"

    def check(self, values: Sequence[Any]) -> None:
        """Checks `values`, in the order of the members, for exact type and width.

        Raises:
            MalformedStatement: naming the first member that is not what its type says.
        """
        if self._fits(values):
            return
        if len(values) != len(self._words):
            raise MalformedStatement(self.name, f"{len(self._words)} values", len(values))
        for word, value, subject in zip(self._words, values, self._subjects, strict=True):
            word.check(value, subject)

    def _fits(self, values: Sequence[Any]) -> bool:
        """Whether all values are within their words' limits: the common answer, in a fraction of the time."""
        if tuple(map(type, values)) != self._types:
            return False
        for at, low, high in self._ranges:
            if not low <= values[at] < high:
                return False
        for at, length in self._lengths:  # noqa: SIM110 -- a generator costs more than the whole loop
            if len(values[at]) != length:
                return False
        return True

    def hash(self, values: Sequence[Any] | Mapping[str, Any]) -> bytes:
        """Returns `hashStruct` of `values`, by member order or by exactly the members' names.

        Raises:
            MalformedStatement: as `check` does.
        """
        ordered = self.order(values, self.name)
        self.check(ordered)
        return self.hash_checked(ordered)

    def hash_checked(self, values: Sequence[Any]) -> bytes:
        """Returns `hashStruct` of values that `check` has passed; of others it may be the hash of something else."""
        if self._encoders:
            encoded = list(values)
            for at, encode in self._encoders:
                encoded[at] = encode(encoded[at])
            return keccak256(self._layout.pack(self.type_hash, *encoded))
        return keccak256(self._layout.pack(self.type_hash, *values))

    def order(self, values: object, subject: str) -> Sequence[Any]:
        """Returns the values in the order of the members; a mapping must have exactly their names as keys."""
        if type(values) is tuple or type(values) is list:
            return values
        if not isinstance(values, Mapping):
            raise MalformedStatement(subject, f"{self.name}: a sequence or a mapping", values)
        names = [name for _, name in self.members]
        if len(values) != len(names) or any(name not in values for name in names):
            raise MalformedStatement(subject, f"exactly the members {', '.join(names)}", sorted(map(str, values)))
        return [values[name] for name in names]


@dataclass(frozen=True, slots=True)
class Domain:
    """An EIP-712 domain; members that are None are not part of its type.

    `verifying_contract` is 20 bytes, `salt` 32. `separator` is computed once.
    """

    name: str | None = None
    version: str | None = None
    chain_id: int | None = None
    verifying_contract: bytes | None = None
    salt: bytes | None = None
    separator: bytes = field(init=False, repr=False, compare=False)
    prefix: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        present = [
            (kind, name, value)
            for kind, name, value in (
                ("string", "name", self.name),
                ("string", "version", self.version),
                ("uint256", "chainId", self.chain_id),
                ("address", "verifyingContract", self.verifying_contract),
                ("bytes32", "salt", self.salt),
            )
            if value is not None
        ]
        domain_type = StructType("EIP712Domain", [(kind, name) for kind, name, _ in present])
        separator = domain_type.hash([value for _, _, value in present])
        object.__setattr__(self, "separator", separator)
        object.__setattr__(self, "prefix", b"\x19\x01" + separator)


def compute_domain(chain_id: int, verifying_contract: bytes) -> Domain:
    """Returns Tallystick's domain for one chain and contract (JobLedger; NodeRegistry for registrations)."""
    # A None would silently leave the member out of the type, and the signature would hold on every chain.
    WORDS["uint256"].check(chain_id, "Domain.chainId")
    WORDS["address"].check(verifying_contract, "Domain.verifyingContract")
    return Domain("Tallystick", "1", chain_id, verifying_contract)


def compute_digest(domain: Domain, struct_hash: bytes) -> bytes:
    """Returns the 32 bytes that are signed: keccak256(0x1901 ‖ separator ‖ struct_hash)."""
    if type(struct_hash) is not bytes or len(struct_hash) != 32:
        raise MalformedStatement("structHash", "bytes of length 32", struct_hash)
    return keccak256(domain.prefix + struct_hash)


def parse_types(types: Mapping[str, Sequence[Mapping[str, str]]], primary: str) -> StructType:
    """Reads the `types` object of `eth_signTypedData` and returns its primary type.

    Raises:
        MalformedStatement: when a type is missing, never used, or contains itself, or a member has other keys than
            `name` and `type`; `EIP712Domain` may stand beside the others.
    """
    built: dict[str, StructType] = {}
    struct = _build_struct(types, primary, built, ())
    unused = set(types) - set(built) - {"EIP712Domain"}
    if unused:
        raise MalformedStatement("types", f"only types that {primary} uses", ", ".join(sorted(unused)))
    return struct


def _build_struct(
    types: Mapping[str, Sequence[Mapping[str, str]]], name: str, built: dict[str, StructType], path: tuple[str, ...]
) -> StructType:
    if name in path:
        raise MalformedStatement("types", "types that do not contain themselves", " > ".join((*path, name)))
    if name not in types:
        raise MalformedStatement("types", f"a definition of {name}", ", ".join(sorted(types)))
    if name not in built:
        members = []
        for member in types[name]:
            if set(member) != {"name", "type"}:
                raise MalformedStatement(f"types.{name}", "members with the keys name and type", sorted(member))
            members.append((member["type"], member["name"]))
        inner = sorted({kind.split("[", 1)[0] for kind, _ in members} - set(WORDS))
        built[name] = StructType(name, members, [_build_struct(types, other, built, (*path, name)) for other in inner])
    return built[name]


def _collect(name: str, structs: Sequence[StructType]) -> Mapping[str, StructType]:
    """Returns every struct type that `structs` are or refer to, by name."""
    found: dict[str, StructType] = {}
    for struct in (referenced for direct in structs for referenced in (direct, *direct.referenced.values())):
        if struct.name == name or found.setdefault(struct.name, struct).type_string != struct.type_string:
            raise MalformedStatement(name, f"one definition of {struct.name}", struct.type_string)
    return found


def _check_names(name: str, members: list[str]) -> None:
    for identifier in (name, *members):
        if _IDENTIFIER.fullmatch(identifier) is None:
            raise MalformedStatement("types", "an identifier", identifier)
    if name in WORDS:
        raise MalformedStatement("types", "a struct name that is not an atomic type", name)
    if len(set(members)) != len(members):
        raise MalformedStatement(name, "each member once", members)


def _read_type(kind: str, structs: Mapping[str, StructType], subject: str) -> Word:
    """Returns the word of an atomic type, an array (of arrays …) or one of `structs`."""
    if kind in WORDS:
        return WORDS[kind]
    if kind in structs:
        return _struct_word(structs[kind])
    array = _ARRAY.fullmatch(kind)
    if array is None:
        raise MalformedStatement(
            subject, "a type such as uint64, bytes32, address, string, T[], T[4] or a struct", kind
        )
    length = int(array["length"]) if array["length"] else None
    return _array_word(kind, _read_type(array["item"], structs, subject), length)


def _struct_word(struct: StructType) -> Word:
    def check(value: object, subject: str) -> None:
        struct.check(struct.order(value, subject))

    return Word(struct.name, "32s", check, lambda value: struct.hash_checked(struct.order(value, struct.name)))


def _array_word(kind: str, item: Word, length: int | None) -> Word:
    layout = Layout(">" + item.pack_format)
    encode_item = item.encode

    def check(value: object, subject: str) -> None:
        if (type(value) is not list and type(value) is not tuple) or length not in (None, len(value)):
            raise MalformedStatement(subject, f"{kind}: a list or tuple of that length", value)
        for at, element in enumerate(value):
            item.check(element, f"{subject}[{at}]")

    def encode(value: Sequence[Any]) -> bytes:
        elements = value if encode_item is None else map(encode_item, value)
        return keccak256(b"".join(layout.pack(element) for element in elements))

    return Word(kind, "32s", check, encode)
