// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Body, RoundHeader, Terms} from "../Statements.sol";

/// @title Formula
/// @notice What a round pays, and which amounts fit a verdict. Scores in units of 2^-40 nats, amounts in base units.
library Formula {
    uint256 internal constant SCORE_BITS = 40;
    uint8 internal constant LAST_VERDICT = 9;

    /// @notice min(budgetPerRound, floor(pricePerNat * min(totalScore, totalGain) / 2^40)), 0 if the round improved
    /// nothing.
    /// @dev 128 and 127 bits: the product fits 256.
    function potOf(Terms calldata terms, int128 totalScore, uint128 totalGain) internal pure returns (uint256 pot) {
        if (totalScore <= 0) return 0;
        uint256 rise = uint256(int256(totalScore));
        if (totalGain < rise) rise = totalGain;
        pot = (uint256(terms.pricePerNat) * rise) >> SCORE_BITS;
        if (pot > terms.budgetPerRound) pot = terms.budgetPerRound;
    }

    /// @notice floor(pot * gain / totalGain), 0 if nobody gained.
    /// @dev The pot is at most a budget, 128 bits: the product fits 256.
    function rewardOf(Terms calldata terms, RoundHeader calldata header, uint128 gain) internal pure returns (uint256) {
        return header.totalGain == 0 ? 0 : potOf(terms, header.totalScore, header.totalGain) * gain / header.totalGain;
    }

    /// @notice Whether the verdict exists, and nothing but an accepted entry (0) has weight or score.
    function isFit(Body calldata body) internal pure returns (bool) {
        if (body.verdict > LAST_VERDICT) return false;
        return body.verdict == 0 || (body.weight == 0 && body.score == 0);
    }
}
