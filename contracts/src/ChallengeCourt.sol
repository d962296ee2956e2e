// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./Errors.sol";
import {Contribution} from "./Statements.sol";
import {Bench} from "./court/Bench.sol";
import {Demands} from "./court/Demands.sol";
import {EntryFaults} from "./court/EntryFaults.sol";
import {StatementFaults} from "./court/StatementFaults.sol";
import {Words} from "./court/Words.sol";
import {IChallengeCourt, SignedContribution} from "./interfaces/IChallengeCourt.sol";

/// @title ChallengeCourt
/// @notice Checks proofs of fault and tells the ledger and the registry; see IChallengeCourt.
contract ChallengeCourt is StatementFaults, EntryFaults, Demands {
    /// @param ledger_ is deployed before and names this contract
    /// @param registry_ is deployed before and names this contract
    constructor(address ledger_, address registry_) Bench(ledger_, registry_) {}

    /// @inheritdoc IChallengeCourt
    function challengeNode(SignedContribution calldata one, SignedContribution calldata other) external {
        Contribution calldata contribution = one.contribution;
        (bytes32 job, uint64 round, address node) = (contribution.job, contribution.round, contribution.node);
        // Check
        Contribution calldata second = other.contribution;
        if (second.job != job || second.round != round) {
            revert Errors.ChallengeCourt_OtherRound(second.job, second.round, job, round);
        }
        _requireEqual(bytes32(uint256(uint160(second.node))), bytes32(uint256(uint160(node))));
        bytes32 digest = _attest(Words.hashContribution(contribution), one.signature, node);
        if (digest == _attest(Words.hashContribution(second), other.signature, node)) {
            revert Errors.ChallengeCourt_SameContribution(digest);
        }
        // Interaction
        uint256 burned = _registry.slash(job, node);
        emit NodeEquivocated(job, round, node, burned);
    }
}
