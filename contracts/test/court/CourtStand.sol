// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/Errors.sol";
import {Anchor, Body, Closing, Contribution, Entry, Receipt, Statements, Terms} from "../../src/Statements.sol";
import {
    Fault,
    IChallengeCourt,
    PostedRound,
    ProvenEntry,
    SignedClosing,
    SignedContribution,
    SignedHeader,
    SignedReceipt
} from "../../src/interfaces/IChallengeCourt.sol";
import {Stand} from "../Stand.sol";
import {Tallies, Tally} from "../Tallies.sol";

/// @notice All that a round leaves behind, as an honest coordinator makes it; `nodes` are indices of node keys by seq.
struct RoundFile {
    uint256[] nodes;
    Contribution[] contributions;
    Receipt[] receipts;
    SignedClosing closing;
    Tally tally;
}

/// @notice What a node carries from round to round.
struct Carried {
    uint128 earned;
    int128 credit;
    uint128 peak;
    uint64 round;
}

/// @title CourtStand
/// @notice A deployment with the real court, and coordinators that keep every rule: rounds by worth, by weight, void ones,
/// ones whose loss did not fall, nodes that come and go. The rules are written out once more here.
abstract contract CourtStand is Stand {
    using Tallies for Tally;

    uint8 internal constant KINDS = 4;
    bytes32 internal constant NO_SALT = bytes32(0);
    address internal challenger = address(0xC4A);

    IChallengeCourt internal tribunal;
    Terms internal terms;
    bytes32 internal job;
    bytes32 internal domain;

    function seatCourt() internal override returns (address) {
        tribunal = IChallengeCourt(vm.deployCode("ChallengeCourt.sol", abi.encode(ledger, registry)));
        return address(tribunal);
    }

    function setUp() public virtual override {
        super.setUp();
        terms = makeTerms(1);
        terms.rounds = 8;
        job = openJob(terms);
        domain = ledger.domainSeparator();
    }

    // Honest rounds

    /// @notice The first `count` rounds of a job with about `size` contributions each, posted or not.
    function play(uint256 count, uint256 size, uint256 seed, bool posting) internal returns (RoundFile[] memory files) {
        files = new RoundFile[](count);
        Carried[] memory carried = new Carried[](size + size / 4 + 1);
        for (uint256 i = 0; i < count; ++i) {
            uint256 kind = i == count - 1 ? 0 : random(seed, i) % KINDS;
            files[i] = makeRound(i == 0 ? files[0] : files[i - 1], carried, kind, random(seed, 100 + i), size);
            if (posting) post(files[i].tally);
        }
    }

    /// @param before the round before; one without entries if this is the first
    /// @param kind 0 by worth, 1 void, 2 the loss did not fall, 3 by weight
    function makeRound(RoundFile memory before, Carried[] memory carried, uint256 kind, uint256 seed, uint256 size)
        internal
        view
        returns (RoundFile memory file)
    {
        Tally memory tally = file.tally;
        bool first = before.nodes.length == 0;
        tally.header.job = job;
        tally.header.round = first ? 1 : before.tally.header.round + 1;
        tally.header.parent = first ? job : digestOf(before.tally);
        tally.header.baseModel = first ? keccak256("initial model") : before.tally.header.nextModel;
        (tally.header.count, tally.header.openedAt) = (uint64(size), uint64(block.timestamp));
        tally.header.closedAt = uint64(block.timestamp);
        tally.header.evidence = keccak256(abi.encode("evidence", seed));
        take(file, carried.length, seed, size);
        judge(file, kind, seed);
        reckon(file, carried);
        tally.header.nextModel =
            kind == 2 || tally.header.totalWeight == 0 ? tally.header.baseModel : keccak256(abi.encode("model", seed));
        tally.seal();
    }

    /// @dev Contributions, receipts and the closing: `size` of `pool` nodes, from a random one on.
    function take(RoundFile memory file, uint256 pool, uint256 seed, uint256 size) internal view {
        (file.nodes, file.contributions) = (new uint256[](size), new Contribution[](size));
        file.receipts = new Receipt[](size);
        (bytes32 id, uint64 round) = (file.tally.header.job, file.tally.header.round);
        bytes32 accumulator = keccak256(abi.encode(id, round, file.tally.header.parent));
        for (uint256 seq = 0; seq < size; ++seq) {
            uint256 index = (seed + seq) % pool;
            address node = nodeAt(index);
            file.nodes[seq] = index;
            file.contributions[seq] = Contribution(
                id,
                round,
                node,
                file.tally.header.parent,
                file.tally.header.baseModel,
                keccak256(abi.encode(seed, seq)),
                500,
                keccak256("report")
            );
            bytes32 digest = digestOf(file.contributions[seq]);
            accumulator = keccak256(abi.encode(accumulator, digest));
            uint64 at = uint64(block.timestamp);
            file.receipts[seq] = Receipt(id, round, uint64(seq), node, digest, accumulator, at, at + 1 days);
        }
        file.tally.header.accumulator = accumulator;
        file.closing.closing = Closing(id, round, uint64(size), accumulator, uint64(block.timestamp), keccak256("seed"));
        file.closing.signature = sign(COORDINATOR_KEY, hashOf(file.closing.closing));
    }

    /// @dev Verdicts, weights and scores.
    function judge(RoundFile memory file, uint256 kind, uint256 seed) internal view {
        uint8[10] memory verdicts = [0, 0, 0, 1, 2, 3, 4, 5, 6, 8];
        file.tally.entries = new Entry[](file.nodes.length);
        for (uint256 seq = 0; seq < file.nodes.length; ++seq) {
            uint256 luck = random(seed, seq);
            Entry memory entry = file.tally.entries[seq];
            (entry.seq, entry.node) = (uint64(seq), file.contributions[seq].node);
            entry.body.contribution = file.receipts[seq].contribution;
            entry.body.signatures = keccak256(signaturesOf(file, seq));
            entry.body.verdict = kind == 1 ? 9 : verdicts[luck % 10];
            if (entry.body.verdict != 0) continue;
            entry.body.weight = uint64(1 + luck % 1000);
            if (kind == 0) entry.body.score = int128(int256(luck % 2 ** 41) - 2 ** 40);
            if (kind == 3) entry.body.score = int128(uint128(entry.body.weight) << 40);
        }
    }

    /// @dev Carry, rewards and sums.
    function reckon(RoundFile memory file, Carried[] memory carried) internal view {
        (int256 totalScore, uint256 totalGain) = (0, 0);
        for (uint256 seq = 0; seq < file.nodes.length; ++seq) {
            Body memory body = file.tally.entries[seq].body;
            Carried memory before = carried[file.nodes[seq]];
            body.previousRound = before.round;
            body.credit = before.credit + body.score;
            body.peak = body.credit > int128(before.peak) ? uint128(body.credit) : before.peak;
            body.gain = body.peak - before.peak;
            totalScore += body.score;
            totalGain += body.gain;
        }
        uint256 rise = totalScore <= 0 ? 0 : uint256(totalScore);
        if (rise > totalGain) rise = totalGain;
        uint256 pot = uint256(terms.pricePerNat) * rise / 2 ** 40;
        if (pot > terms.budgetPerRound) pot = terms.budgetPerRound;
        for (uint256 seq = 0; seq < file.nodes.length; ++seq) {
            Entry memory entry = file.tally.entries[seq];
            entry.body.reward = totalGain == 0 ? 0 : uint128(pot * entry.body.gain / totalGain);
            Carried memory before = carried[file.nodes[seq]];
            entry.earned = before.earned + entry.body.reward;
            carried[file.nodes[seq]] =
                Carried(entry.earned, entry.body.credit, entry.body.peak, file.tally.header.round);
        }
        file.tally.sum();
    }

    // Exhibits

    function pointTo(RoundFile memory file) internal view returns (PostedRound memory) {
        return PostedRound(job, file.tally.header.round, anchorOf(file.tally));
    }

    function pointTo(uint64 round) internal view returns (PostedRound memory) {
        Anchor memory none;
        return PostedRound(job, round, none);
    }

    function prove(RoundFile memory file, uint256 seq) internal pure returns (ProvenEntry memory) {
        return ProvenEntry(file.tally.entries[seq], file.tally.proof(seq));
    }

    function signedReceipt(RoundFile memory file, uint256 seq) internal view returns (SignedReceipt memory) {
        return signed(file.receipts[seq]);
    }

    function signed(Receipt memory receipt) internal view returns (SignedReceipt memory) {
        return SignedReceipt(receipt, sign(COORDINATOR_KEY, hashOf(receipt)));
    }

    function signed(Closing memory closing) internal view returns (SignedClosing memory) {
        return SignedClosing(closing, sign(COORDINATOR_KEY, hashOf(closing)));
    }

    function signedHeader(Tally memory tally) internal view returns (SignedHeader memory) {
        return SignedHeader(
            tally.header, sign(COORDINATOR_KEY, keccak256(abi.encode(Statements.HEADER_TYPEHASH, tally.header)))
        );
    }

    function signed(Contribution memory contribution, uint256 node) internal view returns (SignedContribution memory) {
        bytes32 hash = keccak256(abi.encode(Statements.CONTRIBUTION_TYPEHASH, contribution));
        return SignedContribution(contribution, sign(NODE_KEYS + node, hash));
    }

    function signaturesOf(RoundFile memory file, uint256 seq) internal view returns (bytes memory) {
        return bytes.concat(
            signDigest(NODE_KEYS + file.nodes[seq], file.receipts[seq].contribution),
            sign(COORDINATOR_KEY, hashOf(file.receipts[seq]))
        );
    }

    function hashOf(Receipt memory receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(Statements.RECEIPT_TYPEHASH, receipt));
    }

    function hashOf(Closing memory closing) internal pure returns (bytes32) {
        return keccak256(abi.encode(Statements.CLOSING_TYPEHASH, closing));
    }

    function digestOf(Contribution memory contribution) internal view returns (bytes32) {
        return Tallies.digestContribution(domain, contribution);
    }

    function random(uint256 seed, uint256 at) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, at)));
    }

    // Outcomes

    /// @notice The call must strike `round`, cut the bond and leave a bounty that waits.
    function assertUpheld(bytes memory call, uint256 round) internal {
        vm.prank(challenger);
        (bool done, bytes memory answer) = address(tribunal).call(call);
        if (!done) bubble(answer);
        vm.assertEq(ledger.jobOf(job).halted, round);
        vm.assertEq(ledger.jobOf(job).bond, 0);
    }

    /// @notice The call must change nothing, because its exhibits show no fault of the kind.
    function assertRefused(bytes memory call, Fault fault) internal {
        (bool done, bytes memory answer) = address(tribunal).call(call);
        vm.assertFalse(done);
        vm.assertEq(answer, abi.encodeWithSelector(Errors.ChallengeCourt_NotProven.selector, uint8(fault)));
    }

    /// @notice The call must change nothing, for this reason.
    function assertRefused(bytes memory call, bytes4 reason) internal {
        (bool done, bytes memory answer) = address(tribunal).call(call);
        vm.assertFalse(done);
        vm.assertTrue(answer.length >= 4 && bytes4(answer) == reason);
    }

    function bubble(bytes memory answer) internal pure {
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }
}
