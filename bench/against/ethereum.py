"""eth-account and multiproof, as installed: digests, signatures, trees, and the checks of a whole round's receipts."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak
from multiproof.standard import StandardMerkleTree

from bench.against.serving import seconds_each, serve

ENCODING = ["uint64", "address", "uint128", "bytes32"]
_state: dict[str, Any] = {}


def prepare(path: str) -> None:
    """Read what is measured, so that reading is in no figure."""
    _state.update(json.loads(Path(path).read_text(encoding="utf-8")))


def digest(times: int) -> float:
    """Seconds of a core for the digest of `statement`, typed data as JSON has it."""
    statement = _state["statement"]
    return seconds_each(lambda: compute_digest(encode_typed_data(full_message=statement)), times, time.process_time)


def verify(times: int) -> float:
    """Seconds of a core to encode `statement` and recover who signed it."""
    signature, address = bytes.fromhex(_state["signature"][2:]), _state["address"]

    def once() -> None:
        signable = encode_typed_data(full_message=_state["statement"])
        if Account.recover_message(signable, signature=signature) != address:
            raise ValueError("expected the signer of the statement")

    return seconds_each(once, times, time.process_time)


def tree() -> list[Any]:
    """Seconds of a core for the tree of `leaves`, and its root."""
    leaves = [(int(seq), node, int(earned), bytes.fromhex(body[2:])) for seq, node, earned, body in _state["leaves"]]
    begun = time.process_time()
    built = StandardMerkleTree.of(leaves, ENCODING)
    return [time.process_time() - begun, str(built.root)]


def audit(folder: str) -> float:
    """Seconds of a core to check a round's receipts as our audit does; raises on the first lie."""
    files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    begun = time.process_time()
    Audit({name: json.loads(content) for name, content in files.items() if name.endswith(".json")}, files).run()
    return time.process_time() - begun


