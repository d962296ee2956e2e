// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Anchor, Leaf} from "../src/Statements.sol";
import {IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

contract JobLedgerClaimTest is Stand {
    using Tallies for Tally;

    bytes32 private job;
    Tally private none;

    function setUp() public override {
        super.setUp();
        job = openJob();
        for (uint256 i = 0; i < 3; ++i) {
            registerNode(i);
        }
    }

    function _expectRefused(Tally memory tally, Leaf memory leaf, bytes32[] memory proof, bytes memory refusal)
        private
    {
        Anchor memory anchor = anchorOf(tally);
        vm.expectRevert(refusal);
        ledger.claim(job, tally.header.round, anchor, leaf, proof);
    }

    function testFuzz_ClaimPaysWhatIsNotDrawn(uint96 a, uint96 b, uint96 c, address sender) external {
        uint128[] memory rewards = list(1 + a % (BUDGET / 3), b % (BUDGET / 3), c % (BUDGET / 3));
        Tally memory first = makeTally(job, rewards);
        post(first);
        Tally memory second = makeTally(job, first, list(5, 0, 7));
        post(second);
        passWindow();

        vm.expectEmit(address(ledger));
        emit IJobLedger.Claimed(job, nodeAt(0), payoutAt(0), 1, rewards[0], rewards[0]);
        vm.prank(sender);
        vm.assertEq(claim(first, 0), rewards[0]);
        vm.assertEq(claim(second, 0), 5);
        vm.assertEq(claim(second, 2), rewards[2] + 7);
        vm.assertEq(token.balanceOf(payoutAt(0)), rewards[0] + 5);
        vm.assertEq(token.balanceOf(payoutAt(2)), rewards[2] + 7);
        vm.assertEq(ledger.claimedOf(job, nodeAt(2)), rewards[2] + 7);
        vm.assertEq(ledger.accountOf(job).paid, uint256(rewards[0]) + rewards[2] + 12);
        vm.assertEq(ledger.jobOf(job).claimable, uint256(rewards[0]) + rewards[1] + rewards[2] + 12);
    }

    function test_OldEntriesPayAfterNewerOnes() external {
        Tally memory first = makeTally(job, list(10, 20));
        post(first);
        Tally memory second = makeTally(job, first, list(1, 2));
        post(second);
        passWindow();
        claim(second, 1);
        vm.assertEq(claim(first, 0), 10);
        vm.assertEq(claim(second, 0), 1);
    }

    function test_ClaimPaysWhereThePayoutIsNow() external {
        Tally memory tally = makeTally(job, list(10, 20));
        post(tally);
        passWindow();
        vm.prank(operator);
        registry.setPayout(nodeAt(0), stranger);
        claim(tally, 0);
        vm.assertEq(token.balanceOf(stranger), 10);
    }

    function test_ClaimOfOneEntryNeedsNoProof() external {
        Tally memory tally = makeTally(job, list(10));
        post(tally);
        passWindow();
        vm.assertEq(tally.proof(0).length, 0);
        vm.assertEq(claim(tally, 0), 10);
    }

    function test_RevertWhen_NotFinal() external {
        Tally memory tally = makeTally(job, list(10, 20));
        post(tally);
        uint256 finalAt = block.timestamp + 1 hours;
        vm.warp(finalAt - 1);
        bytes memory refusal = abi.encodeWithSelector(Errors.JobLedger_NotFinal.selector, finalAt - 1, finalAt);
        _expectRefused(tally, tally.leafOf(0), tally.proof(0), refusal);
        vm.assertFalse(ledger.isFinal(job, 1, anchorOf(tally)));
        vm.warp(finalAt);
        vm.assertTrue(ledger.isFinal(job, 1, anchorOf(tally)));
        claim(tally, 0);
    }

    function test_RevertWhen_RoundIsStruck() external {
        Tally memory tally = makeTally(job, list(10, 20));
        post(tally);
        court.reject(job, 1, anchorOf(tally), address(0));
        passWindow();
        bytes memory refusal = abi.encodeWithSelector(Errors.JobLedger_RoundStruck.selector, 1, 1);
        _expectRefused(tally, tally.leafOf(0), tally.proof(0), refusal);
        vm.assertFalse(ledger.isFinal(job, 1, anchorOf(tally)));
    }

    function testFuzz_RevertWhen_WordsAreNotTheRounds(uint8 which, uint256 word) external {
        Tally memory tally = makeTally(job, list(10, 20));
        post(tally);
        passWindow();
        Anchor memory anchor = anchorOf(tally);
        bytes32 kept = keccak256(abi.encode(anchor));
        if (which % 4 == 0) anchor.headerDigest = bytes32(word);
        if (which % 4 == 1) anchor.entriesRoot = bytes32(word);
        if (which % 4 == 2) anchor.count = uint64(word);
        if (which % 4 == 3) anchor.finalAt = uint64(word);
        bytes32 changed = keccak256(abi.encode(anchor));
        vm.assume(kept != changed);
        vm.assertFalse(ledger.isFinal(job, 1, anchor));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_WrongAnchor.selector, changed, kept));
        ledger.claim(job, 1, anchor, tally.leafOf(0), tally.proof(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_WrongAnchor.selector, changed, bytes32(0)));
        ledger.verifyAnchor(job, 2, anchor);
    }

    function testFuzz_RevertWhen_LeafIsChanged(uint8 which, uint256 word) external {
        Tally memory tally = makeTally(job, list(10, 20, 30));
        post(tally);
        passWindow();
        Leaf memory leaf = tally.leafOf(1);
        bytes32 kept = keccak256(abi.encode(leaf));
        if (which % 4 == 0) leaf.seq = uint64(word % 3);
        if (which % 4 == 1) leaf.node = address(uint160(word));
        if (which % 4 == 2) leaf.earned = uint128(word);
        if (which % 4 == 3) leaf.body = bytes32(word);
        vm.assume(kept != keccak256(abi.encode(leaf)));
        bytes32 hash = Tallies.hashLeaf(leaf);
        bytes memory refusal =
            abi.encodeWithSelector(Errors.JobLedger_NotInTree.selector, hash, tally.header.entriesRoot);
        _expectRefused(tally, leaf, tally.proof(1), refusal);
    }

    function test_RevertWhen_LeafIsPadding() external {
        Tally memory tally = makeTally(job, list(10, 20, 30));
        post(tally);
        passWindow();
        Leaf memory padding = Leaf(3, address(0), 0, 0);
        bytes memory refusal = abi.encodeWithSelector(Errors.JobLedger_SeqOutOfRange.selector, 3, 3);
        _expectRefused(tally, padding, tally.proof(3), refusal);
    }

    function testFuzz_RevertWhen_ProofHasAnotherLength(uint8 length) external {
        vm.assume(length != 2);
        Tally memory tally = makeTally(job, list(10, 20, 30));
        post(tally);
        passWindow();
        bytes memory refusal = abi.encodeWithSelector(Errors.JobLedger_ProofLength.selector, length, 2);
        _expectRefused(tally, tally.leafOf(0), new bytes32[](length), refusal);
    }

    function test_RevertWhen_NothingIsLeft() external {
        Tally memory first = makeTally(job, list(10, 20));
        post(first);
        Tally memory second = makeTally(job, first, list(5, 5));
        post(second);
        passWindow();
        claim(second, 0);
        bytes memory refusal = abi.encodeWithSelector(Errors.JobLedger_NothingToClaim.selector, 10, 15);
        _expectRefused(first, first.leafOf(0), first.proof(0), refusal);
        refusal = abi.encodeWithSelector(Errors.JobLedger_NothingToClaim.selector, 15, 15);
        _expectRefused(second, second.leafOf(0), second.proof(0), refusal);
    }

    /// @notice A false `earned` that nobody challenged reaches the rewards of final rounds and not one unit further.
    function test_RevertWhen_EarnedExceedsWhatFinalRoundsPay() external {
        Tally memory first = makeTally(job, list(10, 20));
        first.entries[0].earned = 31;
        first.seal();
        post(first);
        vm.warp(block.timestamp + 30 minutes);
        Tally memory second = makeTally(job, first, list(100, 100));
        post(second);
        vm.warp(block.timestamp + 30 minutes);
        bytes memory refusal = abi.encodeWithSelector(Errors.JobLedger_OverClaimed.selector, 31, 30);
        _expectRefused(first, first.leafOf(0), first.proof(0), refusal);
        vm.assertEq(claim(first, 1), 20);
        vm.warp(block.timestamp + 30 minutes);
        claim(second, 1);
        vm.assertEq(claim(first, 0), 31);
    }

    function test_RevertWhen_NodeHasNoPayout() external {
        uint128[] memory rewards = new uint128[](4);
        rewards[3] = 9;
        Tally memory tally = makeTally(job, rewards);
        post(tally);
        passWindow();
        bytes memory refusal = abi.encodeWithSelector(Errors.JobLedger_NoPayout.selector, nodeAt(3));
        _expectRefused(tally, tally.leafOf(3), tally.proof(3), refusal);
        registerNode(3);
        vm.assertEq(claim(tally, 3), 9);
    }

    function test_ClaimOutlivesTheJob() external {
        Tally memory tally = makeTally(job, list(10, 20));
        post(tally);
        vm.prank(requester);
        ledger.requestClose(job);
        vm.warp(block.timestamp + 3 days);
        ledger.closeJob(job);
        vm.warp(block.timestamp + 3650 days);
        vm.assertEq(claim(tally, 1), 20);
    }
}
