// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice A wallet that is a contract, with one owner. Approves what the owner signed for this wallet and no other
/// (ERC-1271), so that the signatures it takes are nobody's signatures of the digest itself.
contract KeyWallet {
    address public immutable OWNER;

    error NotOwner(address sender);

    constructor(address owner) {
        OWNER = owner;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bytes32 wrapped = keccak256(abi.encode(address(this), hash));
        (address signer,,) = ECDSA.tryRecover(wrapped, signature);
        return signer == OWNER ? this.isValidSignature.selector : bytes4(0xffffffff);
    }

    function execute(address target, bytes calldata data) external returns (bytes memory) {
        if (msg.sender != OWNER) revert NotOwner(msg.sender);
        (bool done, bytes memory answer) = target.call(data);
        require(done, string(answer));
        return answer;
    }
}
