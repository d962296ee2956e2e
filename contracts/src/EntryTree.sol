// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Errors} from "./Errors.sol";
import {Refusals} from "./Refusals.sol";
import {Leaf} from "./Statements.sol";

/// @title EntryTree
/// @notice The tree of a round's entries: an OpenZeppelin standard tree (double keccak, sorted pairs) of exactly
/// 2^depth leaves. A proof of another length is never followed, so no leaf can hide above or below that depth.
library EntryTree {
    function hashLeaf(Leaf memory leaf) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(leaf))));
    }

    /// @notice ceil(log2(count)); 0 for one leaf.
    function depthOf(uint64 count) internal pure returns (uint256) {
        return Math.log2(count, Math.Rounding.Ceil);
    }

    /// @notice Why a leaf is not that of a contribution in the tree.
    /// @return refusal the encoded error, empty if the leaf is one of the first `count` of the tree
    function refuse(bytes32 root, uint64 count, bytes32[] calldata proof, Leaf memory leaf)
        internal
        pure
        returns (bytes memory refusal)
    {
        if (leaf.seq >= count) {
            return abi.encodeWithSelector(Errors.JobLedger_SeqOutOfRange.selector, leaf.seq, count);
        }
        uint256 depth = depthOf(count);
        if (proof.length != depth) {
            return abi.encodeWithSelector(Errors.JobLedger_ProofLength.selector, proof.length, depth);
        }
        bytes32 hash = hashLeaf(leaf);
        if (MerkleProof.processProofCalldata(proof, hash) != root) {
            return abi.encodeWithSelector(Errors.JobLedger_NotInTree.selector, hash, root);
        }
    }

    /// @notice Reverts unless the leaf is one of the first `count` of the tree.
    function verify(bytes32 root, uint64 count, bytes32[] calldata proof, Leaf memory leaf) internal pure {
        bytes memory refusal = refuse(root, count, proof, leaf);
        if (refusal.length != 0) Refusals.raise(refusal);
    }
}
