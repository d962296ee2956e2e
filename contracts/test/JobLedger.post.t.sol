// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Limits} from "../src/Limits.sol";
import {Entry, Terms} from "../src/Statements.sol";
import {IJobLedger, Job, Round} from "../src/interfaces/IJobLedger.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

contract JobLedgerPostTest is Stand {
    using Tallies for Tally;

    bytes32 private job;
    Tally private none;

    function setUp() public override {
        super.setUp();
        job = openJob();
    }

    function _expectRefused(Tally memory tally, bytes memory refusal) private {
        vm.expectRevert(refusal);
        vm.prank(coordinator);
        ledger.postRound(tally.header, tally.last(), tally.lastProof());
    }

    function testFuzz_Post(uint8 count, uint96 reward) external {
        uint128[] memory rewards = new uint128[](1 + count % 40);
        rewards[rewards.length - 1] = uint128(reward % BUDGET);
        Tally memory tally = makeTally(job, rewards);
        bytes32 digest = digestOf(tally);
        uint64 end = uint64(START + 1 hours);
        vm.expectEmit(address(ledger));
        emit IJobLedger.RoundPosted(job, 1, digest, tally.header, end, end);
        vm.assertEq(post(tally), digest);

        Round memory round = ledger.roundOf(job, 1);
        vm.assertEq(round.anchor, keccak256(abi.encode(digest, tally.header.entriesRoot, rewards.length, end)));
        vm.assertEq(round.rewards, reward % BUDGET);
        Job memory state = ledger.jobOf(job);
        vm.assertEq(state.posted, 1);
        vm.assertEq(state.lastHeader, digest);
        vm.assertEq(state.windowEnd, end);
    }

    function test_RoundsFollowEachOther() external {
        Tally memory tally = makeTally(job, list(1, 2));
        post(tally);
        for (uint256 i = 2; i <= 4; ++i) {
            vm.warp(block.timestamp + 10 minutes);
            tally = makeTally(job, tally, list(1, 2));
            post(tally);
            vm.assertEq(ledger.roundOf(job, uint64(i)).rewards, 3 * i);
        }
        _expectRefused(
            makeTally(job, tally, list(1, 2)), abi.encodeWithSelector(Errors.JobLedger_NoRoundsLeft.selector, 5, 4)
        );
    }

    function test_WitnessedRoundWaits() external {
        bytes32 witnessed = openWitnessedJob();
        Tally memory tally = makeTally(witnessed, list(1));
        uint64 end = uint64(START + 1 hours);
        vm.expectEmit(address(ledger));
        emit IJobLedger.RoundPosted(witnessed, 1, digestOf(tally), tally.header, Limits.NEVER, end);
        post(tally);
        vm.assertEq(ledger.roundOf(witnessed, 1).attestBy, end);
        vm.warp(end);
        _expectRefused(
            makeTally(witnessed, tally, list(1)),
            abi.encodeWithSelector(Errors.JobLedger_AttestationMissing.selector, 1)
        );
    }

    function test_RevertWhen_JobIsUnknown() external {
        bytes32 unknown = keccak256("unknown");
        _expectRefused(
            makeTally(unknown, list(1)), abi.encodeWithSelector(Errors.JobLedger_UnknownJob.selector, unknown)
        );
    }

    function testFuzz_RevertWhen_SenderIsNotCoordinator(address sender) external {
        vm.assume(sender != coordinator);
        Tally memory tally = makeTally(job, list(1));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotCoordinator.selector, sender, coordinator));
        vm.prank(sender);
        ledger.postRound(tally.header, tally.last(), tally.lastProof());
    }

    function test_RevertWhen_JobHasEnded() external {
        vm.prank(requester);
        ledger.requestClose(job);
        uint256 closesAt = START + 2 days + 1 hours;
        vm.warp(closesAt - 1);
        Tally memory tally = makeTally(job, list(1));
        post(tally);
        vm.warp(closesAt);
        Tally memory next = makeTally(job, tally, list(1));
        _expectRefused(next, abi.encodeWithSelector(Errors.JobLedger_CloseInEffect.selector, closesAt, closesAt));
        court.reject(job, 1, anchorOf(tally), address(0));
        _expectRefused(next, abi.encodeWithSelector(Errors.JobLedger_JobHalted.selector, 1));
    }

    function testFuzz_RevertWhen_RoundIsNotNext(uint64 round) external {
        vm.assume(round != 1);
        Tally memory tally = makeTally(job, list(1));
        tally.header.round = round;
        _expectRefused(tally, abi.encodeWithSelector(Errors.JobLedger_WrongRound.selector, round, 1));
    }

    function testFuzz_RevertWhen_ParentIsNotLast(bytes32 parent) external {
        vm.assume(parent != job);
        Tally memory tally = makeTally(job, list(1));
        tally.header.parent = parent;
        _expectRefused(tally, abi.encodeWithSelector(Errors.JobLedger_WrongParent.selector, parent, job));
    }

    function test_RevertWhen_TimesDoNotHold() external {
        Tally memory tally = makeTally(job, list(1));
        uint64 present = uint64(block.timestamp);
        tally.header.openedAt = present + 1;
        _expectRefused(tally, abi.encodeWithSelector(Errors.JobLedger_TimesOutOfOrder.selector, present + 1, present));
        tally.header.closedAt = present + 31;
        _expectRefused(
            tally, abi.encodeWithSelector(Errors.JobLedger_ClosedInFuture.selector, present + 31, present + 30)
        );
        tally.header.closedAt = present + 30;
        post(tally);
    }

    function test_RevertWhen_RewardIsOverBudget() external {
        _expectRefused(
            makeTally(job, list(BUDGET, 1)),
            abi.encodeWithSelector(Errors.JobLedger_OverBudget.selector, BUDGET + 1, BUDGET)
        );
    }

    function test_RevertWhen_RoundIsEmpty() external {
        Tally memory tally = makeTally(job, list(1));
        tally.header.count = 0;
        _expectRefused(tally, abi.encodeWithSelector(Errors.JobLedger_EmptyRound.selector));
    }

    function test_RevertWhen_EntryIsNotLast() external {
        Tally memory tally = makeTally(job, list(1, 2, 3));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotLastEntry.selector, 1, 2));
        vm.prank(coordinator);
        ledger.postRound(tally.header, tally.entries[1], tally.proof(1));
    }

    function test_RevertWhen_TotalsDiffer() external {
        Tally memory tally = makeTally(job, list(1, 2));
        _expectTotal(tally, "weight", tally.header.totalWeight, ++tally.header.totalWeight);
        tally = makeTally(job, list(1, 2));
        tally.header.totalScore = -5;
        _expectTotal(tally, "score", uint256(int256(-1)), uint256(int256(-5)));
        tally = makeTally(job, list(1, 2));
        _expectTotal(tally, "gain", tally.header.totalGain, ++tally.header.totalGain);
        tally = makeTally(job, list(1, 2));
        _expectTotal(tally, "reward", tally.header.totalReward, ++tally.header.totalReward);
        tally = makeTally(job, list(1, 2));
        tally.header.aggregate = bytes32(uint256(9));
        _expectTotal(tally, "aggregate", 0, 9);
    }

    function _expectTotal(Tally memory tally, bytes32 total, uint256 running, uint256 header) private {
        _expectRefused(
            tally,
            abi.encodeWithSelector(Errors.JobLedger_TotalDiffers.selector, total, bytes32(running), bytes32(header))
        );
    }

    function testFuzz_RevertWhen_ProofHasAnotherLength(uint8 length) external {
        Tally memory tally = makeTally(job, list(1, 2, 3));
        vm.assume(length != 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_ProofLength.selector, length, 2));
        vm.prank(coordinator);
        ledger.postRound(tally.header, tally.last(), new bytes32[](length));
    }

    function testFuzz_RevertWhen_EntryIsNotInTree(uint128 earned) external {
        Tally memory tally = makeTally(job, list(1, 2, 3));
        Entry memory last = tally.last();
        vm.assume(earned != last.earned);
        last.earned = earned;
        vm.expectPartialRevert(Errors.JobLedger_NotInTree.selector);
        vm.prank(coordinator);
        ledger.postRound(tally.header, last, tally.lastProof());
    }
}
