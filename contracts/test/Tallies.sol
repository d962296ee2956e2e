// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Body, Contribution, Entry, Leaf, Receipt, RoundHeader, Statements} from "../src/Statements.sol";

/// @notice A round's account as a coordinator makes it.
struct Tally {
    RoundHeader header;
    Entry[] entries;
    bytes32[] hashes;
}

/// @title Tallies
/// @notice Makes tallies, trees and proofs without the code under test: hashes are written out once more here.
library Tallies {
    /// @notice A tally that pays node i `rewards[i]` on top of `earned[i]`.
    function make(
        bytes32 job,
        uint64 round,
        bytes32 parent,
        address[] memory nodes,
        uint128[] memory rewards,
        uint128[] memory earned
    ) internal view returns (Tally memory tally) {
        tally.entries = new Entry[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            tally.entries[i] = Entry(uint64(i), nodes[i], earned[i] + rewards[i], makeBody(job, round, i));
            tally.entries[i].body.reward = rewards[i];
        }
        RoundHeader memory header = tally.header;
        (header.job, header.round, header.parent) = (job, round, parent);
        (header.baseModel, header.nextModel) = (modelAt(round - 1), modelAt(round));
        header.accumulator = keccak256(abi.encode("accumulator", job, round));
        header.count = uint64(nodes.length);
        header.evidence = keccak256(abi.encode("evidence", job, round));
        header.beacon = keccak256(abi.encode("beacon", job, round));
        (header.openedAt, header.closedAt) = (uint64(block.timestamp), uint64(block.timestamp));
        sum(tally);
        seal(tally);
    }

    function modelAt(uint64 round) internal pure returns (bytes32) {
        return keccak256(abi.encode("model", round));
    }

    function makeBody(bytes32 job, uint64 round, uint256 seq) internal pure returns (Body memory body) {
        body.contribution = keccak256(abi.encode("contribution", job, round, seq));
        body.signatures = keccak256(abi.encode("signatures", job, round, seq));
        body.weight = uint64(100 + seq);
        body.score = int128(int256(seq)) - 1;
        body.gain = uint128(seq);
    }

    /// @notice Writes running totals, and the last ones into the header.
    function sum(Tally memory tally) internal pure {
        RoundHeader memory header = tally.header;
        (header.totalWeight, header.totalScore, header.totalGain, header.totalReward) = (0, 0, 0, 0);
        for (uint256 i = 0; i < tally.entries.length; ++i) {
            Body memory body = tally.entries[i].body;
            body.runningWeight = header.totalWeight += body.weight;
            body.runningScore = header.totalScore += body.score;
            body.runningGain = header.totalGain += body.gain;
            body.runningReward = header.totalReward += body.reward;
        }
    }

    /// @notice Hashes the padded tree and writes its root into the header.
    function seal(Tally memory tally) internal pure {
        uint256 width = 1;
        while (width < tally.entries.length) width *= 2;
        tally.hashes = new bytes32[](2 * width);
        for (uint256 i = 0; i < width; ++i) {
            Leaf memory leaf = i < tally.entries.length ? leafOf(tally, i) : Leaf(uint64(i), address(0), 0, 0);
            tally.hashes[width + i] = hashLeaf(leaf);
        }
        for (uint256 i = width - 1; i > 0; --i) {
            tally.hashes[i] = hashPair(tally.hashes[2 * i], tally.hashes[2 * i + 1]);
        }
        tally.header.entriesRoot = tally.hashes[1];
    }

    function proof(Tally memory tally, uint256 seq) internal pure returns (bytes32[] memory words) {
        uint256 depth = 0;
        for (uint256 at = tally.hashes.length / 2; at > 1; at /= 2) {
            ++depth;
        }
        words = new bytes32[](depth);
        uint256 index = tally.hashes.length / 2 + seq;
        for (uint256 i = 0; i < depth; ++i) {
            words[i] = tally.hashes[index ^ 1];
            index /= 2;
        }
    }

    function last(Tally memory tally) internal pure returns (Entry memory) {
        return tally.entries[tally.entries.length - 1];
    }

    function lastProof(Tally memory tally) internal pure returns (bytes32[] memory) {
        return proof(tally, tally.entries.length - 1);
    }

    function leafOf(Tally memory tally, uint256 seq) internal pure returns (Leaf memory) {
        Entry memory entry = tally.entries[seq];
        return Leaf(entry.seq, entry.node, entry.earned, hashBody(entry.body));
    }

    function hashBody(Body memory body) internal pure returns (bytes32) {
        return keccak256(abi.encode(Statements.BODY_TYPEHASH, body));
    }

    function hashLeaf(Leaf memory leaf) internal pure returns (bytes32) {
        bytes32 inner = keccak256(abi.encode(leaf.seq, leaf.node, leaf.earned, leaf.body));
        return keccak256(abi.encodePacked(inner));
    }

    function hashPair(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return left < right ? keccak256(abi.encodePacked(left, right)) : keccak256(abi.encodePacked(right, left));
    }

    function digest(bytes32 domain, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    }

    function digestHeader(bytes32 domain, RoundHeader memory header) internal pure returns (bytes32) {
        return digest(domain, keccak256(abi.encode(Statements.HEADER_TYPEHASH, header)));
    }

    function digestContribution(bytes32 domain, Contribution memory contribution) internal pure returns (bytes32) {
        return digest(domain, keccak256(abi.encode(Statements.CONTRIBUTION_TYPEHASH, contribution)));
    }

    function digestReceipt(bytes32 domain, Receipt memory receipt) internal pure returns (bytes32) {
        return digest(domain, keccak256(abi.encode(Statements.RECEIPT_TYPEHASH, receipt)));
    }
}
