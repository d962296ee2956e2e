// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Closing, Contribution, Entry, Receipt, RoundHeader, Statements} from "../Statements.sol";

/// @title Receipts
/// @notice What the receipts of one round promise, and what breaks the promise.
library Receipts {
    /// @notice Whether two different receipts claim one place, one contribution or one node.
    function collide(Receipt calldata one, Receipt calldata other) internal pure returns (bool) {
        return one.seq == other.seq || one.contribution == other.contribution || one.node == other.node;
    }

    /// @notice Whether the entry is what the receipt promised for its seq.
    function isKept(Receipt calldata receipt, Entry calldata entry) internal pure returns (bool) {
        return entry.body.contribution == receipt.contribution && entry.node == receipt.node;
    }

    /// @notice Whether the later receipt is the next one and its accumulator does not follow.
    function isBroken(Receipt calldata before, Receipt calldata later) internal pure returns (bool) {
        if (uint256(before.seq) + 1 != later.seq) return false;
        return Statements.nextAccumulator(before.accumulator, later.contribution) != later.accumulator;
    }

    /// @notice Whether the receipt is the first and its accumulator does not follow from the start of its round.
    /// @param contribution the receipt's
    function isFalseStart(Receipt calldata receipt, Contribution calldata contribution) internal pure returns (bool) {
        if (receipt.seq != 0) return false;
        bytes32 start = Statements.firstAccumulator(receipt.job, receipt.round, contribution.parent);
        return Statements.nextAccumulator(start, receipt.contribution) != receipt.accumulator;
    }

    /// @notice Whether a round that ended with these two words has no such receipt, or ended with another.
    function isExcluded(Receipt calldata receipt, uint64 count, bytes32 accumulator) internal pure returns (bool) {
        return receipt.seq >= count || isFalseEnd(receipt, count, accumulator);
    }

    /// @notice Whether the receipt is the last of `count` and the round ended with another accumulator.
    function isFalseEnd(Receipt calldata receipt, uint64 count, bytes32 accumulator) internal pure returns (bool) {
        return uint256(receipt.seq) + 1 == count && receipt.accumulator != accumulator;
    }

    /// @notice Whether the header ends the round as the closing did.
    function isClosedBy(RoundHeader calldata header, Closing calldata closing) internal pure returns (bool) {
        return closing.count == header.count && closing.accumulator == header.accumulator
            && closing.closedAt == header.closedAt;
    }

    /// @notice Whether a contribution was made for the round of this header.
    function isMadeFor(Contribution calldata contribution, RoundHeader calldata header) internal pure returns (bool) {
        return contribution.job == header.job && contribution.round == header.round
            && contribution.parent == header.parent && contribution.baseModel == header.baseModel;
    }
}
