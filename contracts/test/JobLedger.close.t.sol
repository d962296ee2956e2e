// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Limits} from "../src/Limits.sol";
import {Anchor, Terms} from "../src/Statements.sol";
import {Account, IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

contract JobLedgerCloseTest is Stand {
    using Tallies for Tally;

    uint256 private constant DELAY = 2 days + 1 hours;

    bytes32 private job;

    function setUp() public override {
        super.setUp();
        job = openJob();
    }

    function _request() private {
        vm.prank(requester);
        ledger.requestClose(job);
    }

    function _expectNotInEffect(uint256 closesAt) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_CloseNotInEffect.selector, block.timestamp, closesAt));
        ledger.closeJob(job);
    }

    function _expectLocked(uint256 freeAt) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_BondLocked.selector, block.timestamp, freeAt));
        ledger.releaseBond(job);
    }

    function test_RequestClose() external {
        vm.expectEmit(address(ledger));
        emit IJobLedger.CloseRequested(job, requester, uint64(START + DELAY));
        _request();
        vm.assertEq(ledger.jobOf(job).closesAt, START + DELAY);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_CloseRequested.selector, START + DELAY));
        vm.prank(coordinator);
        ledger.requestClose(job);
    }

    /// @notice Else a requester who vanishes would keep the bond for ever.
    function test_CoordinatorCanRequestCloseToo() external {
        vm.prank(coordinator);
        ledger.requestClose(job);
        vm.assertEq(ledger.jobOf(job).closesAt, START + DELAY);
    }

    function testFuzz_RevertWhen_StrangerRequestsClose(address sender) external {
        vm.assume(sender != requester && sender != coordinator);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotParty.selector, sender));
        vm.prank(sender);
        ledger.requestClose(job);
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_UnknownJob.selector, unknown));
        ledger.requestClose(unknown);
    }

    function test_CloseWithoutARound() external {
        _expectNotInEffect(0);
        _request();
        vm.warp(START + DELAY - 1);
        _expectNotInEffect(START + DELAY);
        vm.warp(START + DELAY);
        vm.expectEmit(address(ledger));
        emit IJobLedger.JobClosed(job, requester, 4 * BUDGET);
        vm.prank(stranger);
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(address(token), requester), 4 * BUDGET);
        ledger.releaseBond(job);
        vm.assertEq(ledger.fundsOf(address(token), coordinator), 10 * BOND);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_JobClosed.selector, job));
        ledger.closeJob(job);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_JobClosed.selector, job));
        _request();
    }

    function test_CloseAfterARoundPostedAtTheLastMoment() external {
        _request();
        vm.warp(START + DELAY - 1);
        post(makeTally(job, list(10, 20)));
        vm.warp(START + DELAY);
        uint256 windowEnd = START + DELAY - 1 + 1 hours;
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotFinal.selector, block.timestamp, windowEnd));
        ledger.closeJob(job);
        vm.warp(windowEnd);
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(address(token), requester), 4 * BUDGET - 30);
        _expectLocked(windowEnd + 1 hours);
        vm.warp(windowEnd + 1 hours);
        ledger.releaseBond(job);
    }

    function testFuzz_FinishedJobNeedsNoRequest(uint96[4] memory rewards) external {
        Tally memory tally;
        uint256 total = 0;
        for (uint256 i = 0; i < 4; ++i) {
            total += rewards[i] % BUDGET;
            tally = makeTally(job, tally, list(uint128(rewards[i] % BUDGET)));
            post(tally);
        }
        vm.expectPartialRevert(Errors.JobLedger_NotFinal.selector);
        ledger.closeJob(job);
        _expectLocked(type(uint256).max);
        passWindow();
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(address(token), requester), 4 * BUDGET - total);
        Account memory account = ledger.accountOf(job);
        vm.assertEq(account.refunded, 4 * BUDGET - total);
        vm.assertEq(account.payable_, total);
        vm.assertEq(account.free, 0);
        _expectLocked(START + 2 hours);
        passWindow();
        ledger.releaseBond(job);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NoBond.selector, job));
        ledger.releaseBond(job);
    }

    /// @notice A bond without posted rounds waits for the receipts that a request left time to honour.
    function test_RequestHoldsTheBondLongerThanGrace() external {
        post(makeTally(job, list(10)));
        vm.warp(START + 3 hours);
        _request();
        vm.warp(START + 3 hours + DELAY);
        vm.assertEq(ledger.bondFreeAt(job), START + 3 hours + DELAY);
        ledger.closeJob(job);
        ledger.releaseBond(job);
    }

    function test_HaltedJobNeedsNoRequest() external {
        Tally memory first = makeTally(job, list(10, 20));
        post(first);
        Tally memory second = makeTally(job, first, list(30, 40));
        vm.warp(START + 30 minutes);
        post(second);
        court.reject(job, 2, anchorOf(second), address(0));
        vm.expectPartialRevert(Errors.JobLedger_NotFinal.selector);
        ledger.closeJob(job);
        vm.warp(START + 90 minutes);
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(address(token), requester), 3 * BUDGET - 30);
        vm.assertEq(ledger.accountOf(job).burned, BUDGET);
        vm.warp(START + 10 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NoBond.selector, job));
        ledger.releaseBond(job);
        registerNode(0);
        vm.assertEq(claim(first, 0), 10);
    }

    function test_JobHaltedBeforeItsFirstRoundClosesAtOnce() external {
        Anchor memory none;
        court.reject(job, 1, none, address(0));
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(address(token), requester), 3 * BUDGET);
    }

    function test_NothingIsPostedAfterTheClose() external {
        _request();
        vm.warp(START + DELAY);
        ledger.closeJob(job);
        Tally memory tally = makeTally(job, list(1));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_JobHalted.selector, 1));
        vm.prank(coordinator);
        ledger.postRound(tally.header, tally.last(), tally.lastProof());
    }

    /// @notice The longest job the limits allow still closes within them.
    function testFuzz_EveryJobEndsInTime(uint64 window, uint64 anchorSeconds) external {
        Terms memory terms = makeTerms(5);
        terms.window = 1 + window % (Limits.MAX_SETTLEMENT_SECONDS - 2);
        uint64 most = (Limits.MAX_SETTLEMENT_SECONDS - terms.window) / 2;
        terms.anchorSeconds = 1 + (most == 0 ? 0 : anchorSeconds % most);
        vm.assume(terms.anchorSeconds <= most);
        job = openJob(terms);
        _request();
        vm.warp(START + Limits.MAX_SETTLEMENT_SECONDS);
        ledger.closeJob(job);
        ledger.releaseBond(job);
    }
}
