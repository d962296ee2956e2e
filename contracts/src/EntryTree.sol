// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./Errors.sol";
import {Refusals} from "./Refusals.sol";

/// @title EntryTree
/// @notice The tree of a round's entries: an OpenZeppelin standard tree (double keccak, sorted pairs) of exactly
/// 2^depth leaves. A proof of another length is never followed, so no leaf can hide above or below that depth.
library EntryTree {
    /// @notice keccak256(bytes.concat(keccak256(abi.encode(seq, node, earned, body)))).
    function hashLeaf(uint64 seq, address node, uint128 earned, bytes32 body) internal pure returns (bytes32 leaf) {
        leaf = keccak256(abi.encode(seq, node, earned, body));
        assembly ("memory-safe") {
            mstore(0x00, leaf)
            leaf := keccak256(0x00, 0x20)
        }
    }

    /// @notice ceil(log2(count)); 0 for one leaf.
    function depthOf(uint64 count) internal pure returns (uint256 depth) {
        while (!isDepth(depth, count)) ++depth;
    }

    /// @notice Whether depth = ceil(log2(count)): the highest seq, count - 1, has exactly so many bits.
    function isDepth(uint256 depth, uint64 count) internal pure returns (bool) {
        uint256 highest;
        unchecked {
            highest = uint256(count) - 1;
        }
        return depth == 0 ? highest == 0 : highest >> (depth - 1) == 1;
    }

    /// @notice The root to which a proof leads from a leaf; pairs are sorted before they are hashed.
    function rootOf(bytes32[] calldata proof, bytes32 leaf) internal pure returns (bytes32 root) {
        root = leaf;
        assembly ("memory-safe") {
            let end := add(proof.offset, shl(5, proof.length))
            for { let at := proof.offset } lt(at, end) { at := add(at, 0x20) } {
                // The larger word goes second: its place is 0x20 if the sibling is larger, else 0x00.
                let sibling := calldataload(at)
                let place := shl(5, gt(sibling, root))
                mstore(place, sibling)
                mstore(xor(place, 0x20), root)
                root := keccak256(0x00, 0x40)
            }
        }
    }

    /// @notice Why a leaf is not that of a contribution in the tree.
    /// @param seq place of the leaf, which the leaf's hash covers
    /// @return refusal the encoded error, empty if the leaf is one of the first `count` of the tree
    function refuse(bytes32 root, uint64 count, bytes32[] calldata proof, uint64 seq, bytes32 leaf)
        internal
        pure
        returns (bytes memory refusal)
    {
        if (seq >= count) return abi.encodeWithSelector(Errors.JobLedger_SeqOutOfRange.selector, seq, count);
        if (!isDepth(proof.length, count)) {
            return abi.encodeWithSelector(Errors.JobLedger_ProofLength.selector, proof.length, depthOf(count));
        }
        if (rootOf(proof, leaf) != root) {
            return abi.encodeWithSelector(Errors.JobLedger_NotInTree.selector, leaf, root);
        }
    }

    /// @notice Reverts unless the leaf is one of the first `count` of the tree.
    function verify(bytes32 root, uint64 count, bytes32[] calldata proof, uint64 seq, bytes32 leaf) internal pure {
        bytes memory refusal = refuse(root, count, proof, seq, leaf);
        if (refusal.length != 0) Refusals.raise(refusal);
    }
}
