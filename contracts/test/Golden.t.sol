// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EntryTree} from "../src/EntryTree.sol";
import {
    Acceptance,
    Body,
    Closing,
    Contribution,
    Receipt,
    Registration,
    RoundHeader,
    Statements,
    Terms
} from "../src/Statements.sol";
import {GoldenFile} from "./GoldenFile.sol";
import {Tallies} from "./Tallies.sol";

contract GoldenTest is GoldenFile {
    function hashTerms(Terms calldata value) external pure returns (bytes32) {
        return Statements.hashTerms(value);
    }

    function hashContribution(Contribution calldata value) external pure returns (bytes32) {
        return Statements.hashContribution(value);
    }

    function hashReceipt(Receipt calldata value) external pure returns (bytes32) {
        return Statements.hashReceipt(value);
    }

    function hashClosing(Closing calldata value) external pure returns (bytes32) {
        return Statements.hashClosing(value);
    }

    function hashHeader(RoundHeader calldata value) external pure returns (bytes32) {
        return Statements.hashHeader(value);
    }

    function hashRegistration(Registration calldata value) external pure returns (bytes32) {
        return Statements.hashRegistration(value);
    }

    function hashBody(Body calldata value) external pure returns (bytes32) {
        return Statements.hashBody(value);
    }

    function rootOf(bytes32[] calldata proof, bytes32 leaf) external pure returns (bytes32) {
        return EntryTree.rootOf(proof, leaf);
    }

    function test_TypeHashes() external view {
        vm.assertEq(Statements.TERMS_TYPEHASH, word(".types.Terms.hash"));
        vm.assertEq(Statements.CONTRIBUTION_TYPEHASH, word(".types.Contribution.hash"));
        vm.assertEq(Statements.RECEIPT_TYPEHASH, word(".types.Receipt.hash"));
        vm.assertEq(Statements.CLOSING_TYPEHASH, word(".types.Closing.hash"));
        vm.assertEq(Statements.HEADER_TYPEHASH, word(".types.RoundHeader.hash"));
        vm.assertEq(Statements.ACCEPTANCE_TYPEHASH, word(".types.Acceptance.hash"));
        vm.assertEq(Statements.REGISTRATION_TYPEHASH, word(".types.Registration.hash"));
        vm.assertEq(Statements.BODY_TYPEHASH, word(".types.Body.hash"));
    }

    function test_StatementsHash() external view {
        for (uint256 i = 0; has(at(".statements.Terms", i)); ++i) {
            string memory place = at(".statements.Terms", i);
            vm.assertEq(this.hashTerms(readTerms(values(place))), hashAt(place));
            place = at(".statements.Contribution", i);
            vm.assertEq(this.hashContribution(readContribution(values(place))), hashAt(place));
            place = at(".statements.Receipt", i);
            vm.assertEq(this.hashReceipt(readReceipt(values(place))), hashAt(place));
            place = at(".statements.Closing", i);
            vm.assertEq(this.hashClosing(readClosing(values(place))), hashAt(place));
            place = at(".statements.RoundHeader", i);
            vm.assertEq(this.hashHeader(readHeader(values(place))), hashAt(place));
            place = at(".statements.Registration", i);
            vm.assertEq(this.hashRegistration(readRegistration(values(place))), hashAt(place));
            place = at(".statements.Acceptance", i);
            Acceptance memory acceptance = readAcceptance(values(place));
            vm.assertEq(Statements.hashAcceptance(acceptance.job, acceptance.deadline), hashAt(place));
        }
    }

    function test_DigestsAreInTheDomains() external view {
        string[5] memory ours = ["Contribution", "Receipt", "Closing", "RoundHeader", "Acceptance"];
        bytes32 domain = word(".domains.jobLedger.separator");
        for (uint256 i = 0; i < 5; ++i) {
            string memory place = at(string.concat(".statements.", ours[i]), 0);
            vm.assertEq(Tallies.digest(domain, hashAt(place)), word(string.concat(place, ".digest")));
        }
        domain = word(".domains.nodeRegistry.separator");
        vm.assertEq(
            Tallies.digest(domain, hashAt(".statements.Registration[0]")), word(".statements.Registration[0].digest")
        );
    }

    function test_BodiesAndLeavesHash() external view {
        for (uint256 i = 0; has(at(".bodies", i)); ++i) {
            string memory place = at(".bodies", i);
            vm.assertEq(this.hashBody(readBody(values(place))), word(string.concat(place, ".digest")));
            place = at(".leaves", i);
            bytes32 leaf = EntryTree.hashLeaf(
                u64(place, "seq"), account(place, "node"), u128(place, "earned"), word(place, "body")
            );
            vm.assertEq(leaf, word(place, "hash"));
        }
    }

    function test_AccumulatorsFollow() external view {
        bytes32[] memory contributions = words(".accumulator.contributions");
        bytes32[] memory accumulators = words(".accumulator.accumulators");
        bytes32 accumulator = Statements.firstAccumulator(
            word(".accumulator.job"), u64(".accumulator", "round"), word(".accumulator.parent")
        );
        vm.assertEq(accumulator, accumulators[0]);
        for (uint256 i = 0; i < contributions.length; ++i) {
            accumulator = Statements.nextAccumulator(accumulator, contributions[i]);
            vm.assertEq(accumulator, accumulators[i + 1]);
        }
    }

    function test_ProofsLeadToTheRoots() external view {
        uint256 checked = 0;
        for (uint256 i = 0; has(at(".trees", i)); ++i) {
            string memory tree = at(".trees", i);
            uint256 depth = EntryTree.depthOf(u64(tree, "count"));
            vm.assertEq(depth, u64(tree, "depth"));
            bytes32[] memory leaves = words(string.concat(tree, ".proofs.leaves"));
            for (uint256 j = 0; j < leaves.length; ++j) {
                bytes32[] memory proof = words(at(string.concat(tree, ".proofs.elements"), j));
                vm.assertEq(proof.length, depth);
                vm.assertEq(this.rootOf(proof, leaves[j]), word(tree, "root"));
                ++checked;
            }
        }
        vm.assertTrue(checked > 6);
    }
}
