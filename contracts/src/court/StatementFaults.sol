// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Contribution, RoundHeader} from "../Statements.sol";
import {
    Fault,
    IChallengeCourt,
    PostedRound,
    ProvenEntry,
    SignedClosing,
    SignedHeader,
    SignedReceipt
} from "../interfaces/IChallengeCourt.sol";
import {Finality, Job} from "../interfaces/IJobLedger.sol";
import {Bounties, Finding} from "./Bounties.sol";
import {Receipts} from "./Receipts.sol";
import {Words} from "./Words.sol";

/// @title StatementFaults
/// @notice Challenges of what the coordinator signed: receipts, closings, headers.
abstract contract StatementFaults is Bounties {
    using Receipts for *;

    /// @inheritdoc IChallengeCourt
    function challengeReplaced(
        PostedRound calldata posted,
        SignedReceipt calldata receipt,
        ProvenEntry calldata entry,
        bytes32 salt
    ) external {
        bytes32 digest = _attestReceipt(posted, receipt, _coordinatorOf(posted.job));
        _requireEntry(posted.anchor, entry);
        bool sameSeq = receipt.receipt.seq == entry.entry.seq;
        _uphold(posted, Finding(Fault.ReceiptReplaced, sameSeq && !receipt.receipt.isKept(entry.entry), digest, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeDropped(PostedRound calldata posted, SignedReceipt calldata receipt, bytes32 salt) external {
        bytes32 digest = _attestReceipt(posted, receipt, _coordinatorOf(posted.job));
        _requirePosted(posted);
        _uphold(posted, Finding(Fault.ReceiptDropped, receipt.receipt.seq >= posted.anchor.count, digest, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeMissing(PostedRound calldata posted, SignedReceipt calldata receipt, bytes32 salt) external {
        Job memory job = _ledger.jobOf(posted.job);
        bytes32 digest = _attestReceipt(posted, receipt, job.coordinator);
        bool late = posted.round > job.posted && block.timestamp > receipt.receipt.anchorBy;
        _uphold(posted, Finding(Fault.RoundMissing, late && !_isExcused(posted.job, job), digest, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeReceipts(
        PostedRound calldata posted,
        SignedReceipt calldata one,
        SignedReceipt calldata other,
        bytes32 salt
    ) external {
        address coordinator = _coordinatorOf(posted.job);
        bytes32 first = _attestReceipt(posted, one, coordinator);
        bytes32 second = _attestReceipt(posted, other, coordinator);
        _uphold(
            posted,
            Finding(
                Fault.ReceiptsConflict,
                first != second && one.receipt.collide(other.receipt),
                _pair(first, second),
                salt
            )
        );
    }

    /// @inheritdoc IChallengeCourt
    function challengeReceiptLink(
        PostedRound calldata posted,
        SignedReceipt calldata before,
        SignedReceipt calldata later,
        bytes32 salt
    ) external {
        address coordinator = _coordinatorOf(posted.job);
        _attestReceipt(posted, before, coordinator);
        bytes32 digest = _attestReceipt(posted, later, coordinator);
        _uphold(posted, Finding(Fault.ReceiptsBroken, before.receipt.isBroken(later.receipt), digest, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeFirstReceipt(
        PostedRound calldata posted,
        SignedReceipt calldata receipt,
        Contribution calldata contribution,
        bytes32 salt
    ) external {
        bytes32 digest = _attestReceipt(posted, receipt, _coordinatorOf(posted.job));
        _requireEqual(_digest(Words.hashContribution(contribution)), receipt.receipt.contribution);
        _uphold(posted, Finding(Fault.FirstReceiptBroken, receipt.receipt.isFalseStart(contribution), digest, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeLastReceipt(
        PostedRound calldata posted,
        RoundHeader calldata header,
        SignedReceipt calldata receipt,
        bytes32 salt
    ) external {
        bytes32 digest = _attestReceipt(posted, receipt, _coordinatorOf(posted.job));
        _requireHeader(posted, header);
        _uphold(
            posted,
            Finding(Fault.LastReceiptBroken, receipt.receipt.isFalseEnd(header.count, header.accumulator), digest, salt)
        );
    }

    /// @inheritdoc IChallengeCourt
    function challengeClosings(
        PostedRound calldata posted,
        SignedClosing calldata one,
        SignedClosing calldata other,
        bytes32 salt
    ) external {
        address coordinator = _coordinatorOf(posted.job);
        bytes32 first = _attestClosing(posted, one, coordinator);
        bytes32 second = _attestClosing(posted, other, coordinator);
        _uphold(posted, Finding(Fault.ClosingsConflict, first != second, _pair(first, second), salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeExceeded(
        PostedRound calldata posted,
        SignedClosing calldata closing,
        SignedReceipt calldata receipt,
        bytes32 salt
    ) external {
        address coordinator = _coordinatorOf(posted.job);
        _attestClosing(posted, closing, coordinator);
        bytes32 digest = _attestReceipt(posted, receipt, coordinator);
        bool excluded = receipt.receipt.isExcluded(closing.closing.count, closing.closing.accumulator);
        _uphold(posted, Finding(Fault.ClosingExceeded, excluded, digest, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeClosing(
        PostedRound calldata posted,
        RoundHeader calldata header,
        SignedClosing calldata closing,
        bytes32 salt
    ) external {
        bytes32 digest = _attestClosing(posted, closing, _coordinatorOf(posted.job));
        _requireHeader(posted, header);
        _uphold(posted, Finding(Fault.ClosingDiffers, !header.isClosedBy(closing.closing), digest, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeHeaders(
        PostedRound calldata posted,
        SignedHeader calldata one,
        SignedHeader calldata other,
        bytes32 salt
    ) external {
        address coordinator = _coordinatorOf(posted.job);
        bytes32 first = _attestHeader(posted, one, coordinator);
        bytes32 second = _attestHeader(posted, other, coordinator);
        _uphold(posted, Finding(Fault.HeadersConflict, first != second, _pair(first, second), salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengePosted(PostedRound calldata posted, SignedHeader calldata header, bytes32 salt) external {
        bytes32 digest = _attestHeader(posted, header, _coordinatorOf(posted.job));
        _requirePosted(posted);
        _uphold(posted, Finding(Fault.HeaderReplaced, digest != posted.anchor.headerDigest, digest, salt));
    }

    /// @inheritdoc IChallengeCourt
    function challengeModel(
        PostedRound calldata posted,
        RoundHeader calldata header,
        RoundHeader calldata parent,
        bytes32 salt
    ) external {
        _requireHeader(posted, header);
        bool broken = header.totalWeight == 0 && header.nextModel != header.baseModel;
        if (!broken) {
            _requireEqual(_digest(Words.hashHeader(parent)), header.parent);
            broken = header.baseModel != parent.nextModel;
        }
        _uphold(posted, Finding(Fault.ModelBroken, broken, posted.anchor.headerDigest, salt));
    }

    /// @dev Whether a round after the last posted one need not come: the job was halted at a posted round, by a rejection
    /// or by missing attestations, be it noted yet or not. A halt right after the last posted round is a closed job, or a
    /// rejection for a missing round, after which nothing is left to punish.
    function _isExcused(bytes32 job, Job memory state) private view returns (bool) {
        if (state.halted != 0 && state.halted <= state.posted) return true;
        if (state.finality != Finality.ByWitnesses || state.attested == state.posted) return false;
        return block.timestamp >= _ledger.roundOf(job, state.attested + 1).attestBy;
    }
}
