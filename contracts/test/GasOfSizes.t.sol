// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim} from "../src/interfaces/IJobLedger.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

/// @notice The last entries of a long tally and the siblings above them: all that the chain ever sees of one.
struct Tail {
    Tally tally;
    bytes32[] above;
}

/// @notice Gas of rounds of 10, 1,000 and 100,000 entries: only the proof's words grow.
/// @dev Of a long tree only the last block of up to 64 leaves is made; what hangs beside the way up is any hash.
/// forge-config: default.isolate = true
contract GasOfSizesTest is Stand {
    using Tallies for Tally;

    uint256 private constant BLOCK = 64;
    /// @dev A word of a proof: 512 gas of calldata, two words hashed, and the loop around them.
    uint256 private constant WORD = 700;
    uint256 private constant WORDS_AT_BARS = 10;

    bytes32 private job;
    Tally private none;

    function setUp() public override {
        super.setUp();
        job = openJob();
        for (uint256 i = 0; i < 10; ++i) {
            registerNode(i);
        }
    }

    function test_TenEntriesStayUnderTheBars() external {
        _measure(10, 4);
    }

    function test_ThousandEntriesStayUnderTheBars() external {
        _measure(1000, 10);
    }

    function test_HundredThousandEntriesAddOnlyTheirProofs() external {
        _measure(100_000, 17);
    }

    function _measure(uint256 count, uint256 words) private {
        string memory size = string.concat(", ", vm.toString(count), " entries");
        uint256 more = words < WORDS_AT_BARS ? 0 : WORD * (words - WORDS_AT_BARS);
        Tail memory first = _makeTail(none, count, words);
        _post(first);
        vm.assertLe(vm.snapshotGasLastCall(string.concat("post", size)), 130_000);
        Tail memory second = _makeTail(first.tally, count, words);
        _post(second);
        passWindow();

        uint256 state = vm.snapshotState();
        _claim(first, 5);
        vm.assertLe(vm.snapshotGasLastCall(string.concat("claim, first", size)), 107_000 + more);
        _claim(second, 5);
        vm.assertLe(vm.snapshotGasLastCall(string.concat("claim, repeat", size)), 73_000 + more);
        vm.assertTrue(vm.revertToState(state));

        _claimTen(first);
        vm.assertLe(vm.snapshotGasLastCall(string.concat("claimMany of ten, first", size)), 720_000 + 10 * more);
        _claimTen(second);
        vm.assertLe(vm.snapshotGasLastCall(string.concat("claimMany of ten, repeat", size)), 380_000 + 10 * more);
        vm.assertEq(ledger.accountOf(job).paid, _earnedByTen(second));
    }

    function _makeTail(Tally memory before, uint256 count, uint256 words) private view returns (Tail memory tail) {
        uint64 offset = uint64((count - 1) / BLOCK * BLOCK);
        uint128[] memory rewards = new uint128[](count - offset);
        for (uint256 i = 0; i < rewards.length; ++i) {
            rewards[i] = uint128(BUDGET / count - i);
        }
        Tally memory tally = makeTally(job, before, rewards);
        for (uint256 i = 0; i < rewards.length; ++i) {
            tally.entries[i].seq += offset;
        }
        tally.seal();
        tally.header.count = uint64(count);
        bytes32 root = tally.header.entriesRoot;
        tail.above = new bytes32[](words - tally.proof(0).length);
        for (uint256 i = 0; i < tail.above.length; ++i) {
            tail.above[i] = keccak256(abi.encode("beside", i));
            root = Tallies.hashPair(root, tail.above[i]);
        }
        tally.header.entriesRoot = root;
        tail.tally = tally;
    }

    function _post(Tail memory tail) private {
        finalAtOf[digestOf(tail.tally)] = uint64(block.timestamp + 1 hours);
        vm.prank(coordinator);
        ledger.postRound(tail.tally.header, tail.tally.last(), _proof(tail, tail.tally.entries.length - 1));
    }

    function _claim(Tail memory tail, uint256 place) private {
        ledger.claim(job, tail.tally.header.round, anchorOf(tail.tally), tail.tally.leafOf(place), _proof(tail, place));
    }

    function _claimTen(Tail memory tail) private {
        Claim[] memory claims = new Claim[](10);
        for (uint256 i = 0; i < 10; ++i) {
            claims[i] = Claim(tail.tally.leafOf(i), _proof(tail, i));
        }
        ledger.claimMany(job, tail.tally.header.round, anchorOf(tail.tally), claims);
    }

    function _proof(Tail memory tail, uint256 place) private pure returns (bytes32[] memory words) {
        bytes32[] memory below = tail.tally.proof(place);
        words = new bytes32[](below.length + tail.above.length);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = i < below.length ? below[i] : tail.above[i - below.length];
        }
    }

    function _earnedByTen(Tail memory tail) private pure returns (uint256 total) {
        for (uint256 i = 0; i < 10; ++i) {
            total += tail.tally.entries[i].earned;
        }
    }
}
