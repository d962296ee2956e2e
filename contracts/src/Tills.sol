// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Job} from "./interfaces/IJobLedger.sol";

/// @title Tills
/// @notice Reads and writes `paid` and `claimable`, the low words of a job's first slot, in one access each; member by
/// member the compiler makes two.
library Tills {
    uint256 private constant WIDTH = 96;

    /// @notice What was paid, the most that may be, and the slot's other members, for `write`.
    function read(Job storage job) internal view returns (uint256 paid, uint256 claimable, uint256 rest) {
        uint256 slot;
        assembly ("memory-safe") {
            slot := sload(job.slot)
        }
        return (uint96(slot), uint96(slot >> WIDTH), slot >> (2 * WIDTH));
    }

    /// @dev Both amounts must fit 96 bits, and nothing may have written the slot since `rest` was read.
    function write(Job storage job, uint256 paid, uint256 claimable, uint256 rest) internal {
        uint256 slot = (rest << (2 * WIDTH)) | (claimable << WIDTH) | paid;
        assembly ("memory-safe") {
            sstore(job.slot, slot)
        }
    }
}
