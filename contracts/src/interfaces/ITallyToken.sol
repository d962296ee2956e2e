// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

/// @title ITallyToken
/// @notice The reward token of dev chains and new networks: a fixed supply, minted to one holder at construction, with
/// permit (ERC-2612) and without an owner.
interface ITallyToken is IERC20Metadata, IERC20Permit {}
