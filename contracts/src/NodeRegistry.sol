// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Errors} from "./Errors.sol";
import {Limits} from "./Limits.sol";
import {Registration, Statements} from "./Statements.sol";
import {Transfers} from "./Transfers.sol";
import {IJobLedger} from "./interfaces/IJobLedger.sol";
import {INodeRegistry, Node} from "./interfaces/INodeRegistry.sol";

/// @title NodeRegistry
/// @notice Who operates a node, where its claims go, and what it has at stake; see INodeRegistry.
contract NodeRegistry is INodeRegistry, EIP712, ReentrancyGuard {
    using SafeERC20 for IERC20;
    using Transfers for IERC20;

    /// @inheritdoc INodeRegistry
    address public immutable stakeToken;
    /// @inheritdoc INodeRegistry
    address public immutable ledger;
    /// @inheritdoc INodeRegistry
    address public immutable court;

    mapping(address node => Node) private _nodes;
    mapping(bytes32 job => mapping(address node => uint256 burned)) private _slashed;

    modifier onlyOperator(address node) {
        address operator = _known(node).operator;
        if (msg.sender != operator) revert Errors.NodeRegistry_NotOperator(msg.sender, operator);
        _;
    }

    /// @param stakeToken_ a standard ERC-20
    /// @param ledger_ the JobLedger, which is deployed after this contract and checks that it is named here
    /// @param court_ may come later, or be zero: then nothing is ever slashed
    constructor(address stakeToken_, address ledger_, address court_) EIP712(Statements.NAME, Statements.VERSION) {
        if (stakeToken_.code.length == 0) revert Errors.Tallystick_NoCode(stakeToken_);
        if (ledger_ == address(0)) revert Errors.Tallystick_ZeroAddress();
        (stakeToken, ledger, court) = (stakeToken_, ledger_, court_);
    }

    /// @inheritdoc INodeRegistry
    function register(Registration calldata registration, bytes calldata signature) external {
        (address node, address operator) = (registration.node, registration.operator);
        // Check
        if (operator == address(0) || registration.payout == address(0)) revert Errors.Tallystick_ZeroAddress();
        if (block.timestamp > registration.deadline) {
            revert Errors.NodeRegistry_RegistrationExpired(block.timestamp, registration.deadline);
        }
        address signer = ECDSA.recover(_hashTypedDataV4(Statements.hashRegistration(registration)), signature);
        if (signer != node) revert Errors.NodeRegistry_RegistrationSigner(signer, node);
        if (_nodes[node].operator != address(0)) revert Errors.NodeRegistry_NodeExists(node);
        // Effect
        (_nodes[node].operator, _nodes[node].payout) = (operator, registration.payout);
        emit NodeRegistered(node, operator, registration.payout);
    }

    /// @inheritdoc INodeRegistry
    function setPayout(address node, address payout) external onlyOperator(node) {
        // Check
        if (payout == address(0)) revert Errors.Tallystick_ZeroAddress();
        // Effect
        _nodes[node].payout = payout;
        emit PayoutChanged(node, msg.sender, payout);
    }

    /// @inheritdoc INodeRegistry
    function rotateNode(address node, address successor) external onlyOperator(node) {
        // Check
        Node storage state = _active(node);
        if (successor == node) revert Errors.NodeRegistry_SameNode(node);
        address operator = _active(successor).operator;
        if (operator != msg.sender) revert Errors.NodeRegistry_NotOperator(msg.sender, operator);
        // Effect
        _setRotation(node, state, successor);
    }

    /// @inheritdoc INodeRegistry
    function completeRotation(address node) external {
        // Check
        Node storage state = _known(node);
        address successor = state.successor;
        if (successor == address(0) || state.retired) revert Errors.NodeRegistry_NoRotation(node);
        if (block.timestamp < state.rotatesAt) revert Errors.NodeRegistry_TooEarly(block.timestamp, state.rotatesAt);
        // Effect: what is leaving keeps leaving; what moves stays within reach for as long again
        uint128 moved = state.staked - state.leaving;
        (state.retired, state.staked) = (true, state.leaving);
        Node storage heir = _nodes[successor];
        heir.staked += moved;
        emit NodeRotated(node, successor, moved);
        if (heir.successor != address(0) && !heir.retired) _setRotation(successor, heir, heir.successor);
    }

    /// @inheritdoc INodeRegistry
    function stake(address node, uint256 amount) external nonReentrant {
        // Check
        Node storage state = _active(node);
        uint256 room = type(uint128).max - state.staked;
        if (amount > room) revert Errors.NodeRegistry_StakeTooLarge(amount, room);
        // Interaction: first, so that nothing is at stake before it is here
        IERC20(stakeToken).pull(msg.sender, amount);
        // Effect
        state.staked += uint128(amount);
        emit Staked(node, msg.sender, amount);
    }

    /// @inheritdoc INodeRegistry
    function unstake(address node, uint256 amount) external onlyOperator(node) {
        // Check
        Node storage state = _nodes[node];
        if (amount > state.staked) revert Errors.NodeRegistry_InsufficientStake(state.staked, amount);
        // Effect
        (state.leaving, state.leavesAt) = (uint128(amount), amount == 0 ? 0 : _exitAt());
        emit UnstakeRequested(node, amount, state.leavesAt);
    }

    /// @inheritdoc INodeRegistry
    function withdrawStake(address node) external {
        // Check
        Node storage state = _known(node);
        uint128 amount = state.leaving;
        if (amount == 0) revert Errors.NodeRegistry_NothingToWithdraw(node);
        if (block.timestamp < state.leavesAt) revert Errors.NodeRegistry_TooEarly(block.timestamp, state.leavesAt);
        // Effect
        (state.staked, state.leaving, state.leavesAt) = (state.staked - amount, 0, 0);
        emit Unstaked(node, state.operator, amount);
        // Interaction
        IERC20(stakeToken).safeTransfer(state.operator, amount);
    }

    /// @inheritdoc INodeRegistry
    function slash(bytes32 job, address node) external returns (uint256 burned) {
        // Check
        if (msg.sender != court) revert Errors.NodeRegistry_NotCourt(msg.sender, court);
        Node storage state = _known(node);
        uint256 due = IJobLedger(ledger).minStakeOf(job) - _slashed[job][node];
        if (due == 0) revert Errors.NodeRegistry_AlreadySlashed(job, node);
        // Effect: the stake of a rotated node is its successor's now
        if (state.retired) state = _nodes[state.successor];
        uint128 staked = state.staked;
        burned = due > staked ? staked : due;
        if (burned == 0) revert Errors.NodeRegistry_InsufficientStake(0, due);
        uint128 left = staked - uint128(burned);
        _slashed[job][node] += burned;
        state.staked = left;
        if (state.leaving > left) state.leaving = left;
        emit NodeSlashed(job, node, burned);
    }

    /// @inheritdoc INodeRegistry
    function nodeOf(address node) external view returns (Node memory) {
        return _nodes[node];
    }

    /// @inheritdoc INodeRegistry
    function operatorOf(address node) external view returns (address) {
        return _nodes[node].operator;
    }

    /// @inheritdoc INodeRegistry
    function payoutOf(address node) external view returns (address) {
        return _nodes[node].payout;
    }

    /// @inheritdoc INodeRegistry
    function stakeOf(address node) external view returns (uint256) {
        return _nodes[node].staked - _nodes[node].leaving;
    }

    /// @inheritdoc INodeRegistry
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    function _setRotation(address node, Node storage state, address successor) private {
        uint48 rotatesAt = _exitAt();
        (state.successor, state.rotatesAt) = (successor, rotatesAt);
        emit RotationRequested(node, successor, rotatesAt);
    }

    function _exitAt() private view returns (uint48) {
        return uint48(block.timestamp) + Limits.EXIT_DELAY;
    }

    function _known(address node) private view returns (Node storage state) {
        state = _nodes[node];
        if (state.operator == address(0)) revert Errors.NodeRegistry_UnknownNode(node);
    }

    function _active(address node) private view returns (Node storage state) {
        state = _known(node);
        if (state.retired) revert Errors.NodeRegistry_NodeRetired(node);
    }
}
