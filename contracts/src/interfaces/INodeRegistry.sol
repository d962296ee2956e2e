// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Registration} from "../Statements.sol";

/// @notice What the registry keeps of a node.
/// @param operator owns the registration
/// @param retired whether a successor has taken the node's place; it keeps its payout and signs nothing more
/// @param payout where claims go
/// @param staked stake in all, what is leaving included
/// @param leaving part of `staked` that can be withdrawn from `leavesAt` on
/// @param leavesAt 0 if nothing leaves
/// @param successor node that takes this one's place at `rotatesAt`; zero if none was named
struct Node {
    address operator;
    bool retired;
    address payout;
    uint48 leavesAt;
    uint48 rotatesAt;
    uint128 staked;
    uint128 leaving;
    address successor;
}

/// @title INodeRegistry
/// @notice Who operates a node, where its claims go, and what it has at stake, in one immutable token. Its own EIP-712
/// domain (ERC-5267) is that of Registration. A key is registered once and for ever.
interface INodeRegistry {
    event NodeRegistered(address indexed node, address indexed operator, address indexed payout);
    event PayoutChanged(address indexed node, address indexed operator, address indexed payout);
    event RotationRequested(address indexed node, address indexed successor, uint64 rotatesAt);
    event NodeRotated(address indexed node, address indexed successor, uint256 staked);
    event Staked(address indexed node, address indexed from, uint256 amount);
    event UnstakeRequested(address indexed node, uint256 amount, uint64 leavesAt);
    event Unstaked(address indexed node, address indexed to, uint256 amount);
    event NodeSlashed(bytes32 indexed job, address indexed node, uint256 burned);

    /// @notice Registers a node. Signed by the node, sent by anyone.
    /// @param signature 65 bytes r, s, v; canonical
    function register(Registration calldata registration, bytes calldata signature) external;

    /// @notice Sends the node's claims, past entries included, elsewhere. Sent by its operator.
    function setPayout(address node, address payout) external;

    /// @notice Lets another registered node of the same operator take the place of `node` after EXIT_DELAY: the stake
    /// moves and `node` retires; its past entries keep their payout. Sent by the operator; a second call starts over.
    function rotateNode(address node, address successor) external;

    /// @notice Completes a rotation that is due. Sent by anyone. A rotation that the successor waits for starts over, so
    /// that the stake which moved stays within reach for EXIT_DELAY.
    function completeRotation(address node) external;

    /// @notice Adds to a node's stake from the sender's tokens. Reverts unless exactly `amount` arrives.
    function stake(address node, uint256 amount) external;

    /// @notice Lets `amount` of the stake leave after EXIT_DELAY; until then it can be slashed. Sent by the operator; a
    /// second call replaces the first, and zero cancels it.
    function unstake(address node, uint256 amount) external;

    /// @notice Sends the stake that has left to the operator. Sent by anyone.
    function withdrawStake(address node) external;

    /// @notice Burns what a node that signed two contributions for one round loses: the job's minimum stake, in all and
    /// in one or more parts, since a node may have less at stake when it is first accused. Of a retired node the
    /// successor pays. Nothing goes to the accuser. Sent by the court only; reverts if there is nothing to burn.
    /// @return burned base units of the stake token
    function slash(bytes32 job, address node) external returns (uint256 burned);

    function nodeOf(address node) external view returns (Node memory);

    /// @notice Zero if the node is not registered.
    function operatorOf(address node) external view returns (address);

    /// @notice Zero if the node is not registered.
    function payoutOf(address node) external view returns (address);

    /// @notice Stake that is not leaving.
    function stakeOf(address node) external view returns (uint256);

    function domainSeparator() external view returns (bytes32);

    function stakeToken() external view returns (address);

    function ledger() external view returns (address);

    function court() external view returns (address);
}
