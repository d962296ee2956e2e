// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Tills} from "../src/Tills.sol";
import {Transfers} from "../src/Transfers.sol";
import {Job} from "../src/interfaces/IJobLedger.sol";
import {SilentToken, SpitefulToken} from "./HostileTokens.sol";
import {Vm} from "./Vm.sol";

contract TransfersTest {
    using Tills for Job;

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant RECEIVER = address(0xBEEF);

    Job private job;

    function testFuzz_SendsWhatATokenMoves(uint128 amount) external {
        SpitefulToken loud = new SpitefulToken(address(this));
        vm.assertTrue(Transfers.trySend(IERC20(address(loud)), RECEIVER, amount, 100_000));
        vm.assertEq(loud.balanceOf(RECEIVER), amount);
        SilentToken silent = new SilentToken(address(this));
        vm.assertTrue(Transfers.trySend(IERC20(address(silent)), RECEIVER, amount, 100_000));
        vm.assertEq(silent.balanceOf(RECEIVER), amount);
    }

    function test_NobodyIsNoToken() external {
        vm.assertFalse(Transfers.trySend(IERC20(address(0x123456)), RECEIVER, 1, 100_000));
    }

    function testFuzz_SpiteIsSeenAndBounded(uint8 how, uint32 limit) external {
        SpitefulToken spiteful = new SpitefulToken(address(this));
        spiteful.spite(RECEIVER, SpitefulToken.Spite(how % 6));
        uint256 gasLimit = 30_000 + limit % 300_000;
        uint256 gas = gasleft();
        bool sent = Transfers.trySend(IERC20(address(spiteful)), RECEIVER, 1, gasLimit);
        vm.assertLe(gas - gasleft(), gasLimit + 3_000);
        vm.assertFalse(sent);
        vm.assertEq(spiteful.balanceOf(RECEIVER), 0);
    }

    function testFuzz_TillKeepsItsNeighbours(uint96 paid, uint96 claimable, uint96 more, uint32 halted) external {
        (job.paid, job.claimable, job.halted) = (paid, claimable, halted);
        (uint256 readPaid, uint256 readClaimable, uint256 rest) = job.read();
        vm.assertEq(readPaid, paid);
        vm.assertEq(readClaimable, claimable);
        job.write(more, paid, rest);
        vm.assertEq(job.paid, more);
        vm.assertEq(job.claimable, paid);
        vm.assertEq(job.halted, halted);
    }
}
