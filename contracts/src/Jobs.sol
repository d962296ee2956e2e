// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./Errors.sol";
import {Limits} from "./Limits.sol";
import {Terms} from "./Statements.sol";
import {Account, Finality, Job, Round} from "./interfaces/IJobLedger.sol";

/// @title Jobs
/// @notice Which rounds of a job stand, which are final, and where its escrow is.
library Jobs {
    /// @notice Reverts where terms cannot be enforced.
    /// @return escrow base units the requester must bring
    function check(Terms calldata terms, bool hasQuorum) internal pure returns (uint256 escrow) {
        if (terms.rounds == 0 || terms.rounds > Limits.MAX_ROUNDS) {
            revert Errors.JobLedger_RoundsOutOfRange(terms.rounds, Limits.MAX_ROUNDS);
        }
        if (terms.window == 0 || terms.window > Limits.MAX_SETTLEMENT_SECONDS) {
            revert Errors.JobLedger_WindowOutOfRange(terms.window, Limits.MAX_SETTLEMENT_SECONDS);
        }
        uint256 most = (Limits.MAX_SETTLEMENT_SECONDS - terms.window) / 2;
        if (terms.anchorSeconds == 0 || terms.anchorSeconds > most) {
            revert Errors.JobLedger_AnchorSecondsOutOfRange(terms.anchorSeconds, most);
        }
        if (terms.threshold != 0 && !hasQuorum) revert Errors.JobLedger_NoQuorum(terms.threshold);
        escrow = uint256(terms.rounds) * terms.budgetPerRound;
        if (escrow > Limits.MAX_ESCROW) revert Errors.JobLedger_EscrowTooLarge(escrow, Limits.MAX_ESCROW);
    }

    /// @notice The last round that is posted and not struck, 0 if none.
    function lastStanding(Job storage self) internal view returns (uint32) {
        (uint32 posted, uint32 halted) = (self.posted, self.halted);
        return halted == 0 || posted < halted ? posted : halted - 1;
    }

    /// @notice Reverts if the round was struck.
    function requireStanding(Job storage self, uint64 round) internal view {
        uint32 halted = self.halted;
        if (halted != 0 && round >= halted) revert Errors.JobLedger_RoundStruck(round, halted);
    }

    /// @notice The first round that was not attested within its window, with all after it; 0 if none.
    function lapsedFrom(Job storage self, mapping(uint64 => Round) storage rounds) internal view returns (uint32) {
        if (self.finality != Finality.ByWitnesses) return 0;
        uint32 first = uint32(self.attested) + 1;
        return first <= lastStanding(self) && block.timestamp >= rounds[first].attestBy ? first : 0;
    }

    /// @notice Reverts while a standing round can still be struck or lapse.
    /// @dev Windows end in the order of the rounds, so that of the last posted round, struck or not, is the last.
    function requireSettled(Job storage self) internal view {
        uint32 last = lastStanding(self);
        bool byTime = self.finality == Finality.ByWindow;
        bool settled = last == 0 || (byTime ? block.timestamp >= self.windowEnd : last <= self.attested);
        if (!settled) revert Errors.JobLedger_NotFinal(block.timestamp, byTime ? self.windowEnd : Limits.NEVER);
    }

    /// @notice Where the escrow is now.
    function account(Job storage self, mapping(uint64 => Round) storage rounds) internal view returns (Account memory) {
        uint256 funded = uint256(self.rounds) * self.budgetPerRound;
        uint256 burned = uint256(self.burnedRounds) * self.budgetPerRound;
        uint256 earned = rounds[lastStanding(self)].rewards;
        uint256 left = funded - burned - earned;
        (uint256 free, uint256 refunded) = self.closed ? (uint256(0), left) : (left, uint256(0));
        return Account(funded, self.paid, earned - self.paid, free, refunded, burned);
    }

    /// @notice When a closed job's bond is free: the last window and as long again as grace is over, and so is the time
    /// a close request left for rounds that were never posted.
    function bondFreeAt(Job storage self) internal view returns (uint256) {
        uint256 graceEnd = uint256(self.windowEnd) + self.window;
        return self.posted < self.rounds && self.closesAt > graceEnd ? self.closesAt : graceEnd;
    }
}
