// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IChallengeCourt
/// @notice Checks proofs of fault and tells the ledger and the registry; it moves no token. Its constructor checks that
/// the ledger and the registry name it.
interface IChallengeCourt {
    function ledger() external view returns (address);

    function registry() external view returns (address);
}
