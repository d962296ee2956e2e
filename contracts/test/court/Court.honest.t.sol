// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/Errors.sol";
import {Contribution, Entry, RoundHeader} from "../../src/Statements.sol";
import {
    Fault,
    IChallengeCourt,
    PostedRound,
    ProvenEntry,
    SignedReceipt
} from "../../src/interfaces/IChallengeCourt.sol";
import {Tallies, Tally} from "../Tallies.sol";
import {CourtStand, RoundFile} from "./CourtStand.sol";

contract CourtHonestTest is CourtStand {
    using Tallies for Tally;

    /// forge-config: default.fuzz.runs = 6
    function testFuzz_NoEntryOfHonestRoundsCanBeChallenged(uint256 seed, uint8 size) external {
        RoundFile[] memory files = play(3, 1 + uint256(size) % 200, seed, true);
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 seq = 0; seq < files[i].nodes.length; ++seq) {
                _challengeEntry(files, i, seq);
            }
        }
        vm.assertEq(ledger.jobOf(job).halted, 0);
    }

    /// forge-config: default.fuzz.runs = 16
    function testFuzz_NoPairOfHonestEntriesCanBeChallenged(uint256 seed, uint8 size, uint256 at) external {
        RoundFile[] memory files = play(3, 1 + uint256(size) % 200, seed, true);
        for (uint256 i = 0; i < 3; ++i) {
            _challengeEntry(files, i, at % files[i].nodes.length);
            _challengePair(files[i], at % files[i].nodes.length, (at >> 128) % files[i].nodes.length);
        }
    }

    function test_NoEntryOfAnyKindOfRoundCanBeChallenged() external {
        for (uint256 seed = 0; seed < 12; ++seed) {
            uint256 snapshot = vm.snapshotState();
            RoundFile[] memory files = play(4, 1 + seed / 2, seed, true);
            for (uint256 i = 0; i < 4; ++i) {
                for (uint256 seq = 0; seq < files[i].nodes.length; ++seq) {
                    _challengeEntry(files, i, seq);
                    for (uint256 other = 0; other < files[i].nodes.length; ++other) {
                        _challengePair(files[i], seq, other);
                    }
                }
            }
            vm.revertToState(snapshot);
        }
    }

    /// @dev Every challenge of one entry, alone, with its neighbour, and with all earlier entries of its node.
    function _challengeEntry(RoundFile[] memory files, uint256 i, uint256 seq) private {
        RoundFile memory file = files[i];
        PostedRound memory posted = pointTo(file);
        ProvenEntry memory entry = prove(file, seq);
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeFirstTotals, (posted, entry, NO_SALT)), Fault.FirstTotalsWrong
        );
        assertRefused(abi.encodeCall(IChallengeCourt.challengeVerdict, (posted, entry, NO_SALT)), Fault.VerdictUnfit);
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeUnfounded, (posted, entry, NO_SALT)), Fault.CarryUnfounded
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeSignatures, (posted, entry, signaturesOf(file, seq), NO_SALT)),
            Fault.SignaturesFalse
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeReward, (posted, file.tally.header, terms, entry, NO_SALT)),
            Fault.RewardWrong
        );
        assertRefused(
            abi.encodeCall(
                IChallengeCourt.challengeContribution,
                (posted, file.tally.header, entry, file.contributions[seq], NO_SALT)
            ),
            Fault.ContributionAltered
        );
        if (seq > 0) {
            assertRefused(
                abi.encodeCall(IChallengeCourt.challengeTotals, (posted, prove(file, seq - 1), entry, NO_SALT)),
                Fault.TotalsWrong
            );
        }
        for (uint256 before = 0; before < i; ++before) {
            _challengeCarry(posted, entry, files[before], file.nodes[seq]);
        }
    }

    function _challengeCarry(PostedRound memory posted, ProvenEntry memory entry, RoundFile memory before, uint256 node)
        private
    {
        for (uint256 seq = 0; seq < before.nodes.length; ++seq) {
            if (before.nodes[seq] != node) continue;
            PostedRound memory earlier = pointTo(before);
            ProvenEntry memory own = prove(before, seq);
            if (earlier.round == entry.entry.body.previousRound) {
                assertRefused(
                    abi.encodeCall(IChallengeCourt.challengeCarry, (posted, entry, earlier.anchor, own, NO_SALT)),
                    Fault.CarryWrong
                );
            }
            assertRefused(
                abi.encodeCall(IChallengeCourt.challengeSkipped, (posted, entry, earlier, own, NO_SALT)),
                Fault.EntrySkipped
            );
        }
    }

    function _challengePair(RoundFile memory file, uint256 one, uint256 other) private {
        PostedRound memory posted = pointTo(file);
        (ProvenEntry memory first, ProvenEntry memory second) = (prove(file, one), prove(file, other));
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeTwice, (posted, first, second, NO_SALT)), Fault.CountedTwice
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeTotals, (posted, first, second, NO_SALT)), Fault.TotalsWrong
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeReplaced, (posted, signedReceipt(file, one), second, NO_SALT)),
            Fault.ReceiptReplaced
        );
        SignedReceipt memory receipt = signedReceipt(file, one);
        SignedReceipt memory later = signedReceipt(file, other);
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeReceipts, (posted, receipt, later, NO_SALT)), Fault.ReceiptsConflict
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeReceiptLink, (posted, receipt, later, NO_SALT)),
            Fault.ReceiptsBroken
        );
    }

    /// forge-config: default.fuzz.runs = 24
    function testFuzz_NoStatementOfHonestRoundsCanBeChallenged(uint256 seed, uint8 size, uint256 at) external {
        RoundFile[] memory files = play(2, 1 + uint256(size) % 200, seed, true);
        _challengeStatements(files[0], files[0], at % files[0].nodes.length);
        _challengeStatements(files[1], files[0], at % files[1].nodes.length);
        vm.warp(block.timestamp + 2 days);
        _challengeStatements(files[1], files[0], 0);
    }

    function _challengeStatements(RoundFile memory file, RoundFile memory before, uint256 seq) private {
        PostedRound memory posted = pointTo(file);
        RoundHeader memory header = file.tally.header;
        SignedReceipt memory receipt = signedReceipt(file, seq);
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeDropped, (posted, receipt, NO_SALT)), Fault.ReceiptDropped
        );
        assertRefused(abi.encodeCall(IChallengeCourt.challengeMissing, (posted, receipt, NO_SALT)), Fault.RoundMissing);
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeFirstReceipt, (posted, receipt, file.contributions[seq], NO_SALT)),
            Fault.FirstReceiptBroken
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeLastReceipt, (posted, header, receipt, NO_SALT)),
            Fault.LastReceiptBroken
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeClosings, (posted, file.closing, file.closing, NO_SALT)),
            Fault.ClosingsConflict
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeExceeded, (posted, file.closing, receipt, NO_SALT)),
            Fault.ClosingExceeded
        );
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeClosing, (posted, header, file.closing, NO_SALT)),
            Fault.ClosingDiffers
        );
        _challengeHeaders(file, before);
    }

    function _challengeHeaders(RoundFile memory file, RoundFile memory before) private {
        PostedRound memory posted = pointTo(file);
        bytes memory call = abi.encodeCall(
            IChallengeCourt.challengeHeaders, (posted, signedHeader(file.tally), signedHeader(file.tally), NO_SALT)
        );
        assertRefused(call, Fault.HeadersConflict);
        call = abi.encodeCall(IChallengeCourt.challengePosted, (posted, signedHeader(file.tally), NO_SALT));
        assertRefused(call, Fault.HeaderReplaced);
        call = abi.encodeCall(IChallengeCourt.challengeModel, (posted, file.tally.header, before.tally.header, NO_SALT));
        // Round 1 has no parent header: whatever is shown as one is not it.
        if (posted.round == 1) assertRefused(call, Errors.ChallengeCourt_StatementMismatch.selector);
        else assertRefused(call, Fault.ModelBroken);
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_PaddingIsNoEntry(uint256 seed, uint8 size) external {
        RoundFile[] memory files = play(1, 1 + uint256(size) % 200, seed, true);
        uint256 width = files[0].tally.hashes.length / 2;
        for (uint256 seq = files[0].nodes.length; seq < width; ++seq) {
            Entry memory padding;
            padding.seq = uint64(seq);
            bytes memory call = abi.encodeCall(
                IChallengeCourt.challengeVerdict,
                (pointTo(files[0]), ProvenEntry(padding, files[0].tally.proof(seq)), NO_SALT)
            );
            assertRefused(call, Errors.ChallengeCourt_SeqOutOfRange.selector);
        }
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_AlteredExhibitsAreRefused(uint256 seed, uint8 size, uint256 at, uint256 bit) external {
        RoundFile[] memory files = play(1, 1 + uint256(size) % 200, seed, true);
        at %= files[0].nodes.length;
        ProvenEntry memory entry = prove(files[0], at);
        entry.entry.body.verdict = 9;
        entry.entry.body.score = 1;
        bytes memory call = abi.encodeCall(IChallengeCourt.challengeVerdict, (pointTo(files[0]), entry, NO_SALT));
        assertRefused(call, Errors.ChallengeCourt_NotInTree.selector);
        SignedReceipt memory receipt = signedReceipt(files[0], at);
        receipt.receipt.seq = 1000;
        call = abi.encodeCall(IChallengeCourt.challengeDropped, (pointTo(files[0]), receipt, NO_SALT));
        assertRefused(call, Errors.ChallengeCourt_WrongSigner.selector);
        receipt = signedReceipt(files[0], at);
        receipt.signature[bit % 65] ^= bytes1(uint8(1 << ((bit >> 128) % 8)));
        call = abi.encodeCall(IChallengeCourt.challengeMissing, (pointTo(files[0]), receipt, NO_SALT));
        assertRefused(call, Errors.ChallengeCourt_WrongSigner.selector);
    }

    function test_AnchorsThatAreNotPostedAreRefused() external {
        RoundFile[] memory files = play(2, 3, 7, false);
        post(files[0].tally);
        PostedRound memory posted = pointTo(files[1]);
        ProvenEntry memory entry = prove(files[1], 0);
        entry.entry.body.verdict = 10;
        files[1].tally.entries[0].body.verdict = 10;
        files[1].tally.seal();
        posted.anchor = anchorOf(files[1].tally, 0);
        entry.proof = files[1].tally.proof(0);
        bytes4 reason = Errors.JobLedger_WrongAnchor.selector;
        assertRefused(abi.encodeCall(IChallengeCourt.challengeVerdict, (posted, entry, NO_SALT)), reason);
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeDropped, (posted, signedReceipt(files[1], 0), NO_SALT)), reason
        );
        posted.round = 1;
        assertRefused(abi.encodeCall(IChallengeCourt.challengeVerdict, (posted, entry, NO_SALT)), reason);
        posted.round = 0;
        assertRefused(abi.encodeCall(IChallengeCourt.challengeVerdict, (posted, entry, NO_SALT)), reason);
    }

    function test_StatementsOfAnotherRoundOrJobAreRefused() external {
        RoundFile[] memory files = play(2, 3, 7, true);
        bytes4 reason = Errors.ChallengeCourt_OtherRound.selector;
        PostedRound memory posted = pointTo(files[0]);
        SignedReceipt memory receipt = signedReceipt(files[1], 2);
        assertRefused(abi.encodeCall(IChallengeCourt.challengeDropped, (posted, receipt, NO_SALT)), reason);
        bytes memory call = abi.encodeCall(
            IChallengeCourt.challengeClosing, (posted, files[0].tally.header, files[1].closing, NO_SALT)
        );
        assertRefused(call, reason);
        call = abi.encodeCall(IChallengeCourt.challengePosted, (posted, signedHeader(files[1].tally), NO_SALT));
        assertRefused(call, reason);
        receipt.receipt.round = 1;
        receipt.receipt.job = keccak256("another job");
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeDropped, (posted, signed(receipt.receipt), NO_SALT)), reason
        );
    }

    function test_NobodySignsForAnUnknownJob() external {
        RoundFile[] memory files = play(1, 1, 7, true);
        SignedReceipt memory receipt = signedReceipt(files[0], 0);
        receipt.receipt.job = keccak256("another job");
        PostedRound memory posted = pointTo(uint64(1));
        posted.job = receipt.receipt.job;
        receipt.signature = new bytes(65);
        bytes4 reason = Errors.ChallengeCourt_WrongSigner.selector;
        assertRefused(abi.encodeCall(IChallengeCourt.challengeMissing, (posted, receipt, NO_SALT)), reason);
        assertRefused(
            abi.encodeCall(IChallengeCourt.challengeMissing, (posted, signed(receipt.receipt), NO_SALT)), reason
        );
    }

    function test_TermsAndHeaderMustBeTheJobs() external {
        RoundFile[] memory files = play(1, 3, 7, true);
        PostedRound memory posted = pointTo(files[0]);
        bytes4 reason = Errors.ChallengeCourt_StatementMismatch.selector;
        terms.pricePerNat += 1;
        bytes memory call = abi.encodeCall(
            IChallengeCourt.challengeReward, (posted, files[0].tally.header, terms, prove(files[0], 0), NO_SALT)
        );
        assertRefused(call, reason);
        terms.pricePerNat -= 1;
        files[0].tally.header.totalGain += 1;
        call = abi.encodeCall(
            IChallengeCourt.challengeReward, (posted, files[0].tally.header, terms, prove(files[0], 0), NO_SALT)
        );
        assertRefused(call, reason);
        Contribution memory other = files[0].contributions[1];
        files[0].tally.header.totalGain -= 1;
        call = abi.encodeCall(
            IChallengeCourt.challengeContribution, (posted, files[0].tally.header, prove(files[0], 0), other, NO_SALT)
        );
        assertRefused(call, reason);
        call = abi.encodeCall(
            IChallengeCourt.challengeSignatures, (posted, prove(files[0], 0), signaturesOf(files[0], 1), NO_SALT)
        );
        assertRefused(call, reason);
    }
}
