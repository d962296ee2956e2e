"""What the hash of one block proves of a bundle: the ledger's account, its code, and every slot that an audit reads."""

from __future__ import annotations

from typing import Final

from client.auditor.evidence.bundle import CHAIN, PROOF, TERMS, Bundle, name_round
from client.auditor.evidence.chain import keep_job
from client.auditor.evidence.said import SaidChain, decode_proof
from client.auditor.evidence.sources import ChainFacts, Objection, PostedRound
from contracts.artifacts import load_artifact
from contracts.state import JobState, RoundState
from contracts.storage import compute_account, load_storage
from ledger import canonical, evidence
from ledger.block import Account, BlockHead
from ledger.eip712 import Domain
from ledger.errors import Malformed, VerificationError, show
from ledger.hashing import keccak256
from ledger.hexadecimal import to_address, to_hex
from ledger.statements import RoundHeader, Signed, Terms
from ledger.trie import TrieProof
from ledger.verify.bundle import AnchoredRound

NO_HASH: Final = "no block hash was given: ask your own provider for it and pass --block-hash"
NO_PROOF: Final = "the bundle holds no proof of the chain"
FALSE_PROOF: Final = "the bundle's proof of the chain does not hold"


class BundleChain:
    """A `ChainSource` over a bundle.

    Args:
        bundle: the bundle.
        domain: chain and ledger that the auditor trusts.
        block_hash: of the block the bundle tells of, from the auditor's own provider; None proves nothing.
        code_hash: of the ledger's code, where the auditor pinned it; else the code must be ours.
    """

    def __init__(
        self, bundle: Bundle, domain: Domain, block_hash: bytes | None, code_hash: bytes | None = None
    ) -> None:
        self._bundle, self._domain = bundle, domain
        self._block_hash, self._code_hash = block_hash, code_hash

    def read_job(self, job: bytes) -> ChainFacts:
        """What is proven; a gap or an objection where nothing is. Never raises on the bundle's bytes."""
        content = self._bundle.read(CHAIN)
        if content is None:
            return self._leave(NO_PROOF)
        try:
            said = SaidChain.from_bytes(content)
        except Malformed as error:
            return self._leave(FALSE_PROOF, objection=Objection("chain-proof", f"{CHAIN} is malformed: {error}"))
        mine = (self._domain.chain_id, to_address(self._domain.verifying_contract or bytes(20)))
        theirs = (said.chain_id, to_address(said.job_ledger))
        if mine != theirs:
            objection = Objection("trust", "the bundle is of another chain or ledger", str(mine), str(theirs))
            return self._leave("the bundle is of another chain or ledger", said, objection)
        proof = self._bundle.read(PROOF)
        if proof is None or self._block_hash is None:
            return self._leave(NO_HASH if proof else NO_PROOF, said)
        try:
            return self._prove(job, said, proof, self._block_hash)
        except Malformed as error:
            return self._leave(FALSE_PROOF, said, Objection("chain-proof", str(error)))
        except VerificationError as error:
            objection = Objection("chain-proof", error.detail, *map(_show, (error.expected, error.got)))
            return self._leave(FALSE_PROOF, said, objection)

    def _prove(self, job: bytes, said: SaidChain, content: bytes, block_hash: bytes) -> ChainFacts:
        """Reads the job's slots in five steps: block, account, job, rounds, what was drawn; no node is left over."""
        storage, (proof, code) = load_storage(), decode_proof(content)
        if said.block_hash != block_hash:
            detail = f"the bundle tells of another block than you named, of number {said.block}"
            raise VerificationError("chain-proof", detail, block_hash, said.block_hash)
        # 1. and 2.
        head, nodes = BlockHead.read(proof.header, block_hash), TrieProof(proof.nodes)
        if said.block != head.number:
            raise VerificationError("chain-proof", "the block has another number", head.number, said.block)
        account = Account.find(head, said.job_ledger, nodes)
        # 3.
        kept = storage.read_job([account.read_slot(slot, nodes) for slot in storage.find_job(job)])
        # 4.
        posted = kept.posted if kept else 0
        if not posted == len(said.final_at) <= self._bundle.index.rounds:
            raise VerificationError(
                "chain-proof", "the ledger keeps another number of rounds", posted, len(said.final_at)
            )
        states = [
            storage.read_round([account.read_slot(slot, nodes) for slot in storage.find_round(job, number)])
            for number in range(1, posted + 1)
        ]
        # 5.
        claimed = {
            node: storage.read_drawn([account.read_slot(slot, nodes) for slot in storage.find_drawn(job, node)])
            for node in said.claimants
        }
        nodes.verify_used()
        rounds = [
            self._place(number, state, kept, said)
            for number, state in enumerate(states, start=1)
            if state is not None and kept is not None
        ]
        rewards = tuple(state.rewards for state in states if state is not None)
        return ChainFacts(
            self._domain,
            head.number,
            head.timestamp,
            self._read_terms(job),
            keep_job(kept) if kept else None,
            compute_account(kept, rewards) if kept else None,
            tuple(rounds),
            rewards,
            None,
            claimed,
            account.code_hash,
            objections=tuple(self._object_to_code(account.code_hash, code)),
            token=said.token,
            proven=f"proven under the hash of block {head.number}",
        )

    def _object_to_code(self, code_hash: bytes, code: bytes) -> list[Objection]:
        """What is wrong with the code; the audit itself compares the account's with a hash that was pinned."""
        if keccak256(code) != code_hash:
            hashes = (to_hex(code_hash), to_hex(keccak256(code)))
            return [Objection("chain-proof", "the code in the bundle is not the account's", *hashes)]
        if self._code_hash is None and not load_artifact("JobLedger").is_code(code):
            return [Objection("trust", "the ledger's code is not that of this version of Tallystick")]
        return []

    def _place(self, number: int, state: RoundState, job: JobState, said: SaidChain) -> PostedRound:
        """The ledger's code fixes when a window begins and ends: one of the two is kept, the other follows."""
        final_at = said.final_at[number - 1]
        window_end = state.attest_by or final_at
        struck = job.halted != 0 and number >= job.halted
        anchored = AnchoredRound(state.anchor, final_at, window_end, window_end - job.window, struck)
        return PostedRound(self._read_header(number), anchored, said.blocks[number - 1], bytes(32))

    def _read_header(self, number: int) -> RoundHeader | None:
        content = self._bundle.read(name_round(number, evidence.HEADER))
        try:
            return None if content is None else Signed.from_json(RoundHeader, canonical.decode(content)).statement
        except Malformed:
            return None

    def _read_terms(self, job: bytes) -> Terms | None:
        """The ledger keeps no terms, but a job's id is their hash."""
        try:
            terms = Terms.from_json(canonical.decode(self._bundle.read(TERMS) or b""))
        except Malformed:
            return None
        return terms if terms.job_id() == job else None

    def _leave(self, gap: str, said: SaidChain | None = None, objection: Objection | None = None) -> ChainFacts:
        objections = () if objection is None else (objection,)
        block, token = (said.block, said.token) if said else (0, None)
        terms = self._read_terms(self._bundle.index.job)
        return ChainFacts(
            self._domain, block, None, terms, None, None, (), (), None, {}, None, gap, objections, token, ""
        )


def _show(operand: object) -> str | None:
    return None if operand is None else show(operand)
