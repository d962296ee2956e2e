"""Ethereum's own tries: our builder has the same roots, and our verifier finds every key under them and no other."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ledger.hashing import keccak256
from ledger.trie import TrieProof
from tests.simulated.trie import Trie
from tests.vectors import outside

pytestmark = outside.absent

FILES = ("trieanyorder", "trieanyorder_secureTrie", "trietest", "trietest_secureTrie", "hex_encoded_securetrie_test")


class Case(NamedTuple):
    name: str
    pairs: dict[bytes, bytes]
    root: bytes


def read(text: str) -> bytes:
    return bytes.fromhex(text[2:]) if text.startswith("0x") else text.encode()


def list_cases() -> Iterator[Case]:
    for file in FILES:
        for name, case in outside.load("ethereum-tests-trie", f"{file}.json").items():
            given: Any = case["in"]
            pairs: dict[bytes, bytes] = {}
            for key, value in given.items() if isinstance(given, dict) else given:
                if value is None:
                    pairs.pop(read(key), None)
                else:
                    pairs[read(key)] = read(value)
            if "secure" in file:
                pairs = {keccak256(key): value for key, value in pairs.items()}
            yield Case(f"{file}-{name}", pairs, read(case["root"]))


@outside.each(list_cases, lambda case: str(case.name))
def test_every_key_is_found_under_the_root_and_no_other_is(case: Case) -> None:
    trie = Trie.build(case.pairs)
    assert trie.root == case.root
    everything = TrieProof(trie.nodes.values())
    for key, value in case.pairs.items():
        proof = TrieProof(trie.prove(key))
        assert proof.find(case.root, key) == everything.find(case.root, key) == value
        proof.verify_used()
    everything.verify_used()
    for key in case.pairs:
        for other in (key + b"\0", key[:-1], bytes([key[0] ^ 16]) + key[1:]):
            if other not in case.pairs:
                proof = TrieProof(trie.prove(other))
                assert proof.find(case.root, other) is None
                proof.verify_used()


def test_all_vectors_are_there() -> None:
    assert len(list(list_cases())) == 25
