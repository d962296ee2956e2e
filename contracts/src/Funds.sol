// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {Errors} from "./Errors.sol";
import {Transfers} from "./Transfers.sol";
import {IJobLedger} from "./interfaces/IJobLedger.sol";

/// @title Funds
/// @notice Free funds of accounts, per token: what a coordinator deposited for bonds, and what jobs gave back.
/// @dev Deposits are measured by balance, so no two of them may nest; everything else moves money last.
abstract contract Funds is IJobLedger, ReentrancyGuard {
    using SafeERC20 for IERC20;
    using Transfers for IERC20;

    mapping(address token => mapping(address account => uint256 amount)) private _funds;

    /// @inheritdoc IJobLedger
    function depositBond(address token, uint256 amount) external nonReentrant {
        // Interaction: first, so that nothing is credited before it is here
        IERC20(token).pull(msg.sender, amount);
        // Effect
        _credit(token, msg.sender, amount);
        emit BondDeposited(token, msg.sender, amount);
    }

    /// @inheritdoc IJobLedger
    function withdraw(address token, address to, uint256 amount) external {
        // Check
        if (to == address(0)) revert Errors.Tallystick_ZeroAddress();
        // Effect
        _debit(token, msg.sender, amount);
        emit FundsWithdrawn(token, msg.sender, to, amount);
        // Interaction
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IJobLedger
    function fundsOf(address token, address account) external view returns (uint256) {
        return _funds[token][account];
    }

    function _credit(address token, address account, uint256 amount) internal {
        _funds[token][account] += amount;
    }

    function _debit(address token, address account, uint256 amount) internal {
        uint256 free = _funds[token][account];
        if (free < amount) revert Errors.JobLedger_InsufficientFunds(free, amount);
        _funds[token][account] = free - amount;
    }
}
