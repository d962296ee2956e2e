// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {EntryTree} from "./EntryTree.sol";
import {Errors} from "./Errors.sol";
import {JobBook} from "./JobBook.sol";
import {Jobs} from "./Jobs.sol";
import {Limits} from "./Limits.sol";
import {Refusals} from "./Refusals.sol";
import {Anchor, Leaf} from "./Statements.sol";
import {Transfers} from "./Transfers.sol";
import {Claim, IJobLedger, Job} from "./interfaces/IJobLedger.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";

/// @title Claims
/// @notice Pays nodes what final rounds say they have earned.
/// @dev What a job has paid never exceeds the rewards of all rounds up to the newest final one it was claimed from, so
/// rewards of rounds that may still be struck are out of reach, whatever an entry says.
abstract contract Claims is JobBook {
    using SafeERC20 for IERC20;
    using Transfers for IERC20;
    using Jobs for Job;

    /// @inheritdoc IJobLedger
    function claim(bytes32 job, uint64 round, Anchor calldata anchor, Leaf calldata leaf, bytes32[] calldata proof)
        external
        returns (uint256 amount)
    {
        Job storage state = _jobs[job];
        // Check
        uint256 rewards = _checkClaimable(state, job, round, anchor);
        // Effect
        address payout;
        bytes memory refusal;
        (amount, payout, refusal) = _draw(state, job, anchor, leaf, proof, rewards);
        if (refusal.length != 0) Refusals.raise(refusal);
        emit Claimed(job, leaf.node, payout, round, amount, leaf.earned);
        // Interaction
        IERC20(state.token).safeTransfer(payout, amount);
    }

    /// @inheritdoc IJobLedger
    function claimMany(bytes32 job, uint64 round, Anchor calldata anchor, Claim[] calldata claims)
        external
        returns (uint256 amount)
    {
        Job storage state = _jobs[job];
        // Check
        uint256 rewards = _checkClaimable(state, job, round, anchor);
        for (uint256 i = 0; i < claims.length; ++i) {
            amount += _claimOne(state, job, round, anchor, claims[i], rewards);
        }
    }

    /// @dev Draws one item, or leaves everything as it was and reports why.
    function _claimOne(
        Job storage state,
        bytes32 job,
        uint64 round,
        Anchor calldata anchor,
        Claim calldata item,
        uint256 rewards
    ) private returns (uint256 amount) {
        address payout;
        bytes memory refusal;
        address node = item.leaf.node;
        // Effect
        (amount, payout, refusal) = _draw(state, job, anchor, item.leaf, item.proof, rewards);
        // Interaction
        if (refusal.length == 0 && !_trySend(state.token, payout, amount)) {
            // Subtracted, not reset: what the token did in between stays counted.
            _claimed[job][node] -= amount;
            state.paid -= uint128(amount);
            refusal = abi.encodeWithSelector(Errors.JobLedger_TransferFailed.selector, payout, amount);
        }
        if (refusal.length == 0) {
            emit Claimed(job, node, payout, round, amount, item.leaf.earned);
        } else {
            amount = 0;
            emit ClaimFailed(job, node, round, item.leaf.seq, refusal);
        }
    }

    function _trySend(address token, address payout, uint256 amount) private returns (bool) {
        // A call gets at most 63/64 of the gas that is left; the rest must do for this item's records.
        uint256 needed = Limits.TRANSFER_GAS * 64 / 63 + Limits.RECORD_GAS;
        if (gasleft() < needed) revert Errors.JobLedger_TooLittleGas(gasleft(), needed);
        return IERC20(token).trySend(payout, amount, Limits.TRANSFER_GAS);
    }

    /// @dev Books what a leaf draws; on refusal nothing changes.
    /// @return amount base units to send
    /// @return payout where to
    /// @return refusal the encoded error, empty if the leaf may draw
    function _draw(
        Job storage state,
        bytes32 job,
        Anchor calldata anchor,
        Leaf calldata leaf,
        bytes32[] calldata proof,
        uint256 rewards
    ) private returns (uint256 amount, address payout, bytes memory refusal) {
        // Check
        refusal = EntryTree.refuse(anchor.entriesRoot, anchor.count, proof, leaf);
        if (refusal.length != 0) return (0, payout, refusal);
        uint256 claimed = _claimed[job][leaf.node];
        if (leaf.earned <= claimed) {
            return (0, payout, abi.encodeWithSelector(Errors.JobLedger_NothingToClaim.selector, leaf.earned, claimed));
        }
        amount = leaf.earned - claimed;
        (uint256 paid, uint256 cap) = (state.paid + amount, state.claimable);
        if (rewards > cap) cap = rewards;
        if (paid > cap) return (0, payout, abi.encodeWithSelector(Errors.JobLedger_OverClaimed.selector, paid, cap));
        payout = INodeRegistry(registry).payoutOf(leaf.node);
        if (payout == address(0)) {
            return (0, payout, abi.encodeWithSelector(Errors.JobLedger_NoPayout.selector, leaf.node));
        }
        // Effect
        _claimed[job][leaf.node] = leaf.earned;
        state.paid = uint128(paid);
        state.claimable = uint128(cap);
    }

    /// @return rewards what all rounds up to this final one pay together
    function _checkClaimable(Job storage state, bytes32 job, uint64 round, Anchor calldata anchor)
        private
        view
        returns (uint256 rewards)
    {
        verifyAnchor(job, round, anchor);
        if (state.isStruck(round)) revert Errors.JobLedger_RoundStruck(round, state.halted);
        if (block.timestamp < anchor.finalAt) revert Errors.JobLedger_NotFinal(block.timestamp, anchor.finalAt);
        rewards = _rounds[job][round].rewards;
    }
}
