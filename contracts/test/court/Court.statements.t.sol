// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/Errors.sol";
import {Closing, Contribution, Receipt} from "../../src/Statements.sol";
import {
    Fault,
    IChallengeCourt,
    PostedRound,
    SignedContribution,
    SignedReceipt
} from "../../src/interfaces/IChallengeCourt.sol";
import {Tallies, Tally} from "../Tallies.sol";
import {CourtStand, RoundFile} from "./CourtStand.sol";

contract CourtStatementsTest is CourtStand {
    using Tallies for Tally;

    uint256 private constant LIES = 24;
    bytes32 private constant ODD = keccak256("odd");

    function test_EveryLieIsUpheldAtEveryPosition() external {
        uint256 snapshot = vm.snapshotState();
        uint8[4] memory sizes = [1, 2, 3, 6];
        uint256 upheld = 0;
        for (uint256 i = 0; i < sizes.length; ++i) {
            for (uint256 at = 0; at < sizes[i]; ++at) {
                for (uint256 which = 0; which < LIES; ++which) {
                    if (this.upholds(sizes[i], at, which, 1 + at)) ++upheld;
                    vm.revertToState(snapshot);
                }
            }
        }
        vm.assertGe(upheld, 12 * LIES * 3 / 4, "few lies were told");
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_EveryLieIsUpheld(uint8 size, uint256 at, uint256 seed) external {
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < 5; ++i) {
            this.upholds(1 + uint256(size) % 200, at, random(seed, i) % LIES, seed);
            vm.revertToState(snapshot);
        }
    }

    /// @notice Whether there was room for the lie; then it was upheld. A call of its own, for the memory it takes.
    function upholds(uint256 size, uint256 at, uint256 which, uint256 seed) external returns (bool told) {
        RoundFile[] memory files = play(2, size, seed, false);
        post(files[0].tally);
        bytes memory call = _lie(files, at % size, which);
        told = call.length != 0;
        if (told) assertUpheld(call, 2);
    }

    function _lie(RoundFile[] memory files, uint256 at, uint256 which) private returns (bytes memory) {
        if (which < 2) return _replaced(files[1], at, which);
        if (which == 2) return _dropped(files[1], at);
        if (which < 9) return _conflict(files[1], at, which - 3);
        if (which < 12) return _broken(files[1], at, which - 9);
        if (which < 16) return _closings(files[1], at, which - 12);
        if (which < 19) return _differs(files[1], which - 16);
        if (which < 22) return _headers(files[1], which - 19);
        return _model(files, which - 22);
    }

    function _posted(RoundFile memory file) private returns (PostedRound memory) {
        file.tally.seal();
        post(file.tally);
        return pointTo(file);
    }

    function _replaced(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        if (which == 0) file.tally.entries[at].body.contribution = ODD;
        else file.tally.entries[at].node = stranger;
        PostedRound memory posted = _posted(file);
        return
            abi.encodeCall(
                IChallengeCourt.challengeReplaced, (posted, signedReceipt(file, at), prove(file, at), NO_SALT)
            );
    }

    function _dropped(RoundFile memory file, uint256 at) private returns (bytes memory) {
        Receipt memory receipt = file.receipts[at];
        receipt.seq = uint64(file.nodes.length + at);
        PostedRound memory posted = _posted(file);
        return abi.encodeCall(IChallengeCourt.challengeDropped, (posted, signed(receipt), NO_SALT));
    }

    /// @dev Two receipts, of a round that is posted, or not.
    function _conflict(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        SignedReceipt memory one = signedReceipt(file, at);
        Receipt memory other = abi.decode(abi.encode(file.receipts[at]), (Receipt));
        if (which % 3 == 0) (other.contribution, other.node) = (ODD, stranger);
        else if (which % 3 == 1) (other.seq, other.node) = (other.seq + 1, stranger);
        else (other.seq, other.contribution) = (other.seq + 1, ODD);
        PostedRound memory posted = which < 3 ? pointTo(uint64(2)) : _posted(file);
        return abi.encodeCall(IChallengeCourt.challengeReceipts, (posted, one, signed(other), NO_SALT));
    }

    function _broken(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        PostedRound memory posted = which == 2 ? _posted(file) : pointTo(uint64(2));
        Receipt memory receipt = file.receipts[which == 1 ? 0 : which == 2 ? file.nodes.length - 1 : at];
        receipt.accumulator = ODD;
        if (which == 1) {
            return abi.encodeCall(
                IChallengeCourt.challengeFirstReceipt, (posted, signed(receipt), file.contributions[0], NO_SALT)
            );
        }
        if (which == 2) {
            return
                abi.encodeCall(
                    IChallengeCourt.challengeLastReceipt, (posted, file.tally.header, signed(receipt), NO_SALT)
                );
        }
        if (at == 0) return "";
        return abi.encodeCall(
            IChallengeCourt.challengeReceiptLink, (posted, signedReceipt(file, at - 1), signed(receipt), NO_SALT)
        );
    }

    function _closings(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        Closing memory other = abi.decode(abi.encode(file.closing.closing), (Closing));
        PostedRound memory posted = which % 2 == 0 ? pointTo(uint64(2)) : _posted(file);
        if (which < 2) {
            if (at % 4 == 0) other.count += 1;
            else if (at % 4 == 1) other.accumulator = ODD;
            else if (at % 4 == 2) other.closedAt += 1;
            else other.seedDigest = ODD;
            return abi.encodeCall(IChallengeCourt.challengeClosings, (posted, file.closing, signed(other), NO_SALT));
        }
        uint256 seq = at;
        if (which == 2) other.count = uint64(at);
        else (other.accumulator, seq) = (ODD, file.nodes.length - 1);
        return
            abi.encodeCall(
                IChallengeCourt.challengeExceeded, (posted, signed(other), signedReceipt(file, seq), NO_SALT)
            );
    }

    function _differs(RoundFile memory file, uint256 which) private returns (bytes memory) {
        Closing memory closing = file.closing.closing;
        if (which == 0) closing.count += 1;
        else if (which == 1) closing.accumulator = ODD;
        else closing.closedAt += 1;
        PostedRound memory posted = _posted(file);
        return abi.encodeCall(IChallengeCourt.challengeClosing, (posted, file.tally.header, signed(closing), NO_SALT));
    }

    function _headers(RoundFile memory file, uint256 which) private returns (bytes memory) {
        Tally memory other = abi.decode(abi.encode(file.tally), (Tally));
        other.header.evidence = ODD;
        if (which < 2) {
            PostedRound memory posted = which == 0 ? pointTo(uint64(2)) : _posted(file);
            return abi.encodeCall(
                IChallengeCourt.challengeHeaders, (posted, signedHeader(file.tally), signedHeader(other), NO_SALT)
            );
        }
        return abi.encodeCall(IChallengeCourt.challengePosted, (_posted(file), signedHeader(other), NO_SALT));
    }

    function _model(RoundFile[] memory files, uint256 which) private returns (bytes memory) {
        if (which == 0) {
            files[1].tally.header.baseModel = ODD;
        } else {
            for (uint256 i = 0; i < files[1].nodes.length; ++i) {
                files[1].tally.entries[i].body.weight = 0;
            }
            files[1].tally.sum();
            files[1].tally.header.nextModel = ODD;
        }
        PostedRound memory posted = _posted(files[1]);
        return
            abi.encodeCall(
                IChallengeCourt.challengeModel, (posted, files[1].tally.header, files[0].tally.header, NO_SALT)
            );
    }

    // Missing rounds

    function _missing(RoundFile memory file, uint256 seq) private view returns (bytes memory) {
        return abi.encodeCall(
            IChallengeCourt.challengeMissing, (pointTo(file.tally.header.round), signedReceipt(file, seq), NO_SALT)
        );
    }

    function test_ARoundIsMissingFromTheSecondAfterAnchorByOn() external {
        RoundFile[] memory files = play(3, 3, 1, false);
        post(files[0].tally);
        vm.warp(START + 1 days);
        assertRefused(_missing(files[1], 2), Fault.RoundMissing);
        vm.warp(START + 1 days + 1);
        uint256 snapshot = vm.snapshotState();
        assertUpheld(_missing(files[1], 2), 2);
        vm.revertToState(snapshot);
        // A later round that is missing halts the job at the first missing one.
        assertUpheld(_missing(files[2], 0), 2);
        vm.assertEq(ledger.accountOf(job).burned, BUDGET);
        vm.revertToState(snapshot);
        post(files[1].tally);
        assertRefused(_missing(files[1], 2), Fault.RoundMissing);
    }

    function test_AHaltExcusesTheRoundsAfterIt() external {
        RoundFile[] memory files = play(3, 3, 1, false);
        post(files[0].tally);
        post(files[1].tally);
        Tally memory other = abi.decode(abi.encode(files[1].tally), (Tally));
        other.header.evidence = ODD;
        assertUpheld(
            abi.encodeCall(IChallengeCourt.challengePosted, (pointTo(files[1]), signedHeader(other), NO_SALT)), 2
        );
        vm.warp(START + 3 days);
        assertRefused(_missing(files[2], 0), Fault.RoundMissing);
    }

    function test_MissingAttestationsExcuseTheRoundsAfterThem() external {
        (terms.threshold, terms.witnesses, terms.nonce) = (1, ODD, 9);
        job = openJob(terms);
        RoundFile[] memory files = play(3, 3, 1, false);
        post(files[0].tally);
        vm.warp(START + 1 hours);
        // Nobody has noted it yet, and yet the coordinator cannot post the next round any more.
        vm.assertEq(ledger.jobOf(job).halted, 0);
        vm.warp(START + 2 days);
        assertRefused(_missing(files[1], 0), Fault.RoundMissing);
        ledger.lapse(job);
        assertRefused(_missing(files[1], 0), Fault.RoundMissing);
        vm.assertEq(ledger.jobOf(job).bond, BOND);
    }

    function test_WhileAttestationsMayComeNothingIsExcused() external {
        (terms.threshold, terms.witnesses, terms.nonce) = (1, ODD, 9);
        (terms.window, terms.anchorSeconds) = (2 days, 1 days);
        job = openJob(terms);
        RoundFile[] memory files = play(3, 3, 1, false);
        post(files[0].tally);
        vm.warp(START + 1 days + 1);
        assertUpheld(_missing(files[1], 0), 2);
    }

    function test_ACloseExcusesNoReceipt() external {
        RoundFile[] memory files = play(2, 3, 1, false);
        post(files[0].tally);
        vm.prank(requester);
        ledger.requestClose(job);
        vm.warp(START + 2 days + 1 hours);
        uint256 snapshot = vm.snapshotState();
        assertUpheld(_missing(files[1], 0), 2);
        vm.assertEq(ledger.accountOf(job).burned, BUDGET);
        vm.revertToState(snapshot);
        ledger.closeJob(job);
        assertUpheld(_missing(files[1], 0), 2);
        vm.assertEq(ledger.accountOf(job).burned, 0);
    }

    function test_AFinalRoundLosesTheBondOnly() external {
        RoundFile[] memory files = play(2, 3, 1, false);
        files[0].tally.entries[1].body.verdict = 10;
        files[0].tally.seal();
        post(files[0].tally);
        passWindow();
        bytes memory call =
            abi.encodeCall(IChallengeCourt.challengeVerdict, (pointTo(files[0]), prove(files[0], 1), NO_SALT));
        assertUpheld(call, 0);
        (bool again,) = address(tribunal).call(call);
        vm.assertFalse(again);
    }

    // Nodes

    function _pairOf(uint256 node) private view returns (SignedContribution memory one, SignedContribution memory two) {
        Contribution memory contribution =
            Contribution(job, 1, nodeAt(node), job, ODD, keccak256("a"), 500, keccak256("report"));
        one = signed(contribution, node);
        Contribution memory other = abi.decode(abi.encode(contribution), (Contribution));
        other.commitment = keccak256("b");
        two = signed(other, node);
    }

    function _stake(uint256 node, uint256 amount) private {
        registerNode(node);
        vm.prank(operator);
        registry.stake(nodeAt(node), amount);
    }

    function testFuzz_ANodeThatSignsTwiceLosesItsMinimumStake(uint96 amount) external {
        uint256 staked = 1 + uint256(amount) % 100 ether;
        _stake(1, staked);
        (SignedContribution memory one, SignedContribution memory two) = _pairOf(1);
        uint256 held = token.balanceOf(address(this));
        tribunal.challengeNode(one, two);
        vm.assertEq(registry.stakeOf(nodeAt(1)), staked < MIN_STAKE ? 0 : staked - MIN_STAKE);
        vm.assertEq(token.balanceOf(address(this)), held);
        // Nothing is left to burn, and what is staked later counts towards the same minimum.
        bytes memory call = abi.encodeCall(IChallengeCourt.challengeNode, (two, one));
        (bool again,) = address(tribunal).call(call);
        vm.assertFalse(again);
        vm.prank(operator);
        registry.stake(nodeAt(1), MIN_STAKE);
        (again,) = address(tribunal).call(call);
        vm.assertEq(again, staked < MIN_STAKE);
        vm.assertEq(registry.stakeOf(nodeAt(1)), staked);
    }

    function test_ANodeCannotBeSlashedForAJobThatIsNotOpen() external {
        _stake(1, MIN_STAKE);
        (SignedContribution memory one, SignedContribution memory two) = _pairOf(1);
        (one.contribution.job, two.contribution.job) = (ODD, ODD);
        (one, two) = (signed(one.contribution, 1), signed(two.contribution, 1));
        bytes memory call = abi.encodeCall(IChallengeCourt.challengeNode, (one, two));
        assertRefused(call, Errors.NodeRegistry_AlreadySlashed.selector);
    }

    function test_ANodeThatSignedOnceIsSafe() external {
        _stake(1, MIN_STAKE);
        (SignedContribution memory one, SignedContribution memory two) = _pairOf(1);
        bytes memory call = abi.encodeCall(IChallengeCourt.challengeNode, (one, one));
        assertRefused(call, Errors.ChallengeCourt_SameContribution.selector);
        two.contribution.round = 2;
        call = abi.encodeCall(IChallengeCourt.challengeNode, (one, signed(two.contribution, 1)));
        assertRefused(call, Errors.ChallengeCourt_OtherRound.selector);
        (two.contribution.round, two.contribution.node) = (1, nodeAt(2));
        call = abi.encodeCall(IChallengeCourt.challengeNode, (one, signed(two.contribution, 2)));
        assertRefused(call, Errors.ChallengeCourt_StatementMismatch.selector);
        two.contribution.node = nodeAt(1);
        call = abi.encodeCall(IChallengeCourt.challengeNode, (one, signed(two.contribution, 2)));
        assertRefused(call, Errors.ChallengeCourt_WrongSigner.selector);
        vm.assertEq(registry.stakeOf(nodeAt(1)), MIN_STAKE);
    }
}
