// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Limits} from "../src/Limits.sol";
import {Terms} from "../src/Statements.sol";
import {Account, Finality, IJobLedger, Job} from "../src/interfaces/IJobLedger.sol";
import {FeeToken, ReentrantToken} from "./HostileTokens.sol";
import {Stand} from "./Stand.sol";

contract JobLedgerOpenTest is Stand {
    function _expectRefused(Terms memory terms, bytes memory refusal) private {
        (uint64 deadline, bytes memory signature) = accept(terms);
        vm.expectRevert(refusal);
        vm.prank(terms.requester);
        ledger.openJob(terms, deadline, signature);
    }

    function testFuzz_DepositAndWithdraw(uint96 amount, uint96 part) external {
        amount = uint96(amount % 1e5 ether);
        part = amount == 0 ? 0 : part % amount;
        uint256 before = token.balanceOf(requester);
        vm.expectEmit(address(ledger));
        emit IJobLedger.BondDeposited(address(token), requester, amount);
        vm.prank(requester);
        ledger.depositBond(address(token), amount);
        vm.assertEq(ledger.fundsOf(address(token), requester), amount);

        vm.expectEmit(address(ledger));
        emit IJobLedger.FundsWithdrawn(address(token), requester, stranger, part);
        vm.prank(requester);
        ledger.withdraw(address(token), stranger, part);
        vm.assertEq(ledger.fundsOf(address(token), requester), amount - part);
        vm.assertEq(token.balanceOf(stranger), part);
        vm.assertEq(token.balanceOf(requester), before - amount);
    }

    function test_RevertWhen_DepositArrivesShort() external {
        FeeToken fee = new FeeToken(requester);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(Errors.Tallystick_InexactTransfer.selector, 99, 100));
        ledger.depositBond(address(fee), 100);
    }

    function test_RevertWhen_DepositsNest() external {
        ReentrantToken nested = new ReentrantToken();
        nested.aim(address(ledger), abi.encodeCall(IJobLedger.depositBond, (address(nested), 5)));
        vm.expectPartialRevert(ReentrantToken.Reentered.selector);
        ledger.depositBond(address(nested), 100);
    }

    function test_RevertWhen_WithdrawingTooMuchOrToNobody() external {
        uint256 free = ledger.fundsOf(address(token), coordinator);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_InsufficientFunds.selector, free, free + 1));
        vm.prank(coordinator);
        ledger.withdraw(address(token), coordinator, free + 1);
        vm.expectRevert(Errors.Tallystick_ZeroAddress.selector);
        vm.prank(coordinator);
        ledger.withdraw(address(token), address(0), 1);
    }

    function test_OpenJob() external {
        Terms memory terms = makeTerms(7);
        bytes32 id = idOf(terms);
        vm.assertEq(ledger.hashTerms(terms), id);
        uint256 before = token.balanceOf(requester);
        (uint64 deadline, bytes memory signature) = accept(terms);
        vm.expectEmit(address(ledger));
        emit IJobLedger.JobOpened(id, requester, coordinator, terms);
        vm.prank(requester);
        vm.assertEq(ledger.openJob(terms, deadline, signature), id);

        vm.assertEq(token.balanceOf(requester), before - 4 * BUDGET);
        vm.assertEq(token.balanceOf(address(ledger)), 10 * BOND + 4 * BUDGET);
        vm.assertEq(ledger.fundsOf(address(token), coordinator), 9 * BOND);
        _assertKept(ledger.jobOf(id), terms, id);
        Account memory account = ledger.accountOf(id);
        vm.assertEq(account.funded, 4 * BUDGET);
        vm.assertEq(account.free, 4 * BUDGET);
        vm.assertEq(ledger.minStakeOf(id), MIN_STAKE);
    }

    function _assertKept(Job memory job, Terms memory terms, bytes32 id) private pure {
        vm.assertEq(job.coordinator, terms.coordinator);
        vm.assertEq(job.requester, terms.requester);
        vm.assertEq(job.token, terms.token);
        vm.assertEq(job.rounds, terms.rounds);
        vm.assertEq(job.window, terms.window);
        vm.assertEq(job.anchorSeconds, terms.anchorSeconds);
        vm.assertEq(job.budgetPerRound, terms.budgetPerRound);
        vm.assertEq(job.bond, terms.bond);
        vm.assertEq(job.lastHeader, id);
        vm.assertTrue(job.finality == Finality.ByWindow);
    }

    function test_OpenWitnessedJob() external {
        vm.assertTrue(ledger.jobOf(openWitnessedJob()).finality == Finality.ByWitnesses);
    }

    function test_RevertWhen_SenderIsNotRequester() external {
        Terms memory terms = makeTerms(1);
        (uint64 deadline, bytes memory signature) = accept(terms);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotRequester.selector, stranger, requester));
        vm.prank(stranger);
        ledger.openJob(terms, deadline, signature);
    }

    function test_RevertWhen_RoundsAreOutOfRange() external {
        Terms memory terms = makeTerms(1);
        uint64 most = Limits.MAX_ROUNDS;
        terms.rounds = 0;
        _expectRefused(terms, abi.encodeWithSelector(Errors.JobLedger_RoundsOutOfRange.selector, 0, most));
        terms.rounds = most + 1;
        _expectRefused(terms, abi.encodeWithSelector(Errors.JobLedger_RoundsOutOfRange.selector, most + 1, most));
    }

    function test_RevertWhen_TimesAreOutOfRange() external {
        Terms memory terms = makeTerms(1);
        uint64 most = Limits.MAX_SETTLEMENT_SECONDS;
        terms.window = 0;
        _expectRefused(terms, abi.encodeWithSelector(Errors.JobLedger_WindowOutOfRange.selector, 0, most));
        terms.window = most + 1;
        _expectRefused(terms, abi.encodeWithSelector(Errors.JobLedger_WindowOutOfRange.selector, most + 1, most));
        terms.window = most - 10;
        terms.anchorSeconds = 6;
        _expectRefused(terms, abi.encodeWithSelector(Errors.JobLedger_AnchorSecondsOutOfRange.selector, 6, 5));
        terms.anchorSeconds = 0;
        _expectRefused(terms, abi.encodeWithSelector(Errors.JobLedger_AnchorSecondsOutOfRange.selector, 0, 5));
    }

    function testFuzz_RevertWhen_EscrowIsTooLarge(uint64 rounds, uint128 budget) external {
        Terms memory terms = makeTerms(1);
        terms.rounds = 1 + rounds % Limits.MAX_ROUNDS;
        uint256 least = Limits.MAX_ESCROW / terms.rounds + 1;
        terms.budgetPerRound = uint128(least + budget % (type(uint128).max - least));
        uint256 escrow = uint256(terms.rounds) * terms.budgetPerRound;
        _expectRefused(
            terms, abi.encodeWithSelector(Errors.JobLedger_EscrowTooLarge.selector, escrow, Limits.MAX_ESCROW)
        );
    }

    function test_RevertWhen_AcceptanceIsLate() external {
        Terms memory terms = makeTerms(1);
        (uint64 deadline, bytes memory signature) = accept(terms);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_AcceptanceExpired.selector, deadline + 1, deadline));
        vm.prank(requester);
        ledger.openJob(terms, deadline, signature);
    }

    function testFuzz_RevertWhen_AcceptanceIsOfOtherTerms(uint64 nonce) external {
        vm.assume(nonce != 1);
        (uint64 deadline, bytes memory signature) = accept(makeTerms(nonce));
        Terms memory terms = makeTerms(1);
        vm.expectPartialRevert(Errors.JobLedger_AcceptanceSigner.selector);
        vm.prank(requester);
        ledger.openJob(terms, deadline, signature);
    }

    function test_RevertWhen_SignatureIsNotCanonical() external {
        Terms memory terms = makeTerms(1);
        (uint64 deadline, bytes memory signature) = accept(terms);
        signature[64] = bytes1(uint8(signature[64]) - 27);
        vm.expectRevert();
        vm.prank(requester);
        ledger.openJob(terms, deadline, signature);
    }

    function test_RevertWhen_BondIsNotFree() external {
        Terms memory terms = makeTerms(1);
        terms.bond = 10 * BOND + 1;
        _expectRefused(
            terms, abi.encodeWithSelector(Errors.JobLedger_InsufficientFunds.selector, 10 * BOND, 10 * BOND + 1)
        );
    }

    function test_RevertWhen_EscrowDoesNotArrive() external {
        Terms memory terms = makeTerms(1);
        FeeToken fee = new FeeToken(requester);
        (terms.token, terms.bond) = (address(fee), 0);
        uint256 escrow = 4 * uint256(BUDGET);
        _expectRefused(
            terms, abi.encodeWithSelector(Errors.Tallystick_InexactTransfer.selector, escrow - escrow / 100, escrow)
        );
        terms = makeTerms(1);
        terms.requester = stranger;
        (uint64 deadline, bytes memory signature) = accept(terms);
        vm.expectRevert();
        vm.prank(stranger);
        ledger.openJob(terms, deadline, signature);
    }

    function test_RevertWhen_TermsWereOpened() external {
        bytes32 job = openJob();
        _expectRefused(makeTerms(1), abi.encodeWithSelector(Errors.JobLedger_JobExists.selector, job));
    }

    function test_FreeJobNeedsNoTokens() external {
        Terms memory terms = makeTerms(9);
        (terms.budgetPerRound, terms.bond) = (0, 0);
        vm.assertEq(ledger.accountOf(openJob(terms)).funded, 0);
    }
}
