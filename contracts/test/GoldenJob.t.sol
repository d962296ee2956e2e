// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor, Leaf} from "../src/Statements.sol";
import {GoldenJob} from "./GoldenJob.sol";

/// @notice See Golden.tree.
contract GoldenJobTest is GoldenJob {
    mapping(address node => uint256) private newest;

    function _claimAll(string memory round, uint64 number, Anchor memory anchor) private returns (uint256 paid) {
        for (uint256 seq = 0; seq < anchor.count; ++seq) {
            address node = account(round, at("nodes", seq));
            uint128 earned = u128(round, at("earned", seq));
            if (earned == newest[node]) continue;
            newest[node] = earned;
            Leaf memory leaf = Leaf(uint64(seq), node, earned, word(round, at("bodyDigests", seq)));
            paid += ledger.claim(job, number, anchor, leaf, words(at(string.concat(round, ".proofs"), seq)));
            vm.assertEq(ledger.claimedOf(job, node), earned);
        }
    }

    function test_TheJobOfTheVectorsIsPaid() external {
        vm.assertEq(ledger.domainSeparator(), word(".domains.jobLedger.separator"));
        vm.assertEq(job, word(".terms.job"));
        Anchor[] memory anchors = new Anchor[](ROUNDS);
        for (uint256 i = 0; i < ROUNDS; ++i) {
            anchors[i] = _post(at(".rounds", i));
        }
        vm.warp(block.timestamp + terms.window);
        uint256 paid = 0;
        uint256 total = 0;
        for (uint256 i = 0; i < ROUNDS; ++i) {
            paid += _claimAll(at(".rounds", i), uint64(i + 1), anchors[i]);
            total += u128(string.concat(at(".rounds", i), ".header"), "totalReward");
        }
        vm.assertEq(paid, total);
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(terms.token, terms.requester), ROUNDS * terms.budgetPerRound - total);
        vm.assertEq(ledger.accountOf(job).payable_, 0);
    }
}
