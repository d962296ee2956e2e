// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Jobs} from "./Jobs.sol";
import {Limits} from "./Limits.sol";
import {Job} from "./interfaces/IJobLedger.sol";

/// @title Penalties
/// @notice What a proven fault costs. Burned tokens are merely never owed to anybody again.
library Penalties {
    using Jobs for Job;

    /// @notice Strikes a round that can still be struck, with all after it, and burns a budget for each.
    /// @dev A round that is missing halts the job at the first missing one. A final or already struck round stays.
    /// @param isFinal whether a posted round is final or has lapsed
    /// @return from the round the job is now halted at, 0 if nothing was struck
    /// @return burned base units of escrow
    function strike(Job storage job, uint64 round, bool isFinal) internal returns (uint32 from, uint256 burned) {
        uint32 last = job.lastStanding();
        uint24 struck;
        if (round > last) {
            bool missing = job.halted == 0 && last < job.rounds;
            if (!missing) return (0, 0);
            (from, struck) = (last + 1, 1);
        } else {
            if (round == 0 || isFinal) return (0, 0);
            from = uint32(round);
            struck = uint24(last - from + 1);
        }
        job.halted = from;
        job.burnedRounds += struck;
        burned = uint256(struck) * job.budgetPerRound;
    }

    /// @notice Takes the whole bond.
    /// @return bounty the challenger's part
    /// @return burned the rest
    function cutBond(Job storage job) internal returns (uint256 bounty, uint256 burned) {
        uint256 bond = job.bond;
        job.bond = 0;
        bounty = bond / Limits.BOUNTY_DIVISOR;
        burned = bond - bounty;
    }
}
