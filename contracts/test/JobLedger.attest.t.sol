// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Limits} from "../src/Limits.sol";
import {Anchor} from "../src/Statements.sol";
import {IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

contract JobLedgerAttestTest is Stand {
    using Tallies for Tally;

    bytes32 private job;

    function setUp() public override {
        super.setUp();
        job = openWitnessedJob();
        registerNode(0);
    }

    /// @dev Two rounds, twenty minutes apart.
    function _postTwo() private returns (Tally memory one, Tally memory two) {
        one = makeTally(job, list(10, 20));
        post(one);
        vm.warp(START + 20 minutes);
        two = makeTally(job, one, list(1, 2));
        post(two);
    }

    function _attest(Tally memory tally) private {
        quorum.attest(job, tally.header.round, anchorOf(tally));
        finalAtOf[digestOf(tally)] = uint64(block.timestamp);
    }

    function test_AttestedRoundPaysAtOnce() external {
        (Tally memory one,) = _postTwo();
        Anchor memory anchor = anchorOf(one);
        vm.assertFalse(ledger.isFinal(job, 1, anchor));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotFinal.selector, block.timestamp, Limits.NEVER));
        ledger.claim(job, 1, anchor, one.leafOf(0), one.proof(0));
        vm.expectEmit(address(ledger));
        emit IJobLedger.RoundAttested(job, 1, digestOf(one), uint64(block.timestamp));
        _attest(one);
        vm.assertTrue(ledger.isFinal(job, 1, anchorOf(one)));
        vm.assertEq(claim(one, 0), 10);
        vm.assertEq(ledger.jobOf(job).attested, 1);
    }

    function testFuzz_RevertWhen_SenderIsNotQuorum(address sender) external {
        vm.assume(sender != address(quorum));
        Anchor memory anchor;
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotQuorum.selector, sender, address(quorum)));
        vm.prank(sender);
        ledger.attest(job, 1, anchor);
    }

    function test_RevertWhen_JobHasNoWitnesses() external {
        bytes32 plain = openJob();
        Tally memory tally = makeTally(plain, list(1));
        post(tally);
        Anchor memory anchor = anchorOf(tally);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NoAttestationNeeded.selector, plain));
        quorum.attest(plain, 1, anchor);
    }

    function test_RevertWhen_RoundIsNotNextOrItsWordsAreOthers() external {
        (Tally memory one, Tally memory two) = _postTwo();
        Anchor memory anchor = anchorOf(two);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_WrongRound.selector, 2, 1));
        quorum.attest(job, 2, anchor);
        vm.expectPartialRevert(Errors.JobLedger_WrongAnchor.selector);
        quorum.attest(job, 1, anchor);
        _attest(one);
        _attest(two);
        vm.expectPartialRevert(Errors.JobLedger_WrongAnchor.selector);
        quorum.attest(job, 3, anchor);
    }

    function test_RevertWhen_WindowIsOverOrRoundIsStruck() external {
        (Tally memory one, Tally memory two) = _postTwo();
        Anchor memory anchor = anchorOf(one);
        uint256 end = START + 1 hours;
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_Lapsed.selector, end, end));
        quorum.attest(job, 1, anchor);
        vm.warp(end - 1);
        _attest(one);
        anchor = anchorOf(two);
        court.reject(job, 2, anchor, address(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_RoundStruck.selector, 2, 2));
        quorum.attest(job, 2, anchor);
    }

    function test_Lapse() external {
        (Tally memory one,) = _postTwo();
        _attest(one);
        vm.warp(START + 80 minutes - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NothingLapsed.selector, job));
        ledger.lapse(job);
        vm.warp(START + 80 minutes);
        vm.expectEmit(address(ledger));
        emit IJobLedger.RoundLapsed(job, 2);
        ledger.lapse(job);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NothingLapsed.selector, job));
        ledger.lapse(job);

        vm.assertEq(ledger.jobOf(job).bond, BOND);
        vm.assertEq(ledger.accountOf(job).burned, 0);
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(address(token), requester), 4 * BUDGET - 30);
        vm.warp(START + 140 minutes);
        ledger.releaseBond(job);
        vm.assertEq(claim(one, 0), 10);
    }

    function test_CloseLapsesWhatIsDue() external {
        _postTwo();
        vm.expectPartialRevert(Errors.JobLedger_NotFinal.selector);
        ledger.closeJob(job);
        vm.warp(START + 1 hours);
        vm.expectEmit(address(ledger));
        emit IJobLedger.RoundLapsed(job, 1);
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(address(token), requester), 4 * BUDGET);
    }

    function test_FinishedJobClosesOnceAttested() external {
        Tally memory tally;
        for (uint256 i = 0; i < 4; ++i) {
            tally = makeTally(job, tally, list(1));
            post(tally);
            _attest(tally);
        }
        ledger.closeJob(job);
        vm.expectPartialRevert(Errors.JobLedger_BondLocked.selector);
        ledger.releaseBond(job);
        vm.warp(START + 2 hours);
        ledger.releaseBond(job);
    }

    function test_RejectionBurnsBeforeAttestationAndCutsTheBondAfter() external {
        (Tally memory one, Tally memory two) = _postTwo();
        _attest(one);
        court.reject(job, 1, anchorOf(one), stranger);
        vm.assertEq(ledger.jobOf(job).halted, 0);
        vm.assertEq(ledger.fundsOf(address(token), stranger), BOND / 10);
        court.reject(job, 2, anchorOf(two), stranger);
        vm.assertEq(ledger.jobOf(job).halted, 2);
        vm.assertEq(ledger.accountOf(job).burned, BUDGET);
    }

    function test_LapsedRoundBurnsNothing() external {
        (, Tally memory two) = _postTwo();
        vm.warp(START + 1 hours);
        vm.expectEmit(address(ledger));
        emit IJobLedger.RoundLapsed(job, 1);
        court.reject(job, 2, anchorOf(two), stranger);
        vm.assertEq(ledger.jobOf(job).halted, 1);
        vm.assertEq(ledger.accountOf(job).burned, 0);
        vm.assertEq(ledger.jobOf(job).bond, 0);
    }
}
