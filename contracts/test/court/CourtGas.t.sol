// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Receipt} from "../../src/Statements.sol";
import {Fault, IChallengeCourt, PostedRound} from "../../src/interfaces/IChallengeCourt.sol";
import {Exhibit} from "../../src/interfaces/IJobLedger.sol";
import {Tallies, Tally} from "../Tallies.sol";
import {CourtStand, RoundFile} from "./CourtStand.sol";

/// @notice Gas of whole transactions among 1,024 entries, intrinsic gas included. The bar is for a committed proof, whose
/// bounty is credited at once; one that nobody had committed to leaves a bounty that waits, which takes more.
/// forge-config: default.isolate = true
contract CourtGasTest is CourtStand {
    using Tallies for Tally;

    uint256 private constant BAR = 110_000;
    bytes32 private constant SALT = keccak256("salt");
    uint256 private constant AT = 700;

    function _measure(string memory name, bytes memory call, Fault fault, bytes32 subject) private {
        uint256 snapshot = vm.snapshotState();
        bytes32 id = tribunal.hashFault(fault, job, 2, subject);
        vm.prank(challenger);
        tribunal.commitChallenge(tribunal.hashCommitment(challenger, id, SALT));
        vm.warp(block.timestamp + 1);
        _send(call, name, fault != Fault.CarryWrong);
        vm.assertEq(ledger.fundsOf(address(token), challenger), BOND / 10);
        vm.revertToState(snapshot);
        vm.warp(block.timestamp + 1);
        _send(call, string.concat(name, ", uncommitted"), false);
        vm.assertEq(ledger.fundsOf(address(token), challenger), 0);
        vm.revertToState(snapshot);
    }

    function _send(bytes memory call, string memory name, bool barred) private {
        vm.prank(challenger);
        (bool done,) = address(tribunal).call(call);
        uint256 used = vm.snapshotGasLastCall(name);
        vm.assertTrue(done);
        vm.assertEq(ledger.jobOf(job).halted, 2);
        if (barred) vm.assertLe(used, BAR, name);
    }

    function _rounds() private returns (RoundFile[] memory files) {
        files = play(2, 1024, 5, false);
        post(files[0].tally);
    }

    function _sealed(RoundFile memory file) private returns (PostedRound memory) {
        file.tally.seal();
        post(file.tally);
        return pointTo(file);
    }

    function _leaf(RoundFile memory file, uint256 at) private pure returns (bytes32) {
        return Tallies.hashLeaf(file.tally.leafOf(at));
    }

    function test_NeighboursStayUnderTheBar() external {
        RoundFile[] memory files = _rounds();
        files[1].tally.entries[AT].body.runningScore += 1;
        PostedRound memory posted = _sealed(files[1]);
        bytes memory call = abi.encodeCall(
            IChallengeCourt.challengeTotals, (posted, prove(files[1], AT - 1), prove(files[1], AT), SALT)
        );
        _measure("challenge, neighbours", call, Fault.TotalsWrong, _leaf(files[1], AT));
    }

    function test_FormulaStaysUnderTheBar() external {
        RoundFile[] memory files = _rounds();
        files[1].tally.entries[AT].body.reward += 1;
        files[1].tally.sum();
        PostedRound memory posted = _sealed(files[1]);
        bytes memory call = abi.encodeCall(
            IChallengeCourt.challengeReward, (posted, files[1].tally.header, terms, prove(files[1], AT), SALT)
        );
        _measure("challenge, formula", call, Fault.RewardWrong, _leaf(files[1], AT));
    }

    function test_OmissionStaysUnderTheBar() external {
        RoundFile[] memory files = _rounds();
        files[1].tally.entries[AT].body.contribution = keccak256("another");
        PostedRound memory posted = _sealed(files[1]);
        bytes memory call = abi.encodeCall(
            IChallengeCourt.challengeReplaced, (posted, signedReceipt(files[1], AT), prove(files[1], AT), SALT)
        );
        bytes32 digest = Tallies.digestReceipt(domain, files[1].receipts[AT]);
        _measure("challenge, omission", call, Fault.ReceiptReplaced, digest);
    }

    function test_EquivocationStaysUnderTheBar() external {
        RoundFile[] memory files = _rounds();
        Receipt memory other = abi.decode(abi.encode(files[1].receipts[AT]), (Receipt));
        other.contribution = keccak256("another");
        PostedRound memory posted = _sealed(files[1]);
        bytes memory call = abi.encodeCall(
            IChallengeCourt.challengeReceipts, (posted, signedReceipt(files[1], AT), signed(other), SALT)
        );
        bytes32 one = Tallies.digestReceipt(domain, files[1].receipts[AT]);
        bytes32 two = Tallies.digestReceipt(domain, other);
        bytes32 subject = one < two ? keccak256(abi.encode(one, two)) : keccak256(abi.encode(two, one));
        _measure("challenge, equivocation", call, Fault.ReceiptsConflict, subject);
    }

    function test_CarryIsMeasured() external {
        RoundFile[] memory files = _rounds();
        uint256 at = 0;
        while (files[1].tally.entries[at].body.previousRound != 1) ++at;
        files[1].tally.entries[at].earned += 1;
        PostedRound memory posted = _sealed(files[1]);
        uint256 earlier = 0;
        while (files[0].nodes[earlier] != files[1].nodes[at]) ++earlier;
        bytes memory call = abi.encodeCall(
            IChallengeCourt.challengeCarry,
            (posted, prove(files[1], at), anchorOf(files[0].tally), prove(files[0], earlier), SALT)
        );
        _measure("challenge, carry", call, Fault.CarryWrong, _leaf(files[1], at));
    }

    function test_AnswersTakeNoMoreThanTheirBond() external {
        RoundFile[] memory files = _rounds();
        PostedRound memory posted = _sealed(files[1]);
        uint256 at = 0;
        while (files[1].tally.entries[at].body.previousRound != 1) ++at;
        uint256 earlier = 0;
        while (files[0].nodes[earlier] != files[1].nodes[at]) ++earlier;
        tribunal.demand(posted, uint64(at));
        vm.snapshotGasLastCall("demand");
        Exhibit memory exhibit;
        exhibit.anchor = posted.anchor;
        (exhibit.entry, exhibit.proof) = (files[1].tally.entries[at], files[1].tally.proof(at));
        (exhibit.contribution, exhibit.receipt) = (files[1].contributions[at], files[1].receipts[at]);
        exhibit.nodeSignature = signDigest(NODE_KEYS + files[1].nodes[at], files[1].receipts[at].contribution);
        exhibit.receiptSignature = sign(COORDINATOR_KEY, hashOf(files[1].receipts[at]));
        tribunal.answer(exhibit, anchorOf(files[0].tally), prove(files[0], earlier));
        vm.assertLe(vm.snapshotGasLastCall("answer"), tribunal.demandGas(), "answer");
    }
}
