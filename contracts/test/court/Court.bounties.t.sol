// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/Errors.sol";
import {Fault, IChallengeCourt, WaitingBounty} from "../../src/interfaces/IChallengeCourt.sol";
import {Tallies, Tally} from "../Tallies.sol";
import {CourtStand, RoundFile} from "./CourtStand.sol";

contract CourtBountiesTest is CourtStand {
    using Tallies for Tally;

    bytes32 private constant SALT = keccak256("salt");
    address private copycat = address(0xC0C);

    /// @dev Two rounds, a false verdict in each.
    function _lie() private returns (RoundFile[] memory files) {
        files = play(2, 3, 3, false);
        files[0].tally.entries[1].body.verdict = 10;
        files[0].tally.seal();
        files[1].tally.header.parent = digestOf(files[0].tally);
        files[1].tally.entries[2].body.verdict = 255;
        files[1].tally.seal();
        post(files[0].tally);
        post(files[1].tally);
    }

    function _challenge(RoundFile memory file, uint256 at, bytes32 salt) private view returns (bytes memory) {
        return abi.encodeCall(IChallengeCourt.challengeVerdict, (pointTo(file), prove(file, at), salt));
    }

    function _faultOf(RoundFile memory file, uint256 at) private view returns (bytes32) {
        bytes32 leaf = Tallies.hashLeaf(file.tally.leafOf(at));
        bytes32 fault = keccak256(abi.encode(uint256(Fault.VerdictUnfit), job, file.tally.header.round, leaf));
        vm.assertEq(fault, tribunal.hashFault(Fault.VerdictUnfit, job, file.tally.header.round, leaf));
        return fault;
    }

    function _commit(address who, bytes32 fault, bytes32 salt) private {
        bytes32 commitment = keccak256(abi.encode(who, fault, salt));
        vm.assertEq(commitment, tribunal.hashCommitment(who, fault, salt));
        tribunal.commitChallenge(commitment);
        vm.assertEq(tribunal.committedAt(commitment), block.timestamp);
    }

    function _send(address who, bytes memory call) private {
        vm.prank(who);
        (bool done, bytes memory answer) = address(tribunal).call(call);
        if (!done) bubble(answer);
    }

    function test_ACommittedProofIsPaidAtOnce() external {
        RoundFile[] memory files = _lie();
        bytes32 fault = _faultOf(files[1], 2);
        _commit(challenger, fault, SALT);
        vm.warp(block.timestamp + 1);
        vm.expectEmit(address(tribunal));
        emit IChallengeCourt.ChallengeUpheld(job, 2, Fault.VerdictUnfit, fault, challenger, 0);
        _send(challenger, _challenge(files[1], 2, SALT));
        vm.assertEq(ledger.fundsOf(address(token), challenger), BOND / 10);
        vm.assertEq(tribunal.waitingBountyOf(job, fault).provenAt, 0);
        vm.assertEq(ledger.jobOf(job).bounty, 0);
        // An earlier round can still be struck; there is no bond left to take a bounty from.
        _send(copycat, _challenge(files[0], 1, NO_SALT));
        vm.assertEq(ledger.jobOf(job).halted, 1);
        vm.assertEq(ledger.accountOf(job).burned, 2 * BUDGET);
        vm.assertEq(tribunal.waitingBountyOf(job, _faultOf(files[0], 1)).provenAt, 0);
    }

    function test_ACommitmentIsMadeOnce() external {
        _commit(challenger, keccak256("fault"), SALT);
        bytes32 commitment = tribunal.hashCommitment(challenger, keccak256("fault"), SALT);
        vm.warp(block.timestamp + 100);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_CommitmentExists.selector, commitment));
        tribunal.commitChallenge(commitment);
        vm.assertEq(tribunal.committedAt(commitment), START);
    }

    function test_ACopiedProofWaitsForTheFirstWhoKnew() external {
        RoundFile[] memory files = _lie();
        bytes32 fault = _faultOf(files[1], 2);
        _commit(stranger, fault, SALT);
        vm.warp(START + 10);
        _commit(challenger, fault, SALT);
        vm.warp(START + 20);
        // The copycat commits in the very second of its copy: that is no prior commitment.
        _commit(copycat, fault, SALT);
        vm.expectEmit(address(tribunal));
        emit IChallengeCourt.ChallengeUpheld(job, 2, Fault.VerdictUnfit, fault, copycat, uint64(START + 20 + 1 hours));
        _send(copycat, _challenge(files[1], 2, SALT));
        vm.assertEq(ledger.jobOf(job).bounty, BOND / 10);
        vm.warp(START + 30);
        bytes memory open = abi.encodeCall(IChallengeCourt.openCommitment, (job, fault, SALT));
        vm.prank(copycat);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.ChallengeCourt_CommitmentTooLate.selector, START + 20, START + 20)
        );
        tribunal.openCommitment(job, fault, SALT);
        _send(challenger, open);
        vm.assertEq(tribunal.waitingBountyOf(job, fault).challenger, challenger);
        _send(stranger, open);
        vm.prank(challenger);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_CommitmentTooLate.selector, START + 10, START));
        tribunal.openCommitment(job, fault, SALT);
        vm.expectPartialRevert(Errors.ChallengeCourt_BountyWaits.selector);
        tribunal.settleBounty(job, fault);
        vm.warp(START + 20 + 1 hours);
        tribunal.settleBounty(job, fault);
        vm.assertEq(ledger.fundsOf(address(token), stranger), BOND / 10);
        vm.assertEq(ledger.fundsOf(address(token), challenger), 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_NoBounty.selector, job, fault));
        tribunal.settleBounty(job, fault);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_NoBounty.selector, job, fault));
        tribunal.openCommitment(job, fault, SALT);
    }

    function test_CommitmentsToAnotherFaultOrOfAnotherSenderDoNotCount() external {
        RoundFile[] memory files = _lie();
        bytes32 fault = _faultOf(files[1], 2);
        _commit(challenger, fault, SALT);
        _commit(copycat, _faultOf(files[0], 1), SALT);
        vm.warp(START + 10);
        _send(copycat, _challenge(files[1], 2, SALT));
        vm.assertEq(ledger.fundsOf(address(token), copycat), 0);
        WaitingBounty memory waiting = tribunal.waitingBountyOf(job, fault);
        vm.assertEq(waiting.provenAt, START + 10);
        vm.assertEq(waiting.challenger, address(0));
        vm.prank(copycat);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_CommitmentTooLate.selector, 0, START + 10));
        tribunal.openCommitment(job, fault, SALT);
    }

    function test_ABountyOfNobodyIsBurned() external {
        RoundFile[] memory files = _lie();
        bytes32 fault = _faultOf(files[1], 2);
        _send(challenger, _challenge(files[1], 2, NO_SALT));
        vm.warp(START + 1 hours);
        uint256 held = token.balanceOf(address(ledger));
        tribunal.settleBounty(job, fault);
        vm.assertEq(ledger.jobOf(job).bounty, 0);
        vm.assertEq(ledger.fundsOf(address(token), challenger), 0);
        vm.assertEq(token.balanceOf(address(ledger)), held);
    }

    function test_ASecondProofLeavesTheWaitingBountyAlone() external {
        RoundFile[] memory files = _lie();
        bytes32 first = _faultOf(files[1], 2);
        _commit(challenger, first, SALT);
        vm.warp(START + 1);
        _send(copycat, _challenge(files[1], 2, NO_SALT));
        _send(copycat, _challenge(files[0], 1, NO_SALT));
        bytes32 second = _faultOf(files[0], 1);
        vm.assertEq(tribunal.waitingBountyOf(job, second).provenAt, 0);
        vm.warp(START + 2 hours);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_NoBounty.selector, job, second));
        tribunal.settleBounty(job, second);
        _send(challenger, abi.encodeCall(IChallengeCourt.openCommitment, (job, first, SALT)));
        tribunal.settleBounty(job, first);
        vm.assertEq(ledger.fundsOf(address(token), challenger), BOND / 10);
    }

    function test_ABondTooSmallForABountyMakesNoneWait() external {
        (terms.bond, terms.nonce) = (9, 9);
        job = openJob(terms);
        RoundFile[] memory files = _lie();
        _send(challenger, _challenge(files[1], 2, NO_SALT));
        vm.assertEq(tribunal.waitingBountyOf(job, _faultOf(files[1], 2)).provenAt, 0);
        vm.assertEq(ledger.jobOf(job).bond, 0);
    }

    function test_AHostileTokenStopsNoChallenge() external {
        RoundFile[] memory files = _lie();
        _commit(challenger, _faultOf(files[1], 2), SALT);
        vm.warp(START + 1);
        // From now on the token reverts whatever it is asked.
        vm.etch(address(token), hex"fd");
        _send(challenger, _challenge(files[1], 2, SALT));
        vm.assertEq(ledger.jobOf(job).halted, 2);
        vm.assertEq(ledger.fundsOf(address(token), challenger), BOND / 10);
    }
}
