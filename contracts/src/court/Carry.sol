// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Body, Entry} from "../Statements.sol";

/// @title Carry
/// @notice What a node carries from entry to entry; all sums in 256 bits, so that no value an entry can hold makes one
/// revert.
library Carry {
    /// @notice Whether an entry can stand where it says: on an earlier round, or on nothing with sums of its own.
    function isFounded(Entry calldata entry, uint64 round) internal pure returns (bool) {
        Body calldata body = entry.body;
        if (body.previousRound >= round) return false;
        if (body.previousRound == 0) return _follows(entry, 0, 0, 0);
        return
            int256(body.credit) <= int256(uint256(body.peak)) && body.gain <= body.peak && body.reward <= entry.earned;
    }

    /// @notice Whether an entry follows from the node's entry in its previous round.
    function follows(Entry calldata entry, Entry calldata previous) internal pure returns (bool) {
        return _follows(entry, previous.earned, previous.body.credit, previous.body.peak);
    }

    function _follows(Entry calldata entry, uint256 earned, int256 credit, uint256 peak) private pure returns (bool) {
        Body calldata body = entry.body;
        credit += body.score;
        uint256 highest = credit > int256(peak) ? uint256(credit) : peak;
        return body.credit == credit && body.peak == highest && peak + body.gain == highest
            && earned + body.reward == entry.earned;
    }
}
