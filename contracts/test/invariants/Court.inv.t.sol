// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Account, IJobLedger, Job} from "../../src/interfaces/IJobLedger.sol";
import {ITallyToken} from "../../src/interfaces/ITallyToken.sol";
import {Vm} from "../Vm.sol";
import {Trial} from "./Trial.sol";

/// @notice What holds around the court after any calls of anybody, in any order:
/// 1. An honest job is never struck, its bond never cut, its due claims always paid, in any order; all it is asked for is
///    answered. A false challenge fails; a true one is upheld while there is anything to punish, whatever its token does.
/// 2. Requester, coordinator and challenger, as one purse, never get training for less than its rewards: a round that they
///    have struck costs its whole budget. Self-rejection does not pay.
/// 3. Per job funded = paid + payable + free + refunded + burned, and the ledger holds what it owes in every token.
/// 4. The court holds exactly the native coin that it owes, and no token.
contract CourtInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant JOBS = 3;
    uint256 private constant BUDGET = 1000 ether;

    Trial private trial;
    IJobLedger private ledger;
    address private tribunal;
    uint256[2] private purse;

    function setUp() external {
        trial = new Trial();
        trial.setUp();
        (address ledger_, address court_,,) = trial.contracts();
        (ledger, tribunal) = (IJobLedger(ledger_), court_);
        purse = [_purse(0), _purse(1)];
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(trial);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = Trial.pass.selector;
        selectors[1] = Trial.postNext.selector;
        selectors[2] = Trial.postNext.selector;
        selectors[3] = Trial.challengeTruly.selector;
        selectors[4] = Trial.challengeFalsely.selector;
        selectors[5] = Trial.demand.selector;
        selectors[6] = Trial.challengeSilence.selector;
        selectors[7] = Trial.claimAll.selector;
        selectors[8] = Trial.settle.selector;
        selectors[9] = Trial.close.selector;
        selectors[10] = Trial.freeze.selector;
        selectors[11] = Trial.challengeFalsely.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(trial), selectors);
    }

    function _token(uint256 which) private view returns (address) {
        (,, address token, address freezing) = trial.contracts();
        return which == 0 ? token : freezing;
    }

    /// @dev What requester, coordinator and challenger have or can get back of a token, their jobs' money included.
    function _purse(uint256 which) private view returns (uint256 total) {
        address token = _token(which);
        (address requester, address coordinator, address challenger) = trial.people();
        address[3] memory people = [requester, coordinator, challenger];
        for (uint256 i = 0; i < 3; ++i) {
            total += ITallyToken(token).balanceOf(people[i]) + ledger.fundsOf(token, people[i]);
        }
        for (uint256 i = 0; i < JOBS; ++i) {
            bytes32 job = trial.jobs(i);
            Job memory state = ledger.jobOf(job);
            if (state.token == token) total += ledger.accountOf(job).free + state.bond + state.bounty;
        }
    }

    function invariant_HonestJobsAreNeverStruckAndNothingUnexpectedHappens() external view {
        vm.assertEq(trial.broken(), 0);
        Job memory honest = ledger.jobOf(trial.jobs(0));
        vm.assertTrue(honest.halted == 0 || honest.closed);
        vm.assertEq(ledger.accountOf(trial.jobs(0)).burned, 0);
    }

    function invariant_SelfRejectionDoesNotPay() external view {
        uint256 cost = trial.costOf(0) + trial.costOf(1);
        vm.assertLe(_purse(0) + cost, purse[0], "the purse has gained");
        vm.assertLe(_purse(1) + trial.costOf(2), purse[1], "the purse has gained");
    }

    function invariant_EveryJobAddsUp() external view {
        for (uint256 i = 0; i < JOBS; ++i) {
            Account memory account = ledger.accountOf(trial.jobs(i));
            vm.assertEq(
                account.funded, account.paid + account.payable_ + account.free + account.refunded + account.burned
            );
        }
        for (uint256 which = 0; which < 2; ++which) {
            uint256 owed = 0;
            for (uint256 i = 0; i < JOBS; ++i) {
                Job memory state = ledger.jobOf(trial.jobs(i));
                if (state.token != _token(which)) continue;
                Account memory account = ledger.accountOf(trial.jobs(i));
                owed += account.payable_ + account.free + state.bond + state.bounty;
            }
            vm.assertLe(owed, ITallyToken(_token(which)).balanceOf(address(ledger)));
        }
    }

    function invariant_TheCourtHoldsWhatItOwes() external view {
        vm.assertEq(ITallyToken(_token(0)).balanceOf(tribunal), 0);
        vm.assertEq(tribunal.balance, trial.coinOwed());
    }
}
