// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {EntryTree} from "../src/EntryTree.sol";
import {Errors} from "../src/Errors.sol";
import {Tallies, Tally} from "./Tallies.sol";
import {Vm} from "./Vm.sol";

contract EntryTreeTest {
    using Tallies for Tally;

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function rootOf(bytes32[] calldata proof, bytes32 leaf) external pure returns (bytes32) {
        return EntryTree.rootOf(proof, leaf);
    }

    function refuse(bytes32 root, uint64 count, bytes32[] calldata proof, uint64 seq, bytes32 leaf)
        external
        pure
        returns (bytes memory)
    {
        return EntryTree.refuse(root, count, proof, seq, leaf);
    }

    function testFuzz_Depth(uint64 count, uint8 other) external pure {
        count = count == 0 ? 1 : count >> (other % 64) == 0 ? 1 : count >> (other % 64);
        uint256 depth = Math.log2(count, Math.Rounding.Ceil);
        vm.assertEq(EntryTree.depthOf(count), depth);
        vm.assertTrue(EntryTree.isDepth(depth, count));
        vm.assertTrue(other == depth || !EntryTree.isDepth(other, count));
    }

    function test_DepthAtPowersOfTwo() external pure {
        vm.assertEq(EntryTree.depthOf(1), 0);
        for (uint256 i = 1; i < 64; ++i) {
            vm.assertEq(EntryTree.depthOf(uint64(1 << i)), i);
            vm.assertEq(EntryTree.depthOf(uint64((1 << i) + 1)), i + 1);
        }
        vm.assertEq(EntryTree.depthOf(type(uint64).max), 64);
        vm.assertFalse(EntryTree.isDepth(type(uint256).max, type(uint64).max));
    }

    function testFuzz_Leaf(uint64 seq, address node, uint128 earned, bytes32 body) external pure {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(seq, node, earned, body))));
        vm.assertEq(EntryTree.hashLeaf(seq, node, earned, body), leaf);
    }

    function testFuzz_RootAgreesWithOpenZeppelin(bytes32[] calldata proof, bytes32 leaf) external view {
        vm.assertEq(this.rootOf(proof, leaf), MerkleProof.processProof(proof, leaf));
    }

    function testFuzz_EveryLeafIsInItsTree(uint8 size, uint8 at, uint256 salt) external view {
        (uint256 count, Tally memory tally) = _tree(1 + size % 70, salt);
        for (uint256 i = 0; i < count; ++i) {
            bytes32 leaf = Tallies.hashLeaf(tally.leafOf(i));
            bytes memory refusal = this.refuse(tally.hashes[1], uint64(count), tally.proof(i), uint64(i), leaf);
            vm.assertEq(refusal.length, 0);
        }
        uint256 seq = at % count;
        bytes32 one = Tallies.hashLeaf(tally.leafOf(seq));
        bytes32[] memory proof = tally.proof(seq);
        _assertRefused(tally, count, proof, count, one, Errors.JobLedger_SeqOutOfRange.selector);
        _assertRefused(tally, count, new bytes32[](proof.length + 1), seq, one, Errors.JobLedger_ProofLength.selector);
        _assertRefused(tally, count, proof, seq, bytes32(salt), Errors.JobLedger_NotInTree.selector);
    }

    function _tree(uint256 count, uint256 salt) private view returns (uint256, Tally memory) {
        address[] memory nodes = new address[](count);
        uint128[] memory amounts = new uint128[](count);
        for (uint256 i = 0; i < count; ++i) {
            nodes[i] = address(uint160(uint256(keccak256(abi.encode(salt, i)))));
        }
        return (count, Tallies.make(bytes32(salt), 1, 0, nodes, amounts, amounts));
    }

    function _assertRefused(
        Tally memory tally,
        uint256 count,
        bytes32[] memory proof,
        uint256 seq,
        bytes32 leaf,
        bytes4 selector
    ) private view {
        bytes memory refusal = this.refuse(tally.hashes[1], uint64(count), proof, uint64(seq), leaf);
        vm.assertEq(bytes32(bytes4(refusal)), bytes32(selector));
    }
}
