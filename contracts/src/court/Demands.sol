// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EntryTree} from "../EntryTree.sol";
import {Errors} from "../Errors.sol";
import {Anchor, Contribution} from "../Statements.sol";
import {Demand, Fault, IChallengeCourt, PostedRound, ProvenEntry} from "../interfaces/IChallengeCourt.sol";
import {Exhibit, Finality, Job} from "../interfaces/IJobLedger.sol";
import {Bounties, Finding} from "./Bounties.sol";

/// @title Demands
/// @notice Entries that must be shown: asked for in the first third of a round's window, shown in the second; what was
/// not shown can be challenged from then on. Bonds are native coin, drawn by whoever they were credited to.
abstract contract Demands is Bounties {
    /// @inheritdoc IChallengeCourt
    uint256 public constant demandGas = 200_000;

    mapping(bytes32 job => mapping(uint64 round => mapping(uint64 seq => Demand))) private _demands;
    mapping(address account => uint256 amount) private _coin;

    /// @inheritdoc IChallengeCourt
    function demand(PostedRound calldata posted, uint64 seq) external payable {
        (bytes32 job, uint64 round) = (posted.job, posted.round);
        // Check
        _requirePosted(posted);
        (uint256 windowEnd, uint256 third) = _windowOf(posted);
        uint256 demandBy = windowEnd - 2 * third - 1;
        if (block.timestamp > demandBy) revert Errors.ChallengeCourt_DemandTooLate(block.timestamp, demandBy);
        uint256 width = 1 << EntryTree.depthOf(posted.anchor.count);
        if (seq >= width) revert Errors.ChallengeCourt_SeqOutOfRange(seq, width);
        Demand storage state = _demands[job][round][seq];
        if (state.answerBy != 0) revert Errors.ChallengeCourt_AlreadyDemanded(job, round, seq);
        uint256 needed = demandGas * tx.gasprice;
        if (msg.value < needed) revert Errors.ChallengeCourt_BondTooSmall(msg.value, needed);
        if (msg.value > type(uint96).max) revert Errors.ChallengeCourt_BondTooLarge(msg.value, type(uint96).max);
        // Effect
        uint64 answerBy = uint64(windowEnd - third - 1);
        (state.demander, state.bond, state.answerBy) = (msg.sender, uint96(msg.value), answerBy);
        emit EntryDemanded(job, round, seq, msg.sender, msg.value, answerBy, uint64(windowEnd));
    }

    /// @inheritdoc IChallengeCourt
    function answer(Exhibit calldata exhibit, Anchor calldata previousAnchor, ProvenEntry calldata previous) external {
        Contribution calldata contribution = exhibit.contribution;
        (bytes32 job, uint64 round, uint64 seq) = (contribution.job, contribution.round, exhibit.entry.seq);
        // Check
        _ledger.verifyContribution(exhibit);
        uint64 previousRound = exhibit.entry.body.previousRound;
        if (previousRound != 0) {
            _ledger.verifyAnchor(job, previousRound, previousAnchor);
            _requireEntry(previousAnchor, previous);
            _requireNode(previous.entry.node, exhibit.entry.node);
        }
        // Effect
        _settle(job, round, seq);
        emit DemandAnswered(job, round, seq, msg.sender, exhibit, previous);
    }

    /// @inheritdoc IChallengeCourt
    function answerPadding(PostedRound calldata posted, uint64 seq, bytes32[] calldata proof) external {
        // Check
        _requirePosted(posted);
        uint64 count = posted.anchor.count;
        if (seq < count) revert Errors.ChallengeCourt_NotPadding(seq, count);
        bytes32 leaf = EntryTree.hashLeaf(seq, address(0), 0, 0);
        _requireLeaf(posted.anchor, proof, leaf);
        // Effect
        _settle(posted.job, posted.round, seq);
        emit PaddingShown(posted.job, posted.round, seq, msg.sender);
    }

    /// @inheritdoc IChallengeCourt
    function challengeUnanswered(PostedRound calldata posted, uint64 seq, bytes32 salt) external {
        Demand storage state = _demands[posted.job][posted.round][seq];
        // Check
        _requirePosted(posted);
        // Effect
        _giveBack(state);
        _uphold(posted, Finding(Fault.DemandUnanswered, _isOverdue(state), bytes32(uint256(seq)), salt));
    }

    /// @inheritdoc IChallengeCourt
    function reclaimDemand(bytes32 job, uint64 round, uint64 seq) external {
        Demand storage state = _demands[job][round][seq];
        // Check
        bool due = _isOverdue(state) && state.bond != 0;
        if (!due) revert Errors.ChallengeCourt_NothingToReclaim(job, round, seq);
        // Effect
        _giveBack(state);
    }

    /// @inheritdoc IChallengeCourt
    function withdrawCoin(address to) external {
        uint256 amount = _coin[msg.sender];
        // Check
        if (to == address(0)) revert Errors.Tallystick_ZeroAddress();
        if (amount == 0) revert Errors.ChallengeCourt_NothingToWithdraw(msg.sender);
        // Effect
        _coin[msg.sender] = 0;
        emit CoinWithdrawn(msg.sender, to, amount);
        // Interaction
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert Errors.ChallengeCourt_CoinRefused(to, amount);
    }

    /// @inheritdoc IChallengeCourt
    function demandOf(bytes32 job, uint64 round, uint64 seq) external view returns (Demand memory) {
        return _demands[job][round][seq];
    }

    /// @inheritdoc IChallengeCourt
    function coinOf(address account) external view returns (uint256) {
        return _coin[account];
    }

    /// @dev Takes an answer for a demand that is waiting for one.
    function _settle(bytes32 job, uint64 round, uint64 seq) private {
        Demand storage state = _demands[job][round][seq];
        // Check
        if (state.answerBy == 0 || state.answered) revert Errors.ChallengeCourt_NothingDemanded(job, round, seq);
        if (block.timestamp > state.answerBy) {
            revert Errors.ChallengeCourt_AnswerTooLate(block.timestamp, state.answerBy);
        }
        // Effect
        uint256 bond = state.bond;
        (state.bond, state.answered) = (0, true);
        _credit(msg.sender, bond);
    }

    function _giveBack(Demand storage state) private {
        uint256 bond = state.bond;
        state.bond = 0;
        _credit(state.demander, bond);
    }

    function _credit(address account, uint256 amount) private {
        if (amount == 0) return;
        _coin[account] += amount;
        emit CoinCredited(account, amount);
    }

    function _isOverdue(Demand storage state) private view returns (bool) {
        return state.answerBy != 0 && !state.answered && block.timestamp > state.answerBy;
    }

    /// @return end when the window of a posted, standing round ends
    /// @return third of its seconds
    function _windowOf(PostedRound calldata posted) private view returns (uint256 end, uint256 third) {
        Job memory job = _ledger.jobOf(posted.job);
        if (job.halted != 0 && posted.round >= job.halted) {
            revert Errors.JobLedger_RoundStruck(posted.round, job.halted);
        }
        bool byTime = job.finality == Finality.ByWindow;
        end = byTime ? posted.anchor.finalAt : _ledger.roundOf(posted.job, posted.round).attestBy;
        third = job.window / 3;
    }

    function _requireNode(address actual, address expected) private pure {
        _requireEqual(bytes32(uint256(uint160(actual))), bytes32(uint256(uint160(expected))));
    }
}
