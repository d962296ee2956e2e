// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EntryTree} from "./EntryTree.sol";
import {Errors} from "./Errors.sol";
import {Jobs} from "./Jobs.sol";
import {Limits} from "./Limits.sol";
import {Body, Entry, RoundHeader, Statements} from "./Statements.sol";
import {Job, Round} from "./interfaces/IJobLedger.sol";

/// @title Posting
/// @notice What must hold before a header is anchored.
library Posting {
    using Jobs for Job;

    /// @notice Reverts unless the coordinator sends the next round of a running job.
    function checkNext(Job storage job, mapping(uint64 => Round) storage rounds, RoundHeader calldata header)
        internal
        view
    {
        // 1. The coordinator sends it, and the job goes on.
        if (msg.sender != job.coordinator) revert Errors.JobLedger_NotCoordinator(msg.sender, job.coordinator);
        if (job.halted != 0) revert Errors.JobLedger_JobHalted(job.halted);
        uint256 closesAt = job.closesAt;
        if (closesAt != 0 && block.timestamp >= closesAt) {
            revert Errors.JobLedger_CloseInEffect(block.timestamp, closesAt);
        }
        uint32 lapsed = job.lapsedFrom(rounds);
        if (lapsed != 0) revert Errors.JobLedger_AttestationMissing(lapsed);
        // 2. It is the next round, and there is one.
        uint256 next = uint256(job.posted) + 1;
        if (header.round != next) revert Errors.JobLedger_WrongRound(header.round, next);
        if (next > job.rounds) revert Errors.JobLedger_NoRoundsLeft(next, job.rounds);
        if (header.parent != job.lastHeader) revert Errors.JobLedger_WrongParent(header.parent, job.lastHeader);
        // 3. It lies in the past and within its budget.
        if (header.openedAt > header.closedAt) {
            revert Errors.JobLedger_TimesOutOfOrder(header.openedAt, header.closedAt);
        }
        uint256 latest = block.timestamp + Limits.CLOCK_SKEW_SECONDS;
        if (header.closedAt > latest) revert Errors.JobLedger_ClosedInFuture(header.closedAt, latest);
        if (header.totalReward > job.budgetPerRound) {
            revert Errors.JobLedger_OverBudget(header.totalReward, job.budgetPerRound);
        }
    }

    /// @notice Reverts unless the entry is the last of the header's tree and its running totals are the header's.
    function checkLast(RoundHeader calldata header, Entry calldata entry, bytes32[] calldata proof) internal pure {
        if (header.count == 0) revert Errors.JobLedger_EmptyRound();
        if (entry.seq != header.count - 1) revert Errors.JobLedger_NotLastEntry(entry.seq, header.count - 1);
        Body calldata body = entry.body;
        _requireTotal("weight", body.runningWeight, header.totalWeight);
        _requireTotal("score", uint256(int256(body.runningScore)), uint256(int256(header.totalScore)));
        _requireTotal("gain", body.runningGain, header.totalGain);
        _requireTotal("reward", body.runningReward, header.totalReward);
        _requireTotal("aggregate", uint256(body.runningAggregate), uint256(header.aggregate));
        bytes32 leaf = EntryTree.hashLeaf(entry.seq, entry.node, entry.earned, Statements.hashBody(body));
        EntryTree.verify(header.entriesRoot, header.count, proof, entry.seq, leaf);
    }

    function _requireTotal(bytes32 total, uint256 running, uint256 header) private pure {
        if (running != header) revert Errors.JobLedger_TotalDiffers(total, bytes32(running), bytes32(header));
    }
}
