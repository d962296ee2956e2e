// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor, Entry, Registration, RoundHeader, Statements, Terms} from "../src/Statements.sol";
import {IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {ITallyToken} from "../src/interfaces/ITallyToken.sol";
import {GoldenFile} from "./GoldenFile.sol";
import {Tallies} from "./Tallies.sol";

/// @title GoldenJob
/// @notice The job that Python played, on the contracts.
abstract contract GoldenJob is GoldenFile {
    uint256 internal constant ROUNDS = 4;

    Terms internal terms;
    bytes32 internal job;

    /// @dev Puts ledger and token where the vectors have them: their address is part of every digest.
    function setUp() public virtual override {
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

    function _open() internal returns (bytes32) {
        uint64 deadline = uint64(block.timestamp);
        bytes32 hash = keccak256(abi.encode(Statements.ACCEPTANCE_TYPEHASH, idOf(terms), deadline));
        bytes memory signature = sign(uint256(word(".keys.coordinator", "privateKey")), hash);
        vm.prank(terms.requester);
        return ledger.openJob(terms, deadline, signature);
    }

    function _entry(string memory round, uint256 seq) internal view returns (Entry memory) {
        return Entry(
            u64(round, at("seqs", seq)),
            account(round, at("nodes", seq)),
            u128(round, at("earned", seq)),
            readBody(string.concat(round, ".bodies"), at("", seq))
        );
    }

    function _post(string memory round) internal returns (Anchor memory) {
        RoundHeader memory header = readHeader(string.concat(round, ".header"));
        uint256 last = header.count - 1;
        vm.warp(header.closedAt);
        vm.prank(terms.coordinator);
        bytes32 digest = ledger.postRound(header, _entry(round, last), words(at(string.concat(round, ".proofs"), last)));
        vm.assertEq(digest, word(round, "headerDigest"));
        return Anchor(digest, header.entriesRoot, header.count, header.closedAt + terms.window);
    }
}
