// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Body, Entry} from "../Statements.sol";

/// @title Totals
/// @notice Running totals of entries; all sums in 256 bits, so that no value an entry can hold makes one revert.
library Totals {
    uint8 internal constant VOID = 9;

    /// @notice Whether the running totals of a round's first entry are its own values.
    function isStart(Body calldata body) internal pure returns (bool) {
        return body.runningWeight == body.weight && body.runningScore == body.score && body.runningGain == body.gain
            && body.runningReward == body.reward;
    }

    /// @notice Whether running totals follow from those of the entry before.
    function isStep(Body calldata before, Body calldata later) internal pure returns (bool) {
        return uint256(before.runningWeight) + later.weight == later.runningWeight
            && int256(before.runningScore) + later.score == later.runningScore
            && uint256(before.runningGain) + later.gain == later.runningGain
            && uint256(before.runningReward) + later.reward == later.runningReward;
    }

    /// @notice Whether both entries can be of one round: all of it is void, or nothing.
    function areOfOneRound(Body calldata one, Body calldata other) internal pure returns (bool) {
        return (one.verdict == VOID) == (other.verdict == VOID);
    }

    /// @notice Whether two different entries claim one place, one node or one contribution.
    function collide(Entry calldata one, Entry calldata other) internal pure returns (bool) {
        return one.seq == other.seq || one.node == other.node || one.body.contribution == other.body.contribution;
    }
}
