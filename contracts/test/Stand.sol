// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Acceptance, Anchor, Registration, Statements, Terms} from "../src/Statements.sol";
import {Finality, IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {INodeRegistry} from "../src/interfaces/INodeRegistry.sol";
import {ITallyToken} from "../src/interfaces/ITallyToken.sol";
import {StandCourt, StandQuorum} from "./StandCourt.sol";
import {Tallies, Tally} from "./Tallies.sol";
import {Vm} from "./Vm.sol";

/// @title Stand
/// @notice A deployment with a court and a quorum that do as they are told, and people with tokens.
abstract contract Stand {
    using Tallies for Tally;

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant COORDINATOR_KEY = 0xC0;
    uint256 internal constant NODE_KEYS = 0x1000;
    uint256 internal constant START = 1_800_000_000;
    uint128 internal constant BUDGET = 1000 ether;
    uint128 internal constant BOND = 500 ether;
    uint128 internal constant MIN_STAKE = 20 ether;

    address internal requester = address(0x4E9);
    address internal operator = address(0x09E);
    address internal stranger = address(0x57A);
    address internal coordinator = vm.addr(COORDINATOR_KEY);

    ITallyToken internal token;
    INodeRegistry internal registry;
    IJobLedger internal ledger;
    StandCourt internal court;
    StandQuorum internal quorum;
    mapping(bytes32 headerDigest => uint64) internal finalAtOf;

    function setUp() public virtual {
        vm.warp(START);
        token = ITallyToken(vm.deployCode("TallyToken.sol", abi.encode(address(this), 1e9 ether)));
        uint256 nonce = vm.getNonce(address(this));
        address ledgerAt = vm.computeCreateAddress(address(this), nonce + 1);
        address courtAt = vm.computeCreateAddress(address(this), nonce + 2);
        address quorumAt = vm.computeCreateAddress(address(this), nonce + 3);
        registry = INodeRegistry(vm.deployCode("NodeRegistry.sol", abi.encode(token, ledgerAt, courtAt)));
        ledger = IJobLedger(vm.deployCode("JobLedger.sol", abi.encode(registry, courtAt, quorumAt)));
        court = StandCourt(seatCourt());
        quorum = new StandQuorum(ledger);
        fund(requester, 1e6 ether);
        fund(operator, 1e6 ether);
        fund(coordinator, 1e6 ether);
        vm.prank(coordinator);
        ledger.depositBond(address(token), 10 * BOND);
    }

    /// @dev What the ledger and the registry know as the court.
    function seatCourt() internal virtual returns (address) {
        return address(new StandCourt(ledger, registry));
    }

    function fund(address account, uint256 amount) internal {
        vm.assertTrue(token.transfer(account, amount));
        vm.prank(account);
        token.approve(address(ledger), type(uint256).max);
        vm.prank(account);
        token.approve(address(registry), type(uint256).max);
    }

    // Jobs

    function makeTerms(uint64 nonce) internal view returns (Terms memory terms) {
        terms.specDigest = keccak256("spec");
        (terms.requester, terms.coordinator, terms.token) = (requester, coordinator, address(token));
        (terms.rounds, terms.budgetPerRound, terms.pricePerNat) = (4, BUDGET, 1 ether);
        (terms.window, terms.anchorSeconds) = (1 hours, 1 days);
        (terms.bond, terms.minStake) = (BOND, MIN_STAKE);
        terms.nonce = nonce;
    }

    function openJob(Terms memory terms) internal returns (bytes32 job) {
        (uint64 deadline, bytes memory signature) = accept(terms);
        vm.prank(terms.requester);
        return ledger.openJob(terms, deadline, signature);
    }

    function openJob() internal returns (bytes32) {
        return openJob(makeTerms(1));
    }

    function openWitnessedJob() internal returns (bytes32) {
        Terms memory terms = makeTerms(2);
        (terms.threshold, terms.witnesses) = (3, keccak256("witnesses"));
        return openJob(terms);
    }

    function idOf(Terms memory terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(Statements.TERMS_TYPEHASH, terms));
    }

    function accept(Terms memory terms) internal view returns (uint64 deadline, bytes memory signature) {
        deadline = uint64(block.timestamp) + 1 hours;
        bytes32 hash = keccak256(abi.encode(Statements.ACCEPTANCE_TYPEHASH, Acceptance(idOf(terms), deadline)));
        signature = sign(COORDINATOR_KEY, hash);
    }

    /// @notice Signs a struct hash in the ledger's domain.
    function sign(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        return signDigest(key, Tallies.digest(ledger.domainSeparator(), structHash));
    }

    function signDigest(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // Nodes

    function nodeAt(uint256 index) internal pure returns (address) {
        return vm.addr(NODE_KEYS + index);
    }

    function payoutAt(uint256 index) internal pure returns (address) {
        return address(uint160(0xBA0000 + index));
    }

    function registerNode(uint256 index) internal returns (address node) {
        node = nodeAt(index);
        (Registration memory registration, bytes memory signature) = signRegistration(index);
        registry.register(registration, signature);
    }

    function signRegistration(uint256 index) internal view returns (Registration memory, bytes memory) {
        Registration memory registration =
            Registration(nodeAt(index), operator, payoutAt(index), uint64(block.timestamp) + 1 hours);
        return (registration, signRegistration(index, registration));
    }

    function signRegistration(uint256 index, Registration memory registration) internal view returns (bytes memory) {
        bytes32 hash = keccak256(abi.encode(Statements.REGISTRATION_TYPEHASH, registration));
        return signDigest(NODE_KEYS + index, Tallies.digest(registry.domainSeparator(), hash));
    }

    // Rounds

    /// @notice The next tally of a job: node i (0-based) earns `rewards[i]` on top of what `before` says.
    function makeTally(bytes32 job, Tally memory before, uint128[] memory rewards)
        internal
        view
        returns (Tally memory)
    {
        uint64 round = before.header.round + 1;
        bytes32 parent = round == 1 ? job : digestOf(before);
        address[] memory nodes = new address[](rewards.length);
        uint128[] memory earned = new uint128[](rewards.length);
        for (uint256 i = 0; i < rewards.length; ++i) {
            nodes[i] = nodeAt(i);
            if (i < before.entries.length) earned[i] = before.entries[i].earned;
        }
        return Tallies.make(job, round, parent, nodes, rewards, earned);
    }

    function makeTally(bytes32 job, uint128[] memory rewards) internal view returns (Tally memory) {
        Tally memory none;
        return makeTally(job, none, rewards);
    }

    function post(Tally memory tally) internal returns (bytes32 headerDigest) {
        bool byTime = ledger.jobOf(tally.header.job).finality == Finality.ByWindow;
        finalAtOf[digestOf(tally)] =
            byTime ? uint64(block.timestamp) + ledger.jobOf(tally.header.job).window : type(uint64).max;
        vm.prank(coordinator);
        return ledger.postRound(tally.header, tally.last(), tally.lastProof());
    }

    function digestOf(Tally memory tally) internal view returns (bytes32) {
        return Tallies.digestHeader(ledger.domainSeparator(), tally.header);
    }

    /// @notice The words of a round as posted.
    function anchorOf(Tally memory tally) internal view returns (Anchor memory) {
        return anchorOf(tally, finalAtOf[digestOf(tally)]);
    }

    function anchorOf(Tally memory tally, uint64 finalAt) internal view returns (Anchor memory) {
        return Anchor(digestOf(tally), tally.header.entriesRoot, tally.header.count, finalAt);
    }

    function claim(Tally memory tally, uint256 seq) internal returns (uint256) {
        return ledger.claim(tally.header.job, tally.header.round, anchorOf(tally), tally.leafOf(seq), tally.proof(seq));
    }

    function passWindow() internal {
        vm.warp(block.timestamp + 1 hours);
    }

    // Lists

    function list(uint128 a) internal pure returns (uint128[] memory values) {
        values = new uint128[](1);
        values[0] = a;
    }

    function list(uint128 a, uint128 b) internal pure returns (uint128[] memory values) {
        values = new uint128[](2);
        (values[0], values[1]) = (a, b);
    }

    function list(uint128 a, uint128 b, uint128 c) internal pure returns (uint128[] memory values) {
        values = new uint128[](3);
        (values[0], values[1], values[2]) = (a, b, c);
    }
}
