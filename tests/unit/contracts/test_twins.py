"""Python's twins of Solidity's structs and events have their members, by name and type."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from contracts.artifacts import NAMES, load_artifact, load_interfaces
from contracts.calls import Calls
from contracts.challenges import _CHALLENGES, CourtCalls
from contracts.events import RENAMED, STRUCTS, Event
from contracts.logs import KINDS, SOURCES
from contracts.state import AccountState, DemandState, JobState, NodeState, RoundState
from ledger.faults.faults import FaultKind
from ledger.structs import TypedStruct, to_snake

TYPES: dict[str, type] = {"bytes32": bytes, "bytes": bytes, "address": bytes, "bool": bool}


def name_members(members: list[Mapping[str, Any]]) -> dict[str, type]:
    return {RENAMED.get(m["name"], to_snake(m["name"]).rstrip("_")): find_type(m) for m in members}


def find_type(member: Mapping[str, Any]) -> type:
    if member["type"] == "tuple":
        # The court's exhibits are read by name where they are used.
        return STRUCTS.get(member["name"], tuple[Any, ...])
    return TYPES.get(member["type"], int)


@pytest.mark.parametrize(
    ("contract", "function", "twin"),
    [
        ("JobLedger", "jobOf", JobState),
        ("JobLedger", "roundOf", RoundState),
        ("JobLedger", "accountOf", AccountState),
        ("NodeRegistry", "nodeOf", NodeState),
        ("ChallengeCourt", "demandOf", DemandState),
    ],
)
def test_state_is_the_twin_of_its_struct(contract: str, function: str, twin: type) -> None:
    (output,) = load_artifact(contract).interface.functions[function]["outputs"]
    members = name_members(output["components"])
    hints = get_type_hints(twin)
    assert hints == members


@pytest.mark.parametrize("contract", SOURCES)
def test_every_event_of_our_contracts_has_its_twin(contract: str) -> None:
    for fragment in load_artifact(contract).interface.events.values():
        if fragment["name"] == "EIP712DomainChanged":
            continue
        twin = KINDS[fragment["name"]]
        hints = {name: kind for name, kind in get_type_hints(twin).items() if name != "place"}
        assert hints == name_members(fragment["inputs"]), fragment["name"]


def test_every_twin_has_its_event() -> None:
    known = {f["name"] for name in SOURCES for f in load_artifact(name).interface.events.values()}
    assert set(KINDS) <= known
    assert all(issubclass(kind, Event) for kind in KINDS.values())


@pytest.mark.parametrize(("function", "position"), [("openJob", 0), ("postRound", 0), ("register", 0)])
def test_statement_has_the_words_of_its_struct_in_order(function: str, position: int) -> None:
    contract = "NodeRegistry" if function == "register" else "JobLedger"
    (struct,) = [load_artifact(contract).interface.functions[function]["inputs"][position]]
    twin = {"openJob": "Terms", "postRound": "RoundHeader", "register": "Registration"}[function]
    statement = next(cls for cls in _list_statements() if cls.__name__ == twin)
    assert [field.name for field in fields(statement)] == [to_snake(m["name"]) for m in struct["components"]]


def _list_statements() -> list[type[TypedStruct]]:
    found = list(TypedStruct.__subclasses__())
    return found + [inner for cls in found for inner in cls.__subclasses__()]


def test_every_kind_of_fault_has_a_function_of_the_court() -> None:
    interface = load_artifact("ChallengeCourt").interface
    shown = {function for function, _ in _CHALLENGES.values()}
    assert set(_CHALLENGES) == set(FaultKind)
    assert shown | {"challengeNode"} == {name for name in interface.functions if name.startswith("challenge")}


def test_no_function_that_we_call_is_overloaded() -> None:
    for name in NAMES:
        names = [f["name"] for f in load_interfaces()[name].fragments if f["type"] == "function"]
        assert len(names) == len(set(names))


def test_calls_name_functions_that_exist() -> None:
    # `challenge` chooses among the court's functions by the kind of fault.
    public = [name for calls in (Calls, CourtCalls) for name in vars(calls) if not name.startswith("_")]
    public.remove("challenge")
    known = {to_snake(f) for name in NAMES for f in load_interfaces()[name].functions}
    assert set(public) <= known
