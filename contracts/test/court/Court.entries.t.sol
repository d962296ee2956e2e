// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Body, Contribution, Entry} from "../../src/Statements.sol";
import {Fault, IChallengeCourt, PostedRound, ProvenEntry} from "../../src/interfaces/IChallengeCourt.sol";
import {Tallies, Tally} from "../Tallies.sol";
import {CourtStand, RoundFile} from "./CourtStand.sol";

contract CourtEntriesTest is CourtStand {
    using Tallies for Tally;

    uint256 private constant MANY = 5;
    bytes32 private constant ODD = keccak256("odd");

    /// @dev A lie about one entry of the last of two rounds, by number, and how it is shown.
    function _lie(RoundFile[] memory files, uint256 at, uint256 which) private returns (bytes memory) {
        if (which < 5) return _altered(files[1], at, which);
        if (which < 9) return _falselySigned(files[1], at, which - 5);
        if (which < 12) return _twice(files[1], at, which - 9);
        if (which < 20) return _totals(files[1], at, which - 12);
        if (which < 25) return _verdict(files[1], at, which - 20);
        if (which < 28) return _reward(files[1], at, which - 25);
        if (which < 33) return _unfounded(files[1], at, which - 28);
        return _carry(files, at, which - 33);
    }

    uint256 private constant LIES = 42;

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
        // What some lies have no room for: a round of one, a node without an entry before, a reward of nothing.
        vm.assertGe(upheld, 12 * LIES * 3 / 4, "few lies were told");
    }

    /// forge-config: default.fuzz.runs = 48
    function testFuzz_EveryLieIsUpheld(uint8 size, uint256 at, uint256 seed) external {
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < MANY; ++i) {
            uint256 which = random(seed, i) % LIES;
            this.upholds(1 + uint256(size) % 200, at, which, seed);
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

    /// @dev Seals and posts what a lie has made of the round, and shows the entry.
    function _post(RoundFile memory file, uint256 at) private returns (PostedRound memory, ProvenEntry memory) {
        file.tally.seal();
        post(file.tally);
        return (pointTo(file), prove(file, at));
    }

    function _altered(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        Contribution memory contribution = file.contributions[at];
        if (which == 0) contribution.job = ODD;
        else if (which == 1) contribution.round += 1;
        else if (which == 2) contribution.node = stranger;
        else if (which == 3) contribution.parent = ODD;
        else contribution.baseModel = ODD;
        file.tally.entries[at].body.contribution = digestOf(contribution);
        (PostedRound memory posted, ProvenEntry memory entry) = _post(file, at);
        return abi.encodeCall(
            IChallengeCourt.challengeContribution, (posted, file.tally.header, entry, contribution, NO_SALT)
        );
    }

    function _falselySigned(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        bytes memory signatures = signaturesOf(file, at);
        bytes memory own = signDigest(NODE_KEYS + 5000, file.receipts[at].contribution);
        if (which == 1) own = signDigest(NODE_KEYS + file.nodes[at], ODD);
        if (which == 2) {
            signatures = bytes.concat(signatures, hex"00");
        } else {
            if (which == 3) own = _mirror(signDigest(NODE_KEYS + file.nodes[at], file.receipts[at].contribution));
            for (uint256 i = 0; i < 65; ++i) {
                signatures[i] = own[i];
            }
        }
        file.tally.entries[at].body.signatures = keccak256(signatures);
        (PostedRound memory posted, ProvenEntry memory entry) = _post(file, at);
        return abi.encodeCall(IChallengeCourt.challengeSignatures, (posted, entry, signatures, NO_SALT));
    }

    /// @dev The other signature that the curve allows: n - s, the other v.
    function _mirror(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, uint256 s) = abi.decode(signature, (bytes32, uint256));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        return abi.encodePacked(r, order - s, signature[64] == 0x1b ? bytes1(0x1c) : bytes1(0x1b));
    }

    function _twice(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        if (file.nodes.length == 1) return "";
        uint256 other = at == 0 ? file.nodes.length - 1 : at - 1;
        Entry memory entry = file.tally.entries[at];
        if (which == 0) entry.node = file.tally.entries[other].node;
        else if (which == 1) entry.body.contribution = file.tally.entries[other].body.contribution;
        else entry.seq = file.tally.entries[other].seq;
        // The last place must hold the last seq, or the round cannot be posted.
        if (which == 2 && at == file.nodes.length - 1) return "";
        (PostedRound memory posted, ProvenEntry memory one) = _post(file, at);
        return abi.encodeCall(IChallengeCourt.challengeTwice, (posted, one, prove(file, other), NO_SALT));
    }

    function _totals(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        Body memory body = file.tally.entries[at].body;
        if (which == 0) body.runningWeight += 1;
        else if (which == 1) body.runningScore -= 1;
        else if (which == 2) body.runningGain += 1;
        else if (which == 3) body.runningReward ^= 1;
        else if (which == 4) body.runningScore = type(int128).min;
        else if (which == 5) body.runningGain = type(uint128).max;
        else if (which == 6) (body.gain, body.weight) = (type(uint128).max, type(uint64).max);
        else (body.verdict, body.weight) = (body.verdict == 9 ? 1 : 9, 0);
        if (which == 7 && at == 0) return "";
        if (which == 7) file.tally.sum();
        _copyTotals(file.tally);
        (PostedRound memory posted, ProvenEntry memory entry) = _post(file, at);
        if (at == 0) return abi.encodeCall(IChallengeCourt.challengeFirstTotals, (posted, entry, NO_SALT));
        return abi.encodeCall(IChallengeCourt.challengeTotals, (posted, prove(file, at - 1), entry, NO_SALT));
    }

    function _copyTotals(Tally memory tally) private pure {
        Body memory body = tally.entries[tally.entries.length - 1].body;
        (tally.header.totalWeight, tally.header.totalScore) = (body.runningWeight, body.runningScore);
        (tally.header.totalGain, tally.header.totalReward) = (body.runningGain, body.runningReward);
    }

    function _verdict(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        Body memory body = file.tally.entries[at].body;
        if (which == 0) body.verdict = 10;
        else if (which == 1) body.verdict = 11;
        else if (which == 2) body.verdict = 255;
        else if (which == 3) (body.verdict, body.weight, body.score) = (1, 1, 0);
        else (body.verdict, body.weight, body.score) = (8, 0, -1);
        file.tally.sum();
        (PostedRound memory posted, ProvenEntry memory entry) = _post(file, at);
        return abi.encodeCall(IChallengeCourt.challengeVerdict, (posted, entry, NO_SALT));
    }

    function _reward(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        Body memory body = file.tally.entries[at].body;
        if (which == 0) body.reward += 1;
        else if (which == 1 && body.reward == 0) return "";
        else if (which == 1) body.reward -= 1;
        else body.reward = type(uint96).max;
        file.tally.sum();
        if (file.tally.header.totalReward > BUDGET) {
            // Within the budget by the header, so that it can be posted: the sums do not follow, and neither does this.
            file.tally.entries[file.nodes.length - 1].body.runningReward = BUDGET;
            file.tally.header.totalReward = BUDGET;
        }
        (PostedRound memory posted, ProvenEntry memory entry) = _post(file, at);
        return abi.encodeCall(IChallengeCourt.challengeReward, (posted, file.tally.header, terms, entry, NO_SALT));
    }

    function _unfounded(RoundFile memory file, uint256 at, uint256 which) private returns (bytes memory) {
        Entry memory entry = file.tally.entries[at];
        if (which == 0) (entry.body.previousRound, entry.earned) = (0, entry.earned + 1);
        else if (which == 1) entry.body.previousRound = 2;
        else if (which == 2) entry.body.previousRound = type(uint64).max;
        else if (which == 3) (entry.body.previousRound, entry.body.credit, entry.body.peak) = (1, 2, 1);
        else (entry.body.previousRound, entry.body.credit) = (0, type(int128).min);
        file.tally.sum();
        (PostedRound memory posted, ProvenEntry memory proven) = _post(file, at);
        return abi.encodeCall(IChallengeCourt.challengeUnfounded, (posted, proven, NO_SALT));
    }

    function _carry(RoundFile[] memory files, uint256 at, uint256 which) private returns (bytes memory) {
        Entry memory entry = files[1].tally.entries[at];
        uint256 earlier = _find(files[0], files[1].nodes[at]);
        if (earlier == type(uint256).max) return "";
        if (which == 0) entry.earned += 1;
        else if (which == 1) entry.body.credit += 1;
        else if (which == 2) entry.body.peak += 1;
        else if (which == 3) entry.body.gain += 1;
        else if (which == 4) entry.earned = type(uint128).max;
        else if (which == 5) entry.body.credit = type(int128).max;
        else if (which == 6) entry.body.peak = type(uint128).max;
        else if (which == 7) entry.body.score = type(int128).min;
        else entry.body.previousRound = 0;
        if (which != 7) files[1].tally.sum();
        (PostedRound memory posted, ProvenEntry memory proven) = _post(files[1], at);
        PostedRound memory before = pointTo(files[0]);
        ProvenEntry memory own = prove(files[0], earlier);
        if (which == 8) {
            return abi.encodeCall(IChallengeCourt.challengeSkipped, (posted, proven, before, own, NO_SALT));
        }
        return abi.encodeCall(IChallengeCourt.challengeCarry, (posted, proven, before.anchor, own, NO_SALT));
    }

    function _find(RoundFile memory file, uint256 node) private pure returns (uint256) {
        for (uint256 seq = 0; seq < file.nodes.length; ++seq) {
            if (file.nodes[seq] == node) return seq;
        }
        return type(uint256).max;
    }

    function test_ValuesAtTheirLimitsNeverMakeTheCourtRevert() external {
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < 4; ++i) {
            RoundFile[] memory files = play(2, 2, 3, false);
            for (uint256 j = 0; j < 2; ++j) {
                _blow(files[j].tally.entries[0].body, i % 2 == 0);
                _blow(files[j].tally.entries[1].body, i / 2 == 0);
                files[j].tally.entries[1].earned = type(uint128).max;
                files[j].tally.header.parent = j == 0 ? job : digestOf(files[0].tally);
                Body memory last = files[j].tally.entries[1].body;
                (last.runningReward, last.reward) = (0, type(uint128).max);
                _copyTotals(files[j].tally);
                files[j].tally.seal();
                post(files[j].tally);
            }
            _challengeAll(files);
            vm.revertToState(snapshot);
        }
    }

    function _blow(Body memory body, bool high) private pure {
        body.weight = body.runningWeight = type(uint64).max;
        body.score = body.credit = body.runningScore = high ? type(int128).max : type(int128).min;
        body.peak = body.gain = body.reward = body.runningGain = type(uint128).max;
        body.runningReward = type(uint128).max;
        body.verdict = 255;
    }

    /// @dev Each is wrong by far; none may fail for another reason than that nothing is left to punish.
    function _challengeAll(RoundFile[] memory files) private {
        PostedRound memory posted = pointTo(files[1]);
        ProvenEntry memory one = prove(files[1], 0);
        ProvenEntry memory other = prove(files[1], 1);
        ProvenEntry memory earlier = prove(files[0], 0);
        uint256 snapshot = vm.snapshotState();
        assertUpheld(abi.encodeCall(IChallengeCourt.challengeTotals, (posted, one, other, NO_SALT)), 2);
        vm.revertToState(snapshot);
        assertUpheld(abi.encodeCall(IChallengeCourt.challengeVerdict, (posted, one, NO_SALT)), 2);
        vm.revertToState(snapshot);
        assertUpheld(
            abi.encodeCall(IChallengeCourt.challengeReward, (posted, files[1].tally.header, terms, other, NO_SALT)), 2
        );
        vm.revertToState(snapshot);
        if (one.entry.node != earlier.entry.node || one.entry.body.previousRound != 1) return;
        PostedRound memory before = pointTo(files[0]);
        assertUpheld(abi.encodeCall(IChallengeCourt.challengeCarry, (posted, one, before.anchor, earlier, NO_SALT)), 2);
        vm.revertToState(snapshot);
    }
}