class Audit:
    """One round over its files; `context.json` says what the auditor knows: domain, types, parent, terms."""

    def __init__(self, documents: dict[str, Any], files: dict[str, bytes]) -> None:
        self.context = documents["context.json"]
        self.contributions = documents["contributions.json"]
        self.receipts = documents["receipts.json"]
        self.openings = documents["openings.json"]
        self.entries = documents["entries.json"]
        self.published = documents["tree.json"]
        self.header = documents["header.json"]
        self.manifest = documents["manifest.json"]
        self.files = files

    def run(self) -> None:
        """Contributions, receipts, openings, entries, tree, header and manifest."""
        digests = [self.check_contribution(item) for item in self.contributions]
        self.check_receipts(digests)
        self.check_openings()
        self.check_entries(digests)
        self.check_tree()
        self.check_signature("RoundHeader", self.header, self.context["coordinator"])
        for item in self.manifest["files"]:
            content = self.files[item["name"]]
            expect(item["sha256"], "0x" + hashlib.sha256(content).hexdigest())

    def check_signature(self, kind: str, signed: dict[str, Any], address: str) -> bytes:
        """Recovers the signer of a statement; returns the statement's digest."""
        signable = encode_typed_data(self.context["domain"], {kind: self.context["types"][kind]}, signed["statement"])
        signer = Account.recover_message(signable, signature=bytes.fromhex(signed["signature"][2:]))
        expect(address, signer)
        return compute_digest(signable)

    def check_contribution(self, item: dict[str, Any]) -> bytes:
        """Fields, report and signature."""
        statement = item["statement"]
        for name in ("job", "round", "parent", "baseModel"):
            expect(self.context[name], statement[name])
        report = json.dumps(item["report"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        expect(statement["report"], "0x" + hashlib.sha256(report.encode("utf-8")).hexdigest())
        return self.check_signature("Contribution", item, statement["node"])

    def check_receipts(self, digests: list[bytes]) -> None:
        """Sequence, accumulator, promise and signature."""
        accumulator = keccak(
            encode(["bytes32", "uint64", "bytes32"], [unhex(self.context["job"]), 1, unhex(self.context["parent"])])
        )
        for seq, (signed, item, digest_) in enumerate(zip(self.receipts, self.contributions, digests, strict=True)):
            statement = signed["statement"]
            got = [statement[name] for name in ("job", "round", "seq", "node", "contribution")]
            expect([self.context["job"], 1, seq, item["statement"]["node"], "0x" + digest_.hex()], got)
            accumulator = keccak(accumulator + digest_)
            expect("0x" + accumulator.hex(), statement["accumulator"])
            expect(True, self.context["least"] <= statement["anchorBy"] <= self.context["most"])
            self.check_signature("Receipt", signed, self.context["coordinator"])

    def check_openings(self) -> None:
        """Each opens its commitment."""
        type_hash = keccak(text="Opening(bytes32 payloadSha256,bytes32 vectorCommitment,bytes32 salt)")
        for opening, item in zip(self.openings, self.contributions, strict=True):
            words = [unhex(opening[name]) for name in ("payloadSha256", "vectorCommitment", "salt")]
            commitment = keccak(encode(["bytes32"] * 4, [type_hash, *words]))
            expect(item["statement"]["commitment"], "0x" + commitment.hex())

    def check_entries(self, digests: list[bytes]) -> None:
        """Contribution, signatures, carry, reward and running totals of a first round."""
        bodies = [entry["body"] for entry in self.entries]
        total_gain = sum(int(body["gain"]) for body in bodies)
        score = sum(int(body["score"]) for body in bodies)
        pot = min(self.context["budget"], self.context["price"] * score >> 40) if score > 0 else 0
        sums = [0, 0, 0, 0]
        for seq, (entry, digest_) in enumerate(zip(self.entries, digests, strict=True)):
            body, node = entry["body"], self.contributions[seq]["statement"]["node"]
            expect([seq, node, "0x" + digest_.hex()], [entry["seq"], entry["node"], body["contribution"]])
            both = self.contributions[seq]["signature"] + self.receipts[seq]["signature"][2:]
            expect(body["signatures"], "0x" + keccak(unhex(both)).hex())
            peak = max(0, int(body["score"]))
            expect([body["score"], str(peak), str(peak)], [body["credit"], body["peak"], body["gain"]])
            reward = pot * peak // total_gain if total_gain else 0
            expect([str(reward), str(reward)], [body["reward"], entry["earned"]])
            own = [body["weight"], int(body["score"]), peak, reward]
            sums = [one + more for one, more in zip(sums, own, strict=True)]
            names = ("runningWeight", "runningScore", "runningGain", "runningReward")
            expect(sums, [int(body[name]) for name in names])

    def check_tree(self) -> None:
        """Rebuilt from the entries and padded, it is the published one with the header's root."""
        leaves: list[Any] = [self.compute_leaf(entry) for entry in self.entries]
        size = 1 << (len(leaves) - 1).bit_length()
        leaves += [(seq, "0x" + "0" * 40, 0, bytes(32)) for seq in range(len(leaves), size)]
        built = StandardMerkleTree.of(leaves, ENCODING)
        expect(self.header["statement"]["entriesRoot"], built.root)
        expect(self.published["tree"], ["0x" + node.hex() for node in built.tree])

    def compute_leaf(self, entry: dict[str, Any]) -> tuple[int, str, int, bytes]:
        """The four fields of an entry's leaf."""
        members = self.context["types"]["Body"]
        values = [read_value(member["type"], entry["body"][member["name"]]) for member in members]
        kinds = ["bytes32", *(member["type"] for member in members)]
        body = keccak(encode(kinds, [unhex(self.context["bodyTypeHash"]), *values]))
        return entry["seq"], entry["node"], int(entry["earned"]), body


def compute_digest(signable: SignableMessage) -> bytes:
    """The 32 bytes that are signed."""
    return bytes(keccak(b"\x19" + signable.version + signable.header + signable.body))


def read_value(kind: str, value: Any) -> Any:
    """A JSON value as eth_abi takes it."""
    return unhex(value) if kind.startswith("bytes") else int(value)


def unhex(text: str) -> bytes:
    """Bytes of 0x hex."""
    return bytes.fromhex(text[2:])


def expect(expected: object, got: object) -> None:
    """Raises unless the two are equal."""
    if expected != got:
        raise ValueError(f"expected {expected}, got {got}")


if __name__ == "__main__":
    serve({"prepare": prepare, "digest": digest, "verify": verify, "tree": tree, "audit": audit})
