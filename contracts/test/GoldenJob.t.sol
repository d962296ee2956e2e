// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor, Entry, Leaf, Registration, RoundHeader, Statements, Terms} from "../src/Statements.sol";
import {IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {ITallyToken} from "../src/interfaces/ITallyToken.sol";
import {GoldenFile} from "./GoldenFile.sol";
import {Tallies} from "./Tallies.sol";

/// @notice The job that Python played: see Golden.tree.
contract GoldenJobTest is GoldenFile {
    uint256 private constant ROUNDS = 4;

    Terms private terms;
    bytes32 private job;
    mapping(address node => uint256) private newest;

    /// @dev Puts ledger and token where the vectors have them: their address is part of every digest.
    function setUp() public override {
        super.setUp();
        terms = readTerms(".terms");
        address place = account(".domains.jobLedger", "verifyingContract");
        vm.chainId(u64(".domains.jobLedger", "chainId"));
        vm.etch(place, address(ledger).code);
        vm.etch(terms.token, address(token).code);
        (ledger, token) = (IJobLedger(place), ITallyToken(terms.token));
        _give(terms.requester, ROUNDS * terms.budgetPerRound);
        _give(terms.coordinator, terms.bond);
        vm.prank(terms.coordinator);
        ledger.depositBond(terms.token, terms.bond);
        for (uint256 i = 0; i < 5; ++i) {
            _register(string.concat(".keys.node", vm.toString(i)), i);
        }
        job = _open();
    }

    function _give(address holder, uint256 amount) private {
        vm.store(terms.token, keccak256(abi.encode(holder, 0)), bytes32(amount));
        vm.prank(holder);
        token.approve(address(ledger), amount);
    }

    function _register(string memory key, uint256 i) private {
        Registration memory registration =
            Registration(account(key, "address"), operator, payoutAt(i), uint64(START + 1));
        bytes32 hash = keccak256(abi.encode(Statements.REGISTRATION_TYPEHASH, registration));
        uint256 secret = uint256(word(key, "privateKey"));
        registry.register(registration, signDigest(secret, Tallies.digest(registry.domainSeparator(), hash)));
    }

    function _open() private returns (bytes32) {
        uint64 deadline = uint64(block.timestamp);
        bytes32 hash = keccak256(abi.encode(Statements.ACCEPTANCE_TYPEHASH, idOf(terms), deadline));
        bytes memory signature = sign(uint256(word(".keys.coordinator", "privateKey")), hash);
        vm.prank(terms.requester);
        return ledger.openJob(terms, deadline, signature);
    }

    function _entry(string memory round, uint256 seq) private view returns (Entry memory) {
        return Entry(
            u64(round, at("seqs", seq)),
            account(round, at("nodes", seq)),
            u128(round, at("earned", seq)),
            readBody(string.concat(round, ".bodies"), at("", seq))
        );
    }

    function _post(string memory round) private returns (Anchor memory) {
        RoundHeader memory header = readHeader(string.concat(round, ".header"));
        uint256 last = header.count - 1;
        vm.warp(header.closedAt);
        vm.prank(terms.coordinator);
        bytes32 digest = ledger.postRound(header, _entry(round, last), words(at(string.concat(round, ".proofs"), last)));
        vm.assertEq(digest, word(round, "headerDigest"));
        return Anchor(digest, header.entriesRoot, header.count, header.closedAt + terms.window);
    }

    function _claimAll(string memory round, uint64 number, Anchor memory anchor) private returns (uint256 paid) {
        for (uint256 seq = 0; seq < anchor.count; ++seq) {
            address node = account(round, at("nodes", seq));
            uint128 earned = u128(round, at("earned", seq));
            if (earned == newest[node]) continue;
            newest[node] = earned;
            Leaf memory leaf = Leaf(uint64(seq), node, earned, word(round, at("bodyDigests", seq)));
            paid += ledger.claim(job, number, anchor, leaf, words(at(string.concat(round, ".proofs"), seq)));
            vm.assertEq(ledger.claimedOf(job, node), earned);
        }
    }

    function test_TheJobOfTheVectorsIsPaid() external {
        vm.assertEq(ledger.domainSeparator(), word(".domains.jobLedger.separator"));
        vm.assertEq(job, word(".terms.job"));
        Anchor[] memory anchors = new Anchor[](ROUNDS);
        for (uint256 i = 0; i < ROUNDS; ++i) {
            anchors[i] = _post(at(".rounds", i));
        }
        vm.warp(block.timestamp + terms.window);
        uint256 paid = 0;
        uint256 total = 0;
        for (uint256 i = 0; i < ROUNDS; ++i) {
            paid += _claimAll(at(".rounds", i), uint64(i + 1), anchors[i]);
            total += u128(string.concat(at(".rounds", i), ".header"), "totalReward");
        }
        vm.assertEq(paid, total);
        ledger.closeJob(job);
        vm.assertEq(ledger.fundsOf(terms.token, terms.requester), ROUNDS * terms.budgetPerRound - total);
        vm.assertEq(ledger.accountOf(job).payable_, 0);
    }
}
