// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Limits} from "../src/Limits.sol";
import {Anchor, Leaf, Terms} from "../src/Statements.sol";
import {Claim, IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {PlainToken, SilentToken, SpitefulToken} from "./HostileTokens.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

/// @notice See JobLedger.claim.tree.
contract JobLedgerClaimManyTest is Stand {
    using Tallies for Tally;

    bytes32 private job;

    function setUp() public override {
        super.setUp();
        job = openJob();
        for (uint256 i = 0; i < 3; ++i) {
            registerNode(i);
        }
    }

    function _claims(Tally memory tally) private pure returns (Claim[] memory claims) {
        claims = new Claim[](tally.entries.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            claims[i] = Claim(tally.leafOf(i), tally.proof(i));
        }
    }

    function _claimAll(Tally memory tally) private returns (uint256) {
        return ledger.claimMany(tally.header.job, tally.header.round, anchorOf(tally), _claims(tally));
    }

    function _openJobIn(address token_) private returns (bytes32 opened) {
        Terms memory terms = makeTerms(77);
        (terms.token, terms.bond) = (token_, 0);
        return openJob(terms);
    }

    function testFuzz_PaysAllInAnyOrder(uint96 a, uint96 b, uint96 c, uint256 order) external {
        uint128[] memory rewards = list(1 + a % (BUDGET / 3), 1 + b % (BUDGET / 3), 1 + c % (BUDGET / 3));
        Tally memory tally = makeTally(job, rewards);
        post(tally);
        passWindow();
        Claim[] memory claims = _claims(tally);
        (uint256 from, uint256 to) = (order % 3, (order >> 8) % 3);
        (claims[from], claims[to]) = (claims[to], claims[from]);
        uint256 total = tally.header.totalReward;
        vm.assertEq(ledger.claimMany(job, 1, anchorOf(tally), claims), total);
        for (uint256 i = 0; i < 3; ++i) {
            vm.assertEq(token.balanceOf(payoutAt(i)), rewards[i]);
        }
        vm.assertEq(ledger.accountOf(job).paid, total);
    }

    function test_BadItemsAreReportedAndTheRestIsPaid() external {
        uint128[] memory rewards = new uint128[](6);
        for (uint256 i = 0; i < 6; ++i) {
            rewards[i] = uint128(10 + i);
        }
        Tally memory tally = makeTally(job, rewards);
        post(tally);
        passWindow();
        claim(tally, 1);
        Claim[] memory claims = new Claim[](8);
        claims[0] = Claim(tally.leafOf(3), tally.proof(3));
        claims[1] = Claim(tally.leafOf(1), tally.proof(1));
        claims[2] = Claim(tally.leafOf(2), tally.proof(1));
        claims[3] = Claim(tally.leafOf(2), new bytes32[](1));
        claims[4] = Claim(Leaf(6, address(0), 0, 0), tally.proof(6));
        claims[5] = Claim(tally.leafOf(0), tally.proof(0));
        claims[6] = Claim(tally.leafOf(0), tally.proof(0));
        claims[7] = Claim(tally.leafOf(2), tally.proof(2));
        _expectReports(tally);
        vm.assertEq(ledger.claimMany(job, 1, anchorOf(tally), claims), 22);
        vm.assertEq(token.balanceOf(payoutAt(0)), 10);
        vm.assertEq(token.balanceOf(payoutAt(2)), 12);
    }

    function _expectReports(Tally memory tally) private {
        bytes32 root = tally.header.entriesRoot;
        _expectFailure(nodeAt(3), 3, abi.encodeWithSelector(Errors.JobLedger_NoPayout.selector, nodeAt(3)));
        _expectFailure(nodeAt(1), 1, abi.encodeWithSelector(Errors.JobLedger_NothingToClaim.selector, 11, 11));
        bytes32 leaf = Tallies.hashLeaf(tally.leafOf(2));
        _expectFailure(nodeAt(2), 2, abi.encodeWithSelector(Errors.JobLedger_NotInTree.selector, leaf, root));
        _expectFailure(nodeAt(2), 2, abi.encodeWithSelector(Errors.JobLedger_ProofLength.selector, 1, 3));
        _expectFailure(address(0), 6, abi.encodeWithSelector(Errors.JobLedger_SeqOutOfRange.selector, 6, 6));
        vm.expectEmit(address(ledger));
        emit IJobLedger.Claimed(job, nodeAt(0), payoutAt(0), 1, 10, 10);
        _expectFailure(nodeAt(0), 0, abi.encodeWithSelector(Errors.JobLedger_NothingToClaim.selector, 10, 10));
    }

    function _expectFailure(address node, uint64 seq, bytes memory reason) private {
        vm.expectEmit(address(ledger));
        emit IJobLedger.ClaimFailed(job, node, 1, seq, reason);
    }

    function test_OverdrawnItemIsReported() external {
        Tally memory tally = makeTally(job, list(10, 20));
        tally.entries[0].earned = 40;
        tally.seal();
        post(tally);
        passWindow();
        _expectFailure(nodeAt(0), 0, abi.encodeWithSelector(Errors.JobLedger_OverClaimed.selector, 40, 30));
        vm.assertEq(_claimAll(tally), 20);
    }

    function test_SpitefulTokensCannotStopTheRest() external {
        for (uint256 how = 0; how <= uint256(SpitefulToken.Spite.AnswerLong); ++how) {
            SpitefulToken spiteful = new SpitefulToken(requester);
            bytes32 opened = _openJobIn(address(spiteful));
            Tally memory tally = makeTally(opened, list(10, 20, 30));
            post(tally);
            passWindow();
            spiteful.spite(payoutAt(1), SpitefulToken.Spite(how));
            uint256 gas = gasleft();
            vm.assertEq(_claimAll(tally), 40);
            vm.assertLe(gas - gasleft(), Limits.TRANSFER_GAS + 450_000);
            vm.assertEq(spiteful.balanceOf(payoutAt(1)), 0);
            vm.assertEq(ledger.claimedOf(opened, nodeAt(1)), 0);
            vm.assertEq(ledger.accountOf(opened).paid, 40);

            if (how != uint256(SpitefulToken.Spite.BurnGas)) {
                bytes memory refusal = abi.encodeWithSelector(Errors.JobLedger_TransferFailed.selector, payoutAt(1), 20);
                vm.expectRevert(refusal);
                this.claimFrom(tally, 1);
            }
            spiteful.spite(address(0), SpitefulToken.Spite.Revert);
            vm.assertEq(claim(tally, 1), 20);
        }
    }

    function claimFrom(Tally memory tally, uint256 seq) external {
        claim(tally, seq);
    }

    /// @notice A token claims a newer entry of the same node in the middle of a transfer and then answers false.
    function test_ReentrantFalseAnswerPaysNothingTwice() external {
        SpitefulToken spiteful = new SpitefulToken(requester);
        bytes32 opened = _openJobIn(address(spiteful));
        Tally memory first = makeTally(opened, list(10, 20, 30));
        post(first);
        Tally memory second = makeTally(opened, first, list(1, 2, 3));
        post(second);
        passWindow();
        spiteful.spite(payoutAt(1), SpitefulToken.Spite.CallBackAndAnswerFalse);
        spiteful.aim(
            address(ledger),
            abi.encodeCall(IJobLedger.claim, (opened, 2, anchorOf(second), second.leafOf(1), second.proof(1)))
        );
        vm.assertEq(_claimAll(first), 40);
        vm.assertEq(spiteful.balanceOf(payoutAt(1)), 2);
        vm.assertEq(ledger.claimedOf(opened, nodeAt(1)), 2);
        vm.assertEq(claim(second, 1), 20);
        vm.assertEq(ledger.accountOf(opened).paid, 62);
        vm.assertEq(spiteful.balanceOf(payoutAt(1)), 22);
    }

    function test_SilentTokenPays() external {
        SilentToken silent = new SilentToken(requester);
        bytes32 opened = _openJobIn(address(silent));
        Tally memory tally = makeTally(opened, list(10, 20, 30));
        post(tally);
        passWindow();
        vm.assertEq(_claimAll(tally), 60);
        vm.assertEq(silent.balanceOf(payoutAt(2)), 30);
    }

    function test_RevertWhen_GasDoesNotDoForATransfer() external {
        Tally memory tally = makeTally(job, list(10, 20, 30));
        post(tally);
        passWindow();
        bytes memory data = abi.encodeCall(IJobLedger.claimMany, (job, 1, anchorOf(tally), _claims(tally)));
        (bool done, bytes memory reason) = address(ledger).call{gas: 250_000}(data);
        vm.assertFalse(done);
        vm.assertEq(bytes32(bytes4(reason)), bytes32(Errors.JobLedger_TooLittleGas.selector));
        vm.assertEq(ledger.accountOf(job).paid, 0);
    }

    function test_RevertWhen_RoundIsNotFinal() external {
        Tally memory tally = makeTally(job, list(10, 20, 30));
        post(tally);
        Claim[] memory claims = _claims(tally);
        Anchor memory anchor = anchorOf(tally);
        vm.expectPartialRevert(Errors.JobLedger_NotFinal.selector);
        ledger.claimMany(job, 1, anchor, claims);
    }
}
