"""What the same costs with contracts of others: each with a tree made by its own rules, two rounds, the same nodes.

Only their published compiled contracts are used; `bench/peers/gas` brings them from npm. All pay in the same token.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from bench.gas_stand import TOKEN, Claimants, Contract, Costs, Party, Stand, name_node, name_payout
from contracts.transactions import compute_create_address
from ledger.hashing import keccak256

MODULES = Path(__file__).parent / "peers" / "gas" / "node_modules"
DOCUMENT = "Qm" + "TallystickBenchDocument".ljust(44, "x")
"""As long as the IPFS hash that UMA keeps with each window."""


def measure_uniswap(stand: Stand, count: int) -> Costs:
    """Returns gas of `@uniswap/merkle-distributor`: a round is a contract of its own, and nothing adds up."""
    artifact = _read("@uniswap/merkle-distributor/build/MerkleDistributor.json")
    contract = Contract.read("MerkleDistributor", artifact["abi"], artifact["bytecode"])
    claimants = Claimants.among(count)
    costs: Costs = {}
    leaves = [keccak256(_word(seq) + name_payout(seq) + _word(_amount(seq))) for seq in range(count)]
    tree = SortedTree(leaves)

    def claim(address: bytes, seq: int) -> int:
        call = contract.call(address, "claim", seq, name_payout(seq), _amount(seq), tree.proof(leaves[seq]))
        return stand.stranger.spend(call)

    with stand.undone():
        for time in ("first", "later"):
            address, gas = stand.holder.create(contract, stand.token, tree.root)
            gas += stand.holder.spend(stand.gateway.calls.transfer(address, count * 2 * TOKEN))
            costs[f"anchor, {time} round"] = gas
            kind = "first" if time == "first" else "repeat"
            costs[f"claim, {kind}"] = max(claim(address, seq) for seq in claimants.singles)
    return costs


def measure_uma(stand: Stand, count: int) -> Costs:
    """Returns gas of `@uma/core`'s MerkleDistributor: a round is a window, claimed once by each, many at a time."""
    artifact = _read(
        "@uma/core/artifacts/contracts/merkle-distributor/implementation/MerkleDistributor.sol/MerkleDistributor.json"
    )
    contract = Contract.read("MerkleDistributor", artifact["abi"], artifact["bytecode"])
    claimants = Claimants.among(count)
    costs: Costs = {}
    leaves = [keccak256(name_payout(seq) + _word(_amount(seq)) + _word(seq)) for seq in range(count)]
    tree = SortedTree(leaves)

    def item(window: int, seq: int) -> tuple[object, ...]:
        return window, _amount(seq), seq, name_payout(seq), tree.proof(leaves[seq])

    def claim(window: int, seq: int) -> int:
        return stand.stranger.spend(contract.call(address, "claim", item(window, seq)))

    def claim_ten(window: int) -> int:
        items = [item(window, seq) for seq in claimants.ten]
        return stand.stranger.spend(contract.call(address, "claimMulti", items))

    with stand.undone():
        address, _ = stand.holder.create(contract)
        amount = count * 2 * TOKEN
        stand.holder.spend(stand.gateway.calls.approve(address, 2 * amount))
        for time in ("first", "later"):
            window = contract.call(address, "setWindow", amount, stand.token, tree.root, DOCUMENT)
            costs[f"anchor, {time} round"] = stand.holder.spend(window)
        for singly in (True, False):
            with stand.undone():
                for window_number, kind in enumerate(("first", "repeat")):
                    if singly:
                        costs[f"claim, {kind}"] = max(claim(window_number, seq) for seq in claimants.singles)
                    else:
                        costs[f"ten claims, {kind}"] = claim_ten(window_number)
    return costs


def measure_symbiotic(stand: Stand, count: int) -> Costs:
    """Returns gas of `@symbioticfi/rewards`' DefaultOperatorRewards: what is earned adds up, the node itself claims."""
    network, service, rewards, factory = (
        _read_symbiotic(name)
        for name in (
            "NetworkRegistry",
            "NetworkMiddlewareService",
            "DefaultOperatorRewards",
            "DefaultOperatorRewardsFactory",
        )
    )
    claimants = Claimants.among(count)
    costs: Costs = {}
    nodes = {seq: stand.meet(name_node(seq)) for seq in claimants.ten}
    holder = stand.holder

    with stand.undone():
        network_at, _ = holder.create(network)
        service_at, _ = holder.create(service, network_at)
        rewards_at, _ = holder.create(rewards, service_at)
        factory_at, _ = holder.create(factory, rewards_at)
        holder.spend(network.call(network_at, "registerNetwork"))
        holder.spend(service.call(service_at, "setMiddleware", holder.address))
        address = compute_create_address(factory_at, 1)
        holder.spend(factory.call(factory_at, "create"))
    return costs


class SortedTree:
    """The tree of Uniswap's and UMA's scripts: leaves sorted by hash, pairs sorted, an odd node out goes up as it is."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [sorted(leaves)]
        self._places = {leaf: place for place, leaf in enumerate(self._levels[0])}
        while len(self._levels[-1]) > 1:
            self._levels.append(_pair_up(self._levels[-1]))

    @property
    def root(self) -> bytes:
        return self._levels[-1][0]

    def proof(self, leaf: bytes) -> list[bytes]:
        """Returns the siblings from the leaf up."""
        place, proof = self._places[leaf], []
        for level in self._levels[:-1]:
            if place ^ 1 < len(level):
                proof.append(level[place ^ 1])
            place >>= 1
        return proof


class StandardTree:
    """The tree of `@openzeppelin/merkle-tree`: leaves sorted by hash from the end of a heap, pairs sorted."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        order = sorted(leaves)
        self._nodes = [b""] * (len(order) - 1) + order[::-1]
        self._places = {leaf: len(self._nodes) - 1 - place for place, leaf in enumerate(order)}
        for place in range(len(order) - 2, -1, -1):
            self._nodes[place] = _hash_pair(self._nodes[2 * place + 1], self._nodes[2 * place + 2])

    @property
    def root(self) -> bytes:
        return self._nodes[0]

    def proof(self, leaf: bytes) -> list[bytes]:
        """Returns the siblings from the leaf up."""
        place, proof = self._places[leaf], []
        while place > 0:
            proof.append(self._nodes[place + 1 if place % 2 else place - 1])
            place = (place - 1) // 2
        return proof
