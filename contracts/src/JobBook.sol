// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Errors} from "./Errors.sol";
import {Exhibits} from "./Exhibits.sol";
import {Jobs} from "./Jobs.sol";
import {Anchor, Statements, Terms} from "./Statements.sol";
import {Account, Exhibit, Finality, IJobLedger, Job, Round} from "./interfaces/IJobLedger.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";

/// @title JobBook
/// @notice What the ledger keeps, and how it is read.
abstract contract JobBook is IJobLedger, EIP712 {
    using Jobs for Job;

    /// @inheritdoc IJobLedger
    address public immutable registry;
    /// @inheritdoc IJobLedger
    address public immutable court;
    /// @inheritdoc IJobLedger
    address public immutable quorum;

    /// @param earned the most an entry of the node has drawn
    struct Drawn {
        uint256 earned;
    }

    mapping(bytes32 job => Job) internal _jobs;
    mapping(bytes32 job => mapping(uint64 round => Round)) internal _rounds;
    mapping(bytes32 job => mapping(address node => Drawn)) internal _drawn;

    constructor(address registry_, address court_, address quorum_) EIP712(Statements.NAME, Statements.VERSION) {
        if (registry_.code.length == 0) revert Errors.Tallystick_NoCode(registry_);
        address named = INodeRegistry(registry_).ledger();
        if (named != address(this)) revert Errors.Tallystick_Counterpart(named, address(this));
        named = INodeRegistry(registry_).court();
        if (named != court_) revert Errors.Tallystick_Counterpart(named, court_);
        (registry, court, quorum) = (registry_, court_, quorum_);
    }

    /// @inheritdoc IJobLedger
    function verifyContribution(Exhibit calldata exhibit) external view {
        (bytes32 job, uint64 round) = (exhibit.contribution.job, exhibit.contribution.round);
        Job storage state = _known(job);
        _anchored(job, round, exhibit.anchor);
        state.requireStanding(round);
        Exhibits.verify(exhibit, _domainSeparatorV4(), state.coordinator);
    }

    /// @inheritdoc IJobLedger
    function verifyAnchor(bytes32 job, uint64 round, Anchor calldata anchor) external view {
        _anchored(job, round, anchor);
    }

    /// @inheritdoc IJobLedger
    function isFinal(bytes32 job, uint64 round, Anchor calldata anchor) external view returns (bool) {
        bool known = keccak256(abi.encode(anchor)) == _rounds[job][round].anchor;
        return known && round <= _jobs[job].lastStanding() && block.timestamp >= anchor.finalAt;
    }

    /// @inheritdoc IJobLedger
    function jobOf(bytes32 job) external view returns (Job memory) {
        return _jobs[job];
    }

    /// @inheritdoc IJobLedger
    function coordinatorOf(bytes32 job) external view returns (address) {
        return _jobs[job].coordinator;
    }

    /// @inheritdoc IJobLedger
    function roundOf(bytes32 job, uint64 round) external view returns (Round memory) {
        return _rounds[job][round];
    }

    /// @inheritdoc IJobLedger
    function accountOf(bytes32 job) external view returns (Account memory) {
        return _jobs[job].account(_rounds[job]);
    }

    /// @inheritdoc IJobLedger
    function claimedOf(bytes32 job, address node) external view returns (uint256) {
        return _drawn[job][node].earned;
    }

    /// @inheritdoc IJobLedger
    function bondFreeAt(bytes32 job) external view returns (uint256) {
        return _jobs[job].bondFreeAt();
    }

    /// @inheritdoc IJobLedger
    function minStakeOf(bytes32 job) external view returns (uint256) {
        return _jobs[job].minStake;
    }

    /// @inheritdoc IJobLedger
    function hashTerms(Terms calldata terms) external pure returns (bytes32) {
        return Statements.hashTerms(terms);
    }

    /// @inheritdoc IJobLedger
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev The job's state; reverts if it was never opened.
    function _known(bytes32 job) internal view returns (Job storage state) {
        state = _jobs[job];
        if (state.finality == Finality.Unknown) revert Errors.JobLedger_UnknownJob(job);
    }

    /// @dev The state of a posted round; reverts unless these are its words.
    function _anchored(bytes32 job, uint64 round, Anchor calldata anchor) internal view returns (Round storage stored) {
        stored = _rounds[job][round];
        bytes32 actual = keccak256(abi.encode(anchor.headerDigest, anchor.entriesRoot, anchor.count, anchor.finalAt));
        bytes32 expected = stored.anchor;
        if (actual != expected) revert Errors.JobLedger_WrongAnchor(actual, expected);
    }
}
