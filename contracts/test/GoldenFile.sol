// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Acceptance,
    Body,
    Closing,
    Contribution,
    Receipt,
    Registration,
    RoundHeader,
    Terms
} from "../src/Statements.sol";
import {Stand} from "./Stand.sol";

/// @title GoldenFile
/// @notice Reads tests/vectors/golden.json by JSON path.
abstract contract GoldenFile is Stand {
    string internal golden;

    function setUp() public virtual override {
        super.setUp();
        golden = vm.readFile("../tests/vectors/golden.json");
    }

    // Paths

    function at(string memory list, uint256 index) internal pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }

    function values(string memory place) internal pure returns (string memory) {
        return string.concat(place, ".values");
    }

    function join(string memory place, string memory key) internal pure returns (string memory) {
        return string.concat(place, ".", key);
    }

    function has(string memory place) internal view returns (bool) {
        return vm.keyExistsJson(golden, place);
    }

    // Values

    function word(string memory path) internal view returns (bytes32) {
        return vm.parseJsonBytes32(golden, path);
    }

    function word(string memory place, string memory key) internal view returns (bytes32) {
        return word(join(place, key));
    }

    function words(string memory path) internal view returns (bytes32[] memory) {
        return vm.parseJsonBytes32Array(golden, path);
    }

    function hashAt(string memory place) internal view returns (bytes32) {
        return word(join(place, "structHash"));
    }

    function account(string memory place, string memory key) internal view returns (address) {
        return vm.parseJsonAddress(golden, join(place, key));
    }

    function u64(string memory place, string memory key) internal view returns (uint64) {
        return uint64(vm.parseJsonUint(golden, join(place, key)));
    }

    function u128(string memory place, string memory key) internal view returns (uint128) {
        return uint128(vm.parseJsonUint(golden, join(place, key)));
    }

    function i128(string memory place, string memory key) internal view returns (int128) {
        return int128(vm.parseJsonInt(golden, join(place, key)));
    }

    // Structs

    function readTerms(string memory at_) internal view returns (Terms memory t) {
        t.specDigest = word(at_, "specDigest");
        t.requester = account(at_, "requester");
        t.coordinator = account(at_, "coordinator");
        t.token = account(at_, "token");
        t.rounds = u64(at_, "rounds");
        t.budgetPerRound = u128(at_, "budgetPerRound");
        t.pricePerNat = u128(at_, "pricePerNat");
        t.window = u64(at_, "window");
        t.anchorSeconds = u64(at_, "anchorSeconds");
        t.bond = u128(at_, "bond");
        t.minStake = u128(at_, "minStake");
        t.witnesses = word(at_, "witnesses");
        t.threshold = uint32(u64(at_, "threshold"));
        t.nonce = u64(at_, "nonce");
    }

    function readContribution(string memory at_) internal view returns (Contribution memory c) {
        (c.job, c.round, c.node) = (word(at_, "job"), u64(at_, "round"), account(at_, "node"));
        (c.parent, c.baseModel) = (word(at_, "parent"), word(at_, "baseModel"));
        (c.commitment, c.samples, c.report) = (word(at_, "commitment"), u64(at_, "samples"), word(at_, "report"));
    }

    function readReceipt(string memory at_) internal view returns (Receipt memory r) {
        (r.job, r.round, r.seq) = (word(at_, "job"), u64(at_, "round"), u64(at_, "seq"));
        (r.node, r.contribution) = (account(at_, "node"), word(at_, "contribution"));
        r.accumulator = word(at_, "accumulator");
        (r.receivedAt, r.anchorBy) = (u64(at_, "receivedAt"), u64(at_, "anchorBy"));
    }

    function readClosing(string memory at_) internal view returns (Closing memory c) {
        (c.job, c.round, c.count) = (word(at_, "job"), u64(at_, "round"), u64(at_, "count"));
        (c.accumulator, c.closedAt) = (word(at_, "accumulator"), u64(at_, "closedAt"));
        c.seedDigest = word(at_, "seedDigest");
    }

    function readHeader(string memory at_) internal view returns (RoundHeader memory h) {
        (h.job, h.round, h.parent) = (word(at_, "job"), u64(at_, "round"), word(at_, "parent"));
        (h.baseModel, h.nextModel) = (word(at_, "baseModel"), word(at_, "nextModel"));
        (h.entriesRoot, h.accumulator) = (word(at_, "entriesRoot"), word(at_, "accumulator"));
        (h.count, h.totalWeight) = (u64(at_, "count"), u64(at_, "totalWeight"));
        h.totalScore = i128(at_, "totalScore");
        (h.totalGain, h.totalReward) = (u128(at_, "totalGain"), u128(at_, "totalReward"));
        (h.aggregate, h.evidence, h.beacon) = (word(at_, "aggregate"), word(at_, "evidence"), word(at_, "beacon"));
        (h.openedAt, h.closedAt) = (u64(at_, "openedAt"), u64(at_, "closedAt"));
    }

    function readAcceptance(string memory at_) internal view returns (Acceptance memory) {
        return Acceptance(word(at_, "job"), u64(at_, "deadline"));
    }

    function readRegistration(string memory at_) internal view returns (Registration memory) {
        return
            Registration(account(at_, "node"), account(at_, "operator"), account(at_, "payout"), u64(at_, "deadline"));
    }

    function readBody(string memory at_) internal view returns (Body memory) {
        return readBody(at_, "");
    }

    /// @param index "[i]" where each member is a list, else empty
    function readBody(string memory at_, string memory index) internal view returns (Body memory b) {
        b.contribution = word(at_, string.concat("contribution", index));
        b.signatures = word(at_, string.concat("signatures", index));
        b.verdict = uint8(u64(at_, string.concat("verdict", index)));
        b.weight = u64(at_, string.concat("weight", index));
        b.score = i128(at_, string.concat("score", index));
        b.credit = i128(at_, string.concat("credit", index));
        b.peak = u128(at_, string.concat("peak", index));
        b.gain = u128(at_, string.concat("gain", index));
        b.reward = u128(at_, string.concat("reward", index));
        b.previousRound = u64(at_, string.concat("previousRound", index));
        b.runningWeight = u64(at_, string.concat("runningWeight", index));
        b.runningScore = i128(at_, string.concat("runningScore", index));
        b.runningGain = u128(at_, string.concat("runningGain", index));
        b.runningReward = u128(at_, string.concat("runningReward", index));
        b.runningAggregate = word(at_, string.concat("runningAggregate", index));
    }
}
