// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Body, Closing, Contribution, Receipt, RoundHeader, Statements, Terms} from "../Statements.sol";

/// @title Words
/// @notice Struct hashes of Statements, straight from calldata: a static struct lies there as its words, which are copied
/// as they are. Code and gas of member by member hashing would not fit one contract.
/// @dev A member with bits beyond its width is hashed with them, to a digest no honest party signs or builds a tree
/// over; reading such a member reverts.
library Words {
    function hashTerms(Terms calldata terms) internal pure returns (bytes32) {
        uint256 at;
        assembly ("memory-safe") {
            at := terms
        }
        return _hash(Statements.TERMS_TYPEHASH, at, 14);
    }

    function hashContribution(Contribution calldata contribution) internal pure returns (bytes32) {
        uint256 at;
        assembly ("memory-safe") {
            at := contribution
        }
        return _hash(Statements.CONTRIBUTION_TYPEHASH, at, 8);
    }

    function hashReceipt(Receipt calldata receipt) internal pure returns (bytes32) {
        uint256 at;
        assembly ("memory-safe") {
            at := receipt
        }
        return _hash(Statements.RECEIPT_TYPEHASH, at, 8);
    }

    function hashClosing(Closing calldata closing) internal pure returns (bytes32) {
        uint256 at;
        assembly ("memory-safe") {
            at := closing
        }
        return _hash(Statements.CLOSING_TYPEHASH, at, 6);
    }

    function hashHeader(RoundHeader calldata header) internal pure returns (bytes32) {
        uint256 at;
        assembly ("memory-safe") {
            at := header
        }
        return _hash(Statements.HEADER_TYPEHASH, at, 17);
    }

    function hashBody(Body calldata body) internal pure returns (bytes32) {
        uint256 at;
        assembly ("memory-safe") {
            at := body
        }
        return _hash(Statements.BODY_TYPEHASH, at, 15);
    }

    function _hash(bytes32 typeHash, uint256 at, uint256 words) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, typeHash)
            calldatacopy(add(data, 0x20), at, shl(5, words))
            hash := keccak256(data, shl(5, add(words, 1)))
        }
    }
}
