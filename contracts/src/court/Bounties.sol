// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../Errors.sol";
import {Fault, IChallengeCourt, PostedRound, WaitingBounty} from "../interfaces/IChallengeCourt.sol";
import {Bench} from "./Bench.sol";

/// @notice What a challenge comes to. It travels in memory: given one by one, its constants would make the compiler write
/// `_uphold` out for every fault, and the court exceed the size limit.
/// @param shown whether the exhibits show the fault
/// @param subject of the fault's id
/// @param salt of the sender's commitment, if there is one
struct Finding {
    Fault fault;
    bool shown;
    bytes32 subject;
    bytes32 salt;
}

/// @title Bounties
/// @notice What follows from a proven fault, and who gets the challenger's part of the bond.
abstract contract Bounties is Bench {
    mapping(bytes32 commitment => uint256 madeAt) private _commitments;
    mapping(bytes32 job => mapping(bytes32 faultId => WaitingBounty)) private _waiting;

    /// @inheritdoc IChallengeCourt
    function commitChallenge(bytes32 commitment) external {
        // Check
        if (_commitments[commitment] != 0) revert Errors.ChallengeCourt_CommitmentExists(commitment);
        // Effect
        _commitments[commitment] = block.timestamp;
        emit ChallengeCommitted(commitment, msg.sender);
    }

    /// @inheritdoc IChallengeCourt
    function openCommitment(bytes32 job, bytes32 faultId, bytes32 salt) external {
        WaitingBounty storage waiting = _waiting[job][faultId];
        // Check
        uint256 best = waiting.committedAt == 0 ? waiting.provenAt : waiting.committedAt;
        if (best == 0) revert Errors.ChallengeCourt_NoBounty(job, faultId);
        uint256 madeAt = _committedAt(faultId, salt);
        if (madeAt == 0 || madeAt >= best) revert Errors.ChallengeCourt_CommitmentTooLate(madeAt, best);
        // Effect
        (waiting.challenger, waiting.committedAt) = (msg.sender, uint48(madeAt));
        emit CommitmentOpened(job, faultId, msg.sender, uint64(madeAt));
    }

    /// @inheritdoc IChallengeCourt
    function settleBounty(bytes32 job, bytes32 faultId) external {
        WaitingBounty memory waiting = _waiting[job][faultId];
        // Check
        if (waiting.provenAt == 0) revert Errors.ChallengeCourt_NoBounty(job, faultId);
        uint256 until = uint256(waiting.provenAt) + _ledger.jobOf(job).window;
        if (block.timestamp < until) revert Errors.ChallengeCourt_BountyWaits(block.timestamp, until);
        // Effect
        delete _waiting[job][faultId];
        // Interaction
        _ledger.settleBounty(job, waiting.challenger);
    }

    /// @inheritdoc IChallengeCourt
    function committedAt(bytes32 commitment) external view returns (uint64) {
        return uint64(_commitments[commitment]);
    }

    /// @inheritdoc IChallengeCourt
    function waitingBountyOf(bytes32 job, bytes32 faultId) external view returns (WaitingBounty memory) {
        return _waiting[job][faultId];
    }

    /// @inheritdoc IChallengeCourt
    function hashFault(Fault fault, bytes32 job, uint64 round, bytes32 subject) public pure returns (bytes32) {
        return keccak256(abi.encode(fault, job, round, subject));
    }

    /// @inheritdoc IChallengeCourt
    function hashCommitment(address challenger, bytes32 faultId, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(challenger, faultId, salt));
    }

    /// @dev Tells the ledger of a fault, or reverts unless the exhibits have shown it. The bond is cut once per job, so at most one bounty of a job waits.
    function _uphold(PostedRound calldata posted, Finding memory finding) internal {
        // Check
        Fault fault = finding.fault;
        if (!finding.shown) revert Errors.ChallengeCourt_NotProven(uint8(fault));
        bytes32 faultId = hashFault(fault, posted.job, posted.round, finding.subject);
        uint256 madeAt = _committedAt(faultId, finding.salt);
        bool committed = madeAt != 0 && madeAt < block.timestamp;
        // Interaction: first, since it says what waits; the ledger calls nobody
        (uint256 waiting, uint256 window) =
            _ledger.reject(posted.job, posted.round, posted.anchor, committed ? msg.sender : address(0));
        // Effect
        uint64 waitsUntil = 0;
        if (waiting != 0) {
            _waiting[posted.job][faultId].provenAt = uint48(block.timestamp);
            waitsUntil = uint64(block.timestamp + window);
        }
        emit ChallengeUpheld(posted.job, posted.round, fault, faultId, msg.sender, waitsUntil);
    }

    function _committedAt(bytes32 faultId, bytes32 salt) private view returns (uint256) {
        return _commitments[hashCommitment(msg.sender, faultId, salt)];
    }
}
