// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Errors} from "./Errors.sol";
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

    /// @notice Whether a proof of the right length leads from the leaf to the root.
    function contains(bytes32 root, bytes32[] calldata proof, Leaf memory leaf) internal pure returns (bool) {
        return MerkleProof.processProofCalldata(proof, hashLeaf(leaf)) == root;
    }

    /// @notice Reverts unless the leaf is in the tree of `count` contributions.
    function verify(bytes32 root, uint64 count, bytes32[] calldata proof, Leaf memory leaf) internal pure {
        uint256 depth = depthOf(count);
        if (proof.length != depth) revert Errors.JobLedger_ProofLength(proof.length, depth);
        if (!contains(root, proof, leaf)) revert Errors.JobLedger_NotInTree(hashLeaf(leaf), root);
    }
}
