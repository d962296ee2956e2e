// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Anchor} from "../src/Statements.sol";
import {Account, IJobLedger, Job} from "../src/interfaces/IJobLedger.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

contract JobLedgerRejectTest is Stand {
    using Tallies for Tally;

    address private challenger = address(0xC4A);
    Anchor private none;
    bytes32 private job;

    function setUp() public override {
        super.setUp();
        job = openJob();
        for (uint256 i = 0; i < 2; ++i) {
            registerNode(i);
        }
    }

    /// @dev Three rounds, twenty minutes apart, that pay 3, 30 and 300.
    function _postThree() private returns (Tally[3] memory posted) {
        posted[0] = makeTally(job, list(1, 2));
        post(posted[0]);
        vm.warp(block.timestamp + 20 minutes);
        posted[1] = makeTally(job, posted[0], list(10, 20));
        post(posted[1]);
        vm.warp(block.timestamp + 20 minutes);
        posted[2] = makeTally(job, posted[1], list(100, 200));
        post(posted[2]);
    }

    function test_RejectStrikesBurnsAndCuts() external {
        Tally[3] memory posted = _postThree();
        Anchor memory anchor = anchorOf(posted[1]);
        vm.expectEmit(address(ledger));
        emit IJobLedger.RoundRejected(job, 2, 2 * BUDGET);
        vm.expectEmit(address(ledger));
        emit IJobLedger.BondCut(job, challenger, BOND / 10, BOND - BOND / 10);
        court.reject(job, 2, anchor, challenger);

        vm.assertEq(ledger.fundsOf(address(token), challenger), BOND / 10);
        Account memory account = ledger.accountOf(job);
        vm.assertEq(account.burned, 2 * BUDGET);
        vm.assertEq(account.payable_, 3);
        vm.assertEq(account.free, 2 * BUDGET - 3);
        Job memory state = ledger.jobOf(job);
        vm.assertEq(state.halted, 2);
        vm.assertEq(state.bond, 0);
        vm.assertEq(state.bounty, 0);
        vm.warp(block.timestamp + 1 hours);
        vm.assertEq(claim(posted[0], 1), 2);
        vm.expectPartialRevert(Errors.JobLedger_RoundStruck.selector);
        this.claimFrom(posted[2], 1);
    }

    function claimFrom(Tally memory tally, uint256 seq) external {
        claim(tally, seq);
    }

    function test_AnEarlierFaultStrikesFromThere() external {
        Tally[3] memory posted = _postThree();
        court.reject(job, 3, anchorOf(posted[2]), challenger);
        vm.assertEq(ledger.accountOf(job).burned, BUDGET);
        court.reject(job, 2, anchorOf(posted[1]), challenger);
        vm.assertEq(ledger.accountOf(job).burned, 2 * BUDGET);
        vm.assertEq(ledger.fundsOf(address(token), challenger), BOND / 10);
        Anchor memory anchor = anchorOf(posted[2]);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NothingToReject.selector, job, 3));
        court.reject(job, 3, anchor, challenger);
    }

    function testFuzz_MissingRoundHaltsAtTheFirstMissing(uint64 round) external {
        Tally[3] memory posted = _postThree();
        vm.assume(round > 3);
        vm.expectEmit(address(ledger));
        emit IJobLedger.RoundRejected(job, 4, BUDGET);
        court.reject(job, round, none, challenger);
        vm.assertEq(ledger.jobOf(job).halted, 4);
        vm.warp(block.timestamp + 1 hours);
        vm.assertEq(claim(posted[2], 1), 222);
        vm.expectPartialRevert(Errors.JobLedger_NothingToReject.selector);
        court.reject(job, round, none, challenger);
    }

    function test_FinalRoundLosesTheBondOnly() external {
        Tally[3] memory posted = _postThree();
        vm.warp(START + 1 hours);
        court.reject(job, 1, anchorOf(posted[0]), challenger);
        vm.assertEq(ledger.jobOf(job).halted, 0);
        vm.assertEq(ledger.accountOf(job).burned, 0);
        vm.assertEq(ledger.jobOf(job).bond, 0);
        vm.assertEq(claim(posted[0], 0), 1);
        Anchor memory anchor = anchorOf(posted[0]);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NothingToReject.selector, job, 1));
        court.reject(job, 1, anchor, challenger);
        court.reject(job, 2, anchorOf(posted[1]), challenger);
        vm.assertEq(ledger.jobOf(job).halted, 2);
    }

    function test_ARoundIsFinalAtItsWindowsEndAndNotBefore() external {
        Tally[3] memory posted = _postThree();
        vm.warp(START + 1 hours - 1);
        court.reject(job, 1, anchorOf(posted[0]), challenger);
        vm.assertEq(ledger.jobOf(job).halted, 1);
        vm.assertEq(ledger.accountOf(job).burned, 3 * BUDGET);
    }

    function test_FaultWithoutARoundCutsTheBondOnly() external {
        court.reject(job, 0, none, challenger);
        vm.assertEq(ledger.jobOf(job).halted, 0);
        vm.assertEq(ledger.jobOf(job).bond, 0);
    }

    function test_NothingIsMissingAfterTheLastRound() external {
        Tally[3] memory posted = _postThree();
        post(makeTally(job, posted[2], list(5)));
        court.reject(job, 5, none, challenger);
        vm.assertEq(ledger.jobOf(job).halted, 0);
        vm.assertEq(ledger.accountOf(job).burned, 0);
    }

    function test_ClosedJobLosesTheBondOnly() external {
        vm.prank(requester);
        ledger.requestClose(job);
        vm.warp(START + 3 days);
        ledger.closeJob(job);
        court.reject(job, 1, none, challenger);
        vm.assertEq(ledger.accountOf(job).burned, 0);
        vm.assertEq(ledger.fundsOf(address(token), requester), 4 * BUDGET);
        vm.assertEq(ledger.fundsOf(address(token), challenger), BOND / 10);
    }

    function testFuzz_RevertWhen_SenderIsNotCourt(address sender) external {
        vm.assume(sender != address(court));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotCourt.selector, sender, address(court)));
        vm.prank(sender);
        ledger.reject(job, 1, none, sender);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotCourt.selector, sender, address(court)));
        vm.prank(sender);
        ledger.settleBounty(job, sender);
    }

    function test_RevertWhen_WordsAreNotTheRounds() external {
        Tally[3] memory posted = _postThree();
        Anchor memory anchor = anchorOf(posted[0]);
        vm.expectPartialRevert(Errors.JobLedger_WrongAnchor.selector);
        court.reject(job, 2, anchor, challenger);
        vm.expectPartialRevert(Errors.JobLedger_WrongAnchor.selector);
        court.reject(job, 4, anchor, challenger);
        vm.expectPartialRevert(Errors.JobLedger_WrongAnchor.selector);
        court.reject(job, 0, anchor, challenger);
        anchor.finalAt = type(uint64).max;
        vm.expectPartialRevert(Errors.JobLedger_WrongAnchor.selector);
        court.reject(job, 1, anchor, challenger);
    }

    function test_BountyWaitsForItsChallenger() external {
        court.reject(job, 1, none, address(0));
        vm.assertEq(ledger.jobOf(job).bounty, BOND / 10);
        vm.expectEmit(address(ledger));
        emit IJobLedger.BountySettled(job, challenger, BOND / 10);
        court.settleBounty(job, challenger);
        vm.assertEq(ledger.fundsOf(address(token), challenger), BOND / 10);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NoBounty.selector, job));
        court.settleBounty(job, challenger);
    }

    function test_BountyOfNobodyIsBurned() external {
        court.reject(job, 1, none, address(0));
        uint256 held = token.balanceOf(address(ledger));
        court.settleBounty(job, address(0));
        vm.assertEq(token.balanceOf(address(ledger)), held);
        vm.assertEq(ledger.jobOf(job).bounty, 0);
        vm.assertEq(ledger.fundsOf(address(token), address(0)), 0);
    }
}
