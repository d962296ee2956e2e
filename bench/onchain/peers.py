"""The peers' schemes, from the compiled contracts that they publish on npm: same nodes, same token, same sizes."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.onchain.scheme import TOKEN, Claimants, Scheme, name_payout, sign_as
from bench.onchain.stand import Contract, Stand
from bench.onchain.trees import PromotedTree, StandardTree
from ledger.hashing import keccak256

IPFS_HASH = "Qm{:x<44}"
"""As long as what UMA keeps with each window."""


class Uniswap:
    """`@uniswap/merkle-distributor`: a round is a contract of its own, funded by a transfer; each claims it once."""

    def __init__(self, stand: Stand, claimants: Claimants, modules: Path) -> None:
        """Reads the contract below `modules` (a node_modules folder) and builds the tree."""
        artifact = json.loads((modules / "@uniswap/merkle-distributor/build/MerkleDistributor.json").read_bytes())
        self._contract = Contract.read("MerkleDistributor", artifact["abi"], artifact["bytecode"])
        self._stand = stand
        self._count = claimants.count
        self._leaves = [_hash(_word(seq), name_payout(seq), _word(_amount(seq))) for seq in range(self._count)]
        self._tree = PromotedTree(self._leaves)
        self._rounds: dict[int, bytes] = {}

    def anchor(self, place: int) -> int:
        """The contract's creation and the transfer that funds it."""
        self._rounds[place], creation = self._stand.holder.create(self._contract, self._stand.token, self._tree.root)
        funds = self._stand.gateway.calls.transfer(self._rounds[place], 2 * self._count * TOKEN)
        return creation + self._stand.holder.spend(funds)

    def claim(self, place: int, seq: int) -> int:
        """`claim`, sent by anyone."""
        arguments = (seq, name_payout(seq), _amount(seq), self._tree.proof(self._leaves[seq]))
        return self._stand.stranger.spend(self._contract.call(self._rounds[place], "claim", *arguments))

    def claim_many(self, place: int, seqs: Sequence[int]) -> None:
        """It has no such function."""


class Uma:
    """`@uma/core`'s MerkleDistributor: a round is a window of one contract; each claims it once."""

    def __init__(self, stand: Stand, claimants: Claimants, modules: Path) -> None:
        """Deploys the contract found below `modules` (a node_modules folder) and builds the tree."""
        folder = modules / "@uma/core/artifacts/contracts/merkle-distributor/implementation/MerkleDistributor.sol"
        artifact = json.loads((folder / "MerkleDistributor.json").read_bytes())
        self._contract = Contract.read("MerkleDistributor", artifact["abi"], artifact["bytecode"])
        self._stand = stand
        self._deposit = 2 * claimants.count * TOKEN
        self._leaves = [_hash(name_payout(seq), _word(_amount(seq)), _word(seq)) for seq in range(claimants.count)]
        self._tree = PromotedTree(self._leaves)
        self._address, _ = stand.holder.create(self._contract)
        stand.holder.spend(stand.gateway.calls.approve(self._address, 2 * self._deposit))

    def anchor(self, place: int) -> int:
        """`setWindow`, which takes the round's tokens; the allowance was given before. Windows count from 0."""
        arguments = (self._deposit, self._stand.token, self._tree.root, IPFS_HASH.format(place))
        return self._stand.holder.spend(self._contract.call(self._address, "setWindow", *arguments))

    def claim(self, place: int, seq: int) -> int:
        """`claim`, sent by anyone."""
        return self._stand.stranger.spend(self._contract.call(self._address, "claim", self._make_item(place, seq)))

    def claim_many(self, place: int, seqs: Sequence[int]) -> int:
        """`claimMulti`, sent by anyone; one bad item fails them all."""
        items = [self._make_item(place, seq) for seq in seqs]
        return self._stand.stranger.spend(self._contract.call(self._address, "claimMulti", items))

    def _make_item(self, window: int, seq: int) -> tuple[object, ...]:
        return window, _amount(seq), seq, name_payout(seq), self._tree.proof(self._leaves[seq])


