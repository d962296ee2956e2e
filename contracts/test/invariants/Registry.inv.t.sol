// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {INodeRegistry, Node} from "../../src/interfaces/INodeRegistry.sol";
import {ITallyToken} from "../../src/interfaces/ITallyToken.sol";
import {Stand} from "../Stand.sol";
import {Vm} from "../Vm.sol";

/// @notice One operator who stakes, leaves and rotates at will, and a court that slashes.
contract Farm is Stand {
    uint256 internal constant NODES = 4;

    bytes32 private _job;
    mapping(address node => uint256) private _lost;
    uint256 private _clock;
    uint256 public burned;
    uint256 public broken;

    function setUp() public override {
        super.setUp();
        _clock = START;
        _job = openJob();
        for (uint256 i = 0; i < NODES; ++i) {
            registerNode(i);
        }
    }

    modifier timed() {
        vm.warp(_clock);
        _;
        _clock = block.timestamp;
    }

    function pass(uint256 time) external timed {
        vm.warp(block.timestamp + time % 8 days);
    }

    function stake(uint256 index, uint96 amount) external timed {
        address node = nodeAt(index % NODES);
        vm.prank(operator);
        try registry.stake(node, amount % 100 ether) {} catch {}
    }

    function unstake(uint256 index, uint256 part) external timed {
        address node = nodeAt(index % NODES);
        uint256 staked = registry.nodeOf(node).staked;
        vm.prank(operator);
        registry.unstake(node, staked == 0 ? 0 : part % (staked + 1));
    }

    function withdraw(uint256 index) external timed {
        uint256 before = token.balanceOf(operator);
        address node = nodeAt(index % NODES);
        try registry.withdrawStake(node) {
            _expect(token.balanceOf(operator) > before);
        } catch {}
    }

    function rotate(uint256 index, uint256 to) external timed {
        vm.prank(operator);
        try registry.rotateNode(nodeAt(index % NODES), nodeAt(to % NODES)) {} catch {}
    }

    function complete(uint256 index) external timed {
        address node = nodeAt(index % NODES);
        address heir = registry.nodeOf(node).successor;
        try registry.completeRotation(node) {
            Node memory state = registry.nodeOf(heir);
            // What has moved cannot move on before it was within reach for the whole delay.
            _expect(state.retired || state.successor == address(0) || state.rotatesAt >= block.timestamp + 15 days);
        } catch {}
    }

    function slash(uint256 index) external timed {
        address node = nodeAt(index % NODES);
        Node memory before = registry.nodeOf(node);
        uint256 there = before.retired ? registry.nodeOf(before.successor).staked : before.staked;
        try court.slash(_job, node) returns (uint256 amount) {
            uint256 due = MIN_STAKE - _lost[node];
            _expect(amount == (there < due ? there : due) && amount > 0);
            _lost[node] += amount;
            burned += amount;
        } catch {}
    }

    function stakedInAll() external view returns (uint256 total) {
        for (uint256 i = 0; i < NODES; ++i) {
            Node memory state = registry.nodeOf(nodeAt(i));
            total += state.staked;
            if (state.leaving > state.staked || state.payout == address(0)) return type(uint256).max;
        }
    }

    function contracts() external view returns (INodeRegistry, ITallyToken) {
        return (registry, token);
    }

    function _expect(bool held) private {
        if (!held) ++broken;
    }
}

/// @notice What holds after any calls of an operator and a court, in any order:
/// 1. The registry holds exactly what is staked and what was burned; what leaves is part of what is staked.
/// 2. A slash burns the minimum stake or all there is; stake that moved stays within reach for the whole delay.
contract RegistryInvariants {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Farm private farm;

    function setUp() external {
        farm = new Farm();
        farm.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(farm);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](7);
        selectors[0] = Farm.pass.selector;
        selectors[1] = Farm.stake.selector;
        selectors[2] = Farm.unstake.selector;
        selectors[3] = Farm.withdraw.selector;
        selectors[4] = Farm.rotate.selector;
        selectors[5] = Farm.complete.selector;
        selectors[6] = Farm.slash.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(farm), selectors);
    }

    function invariant_TheRegistryHoldsWhatIsStakedAndBurned() external view {
        (INodeRegistry registry, ITallyToken token) = farm.contracts();
        vm.assertEq(token.balanceOf(address(registry)), farm.stakedInAll() + farm.burned());
    }

    function invariant_SlashingAndRotationHold() external view {
        vm.assertEq(farm.broken(), 0);
    }
}
