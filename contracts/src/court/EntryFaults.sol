// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Anchor, Contribution, Entry, RoundHeader, Terms} from "../Statements.sol";
import {Fault, IChallengeCourt, PostedRound, ProvenEntry} from "../interfaces/IChallengeCourt.sol";
import {Bounties} from "./Bounties.sol";
import {Carry} from "./Carry.sol";
import {Formula} from "./Formula.sol";
import {Receipts} from "./Receipts.sol";
import {Totals} from "./Totals.sol";
import {Words} from "./Words.sol";

/// @title EntryFaults
/// @notice Challenges of what the entries of posted rounds say.
abstract contract EntryFaults is Bounties {
    using Receipts for Contribution;

    uint256 private constant SIGNATURE_BYTES = 65;

    /// @inheritdoc IChallengeCourt
    function challengeContribution(
        PostedRound calldata posted,
        RoundHeader calldata header,
        ProvenEntry calldata entry,
        Contribution calldata contribution,
        bytes32 salt
    ) external {
        _requireHeader(posted, header);
        bytes32 leaf = _requireEntry(posted, entry);
        _requireEqual(_digest(Words.hashContribution(contribution)), entry.entry.body.contribution);
        bool fits = contribution.node == entry.entry.node && contribution.isMadeFor(header);
        _uphold(!fits, Fault.ContributionAltered, posted, leaf, salt);
    }

    /// @inheritdoc IChallengeCourt
    function challengeSignatures(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        bytes calldata signatures,
        bytes32 salt
    ) external {
        bytes32 leaf = _requireEntry(posted, entry);
        _requireEqual(keccak256(signatures), entry.entry.body.signatures);
        _uphold(!_isSigned(entry.entry, signatures), Fault.SignaturesFalse, posted, leaf, salt);
    }

    /// @inheritdoc IChallengeCourt
    function challengeTwice(
        PostedRound calldata posted,
        ProvenEntry calldata one,
        ProvenEntry calldata other,
        bytes32 salt
    ) external {
        bytes32 first = _requireEntry(posted, one);
        bytes32 second = _requireEntry(posted.anchor.entriesRoot, posted.anchor.count, other);
        _uphold(
            first != second && Totals.collide(one.entry, other.entry),
            Fault.CountedTwice,
            posted,
            _pair(first, second),
            salt
        );
    }

    /// @inheritdoc IChallengeCourt
    function challengeFirstTotals(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external {
        bytes32 leaf = _requireEntry(posted, entry);
        _uphold(entry.entry.seq == 0 && !Totals.isStart(entry.entry.body), Fault.FirstTotalsWrong, posted, leaf, salt);
    }

    /// @inheritdoc IChallengeCourt
    function challengeTotals(
        PostedRound calldata posted,
        ProvenEntry calldata before,
        ProvenEntry calldata later,
        bytes32 salt
    ) external {
        _requireEntry(posted, before);
        bytes32 leaf = _requireEntry(posted.anchor.entriesRoot, posted.anchor.count, later);
        (Entry calldata one, Entry calldata other) = (before.entry, later.entry);
        bool neighbours = uint256(one.seq) + 1 == other.seq;
        bool right = Totals.isStep(one.body, other.body) && Totals.areOfOneRound(one.body, other.body);
        _uphold(neighbours && !right, Fault.TotalsWrong, posted, leaf, salt);
    }

    /// @inheritdoc IChallengeCourt
    function challengeVerdict(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external {
        bytes32 leaf = _requireEntry(posted, entry);
        _uphold(!Formula.isFit(entry.entry.body), Fault.VerdictUnfit, posted, leaf, salt);
    }

    /// @inheritdoc IChallengeCourt
    function challengeReward(
        PostedRound calldata posted,
        RoundHeader calldata header,
        Terms calldata terms,
        ProvenEntry calldata entry,
        bytes32 salt
    ) external {
        _requireHeader(posted, header);
        bytes32 leaf = _requireEntry(posted.anchor.entriesRoot, posted.anchor.count, entry);
        _requireEqual(Words.hashTerms(terms), posted.job);
        uint256 reward = Formula.rewardOf(terms, header, entry.entry.body.gain);
        _uphold(entry.entry.body.reward != reward, Fault.RewardWrong, posted, leaf, salt);
    }

    /// @inheritdoc IChallengeCourt
    function challengeUnfounded(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external {
        bytes32 leaf = _requireEntry(posted, entry);
        _uphold(!Carry.isFounded(entry.entry, posted.round), Fault.CarryUnfounded, posted, leaf, salt);
    }

    /// @inheritdoc IChallengeCourt
    function challengeCarry(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        Anchor calldata previous,
        ProvenEntry calldata previousEntry,
        bytes32 salt
    ) external {
        bytes32 leaf = _requireEntry(posted, entry);
        _requireEarlier(posted.job, entry.entry.body.previousRound, previous, previousEntry);
        bool ofNode = entry.entry.node == previousEntry.entry.node;
        _uphold(ofNode && !Carry.follows(entry.entry, previousEntry.entry), Fault.CarryWrong, posted, leaf, salt);
    }

    /// @inheritdoc IChallengeCourt
    function challengeSkipped(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        PostedRound calldata between,
        ProvenEntry calldata skipped,
        bytes32 salt
    ) external {
        bytes32 leaf = _requireEntry(posted, entry);
        _requireEarlier(posted.job, between.round, between.anchor, skipped);
        bool isBetween = entry.entry.body.previousRound < between.round && between.round < posted.round;
        _uphold(isBetween && entry.entry.node == skipped.entry.node, Fault.EntrySkipped, posted, leaf, salt);
    }

    function _requireEarlier(bytes32 job, uint64 round, Anchor calldata anchor, ProvenEntry calldata proven)
        private
        view
    {
        _ledger.verifyAnchor(job, round, anchor);
        _requireEntry(anchor.entriesRoot, anchor.count, proven);
    }

    function _isSigned(Entry calldata entry, bytes calldata signatures) private pure returns (bool) {
        if (signatures.length != 2 * SIGNATURE_BYTES) return false;
        (address signer, ECDSA.RecoverError refusal,) =
            ECDSA.tryRecover(entry.body.contribution, signatures[:SIGNATURE_BYTES]);
        return refusal == ECDSA.RecoverError.NoError && signer == entry.node;
    }
}