class Symbiotic:
    """`@symbioticfi/rewards`' DefaultOperatorRewards: what is earned adds up, as with us; each claims for itself."""

    def __init__(self, stand: Stand, claimants: Claimants, modules: Path) -> None:
        """Deploys the contracts found below `modules` as their factory does, and builds both rounds' trees."""
        self._out = modules / "@symbioticfi/rewards/out"
        self._stand = stand
        self._claimants = claimants
        self._rewards = self._read("DefaultOperatorRewards")
        self._address = self._deploy()
        self._parties = {seq: stand.meet(sign_as(seq)) for seq in claimants.ten}
        nodes = [claimants.name_node(seq) for seq in range(claimants.count)]
        self._leaves = [
            [_hash_twice(node, self._earned(place, seq)) for seq, node in enumerate(nodes)] for place in (0, 1)
        ]
        self._trees = [StandardTree(leaves) for leaves in self._leaves]
        stand.holder.spend(stand.gateway.calls.approve(self._address, 4 * claimants.count * TOKEN))

    def anchor(self, place: int) -> int:
        """`distributeRewards`, which takes the round's tokens; the allowance was given before."""
        holder, amount = self._stand.holder, 2 * self._claimants.count * TOKEN
        arguments = (holder.address, self._stand.token, amount, self._trees[place].root)
        return holder.spend(self._rewards.call(self._address, "distributeRewards", *arguments))

    def claim(self, place: int, seq: int) -> int:
        """`claimRewards`, sent by the node to its payout address."""
        network, token = self._stand.holder.address, self._stand.token
        proof = self._trees[place].proof(self._leaves[place][seq])
        arguments = (name_payout(seq), network, token, self._earned(place, seq), proof)
        return self._parties[seq].spend(self._rewards.call(self._address, "claimRewards", *arguments))

    def claim_many(self, place: int, seqs: Sequence[int]) -> None:
        """It has no such function."""

    def _deploy(self) -> bytes:
        names = ("NetworkRegistry", "NetworkMiddlewareService", "DefaultOperatorRewardsFactory")
        registry, service, factory = (self._read(name) for name in names)
        holder = self._stand.holder
        registry_at, _ = holder.create(registry)
        service_at, _ = holder.create(service, registry_at)
        implementation, _ = holder.create(self._rewards, service_at)
        factory_at, _ = holder.create(factory, implementation)
        holder.spend(registry.call(registry_at, "registerNetwork"))
        holder.spend(service.call(service_at, "setMiddleware", holder.address))
        holder.spend(factory.call(factory_at, "create"))
        (address,) = self._stand.ask(factory.interface, factory_at, "entity", 0)
        holder.spend(self._rewards.call(address, "initialize"))
        return bytes(address)

    def _read(self, name: str) -> Contract:
        artifact = json.loads((self._out / f"{name}.sol" / f"{name}.json").read_bytes())
        return Contract.read(name, artifact["abi"], artifact["bytecode"]["object"])

    def _earned(self, place: int, seq: int) -> int:
        return (place + 1) * _amount(seq)


PEERS: Mapping[str, Callable[[Stand, Claimants, Path], Scheme]] = {
    "@uniswap/merkle-distributor": Uniswap,
    "@uma/core": Uma,
    "@symbioticfi/rewards": Symbiotic,
}

CUMULATIVE = frozenset({"@symbioticfi/rewards"})
"""Whose claims draw all rounds so far."""


def _amount(seq: int) -> int:
    """Base units: from one to two tokens, another for every node, as our rewards are."""
    return TOKEN + int.from_bytes(keccak256(b"amount %d" % seq)[:7], "big")


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _hash(*parts: bytes) -> bytes:
    """keccak256(abi.encodePacked(…))."""
    return keccak256(b"".join(parts))


def _hash_twice(node: bytes, earned: int) -> bytes:
    """The leaf of an OpenZeppelin standard tree of (address, uint256)."""
    return keccak256(keccak256(bytes(12) + node + _word(earned)))
