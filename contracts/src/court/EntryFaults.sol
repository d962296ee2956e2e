// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Anchor, Contribution, Entry, RoundHeader, Terms} from "../Statements.sol";
import {Fault, IChallengeCourt, PostedRound, ProvenEntry} from "../interfaces/IChallengeCourt.sol";
import {Bounties, Finding} from "./Bounties.sol";
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
        bytes32 leaf = _requireEntry(posted.anchor, entry);
        _requireEqual(_digest(Words.hashContribution(contribution)), entry.entry.body.contribution);
        bool fits = contribution.node == entry.entry.node && contribution.isMadeFor(header);
        _uphold(posted, Finding(Fault.ContributionAltered, !fits, leaf, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeSignatures(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        bytes calldata signatures,
        bytes32 salt
    ) external {
        bytes32 leaf = _requireEntry(posted.anchor, entry);
        _requireEqual(keccak256(signatures), entry.entry.body.signatures);
        _uphold(posted, Finding(Fault.SignaturesFalse, !_isSigned(entry.entry, signatures), leaf, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeTwice(
        PostedRound calldata posted,
        ProvenEntry calldata one,
        ProvenEntry calldata other,
        bytes32 salt
    ) external {
        bytes32 first = _requireEntry(posted.anchor, one);
        bytes32 second = _requireEntry(posted.anchor, other);
        _uphold(
            posted,
            Finding(
                Fault.CountedTwice,
                first != second && Totals.collide(one.entry, other.entry),
                _pair(first, second),
                salt
            )
        );
    }

    /// @inheritdoc IChallengeCourt
    function challengeFirstTotals(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external {
        bytes32 leaf = _requireEntry(posted.anchor, entry);
        _uphold(
            posted,
            Finding(Fault.FirstTotalsWrong, entry.entry.seq == 0 && !Totals.isStart(entry.entry.body), leaf, salt)
        );
    }

    /// @inheritdoc IChallengeCourt
    function challengeTotals(
        PostedRound calldata posted,
        ProvenEntry calldata before,
        ProvenEntry calldata later,
        bytes32 salt
    ) external {
        _requireEntry(posted.anchor, before);
        bytes32 leaf = _requireEntry(posted.anchor, later);
        (Entry calldata one, Entry calldata other) = (before.entry, later.entry);
        bool neighbours = uint256(one.seq) + 1 == other.seq;
        bool right = Totals.isStep(one.body, other.body) && Totals.areOfOneRound(one.body, other.body);
        _uphold(posted, Finding(Fault.TotalsWrong, neighbours && !right, leaf, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeVerdict(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external {
        bytes32 leaf = _requireEntry(posted.anchor, entry);
        _uphold(posted, Finding(Fault.VerdictUnfit, !Formula.isFit(entry.entry.body), leaf, salt));
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
        bytes32 leaf = _requireEntry(posted.anchor, entry);
        _requireEqual(Words.hashTerms(terms), posted.job);
        uint256 reward = Formula.rewardOf(terms, header, entry.entry.body.gain);
        _uphold(posted, Finding(Fault.RewardWrong, entry.entry.body.reward != reward, leaf, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeUnfounded(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external {
        bytes32 leaf = _requireEntry(posted.anchor, entry);
        _uphold(posted, Finding(Fault.CarryUnfounded, !Carry.isFounded(entry.entry, posted.round), leaf, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeCarry(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        Anchor calldata previous,
        ProvenEntry calldata previousEntry,
        bytes32 salt
    ) external {
        bytes32 leaf = _requireEntry(posted.anchor, entry);
        _requireEarlier(posted.job, entry.entry.body.previousRound, previous, previousEntry);
        bool ofNode = entry.entry.node == previousEntry.entry.node;
        _uphold(
            posted, Finding(Fault.CarryWrong, ofNode && !Carry.follows(entry.entry, previousEntry.entry), leaf, salt)
        );
    }

    /// @inheritdoc IChallengeCourt
    function challengeSkipped(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        PostedRound calldata between,
        ProvenEntry calldata skipped,
        bytes32 salt
    ) external {
        bytes32 leaf = _requireEntry(posted.anchor, entry);
        _requireEarlier(posted.job, between.round, between.anchor, skipped);
        bool isBetween = entry.entry.body.previousRound < between.round && between.round < posted.round;
        _uphold(posted, Finding(Fault.EntrySkipped, isBetween && entry.entry.node == skipped.entry.node, leaf, salt));
    }

    function _requireEarlier(bytes32 job, uint64 round, Anchor calldata anchor, ProvenEntry calldata proven)
        private
        view
    {
        _ledger.verifyAnchor(job, round, anchor);
        _requireEntry(anchor, proven);
    }

    function _isSigned(Entry calldata entry, bytes calldata signatures) private pure returns (bool) {
        if (signatures.length != 2 * SIGNATURE_BYTES) return false;
        (address signer, ECDSA.RecoverError refusal,) =
            ECDSA.tryRecover(entry.body.contribution, signatures[:SIGNATURE_BYTES]);
        return refusal == ECDSA.RecoverError.NoError && signer == entry.node;
    }
}
