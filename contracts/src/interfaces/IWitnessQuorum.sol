// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IWitnessQuorum
/// @notice Checks that enough of a job's witnesses signed a header and tells the ledger, which makes the round final.
/// Its constructor checks that the ledger names it.
interface IWitnessQuorum {
    function ledger() external view returns (address);
}
