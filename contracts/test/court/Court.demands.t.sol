// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/Errors.sol";
import {Anchor, Body, Entry, Leaf} from "../../src/Statements.sol";
import {Demand, Fault, IChallengeCourt, PostedRound, ProvenEntry} from "../../src/interfaces/IChallengeCourt.sol";
import {Exhibit} from "../../src/interfaces/IJobLedger.sol";
import {Tallies, Tally} from "../Tallies.sol";
import {CourtStand, RoundFile} from "./CourtStand.sol";

/// @notice Takes coin and asks for more of it while it does.
contract Greedy {
    IChallengeCourt private immutable _court;
    bool public refused;

    constructor(IChallengeCourt court_) {
        _court = court_;
    }

    function demand(PostedRound calldata posted, uint64 seq) external payable {
        _court.demand{value: msg.value}(posted, seq);
    }

    function take() external {
        _court.withdrawCoin(address(this));
    }

    receive() external payable {
        try _court.withdrawCoin(address(this)) {}
        catch {
            refused = true;
        }
    }
}

contract CourtDemandsTest is CourtStand {
    using Tallies for Tally;

    uint256 private constant PRICE = 1 gwei;
    uint256 private constant THIRD = 20 minutes;
    uint256 private bond;
    address private answerer = address(0xA45);
    ProvenEntry private nothing;

    function setUp() public override {
        super.setUp();
        vm.txGasPrice(PRICE);
        bond = tribunal.demandGas() * PRICE;
        vm.deal(address(this), 1e6 ether);
    }

    function _demand(RoundFile memory file, uint256 seq) private {
        tribunal.demand{value: bond}(pointTo(file), uint64(seq));
    }

    /// @dev What shows an entry: the exhibit, and the node's entry in the round before, if it names one.
    function _answer(RoundFile[] memory files, uint256 i, uint256 seq) private view returns (bytes memory) {
        RoundFile memory file = files[i];
        Exhibit memory exhibit;
        exhibit.anchor = anchorOf(file.tally);
        (exhibit.entry, exhibit.proof) = (file.tally.entries[seq], file.tally.proof(seq));
        (exhibit.contribution, exhibit.receipt) = (file.contributions[seq], file.receipts[seq]);
        exhibit.nodeSignature = signDigest(NODE_KEYS + file.nodes[seq], file.receipts[seq].contribution);
        exhibit.receiptSignature = sign(COORDINATOR_KEY, hashOf(file.receipts[seq]));
        uint64 before = exhibit.entry.body.previousRound;
        if (before == 0 || before > i) return _encode(exhibit, Anchor(0, 0, 0, 0), nothing);
        RoundFile memory earlier = files[before - 1];
        for (uint256 j = 0; j < earlier.nodes.length; ++j) {
            if (earlier.nodes[j] == file.nodes[seq]) {
                return _encode(exhibit, anchorOf(earlier.tally), prove(earlier, j));
            }
        }
        return _encode(exhibit, anchorOf(earlier.tally), nothing);
    }

    function _encode(Exhibit memory exhibit, Anchor memory anchor, ProvenEntry memory previous)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IChallengeCourt.answer, (exhibit, anchor, previous));
    }

    function _padding(RoundFile memory file, uint256 seq) private view returns (bytes memory) {
        return abi.encodeCall(IChallengeCourt.answerPadding, (pointTo(file), uint64(seq), file.tally.proof(seq)));
    }

    function _unanswered(RoundFile memory file, uint256 seq) private view returns (bytes memory) {
        return abi.encodeCall(IChallengeCourt.challengeUnanswered, (pointTo(file), uint64(seq), NO_SALT));
    }

    function _give(bytes memory call) private {
        vm.prank(answerer);
        (bool done, bytes memory answer) = address(tribunal).call(call);
        if (!done) bubble(answer);
    }

    /// forge-config: default.fuzz.runs = 12
    function testFuzz_EveryLeafOfHonestRoundsIsAnswered(uint256 seed, uint8 size) external {
        RoundFile[] memory files = play(3, 1 + uint256(size) % 40, seed, true);
        uint256 asked = 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 width = files[i].tally.hashes.length / 2;
            asked += width;
            for (uint256 seq = 0; seq < width; ++seq) {
                _demand(files[i], seq);
            }
        }
        vm.warp(START + 2 * THIRD - 1);
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 seq = 0; seq < files[i].tally.hashes.length / 2; ++seq) {
                _give(seq < files[i].nodes.length ? _answer(files, i, seq) : _padding(files[i], seq));
            }
        }
        vm.assertEq(tribunal.coinOf(answerer), asked * bond);
        vm.warp(START + 2 * THIRD);
        for (uint256 i = 0; i < 3; ++i) {
            assertRefused(_unanswered(files[i], 0), Fault.DemandUnanswered);
        }
        vm.prank(answerer);
        tribunal.withdrawCoin(answerer);
        vm.assertEq(answerer.balance, asked * bond);
        vm.assertEq(address(tribunal).balance, 0);
    }

    function test_AnUnansweredDemandStrikesTheRound() external {
        RoundFile[] memory files = play(2, 5, 3, true);
        _demand(files[1], 4);
        vm.warp(START + 2 * THIRD - 1);
        assertRefused(_unanswered(files[1], 4), Fault.DemandUnanswered);
        vm.warp(START + 2 * THIRD);
        assertRefused(_unanswered(files[1], 3), Fault.DemandUnanswered);
        assertRefused(_answer(files, 1, 4), Errors.ChallengeCourt_AnswerTooLate.selector);
        assertUpheld(_unanswered(files[1], 4), 2);
        vm.assertEq(tribunal.coinOf(address(this)), bond);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_NothingToReclaim.selector, job, 2, 4));
        tribunal.reclaimDemand(job, 2, 4);
    }

    function test_DemandsAreTakenInTheFirstThirdOnly() external {
        RoundFile[] memory files = play(1, 5, 3, true);
        vm.warp(START + THIRD - 1);
        _demand(files[0], 7);
        Demand memory kept = tribunal.demandOf(job, 1, 7);
        vm.assertEq(kept.answerBy, START + 2 * THIRD - 1);
        vm.assertEq(kept.bond, bond);
        vm.assertEq(kept.demander, address(this));
        PostedRound memory posted = pointTo(files[0]);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_AlreadyDemanded.selector, job, 1, 7));
        tribunal.demand{value: bond}(posted, 7);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_SeqOutOfRange.selector, 8, 8));
        tribunal.demand{value: bond}(posted, 8);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_BondTooSmall.selector, bond - 1, bond));
        tribunal.demand{value: bond - 1}(posted, 6);
        vm.warp(START + THIRD);
        vm.expectPartialRevert(Errors.ChallengeCourt_DemandTooLate.selector);
        tribunal.demand{value: bond}(posted, 6);
        posted.round = 2;
        vm.expectPartialRevert(Errors.JobLedger_WrongAnchor.selector);
        tribunal.demand{value: bond}(posted, 6);
    }

    function test_AStruckRoundIsNotDemanded() external {
        RoundFile[] memory files = play(2, 3, 3, false);
        files[0].tally.entries[1].body.verdict = 10;
        files[0].tally.seal();
        post(files[0].tally);
        assertUpheld(
            abi.encodeCall(IChallengeCourt.challengeVerdict, (pointTo(files[0]), prove(files[0], 1), NO_SALT)), 1
        );
        PostedRound memory posted = pointTo(files[0]);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_RoundStruck.selector, 1, 1));
        tribunal.demand{value: bond}(posted, 0);
    }

    function test_AnswersMustShowTheRightLeaf() external {
        RoundFile[] memory files = play(2, 5, 3, true);
        assertRefused(_answer(files, 1, 2), Errors.ChallengeCourt_NothingDemanded.selector);
        _demand(files[1], 2);
        _demand(files[1], 6);
        assertRefused(_answer(files, 1, 3), Errors.ChallengeCourt_NothingDemanded.selector);
        assertRefused(_padding(files[1], 2), Errors.ChallengeCourt_NotPadding.selector);
        bytes memory call =
            abi.encodeCall(IChallengeCourt.answerPadding, (pointTo(files[1]), 6, files[1].tally.proof(7)));
        assertRefused(call, Errors.ChallengeCourt_NotInTree.selector);
        _give(_answer(files, 1, 2));
        assertRefused(_answer(files, 1, 2), Errors.ChallengeCourt_NothingDemanded.selector);
        _give(_padding(files[1], 6));
    }

    /// @dev Lies that no challenge of shown values can prove, since nobody can show the values.
    function test_WhatIsFalseCannotBeAnswered() external {
        uint256 snapshot = vm.snapshotState();
        for (uint256 which = 0; which < 6; ++which) {
            for (uint256 at = 0; at < 5; ++at) {
                this.demandsInVain(which, at);
                vm.revertToState(snapshot);
            }
        }
    }

    function demandsInVain(uint256 which, uint256 at) external {
        RoundFile[] memory files = play(2, 5, 3, false);
        post(files[0].tally);
        Body memory body = files[1].tally.entries[at].body;
        if (which == 0) body.contribution = keccak256("nobody's");
        if (which == 1) body.signatures = keccak256("no signatures");
        if (which == 2) files[1].receipts[at].accumulator = keccak256("another receipt");
        if (which == 3) body.previousRound = body.previousRound == 0 ? 1 : 3;
        files[1].tally.seal();
        uint256 seq = at;
        if (which == 4) seq = _hide(files[1], at);
        if (which == 5) seq = _hide(files[1], 5 + at % 3);
        post(files[1].tally);
        _demand(files[1], seq);
        (bool done,) = address(tribunal).call(seq < 5 ? _answer(files, 1, seq) : _padding(files[1], seq));
        vm.assertFalse(done);
        vm.warp(START + 2 * THIRD);
        assertUpheld(_unanswered(files[1], seq), 2);
    }

    /// @dev The hidden leaf: an entry for a node that sent nothing takes the place of a leaf of an honest tree.
    function _hide(RoundFile memory file, uint256 at) private view returns (uint256) {
        uint256 width = file.tally.hashes.length / 2;
        Leaf memory hidden = Leaf(3, stranger, 1000 ether, keccak256("a body nobody sees"));
        file.tally.hashes[width + at] = Tallies.hashLeaf(hidden);
        for (uint256 i = width - 1; i > 0; --i) {
            file.tally.hashes[i] = Tallies.hashPair(file.tally.hashes[2 * i], file.tally.hashes[2 * i + 1]);
        }
        file.tally.header.entriesRoot = file.tally.hashes[1];
        // The coordinator's last entry must still be provable, or the round cannot be posted: it hides another then.
        if (at != 4) return at;
        file.tally.seal();
        return _hide(file, 0);
    }

    function test_AHiddenLeafThatIsShownCountsASeqTwice() external {
        RoundFile[] memory files = play(1, 5, 3, false);
        Entry memory hidden = abi.decode(abi.encode(files[0].tally.entries[3]), (Entry));
        (hidden.node, hidden.earned) = (stranger, 1000 ether);
        Entry memory replaced = files[0].tally.entries[1];
        files[0].tally.entries[1] = hidden;
        files[0].tally.seal();
        post(files[0].tally);
        ProvenEntry memory one = prove(files[0], 1);
        assertUpheld(
            abi.encodeCall(IChallengeCourt.challengeTwice, (pointTo(files[0]), one, prove(files[0], 3), NO_SALT)), 1
        );
        vm.assertEq(replaced.seq, 1);
    }

    function test_ADeeperLeafIsNoLeaf() external {
        RoundFile[] memory files = play(1, 4, 3, false);
        // The coordinator builds a subtree of its own where a leaf should be, and keeps the honest tree's depth.
        Leaf memory hidden = Leaf(2, stranger, 1000 ether, keccak256("body"));
        bytes32 sibling = keccak256("sibling");
        uint256 width = files[0].tally.hashes.length / 2;
        files[0].tally.hashes[width + 2] = Tallies.hashPair(Tallies.hashLeaf(hidden), sibling);
        for (uint256 i = width - 1; i > 0; --i) {
            files[0].tally.hashes[i] = Tallies.hashPair(files[0].tally.hashes[2 * i], files[0].tally.hashes[2 * i + 1]);
        }
        files[0].tally.header.entriesRoot = files[0].tally.hashes[1];
        post(files[0].tally);
        _demand(files[0], 2);
        vm.warp(START + 2 * THIRD);
        assertUpheld(_unanswered(files[0], 2), 1);
    }

    function test_TheBondOfALateDemandGoesBackOnce() external {
        RoundFile[] memory files = play(1, 5, 3, true);
        _demand(files[0], 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_NothingToReclaim.selector, job, 1, 1));
        tribunal.reclaimDemand(job, 1, 1);
        vm.warp(START + 2 * THIRD);
        tribunal.reclaimDemand(job, 1, 1);
        vm.assertEq(tribunal.coinOf(address(this)), bond);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_NothingToReclaim.selector, job, 1, 1));
        tribunal.reclaimDemand(job, 1, 1);
        assertUpheld(_unanswered(files[0], 1), 1);
        vm.assertEq(tribunal.coinOf(address(this)), bond);
    }

    function test_AReceiverThatRefusesStopsNothing() external {
        RoundFile[] memory files = play(1, 5, 3, true);
        Greedy greedy = new Greedy(tribunal);
        greedy.demand{value: bond}(pointTo(files[0]), 1);
        _demand(files[0], 2);
        vm.warp(START + 2 * THIRD);
        // Upholding credits the demander, whatever it is, and sends nothing.
        assertUpheld(_unanswered(files[0], 1), 1);
        greedy.take();
        vm.assertTrue(greedy.refused());
        vm.assertEq(address(greedy).balance, bond);
        vm.assertEq(address(tribunal).balance, bond);
        tribunal.reclaimDemand(job, 1, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_CoinRefused.selector, address(token), bond));
        tribunal.withdrawCoin(address(token));
        vm.expectRevert(Errors.Tallystick_ZeroAddress.selector);
        tribunal.withdrawCoin(address(0));
        tribunal.withdrawCoin(answerer);
        vm.assertEq(answerer.balance, bond);
        vm.expectRevert(abi.encodeWithSelector(Errors.ChallengeCourt_NothingToWithdraw.selector, address(this)));
        tribunal.withdrawCoin(answerer);
    }

    function test_InAJobWithWitnessesTheWindowIsThatOfAttestation() external {
        (terms.threshold, terms.witnesses, terms.nonce) = (1, keccak256("witnesses"), 9);
        job = openJob(terms);
        RoundFile[] memory files = play(1, 5, 3, true);
        vm.warp(START + THIRD - 1);
        _demand(files[0], 1);
        vm.assertEq(tribunal.demandOf(job, 1, 1).answerBy, START + 2 * THIRD - 1);
        vm.warp(START + THIRD);
        PostedRound memory posted = pointTo(files[0]);
        vm.expectPartialRevert(Errors.ChallengeCourt_DemandTooLate.selector);
        tribunal.demand{value: bond}(posted, 2);
        _give(_answer(files, 0, 1));
    }

    /// @dev When the round before lapses, nobody can answer for this one any more: that must not cost the bond.
    function test_ALapseExcusesFromAnswering() external {
        (terms.threshold, terms.witnesses, terms.nonce) = (1, keccak256("witnesses"), 9);
        job = openJob(terms);
        RoundFile[] memory files = play(2, 5, 3, false);
        post(files[0].tally);
        vm.warp(START + 50 minutes);
        post(files[1].tally);
        _demand(files[1], 1);
        vm.warp(START + 1 hours);
        uint256 snapshot = vm.snapshotState();
        vm.warp(START + 50 minutes + 2 * THIRD);
        assertRefused(_unanswered(files[1], 1), Fault.DemandUnanswered);
        vm.revertToState(snapshot);
        ledger.lapse(job);
        assertRefused(_answer(files, 1, 1), Errors.JobLedger_RoundStruck.selector);
        vm.warp(START + 50 minutes + 2 * THIRD);
        assertRefused(_unanswered(files[1], 1), Fault.DemandUnanswered);
        vm.assertEq(ledger.jobOf(job).bond, BOND);
        tribunal.reclaimDemand(job, 2, 1);
        vm.assertEq(tribunal.coinOf(address(this)), bond);
    }

    function test_InAJobWithWitnessesSilenceStrikesWhileTheWindowLasts() external {
        (terms.threshold, terms.witnesses, terms.nonce) = (1, keccak256("witnesses"), 9);
        job = openJob(terms);
        RoundFile[] memory files = play(2, 5, 3, true);
        _demand(files[1], 1);
        vm.warp(START + 2 * THIRD);
        assertUpheld(_unanswered(files[1], 1), 2);
    }

    /// @dev A window without whole seconds in its thirds leaves no time to ask and to answer.
    function testFuzz_WhoAsksInTimeLeavesTimeToAnswer(uint64 window, uint64 wait) external {
        terms.window = 1 + window % 10;
        terms.nonce = 9;
        job = openJob(terms);
        RoundFile[] memory files = play(1, 3, 3, true);
        vm.warp(START + wait % terms.window);
        (bool done,) = address(tribunal).call{value: bond}(
            abi.encodeCall(IChallengeCourt.demand, (PostedRound(job, 1, _anchor(files[0])), 1))
        );
        vm.assertEq(done, wait % terms.window < terms.window / 3);
        if (!done) return;
        uint256 answerBy = tribunal.demandOf(job, 1, 1).answerBy;
        vm.assertGe(answerBy, block.timestamp + terms.window / 3, "no time to answer");
        vm.assertLe(answerBy + terms.window / 3, START + terms.window, "no time to challenge");
    }

    function _anchor(RoundFile memory file) private view returns (Anchor memory) {
        return anchorOf(file.tally, uint64(START + terms.window));
    }
}
