// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor} from "../src/Statements.sol";
import {IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {IWitnessQuorum} from "../src/interfaces/IWitnessQuorum.sol";

/// @notice A court without proofs: what it is told to punish, it punishes.
contract StandCourt {
    IJobLedger private immutable _ledger;
    INodeRegistry private immutable _registry;

    constructor(IJobLedger ledger_, INodeRegistry registry_) {
        (_ledger, _registry) = (ledger_, registry_);
    }

    function ledger() external view returns (address) {
        return address(_ledger);
    }

    function registry() external view returns (address) {
        return address(_registry);
    }

    function reject(bytes32 job, uint64 round, Anchor calldata anchor, address challenger) external {
        _ledger.reject(job, round, anchor, challenger);
    }

    function settleBounty(bytes32 job, address challenger) external {
        _ledger.settleBounty(job, challenger);
    }

    function slash(bytes32 job, address node) external returns (uint256) {
        return _registry.slash(job, node);
    }
}

/// @notice A quorum without witnesses: what it is told to attest, it attests.
contract StandQuorum is IWitnessQuorum {
    IJobLedger private immutable _ledger;

    constructor(IJobLedger ledger_) {
        _ledger = ledger_;
    }

    function ledger() external view returns (address) {
        return address(_ledger);
    }

    function attest(bytes32 job, uint64 round, Anchor calldata anchor) external {
        _ledger.attest(job, round, anchor);
    }
}
