// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Refusals
/// @notice Errors as values: `claimMany` reports the very bytes with which `claim` reverts.
library Refusals {
    /// @notice Reverts with an encoded error.
    function raise(bytes memory refusal) internal pure {
        assembly ("memory-safe") {
            revert(add(refusal, 0x20), mload(refusal))
        }
    }
}
