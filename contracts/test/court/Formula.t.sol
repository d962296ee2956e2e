// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Terms} from "../../src/Statements.sol";
import {Formula} from "../../src/court/Formula.sol";
import {GoldenFile} from "../GoldenFile.sol";

/// @notice The court's pot is Python's, also where a round gained less than it scored.
contract FormulaTest is GoldenFile {
    function potOf(Terms calldata terms, int128 totalScore, uint128 totalGain) external pure returns (uint256) {
        return Formula.potOf(terms, totalScore, totalGain);
    }

    function test_PotIsThatOfTheVectors() public view {
        Terms memory terms;
        uint256 count;
        for (; has(at(".pots.pots", count)); ++count) {
            terms.budgetPerRound = uint128(vm.parseJsonUint(golden, at(".pots.budgets", count)));
            terms.pricePerNat = uint128(vm.parseJsonUint(golden, at(".pots.prices", count)));
            int128 totalScore = int128(vm.parseJsonInt(golden, at(".pots.totalScores", count)));
            uint128 totalGain = uint128(vm.parseJsonUint(golden, at(".pots.totalGains", count)));
            uint256 pot = vm.parseJsonUint(golden, at(".pots.pots", count));
            vm.assertEq(this.potOf(terms, totalScore, totalGain), pot);
        }
        vm.assertEq(count, 10);
    }
}
