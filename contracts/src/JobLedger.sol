// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Errors} from "./Errors.sol";
import {Funds} from "./Funds.sol";
import {JobBook} from "./JobBook.sol";
import {Claims} from "./Claims.sol";
import {Jobs} from "./Jobs.sol";
import {Limits} from "./Limits.sol";
import {Penalties} from "./Penalties.sol";
import {Posting} from "./Posting.sol";
import {Anchor, Entry, RoundHeader, Statements, Terms} from "./Statements.sol";
import {Transfers} from "./Transfers.sol";
import {Finality, IJobLedger, Job, Round} from "./interfaces/IJobLedger.sol";

/// @title JobLedger
/// @notice Escrow, bond and rounds of every job; see IJobLedger.
contract JobLedger is Claims, Funds {
    using Transfers for IERC20;
    using Jobs for Job;
    using Posting for Job;
    using Penalties for Job;

    modifier onlyCourt() {
        if (msg.sender != court) revert Errors.JobLedger_NotCourt(msg.sender, court);
        _;
    }

    /// @param registry_ is deployed before and names this contract and the court
    /// @param court_ may come later, or be zero: then nothing is ever rejected
    /// @param quorum_ may come later, or be zero: then no job can ask for witnesses
    constructor(address registry_, address court_, address quorum_) JobBook(registry_, court_, quorum_) {}

    /// @inheritdoc IJobLedger
    function openJob(Terms calldata terms, uint64 deadline, bytes calldata signature)
        external
        nonReentrant
        returns (bytes32 job)
    {
        // Check
        if (msg.sender != terms.requester) revert Errors.JobLedger_NotRequester(msg.sender, terms.requester);
        uint256 escrow = Jobs.check(terms, quorum != address(0));
        job = Statements.hashTerms(terms);
        if (_jobs[job].finality != Finality.Unknown) revert Errors.JobLedger_JobExists(job);
        _checkAcceptance(job, terms.coordinator, deadline, signature);
        // Interaction: first, so that nothing is escrowed before it is here
        IERC20(terms.token).pull(msg.sender, escrow);
        // Effect
        _debit(terms.token, terms.coordinator, terms.bond);
        _store(job, terms);
        emit JobOpened(job, terms.requester, terms.coordinator, terms);
    }

    /// @inheritdoc IJobLedger
    function postRound(RoundHeader calldata header, Entry calldata lastEntry, bytes32[] calldata proof)
        external
        returns (bytes32 headerDigest)
    {
        // Check
        Job storage job = _known(header.job);
        mapping(uint64 => Round) storage rounds = _rounds[header.job];
        job.checkNext(rounds, header);
        Posting.checkLast(header, lastEntry, proof);
        // Effect
        headerDigest = _hashTypedDataV4(Statements.hashHeader(header));
        uint64 windowEnd = uint64(block.timestamp) + job.window;
        bool byTime = job.finality == Finality.ByWindow;
        uint64 finalAt = byTime ? windowEnd : Limits.NEVER;
        Round storage round = rounds[header.round];
        round.anchor = Statements.hashAnchor(Anchor(headerDigest, header.entriesRoot, header.count, finalAt));
        round.token = job.token;
        round.rewards = rounds[header.round - 1].rewards + uint96(header.totalReward);
        if (!byTime) round.attestBy = windowEnd;
        job.posted = uint24(header.round);
        job.windowEnd = uint40(windowEnd);
        job.lastHeader = headerDigest;
        emit RoundPosted(header.job, header.round, headerDigest, header, finalAt, windowEnd);
    }

    /// @inheritdoc IJobLedger
    function requestClose(bytes32 job) external {
        // Check
        Job storage state = _known(job);
        bool party = msg.sender == state.requester || msg.sender == state.coordinator;
        if (!party) revert Errors.JobLedger_NotParty(msg.sender);
        if (state.closed) revert Errors.JobLedger_JobClosed(job);
        if (state.closesAt != 0) revert Errors.JobLedger_CloseRequested(state.closesAt);
        // Effect
        uint64 closesAt = uint64(block.timestamp) + 2 * uint64(state.anchorSeconds) + state.window;
        state.closesAt = uint40(closesAt);
        emit CloseRequested(job, msg.sender, closesAt);
    }

    /// @inheritdoc IJobLedger
    function closeJob(bytes32 job) external {
        // Check
        Job storage state = _known(job);
        if (state.closed) revert Errors.JobLedger_JobClosed(job);
        _lapseIfDue(job, state);
        state.requireSettled();
        if (state.halted == 0 && state.posted != state.rounds) {
            bool due = state.closesAt != 0 && block.timestamp >= state.closesAt;
            if (!due) revert Errors.JobLedger_CloseNotInEffect(block.timestamp, state.closesAt);
        }
        // Effect
        uint256 left = state.account(_rounds[job]).free;
        state.closed = true;
        if (state.halted == 0) state.halted = uint32(state.posted) + 1;
        _credit(state.token, state.requester, left);
        emit JobClosed(job, state.requester, left);
    }

    /// @inheritdoc IJobLedger
    function releaseBond(bytes32 job) external {
        // Check
        Job storage state = _known(job);
        uint256 freeAt = state.closed ? state.bondFreeAt() : type(uint256).max;
        if (block.timestamp < freeAt) revert Errors.JobLedger_BondLocked(block.timestamp, freeAt);
        uint256 bond = state.bond;
        if (bond == 0) revert Errors.JobLedger_NoBond(job);
        // Effect
        state.bond = 0;
        _credit(state.token, state.coordinator, bond);
        emit BondReleased(job, state.coordinator, bond);
    }

    /// @inheritdoc IJobLedger
    function reject(bytes32 job, uint64 round, Anchor calldata anchor, address challenger)
        external
        onlyCourt
        returns (uint256 waiting, uint256 window)
    {
        Job storage state = _known(job);
        // Check
        if (anchor.count != 0 || (round != 0 && round <= state.posted)) _anchored(job, round, anchor);
        // Effect
        _lapseIfDue(job, state);
        bool final_ = state.finality == Finality.ByWindow ? block.timestamp >= anchor.finalAt : round <= state.attested;
        (uint32 from, uint256 burned) = state.strike(round, final_);
        if (from != 0) emit RoundRejected(job, from, burned);
        bool cut;
        (cut, waiting) = _cutBond(job, state, challenger);
        window = state.window;
        // Check
        if (from == 0 && !cut) revert Errors.JobLedger_NothingToReject(job, round);
    }

    /// @inheritdoc IJobLedger
    function settleBounty(bytes32 job, address challenger) external onlyCourt {
        // Check
        Job storage state = _known(job);
        uint256 bounty = state.bounty;
        if (bounty == 0) revert Errors.JobLedger_NoBounty(job);
        // Effect
        state.bounty = 0;
        if (challenger != address(0)) _credit(state.token, challenger, bounty);
        emit BountySettled(job, challenger, bounty);
    }

    /// @inheritdoc IJobLedger
    function attest(bytes32 job, uint64 round, Anchor calldata anchor) external {
        // Check
        if (msg.sender != quorum) revert Errors.JobLedger_NotQuorum(msg.sender, quorum);
        Job storage state = _known(job);
        if (state.finality != Finality.ByWitnesses) revert Errors.JobLedger_NoAttestationNeeded(job);
        uint24 next = state.attested + 1;
        if (round != next) revert Errors.JobLedger_WrongRound(round, next);
        state.requireStanding(round);
        Round storage stored = _anchored(job, round, anchor);
        if (block.timestamp >= stored.attestBy) revert Errors.JobLedger_Lapsed(block.timestamp, stored.attestBy);
        // Effect
        uint64 finalAt = uint64(block.timestamp);
        stored.anchor = Statements.hashAnchor(Anchor(anchor.headerDigest, anchor.entriesRoot, anchor.count, finalAt));
        state.attested = next;
        emit RoundAttested(job, round, anchor.headerDigest, finalAt);
    }

    /// @inheritdoc IJobLedger
    function lapse(bytes32 job) external {
        if (!_lapseIfDue(job, _known(job))) revert Errors.JobLedger_NothingLapsed(job);
    }

    function _checkAcceptance(bytes32 job, address coordinator, uint64 deadline, bytes calldata signature)
        private
        view
    {
        if (block.timestamp > deadline) revert Errors.JobLedger_AcceptanceExpired(block.timestamp, deadline);
        address signer = ECDSA.recover(_hashTypedDataV4(Statements.hashAcceptance(job, deadline)), signature);
        if (signer != coordinator) revert Errors.JobLedger_AcceptanceSigner(signer, coordinator);
    }

    function _store(bytes32 job, Terms calldata terms) private {
        Job storage state = _jobs[job];
        state.coordinator = terms.coordinator;
        state.rounds = uint24(terms.rounds);
        state.window = uint32(terms.window);
        state.anchorSeconds = uint32(terms.anchorSeconds);
        state.token = terms.token;
        state.lastHeader = job;
        state.budgetPerRound = terms.budgetPerRound;
        state.bond = terms.bond;
        state.requester = terms.requester;
        state.finality = terms.threshold == 0 ? Finality.ByWindow : Finality.ByWitnesses;
        state.minStake = terms.minStake;
    }

    function _lapseIfDue(bytes32 job, Job storage state) private returns (bool) {
        uint32 from = state.lapsedFrom(_rounds[job]);
        if (from == 0) return false;
        state.halted = from;
        emit RoundLapsed(job, from);
        return true;
    }

    /// @return cut whether there was a bond
    /// @return waiting the bounty, if it waits
    function _cutBond(bytes32 job, Job storage state, address challenger) private returns (bool cut, uint256 waiting) {
        if (state.bond == 0) return (false, 0);
        (uint256 bounty, uint256 burned) = state.cutBond();
        if (challenger != address(0)) _credit(state.token, challenger, bounty);
        else (waiting, state.bounty) = (bounty, uint128(bounty));
        emit BondCut(job, challenger, bounty, burned);
        return (true, waiting);
    }
}
