// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Limits
/// @notice Constants of protocol version 1 that two contracts must agree on, or that bound a sender's power.
library Limits {
    /// @dev Most rounds of a job: round numbers fit 24 bits, so does the one after the last.
    uint64 internal constant MAX_ROUNDS = type(uint24).max - 1;

    /// @dev Most base units a job can escrow: what it pays fits 96 bits, 79 * 10^9 tokens of 18 decimals.
    uint256 internal constant MAX_ESCROW = type(uint96).max;

    /// @dev Most that `2 * anchorSeconds + window` may be: from a round's opening to the end of its window.
    uint64 internal constant MAX_SETTLEMENT_SECONDS = 14 days;

    /// @dev How long stake and rotated keys stay within reach: longer than any fault takes to be shown.
    uint48 internal constant EXIT_DELAY = 15 days;

    /// @dev How far a header's `closedAt` may lie ahead of the block's clock.
    uint64 internal constant CLOCK_SKEW_SECONDS = 30;

    /// @dev The challenger gets this part of a cut bond; the rest is burned.
    uint256 internal constant BOUNTY_DIVISOR = 10;

    /// @dev Most gas one transfer of `claimMany` gets; standard ERC-20 transfers take a quarter of it.
    uint256 internal constant TRANSFER_GAS = 200_000;

    /// @dev Gas kept back to record what came of such a transfer.
    uint256 internal constant RECORD_GAS = 50_000;

    /// @dev `finalAt` of a round that waits for its witnesses.
    uint64 internal constant NEVER = type(uint64).max;
}
