// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Limits} from "../src/Limits.sol";
import {Registration, Statements, Terms} from "../src/Statements.sol";
import {INodeRegistry, Node} from "../src/interfaces/INodeRegistry.sol";
import {Stand} from "./Stand.sol";
import {Tallies} from "./Tallies.sol";

contract NodeRegistryTest is Stand {
    uint256 private constant DELAY = 15 days;

    function _expectRefused(Registration memory registration, bytes memory signature, bytes4 selector) private {
        vm.expectPartialRevert(selector);
        registry.register(registration, signature);
    }

    function _expectNotOperator(address sender) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotOperator.selector, sender, operator));
        vm.prank(sender);
    }

    function _stake(address node, uint256 amount) private {
        vm.prank(operator);
        registry.stake(node, amount);
    }

    function testFuzz_RegisterByAnyone(address sender) external {
        (Registration memory registration, bytes memory signature) = signRegistration(1);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeRegistered(nodeAt(1), operator, payoutAt(1));
        vm.prank(sender);
        registry.register(registration, signature);
        vm.assertEq(registry.operatorOf(nodeAt(1)), operator);
        vm.assertEq(registry.payoutOf(nodeAt(1)), payoutAt(1));
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NodeExists.selector, nodeAt(1)));
        registry.register(registration, signature);
    }

    function testFuzz_RevertWhen_RegistrationIsChanged(uint8 which, uint256 word) external {
        (Registration memory registration, bytes memory signature) = signRegistration(1);
        bytes32 before = keccak256(abi.encode(registration));
        if (which % 4 == 0) registration.node = address(uint160(word));
        if (which % 4 == 1) registration.operator = address(uint160(word | 1));
        if (which % 4 == 2) registration.payout = address(uint160(word | 1));
        if (which % 4 == 3) registration.deadline = uint64(word | (1 << 63));
        vm.assume(before != keccak256(abi.encode(registration)));
        _expectRefused(registration, signature, Errors.NodeRegistry_RegistrationSigner.selector);
    }

    function test_RevertWhen_RegistrationIsNotGood() external {
        (Registration memory registration, bytes memory signature) = signRegistration(1);
        bytes32 hash = keccak256(abi.encode(Statements.REGISTRATION_TYPEHASH, registration));
        bytes memory other = signDigest(NODE_KEYS + 1, Tallies.digest(ledger.domainSeparator(), hash));
        _expectRefused(registration, other, Errors.NodeRegistry_RegistrationSigner.selector);
        signature[64] ^= 0x07;
        vm.expectRevert();
        registry.register(registration, signature);
        (registration.operator, registration.payout) = (address(0), payoutAt(1));
        _expectRefused(registration, signature, Errors.Tallystick_ZeroAddress.selector);
        (registration.operator, registration.payout) = (operator, address(0));
        _expectRefused(registration, signature, Errors.Tallystick_ZeroAddress.selector);
        vm.warp(registration.deadline + 1);
        registration.payout = payoutAt(1);
        _expectRefused(registration, signature, Errors.NodeRegistry_RegistrationExpired.selector);
    }

    function testFuzz_SetPayout(address payout, address sender) external {
        vm.assume(payout != address(0) && sender != operator);
        address node = registerNode(1);
        _expectNotOperator(sender);
        registry.setPayout(node, payout);
        vm.expectEmit(address(registry));
        emit INodeRegistry.PayoutChanged(node, operator, payout);
        vm.prank(operator);
        registry.setPayout(node, payout);
        vm.assertEq(registry.payoutOf(node), payout);
        vm.expectRevert(Errors.Tallystick_ZeroAddress.selector);
        vm.prank(operator);
        registry.setPayout(node, address(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, nodeAt(2)));
        vm.prank(operator);
        registry.setPayout(nodeAt(2), payout);
    }

    function testFuzz_StakeLeavesAfterTheDelay(uint64 amount, uint64 part) external {
        address node = registerNode(1);
        part = amount == 0 ? 0 : part % amount;
        _stake(node, amount);
        vm.assertEq(registry.stakeOf(node), amount);
        uint64 leavesAt = part == 0 ? 0 : uint64(START + DELAY);
        vm.expectEmit(address(registry));
        emit INodeRegistry.UnstakeRequested(node, part, leavesAt);
        vm.prank(operator);
        registry.unstake(node, part);
        vm.assertEq(registry.stakeOf(node), amount - part);
        if (part == 0) return;
        vm.warp(START + DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_TooEarly.selector, START + DELAY - 1, START + DELAY));
        registry.withdrawStake(node);
        vm.warp(START + DELAY);
        uint256 before = token.balanceOf(operator);
        registry.withdrawStake(node);
        vm.assertEq(token.balanceOf(operator), before + part);
        vm.assertEq(registry.nodeOf(node).staked, amount - part);
    }

    function test_RevertWhen_StakeIsNotThere() external {
        address node = registerNode(1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, nodeAt(2)));
        _stake(nodeAt(2), 1);
        vm.expectPartialRevert(Errors.NodeRegistry_StakeTooLarge.selector);
        _stake(node, uint256(type(uint128).max) + 1);
        _stake(node, 10);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_InsufficientStake.selector, 10, 11));
        vm.prank(operator);
        registry.unstake(node, 11);
        _expectNotOperator(stranger);
        registry.unstake(node, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NothingToWithdraw.selector, node));
        registry.withdrawStake(node);
    }

    function test_ANewUnstakeReplacesTheOld() external {
        address node = registerNode(1);
        _stake(node, 10);
        vm.prank(operator);
        registry.unstake(node, 4);
        vm.warp(START + DELAY);
        vm.prank(operator);
        registry.unstake(node, 10);
        vm.expectPartialRevert(Errors.NodeRegistry_TooEarly.selector);
        registry.withdrawStake(node);
        vm.prank(operator);
        registry.unstake(node, 0);
        vm.assertEq(registry.stakeOf(node), 10);
    }

    function test_Rotation() external {
        (address old, address heir) = (registerNode(1), registerNode(2));
        _stake(old, 10);
        vm.prank(operator);
        registry.unstake(old, 3);
        vm.expectEmit(address(registry));
        emit INodeRegistry.RotationRequested(old, heir, uint64(START + DELAY));
        vm.prank(operator);
        registry.rotateNode(old, heir);
        vm.expectPartialRevert(Errors.NodeRegistry_TooEarly.selector);
        registry.completeRotation(old);
        vm.warp(START + DELAY);
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeRotated(old, heir, 7);
        registry.completeRotation(old);
        vm.assertEq(registry.stakeOf(old), 0);
        vm.assertEq(registry.stakeOf(heir), 7);
        vm.assertTrue(registry.nodeOf(old).retired);
        vm.assertEq(registry.payoutOf(old), payoutAt(1));
        registry.withdrawStake(old);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NoRotation.selector, old));
        registry.completeRotation(old);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NodeRetired.selector, old));
        _stake(old, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NodeRetired.selector, old));
        vm.prank(operator);
        registry.rotateNode(old, heir);
        (Registration memory again, bytes memory signature) = signRegistration(1);
        _expectRefused(again, signature, Errors.NodeRegistry_NodeExists.selector);
        vm.prank(operator);
        registry.setPayout(old, stranger);
        vm.assertEq(registry.payoutOf(old), stranger);
    }

    function test_RevertWhen_SuccessorIsNotTheOperatorsOther() external {
        address node = registerNode(1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_SameNode.selector, node));
        vm.prank(operator);
        registry.rotateNode(node, node);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, nodeAt(2)));
        vm.prank(operator);
        registry.rotateNode(node, nodeAt(2));
        Registration memory foreign = Registration(nodeAt(3), stranger, stranger, uint64(START + 1));
        registry.register(foreign, signRegistration(3, foreign));
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotOperator.selector, operator, stranger));
        vm.prank(operator);
        registry.rotateNode(node, nodeAt(3));
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NoRotation.selector, node));
        registry.completeRotation(node);
    }

    /// @notice Rotations prepared in a row cannot carry a stake out of reach at once.
    function test_ARotationOfTheSuccessorStartsOver() external {
        (address a, address b, address c) = (registerNode(1), registerNode(2), registerNode(3));
        _stake(a, 10);
        vm.prank(operator);
        registry.rotateNode(b, c);
        vm.prank(operator);
        registry.rotateNode(a, b);
        vm.warp(START + DELAY);
        registry.completeRotation(a);
        vm.expectPartialRevert(Errors.NodeRegistry_TooEarly.selector);
        registry.completeRotation(b);
        vm.assertEq(registry.stakeOf(b), 10);
    }

    function testFuzz_SlashBurnsTheMinimumStake(uint96 staked, uint96 leaving) external {
        address node = registerNode(1);
        staked = 1 + uint96(staked % 1000 ether);
        leaving = leaving % staked;
        _stake(node, staked);
        vm.prank(operator);
        registry.unstake(node, leaving);
        bytes32 job = openJob();
        uint256 burned = staked < MIN_STAKE ? staked : MIN_STAKE;
        vm.expectEmit(address(registry));
        emit INodeRegistry.NodeSlashed(job, node, burned);
        vm.assertEq(court.slash(job, node), burned);
        Node memory state = registry.nodeOf(node);
        vm.assertEq(state.staked, staked - burned);
        vm.assertEq(state.leaving, leaving < state.staked ? leaving : state.staked);
        vm.assertEq(token.balanceOf(address(registry)), staked);
        uint256 due = MIN_STAKE - burned;
        if (due == 0) vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_AlreadySlashed.selector, job, node));
        else vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_InsufficientStake.selector, 0, due));
        court.slash(job, node);
        _stake(node, staked);
        if (due != 0) vm.assertEq(court.slash(job, node), due < staked ? due : staked);
    }

    function test_NobodyIsSlashedWhereNothingIsAtStake() external {
        Terms memory terms = makeTerms(1);
        terms.minStake = 0;
        address node = registerNode(1);
        bytes32 job = openJob(terms);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_AlreadySlashed.selector, job, node));
        court.slash(job, node);
    }

    function test_TheSuccessorPaysForARetiredNode() external {
        (address old, address heir) = (registerNode(1), registerNode(2));
        _stake(old, MIN_STAKE);
        vm.prank(operator);
        registry.rotateNode(old, heir);
        vm.warp(START + DELAY);
        registry.completeRotation(old);
        vm.assertEq(court.slash(openJob(), old), MIN_STAKE);
        vm.assertEq(registry.stakeOf(heir), 0);
    }

    function test_RevertWhen_SlasherIsNotTheCourt() external {
        address node = registerNode(1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_NotCourt.selector, address(this), address(court)));
        registry.slash(0, node);
        vm.expectRevert(abi.encodeWithSelector(Errors.NodeRegistry_UnknownNode.selector, nodeAt(2)));
        court.slash(0, nodeAt(2));
    }

    function test_StakeOutlastsEveryWindow() external pure {
        vm.assertTrue(Limits.EXIT_DELAY > Limits.MAX_SETTLEMENT_SECONDS);
    }
}
