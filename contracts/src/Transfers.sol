// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Errors} from "./Errors.sol";

/// @title Transfers
/// @notice Token movements that trust neither the token's arithmetic nor its appetite for gas.
library Transfers {
    using SafeERC20 for IERC20;

    /// @notice Pulls `amount` from `from`; reverts unless exactly that much arrives.
    function pull(IERC20 token, address from, uint256 amount) internal {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(from, address(this), amount);
        uint256 held = token.balanceOf(address(this));
        if (held != before + amount) revert Errors.Tallystick_InexactTransfer(held, before + amount);
    }

    /// @notice Sends `amount` with at most `gasLimit` gas and copies at most one word of the answer, so that neither
    /// token nor receiver can use up the caller's gas.
    /// @return sent whether the token moved: the call succeeded and answered nothing or exactly `true`
    function trySend(IERC20 token, address to, uint256 amount, uint256 gasLimit) internal returns (bool sent) {
        bytes4 selector = IERC20.transfer.selector;
        uint256 size;
        uint256 answer;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), to)
            mstore(add(data, 0x24), amount)
            sent := call(gasLimit, token, 0, data, 0x44, 0x00, 0x20)
            size := returndatasize()
            answer := mload(0x00)
        }
        if (size == 0) return sent && address(token).code.length != 0;
        return sent && size >= 32 && answer == 1;
    }
}
