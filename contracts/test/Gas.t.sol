// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim} from "../src/interfaces/IJobLedger.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

/// @notice Gas of whole transactions, intrinsic gas included; each test's calls run as transactions of their own.
/// forge-config: default.isolate = true
contract GasTest is Stand {
    using Tallies for Tally;

    bytes32 private job;
    Tally private none;

    function _tally(Tally memory before, uint256 count) private view returns (Tally memory) {
        uint128[] memory rewards = new uint128[](count);
        for (uint256 i = 0; i < count; ++i) {
            rewards[i] = uint128(BUDGET / count - i);
        }
        return makeTally(job, before, rewards);
    }

    function setUp() public override {
        super.setUp();
        job = openJob();
        for (uint256 i = 0; i < 10; ++i) {
            registerNode(i);
        }
    }

    function test_PostRoundAndClaims() external {
        Tally memory first = _tally(none, 1024);
        post(first);
        vm.snapshotGasLastCall("post round 1, 1024 entries");
        Tally memory second = _tally(first, 1024);
        post(second);
        vm.snapshotGasLastCall("post round 2, 1024 entries");
        passWindow();

        claim(first, 5);
        vm.snapshotGasLastCall("claim, first of the job");
        claim(first, 6);
        vm.snapshotGasLastCall("claim, first of a node");
        claim(second, 6);
        vm.snapshotGasLastCall("claim, repeat");
    }
}

