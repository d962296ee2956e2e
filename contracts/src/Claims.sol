// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {EntryTree} from "./EntryTree.sol";
import {Errors} from "./Errors.sol";
import {JobBook} from "./JobBook.sol";
import {Jobs} from "./Jobs.sol";
import {Limits} from "./Limits.sol";
import {Refusals} from "./Refusals.sol";
import {Anchor, Leaf} from "./Statements.sol";
import {Tills} from "./Tills.sol";
import {Transfers} from "./Transfers.sol";
import {Claim, IJobLedger, Job, Round} from "./interfaces/IJobLedger.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";

/// @title Claims
/// @notice Pays nodes what final rounds say they have earned.
/// @dev What a job has paid never exceeds the rewards of all rounds up to the newest final one it was claimed from, so
/// rewards of rounds that may still be struck are out of reach, whatever an entry says.
abstract contract Claims is JobBook {
    using Transfers for IERC20;
    using Jobs for Job;
    using Tills for Job;

    /// @inheritdoc IJobLedger
    function claim(bytes32 job, uint64 round, Anchor calldata anchor, Leaf calldata leaf, bytes32[] calldata proof)
        external
        returns (uint256 amount)
    {
        Job storage state = _jobs[job];
        // Check
        (address token, uint256 rewards) = _checkClaimable(state, job, round, anchor);
        // Effect
        address payout;
        bytes memory refusal;
        (amount, payout, refusal) = _draw(state, job, anchor, leaf, proof, rewards);
        if (refusal.length != 0) Refusals.raise(refusal);
        emit Claimed(job, leaf.node, payout, round, amount, leaf.earned);
        // Interaction
        if (!IERC20(token).trySend(payout, amount, gasleft())) {
            revert Errors.JobLedger_TransferFailed(payout, amount);
        }
    }

    /// @inheritdoc IJobLedger
    function claimMany(bytes32 job, uint64 round, Anchor calldata anchor, Claim[] calldata claims)
        external
        returns (uint256 amount)
    {
        Job storage state = _jobs[job];
        // Check
        (address token, uint256 rewards) = _checkClaimable(state, job, round, anchor);
        for (uint256 i = 0; i < claims.length; ++i) {
            amount += _claimOne(state, job, round, anchor, claims[i], token, rewards);
        }
    }

    /// @dev Draws one item, or leaves everything as it was and reports why.
    function _claimOne(
        Job storage state,
        bytes32 job,
        uint64 round,
        Anchor calldata anchor,
        Claim calldata item,
        address token,
        uint256 rewards
    ) private returns (uint256 amount) {
        address payout;
        bytes memory refusal;
        address node = item.leaf.node;
        // Effect
        (amount, payout, refusal) = _draw(state, job, anchor, item.leaf, item.proof, rewards);
        // Interaction
        if (refusal.length == 0 && !_trySend(token, payout, amount)) {
            // Subtracted, not reset: what the token did in between stays counted.
            _drawn[job][node].earned -= amount;
            state.paid -= uint96(amount);
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
        (uint256 earned, address node) = (leaf.earned, leaf.node);
        bytes32 hash = EntryTree.hashLeaf(leaf.seq, node, uint128(earned), leaf.body);
        refusal = EntryTree.refuse(anchor.entriesRoot, anchor.count, proof, leaf.seq, hash);
        if (refusal.length != 0) return (0, payout, refusal);
        Drawn storage drawn = _drawn[job][node];
        amount = drawn.earned;
        if (earned <= amount) {
            return (0, payout, abi.encodeWithSelector(Errors.JobLedger_NothingToClaim.selector, earned, amount));
        }
        amount = earned - amount;
        (uint256 paid, uint256 cap, uint256 rest) = state.read();
        paid += amount;
        if (rewards > cap) cap = rewards;
        if (paid > cap) return (0, payout, abi.encodeWithSelector(Errors.JobLedger_OverClaimed.selector, paid, cap));
        payout = INodeRegistry(registry).payoutOf(node);
        if (payout == address(0)) {
            return (0, payout, abi.encodeWithSelector(Errors.JobLedger_NoPayout.selector, node));
        }
        // Effect
        drawn.earned = earned;
        state.write(paid, cap, rest);
    }

    /// @return token in which this final round pays
    /// @return rewards what all rounds up to it pay together
    function _checkClaimable(Job storage state, bytes32 job, uint64 round, Anchor calldata anchor)
        private
        view
        returns (address token, uint256 rewards)
    {
        Round storage stored = _anchored(job, round, anchor);
        state.requireStanding(round);
        if (block.timestamp < anchor.finalAt) revert Errors.JobLedger_NotFinal(block.timestamp, anchor.finalAt);
        (token, rewards) = (stored.token, stored.rewards);
    }
}
