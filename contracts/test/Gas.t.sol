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

    function test_PostAndClaimStayUnderTheirBars() external {
        Tally memory first = _tally(none, 1024);
        post(first);
        vm.assertLe(vm.snapshotGasLastCall("post, 1024 entries"), 130_000);
        Tally memory second = _tally(first, 1024);
        post(second);
        vm.assertLe(vm.snapshotGasLastCall("post, 1024 entries, later round"), 130_000);
        passWindow();

        claim(first, 5);
        vm.assertLe(vm.snapshotGasLastCall("claim, first of the job"), 107_000);
        claim(first, 6);
        vm.assertLe(vm.snapshotGasLastCall("claim, first of a node"), 107_000);
        claim(second, 6);
        vm.assertLe(vm.snapshotGasLastCall("claim, repeat"), 73_000);
    }

    function test_PostOfAFewCostsNoMore() external {
        post(_tally(none, 10));
        vm.assertLe(vm.snapshotGasLastCall("post, 10 entries"), 130_000);
    }

    function test_ClaimManyStaysUnderItsBars() external {
        Tally memory first = _tally(none, 1024);
        post(first);
        Tally memory second = _tally(first, 1024);
        post(second);
        passWindow();
        _claimTen(first);
        vm.assertLe(vm.snapshotGasLastCall("claimMany of ten, first"), 720_000);
        _claimTen(second);
        vm.assertLe(vm.snapshotGasLastCall("claimMany of ten, repeat"), 380_000);
        vm.assertEq(ledger.accountOf(job).paid, _earnedByTen(second));
    }

    function _claimTen(Tally memory tally) private {
        Claim[] memory claims = new Claim[](10);
        for (uint256 i = 0; i < 10; ++i) {
            claims[i] = Claim(tally.leafOf(i), tally.proof(i));
        }
        ledger.claimMany(job, tally.header.round, anchorOf(tally), claims);
    }

    function _earnedByTen(Tally memory tally) private pure returns (uint256 total) {
        for (uint256 i = 0; i < 10; ++i) {
            total += tally.entries[i].earned;
        }
    }
}
