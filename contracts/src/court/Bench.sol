// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {EntryTree} from "../EntryTree.sol";
import {Errors} from "../Errors.sol";
import {Anchor, Entry, RoundHeader} from "../Statements.sol";
import {
    IChallengeCourt,
    PostedRound,
    ProvenEntry,
    SignedClosing,
    SignedHeader,
    SignedReceipt
} from "../interfaces/IChallengeCourt.sol";
import {IJobLedger} from "../interfaces/IJobLedger.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {Words} from "./Words.sol";

/// @title Bench
/// @notice What the court believes: statements by their signatures, headers and entries by the ledger's anchors.
abstract contract Bench is IChallengeCourt {
    IJobLedger internal immutable _ledger;
    INodeRegistry internal immutable _registry;
    bytes32 private immutable _domain;
    uint256 private immutable _chainId;

    constructor(address ledger_, address registry_) {
        if (ledger_.code.length == 0) revert Errors.Tallystick_NoCode(ledger_);
        if (registry_.code.length == 0) revert Errors.Tallystick_NoCode(registry_);
        address named = IJobLedger(ledger_).court();
        if (named != address(this)) revert Errors.Tallystick_Counterpart(named, address(this));
        named = INodeRegistry(registry_).court();
        if (named != address(this)) revert Errors.Tallystick_Counterpart(named, address(this));
        named = IJobLedger(ledger_).registry();
        if (named != registry_) revert Errors.Tallystick_Counterpart(named, registry_);
        (_ledger, _registry) = (IJobLedger(ledger_), INodeRegistry(registry_));
        (_domain, _chainId) = (IJobLedger(ledger_).domainSeparator(), block.chainid);
    }

    /// @inheritdoc IChallengeCourt
    function ledger() external view returns (address) {
        return address(_ledger);
    }

    /// @inheritdoc IChallengeCourt
    function registry() external view returns (address) {
        return address(_registry);
    }

    /// @dev Reverts unless an exhibit is of the round that is challenged.
    function _requireRound(PostedRound calldata posted, bytes32 job, uint64 round) internal pure {
        if (job != posted.job || round != posted.round) {
            revert Errors.ChallengeCourt_OtherRound(job, round, posted.job, posted.round);
        }
    }

    function _requireEqual(bytes32 actual, bytes32 expected) internal pure {
        if (actual != expected) revert Errors.ChallengeCourt_StatementMismatch(actual, expected);
    }

    // Statements

    /// @dev In the ledger's domain, which is another one after a fork of the chain.
    function _digest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = block.chainid == _chainId ? _domain : _ledger.domainSeparator();
        return MessageHashUtils.toTypedDataHash(domain, structHash);
    }

    /// @dev Digest of a receipt that the coordinator signed for the round.
    function _attestReceipt(PostedRound calldata posted, SignedReceipt calldata signed, address coordinator)
        internal
        view
        returns (bytes32)
    {
        _requireRound(posted, signed.receipt.job, signed.receipt.round);
        return _attest(Words.hashReceipt(signed.receipt), signed.signature, coordinator);
    }

    /// @dev Digest of a closing that the coordinator signed for the round.
    function _attestClosing(PostedRound calldata posted, SignedClosing calldata signed, address coordinator)
        internal
        view
        returns (bytes32)
    {
        _requireRound(posted, signed.closing.job, signed.closing.round);
        return _attest(Words.hashClosing(signed.closing), signed.signature, coordinator);
    }

    /// @dev Digest of a header that the coordinator signed for the round.
    function _attestHeader(PostedRound calldata posted, SignedHeader calldata signed, address coordinator)
        internal
        view
        returns (bytes32)
    {
        _requireRound(posted, signed.header.job, signed.header.round);
        return _attest(Words.hashHeader(signed.header), signed.signature, coordinator);
    }

    /// @dev Digest of a statement that somebody signed.
    function _attest(bytes32 structHash, bytes calldata signature, address signer)
        internal
        view
        returns (bytes32 digest)
    {
        digest = _digest(structHash);
        (address actual,,) = ECDSA.tryRecover(digest, signature);
        // No key signs for the zero address, which stands for "not canonical" and for "no such job".
        bool signed = actual == signer && actual != address(0);
        if (!signed) revert Errors.ChallengeCourt_WrongSigner(actual, signer);
    }

    /// @dev Who must have signed; zero, which signs nothing, if there is no such job.
    function _coordinatorOf(bytes32 job) internal view returns (address) {
        return _ledger.coordinatorOf(job);
    }

    // Posted rounds

    /// @dev Reverts unless the round is posted with these words.
    function _requirePosted(PostedRound calldata posted) internal view {
        _ledger.verifyAnchor(posted.job, posted.round, posted.anchor);
    }

    /// @dev Reverts unless this is the anchor's header. That the anchor, which has a count, is posted, the ledger verifies
    /// when the round is rejected.
    function _requireHeader(PostedRound calldata posted, RoundHeader calldata header) internal view {
        if (posted.anchor.count == 0) revert Errors.ChallengeCourt_NotPosted(posted.job, posted.round);
        _requireEqual(_digest(Words.hashHeader(header)), posted.anchor.headerDigest);
    }

    /// @dev Leaf of an entry that is one of the first `count` of a tree. Whether that tree is posted the ledger verifies:
    /// for the round that is challenged when it is rejected, since no entry fits an anchor without a count.
    function _requireEntry(Anchor calldata anchor, ProvenEntry calldata proven) internal pure returns (bytes32 leaf) {
        Entry calldata entry = proven.entry;
        leaf = EntryTree.hashLeaf(entry.seq, entry.node, entry.earned, Words.hashBody(entry.body));
        if (entry.seq >= anchor.count) revert Errors.ChallengeCourt_SeqOutOfRange(entry.seq, anchor.count);
        _requireLeaf(anchor, proven.proof, leaf);
    }

    /// @dev Reverts unless a leaf, padding or not, is in a tree of the depth that `count` entries have.
    function _requireLeaf(Anchor calldata anchor, bytes32[] calldata proof, bytes32 leaf) internal pure {
        bytes32 root = anchor.entriesRoot;
        if (!EntryTree.isDepth(proof.length, anchor.count) || EntryTree.rootOf(proof, leaf) != root) {
            revert Errors.ChallengeCourt_NotInTree(leaf, root);
        }
    }

    /// @dev keccak256 of two words, the smaller first.
    function _pair(bytes32 one, bytes32 other) internal pure returns (bytes32) {
        return one < other ? keccak256(abi.encode(one, other)) : keccak256(abi.encode(other, one));
    }
}
