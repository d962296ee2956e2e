// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {EntryTree} from "./EntryTree.sol";
import {Errors} from "./Errors.sol";
import {Contribution, Entry, Receipt, Statements} from "./Statements.sol";
import {Exhibit} from "./interfaces/IJobLedger.sol";

/// @title Exhibits
/// @notice What must fit together for a contribution to be proven.
library Exhibits {
    /// @notice Reverts unless entry, contribution, receipt and both signatures of an exhibit belong together.
    /// @dev The anchor is the caller's to check.
    /// @param domain separator of the ledger's EIP-712 domain
    /// @param coordinator who must have signed the receipt
    function verify(Exhibit calldata exhibit, bytes32 domain, address coordinator) internal pure {
        Contribution calldata contribution = exhibit.contribution;
        Entry calldata entry = exhibit.entry;
        // 1. The entry is in the tree.
        bytes32 leaf = EntryTree.hashLeaf(entry.seq, entry.node, entry.earned, Statements.hashBody(entry.body));
        EntryTree.verify(exhibit.anchor.entriesRoot, exhibit.anchor.count, exhibit.proof, entry.seq, leaf);
        // 2. It is the entry of this contribution, signed by its node.
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, Statements.hashContribution(contribution));
        requireEqual(digest, entry.body.contribution);
        requireSigner(digest, exhibit.nodeSignature, entry.node);
        requireEqual(toWord(contribution.node), toWord(entry.node));
        // 3. The receipt promises exactly this entry, signed by the coordinator.
        _verifyReceipt(exhibit.receipt, contribution, entry.seq, digest);
        bytes32 receipt = MessageHashUtils.toTypedDataHash(domain, Statements.hashReceipt(exhibit.receipt));
        requireSigner(receipt, exhibit.receiptSignature, coordinator);
        // 4. The entry names these two signatures.
        requireEqual(keccak256(bytes.concat(exhibit.nodeSignature, exhibit.receiptSignature)), entry.body.signatures);
    }

    function requireEqual(bytes32 actual, bytes32 expected) internal pure {
        if (actual != expected) revert Errors.JobLedger_StatementMismatch(actual, expected);
    }

    function requireSigner(bytes32 digest, bytes calldata signature, address expected) internal pure {
        address actual = ECDSA.recover(digest, signature);
        if (actual != expected) revert Errors.JobLedger_WrongSigner(actual, expected);
    }

    function toWord(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function _verifyReceipt(Receipt calldata receipt, Contribution calldata contribution, uint64 seq, bytes32 digest)
        private
        pure
    {
        requireEqual(receipt.job, contribution.job);
        requireEqual(bytes32(uint256(receipt.round)), bytes32(uint256(contribution.round)));
        requireEqual(bytes32(uint256(receipt.seq)), bytes32(uint256(seq)));
        requireEqual(toWord(receipt.node), toWord(contribution.node));
        requireEqual(receipt.contribution, digest);
    }
}
