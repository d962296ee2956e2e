// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {ITallyToken} from "./interfaces/ITallyToken.sol";

/// @title TallyToken
/// @notice The reward token of dev chains and new networks; see ITallyToken.
contract TallyToken is ERC20Permit, ITallyToken {
    /// @param holder receives the whole supply
    /// @param supply base units, 10^18 to a token
    constructor(address holder, uint256 supply) ERC20("Tally", "TALLY") ERC20Permit("Tally") {
        _mint(holder, supply);
    }

    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }
}
