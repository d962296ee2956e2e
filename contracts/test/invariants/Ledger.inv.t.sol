// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Account, IJobLedger, Job} from "../../src/interfaces/IJobLedger.sol";
import {ITallyToken} from "../../src/interfaces/ITallyToken.sol";
import {Vm} from "../Vm.sol";
import {Play} from "./Play.sol";

/// @notice What holds after any calls of anybody, in any order:
/// 1. The ledger holds exactly what is free, escrowed, payable, bonded, offered as bounty, and burned.
/// 2. Per job: funded = paid + payable + free + refunded + burned, each as the play itself counted it.
/// 3. Nothing is paid twice: what payout addresses received is what nodes have drawn.
/// 4. What a job paid never exceeds the rewards of its final, standing rounds: a rejected or unfinal round never pays.
/// 5. A claim that is due in an honest job succeeds, in full, whoever sends it and whatever was sent before; one that
///    is not due fails; a final round is never struck; only what was not attested lapses. And claims never fall.
/// 6. Nothing is stuck: when everybody takes what is theirs, only burned tokens are left (and what a lying coordinator's
///    entries have put out of reach).
contract LedgerInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant NODES = 4;

    Play private play;
    IJobLedger private ledger;
    ITallyToken private token;
    mapping(bytes32 job => uint256) private lastPaid;

    function setUp() external {
        play = new Play();
        play.setUp();
        (address ledger_, address token_) = play.contracts();
        (ledger, token) = (IJobLedger(ledger_), ITallyToken(token_));
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(play);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](14);
        selectors[0] = Play.open.selector;
        selectors[1] = Play.pass.selector;
        selectors[2] = Play.postNext.selector;
        selectors[3] = Play.claimOne.selector;
        selectors[4] = Play.claimAll.selector;
        selectors[5] = Play.rejectRound.selector;
        selectors[6] = Play.settleBounty.selector;
        selectors[7] = Play.attestNext.selector;
        selectors[8] = Play.lapse.selector;
        selectors[9] = Play.requestClose.selector;
        selectors[10] = Play.closeJob.selector;
        selectors[11] = Play.releaseBond.selector;
        selectors[12] = Play.withdrawAll.selector;
        selectors[13] = Play.postNext.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(play), selectors);
    }

    function invariant_TheLedgerHoldsWhatItOwes() external view {
        (address requester, address coordinator, address challenger) = play.people();
        uint256 owed = play.burned() + ledger.fundsOf(address(token), requester)
            + ledger.fundsOf(address(token), coordinator) + ledger.fundsOf(address(token), challenger);
        for (uint256 i = 0; i < play.count(); ++i) {
            Account memory account = ledger.accountOf(play.jobs(i));
            Job memory job = ledger.jobOf(play.jobs(i));
            owed += account.payable_ + account.free + job.bond + job.bounty;
        }
        vm.assertEq(token.balanceOf(address(ledger)), owed);
    }

    function invariant_EveryJobAddsUp() external view {
        for (uint256 i = 0; i < play.count(); ++i) {
            Account memory account = ledger.accountOf(play.jobs(i));
            Play.Book memory book = play.bookOf(play.jobs(i));
            vm.assertEq(account.paid, book.paid);
            vm.assertEq(account.refunded, book.refunded);
            vm.assertEq(account.burned, book.burned);
            vm.assertEq(
                account.funded, account.paid + account.payable_ + account.free + account.refunded + account.burned
            );
        }
    }

    function invariant_NothingIsPaidTwice() external view {
        uint256 paid = 0;
        for (uint256 i = 0; i < play.count(); ++i) {
            paid += play.bookOf(play.jobs(i)).paid;
        }
        uint256 received = 0;
        for (uint256 i = 0; i < NODES; ++i) {
            received += token.balanceOf(play.payoutOf(i));
        }
        vm.assertEq(received, paid);
    }

    function invariant_OnlyFinalRoundsPayAndClaimsNeverFall() external {
        for (uint256 i = 0; i < play.count(); ++i) {
            bytes32 job = play.jobs(i);
            uint256 paid = ledger.accountOf(job).paid;
            vm.assertLe(paid, play.finalRewards(job));
            vm.assertLe(lastPaid[job], paid);
            lastPaid[job] = paid;
        }
    }

    function invariant_WhatIsDueSucceedsAndNothingElse() external view {
        vm.assertEq(play.broken(), 0);
    }

    function afterInvariant() external {
        uint256 outOfReach = 0;
        for (uint256 i = 0; i < play.count(); ++i) {
            play.requestClose(i, i % 2 == 0);
        }
        play.closeJob(0, 0);
        play.closeJob(0, 0);
        for (uint256 i = 0; i < play.count(); ++i) {
            bytes32 job = play.jobs(i);
            play.closeJob(i, 1);
            play.releaseBond(i);
            play.settleBounty(i, false);
            Play.Book memory book = play.bookOf(job);
            for (uint256 round = book.posted; round > 0; --round) {
                play.claimAll(i, round - 1);
            }
            if (book.lying) outOfReach += ledger.accountOf(job).payable_;
            else vm.assertEq(ledger.accountOf(job).payable_, 0);
        }
        play.withdrawAll(0);
        play.withdrawAll(2);
        vm.assertEq(play.broken(), 0);
        (, address coordinator,) = play.people();
        uint256 left = play.burned() + outOfReach + ledger.fundsOf(address(token), coordinator);
        vm.assertEq(token.balanceOf(address(ledger)), left);
    }
}
