// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice What the chain enforces of a job. The job's id is the struct hash of its terms.
/// @param specDigest SHA-256 of the canonical JSON of the job spec
/// @param requester who pays; must send `openJob`
/// @param coordinator externally owned account that runs the rounds and posts their headers
/// @param token the ERC-20 of escrow, bond and rewards
/// @param rounds how many rounds the escrow covers, from 1
/// @param budgetPerRound the most one round can pay, in base units of `token`
/// @param pricePerNat what one nat of fallen loss pays, in base units of `token`
/// @param window seconds in which a posted round can be challenged
/// @param anchorSeconds seconds after its reveal phase by which a round must be on chain
/// @param bond what the coordinator stakes on this job, in base units of `token`
/// @param minStake what a node needs at stake to join, in base units of the registry's stake token
/// @param witnesses digest of the named witnesses' keys, zero if none
/// @param threshold how many witnesses must attest a header; zero means none, and finality by window
/// @param nonce chosen by the requester, so that equal terms can be used again
struct Terms {
    bytes32 specDigest;
    address requester;
    address coordinator;
    address token;
    uint64 rounds;
    uint128 budgetPerRound;
    uint128 pricePerNat;
    uint64 window;
    uint64 anchorSeconds;
    uint128 bond;
    uint128 minStake;
    bytes32 witnesses;
    uint32 threshold;
    uint64 nonce;
}

/// @notice A node's signed commitment to an update.
struct Contribution {
    bytes32 job;
    uint64 round;
    address node;
    bytes32 parent;
    bytes32 baseModel;
    bytes32 commitment;
    uint64 samples;
    bytes32 report;
}

/// @notice The coordinator's countersigned promise that a contribution will become the entry `seq`.
struct Receipt {
    bytes32 job;
    uint64 round;
    uint64 seq;
    address node;
    bytes32 contribution;
    bytes32 accumulator;
    uint64 receivedAt;
    uint64 anchorBy;
}

/// @notice The coordinator's signed word that no more commitments come.
struct Closing {
    bytes32 job;
    uint64 round;
    uint64 count;
    bytes32 accumulator;
    uint64 closedAt;
    bytes32 seedDigest;
}

/// @notice The head of a round's tally; its digest is the parent of the next round.
struct RoundHeader {
    bytes32 job;
    uint64 round;
    bytes32 parent;
    bytes32 baseModel;
    bytes32 nextModel;
    bytes32 entriesRoot;
    bytes32 accumulator;
    uint64 count;
    uint64 totalWeight;
    int128 totalScore;
    uint128 totalGain;
    uint128 totalReward;
    bytes32 aggregate;
    bytes32 evidence;
    bytes32 beacon;
    uint64 openedAt;
    uint64 closedAt;
}

/// @notice The coordinator's agreement to run a job, needed by `openJob`.
struct Acceptance {
    bytes32 job;
    uint64 deadline;
}

/// @notice A node's agreement to belong to an operator; signed in the domain of the NodeRegistry.
struct Registration {
    address node;
    address operator;
    address payout;
    uint64 deadline;
}

/// @notice What an entry says beyond its leaf; sums of scores in units of 2^-40 nats, rewards in base units.
struct Body {
    bytes32 contribution;
    bytes32 signatures;
    uint8 verdict;
    uint64 weight;
    int128 score;
    int128 credit;
    uint128 peak;
    uint128 gain;
    uint128 reward;
    uint64 previousRound;
    uint64 runningWeight;
    int128 runningScore;
    uint128 runningGain;
    uint128 runningReward;
    bytes32 runningAggregate;
}

/// @notice One leaf of a round's tree: what a claim needs. `body` is the struct hash of the entry's Body.
struct Leaf {
    uint64 seq;
    address node;
    uint128 earned;
    bytes32 body;
}

/// @notice A leaf with its body opened.
struct Entry {
    uint64 seq;
    address node;
    uint128 earned;
    Body body;
}

/// @notice The four words whose hash the ledger keeps of a posted round.
/// @param headerDigest EIP-712 digest of the RoundHeader
/// @param entriesRoot root of the padded tree of leaves
/// @param count contributions in the round; the tree has the next power of two leaves
/// @param finalAt time from which the round pays; 2^64 - 1 while it waits for its witnesses
struct Anchor {
    bytes32 headerDigest;
    bytes32 entriesRoot;
    uint64 count;
    uint64 finalAt;
}

/// @title Statements
/// @notice Type hashes and struct hashes (EIP-712) of protocol version 1. Every type is static, so the struct hash is
/// the keccak256 of the type hash and the members' words in order, and memory and calldata hash alike.
library Statements {
    /// @dev EIP-712 domain name and version of every contract that checks statements.
    string internal constant NAME = "Tallystick";
    string internal constant VERSION = "1";

    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "Terms(bytes32 specDigest,address requester,address coordinator,address token,uint64 rounds,"
        "uint128 budgetPerRound,uint128 pricePerNat,uint64 window,uint64 anchorSeconds,uint128 bond,uint128 minStake,"
        "bytes32 witnesses,uint32 threshold,uint64 nonce)"
    );
    bytes32 internal constant CONTRIBUTION_TYPEHASH = keccak256(
        "Contribution(bytes32 job,uint64 round,address node,bytes32 parent,bytes32 baseModel,bytes32 commitment,"
        "uint64 samples,bytes32 report)"
    );
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 job,uint64 round,uint64 seq,address node,bytes32 contribution,bytes32 accumulator,"
        "uint64 receivedAt,uint64 anchorBy)"
    );
    bytes32 internal constant CLOSING_TYPEHASH = keccak256(
        "Closing(bytes32 job,uint64 round,uint64 count,bytes32 accumulator,uint64 closedAt,bytes32 seedDigest)"
    );
    bytes32 internal constant HEADER_TYPEHASH = keccak256(
        "RoundHeader(bytes32 job,uint64 round,bytes32 parent,bytes32 baseModel,bytes32 nextModel,bytes32 entriesRoot,"
        "bytes32 accumulator,uint64 count,uint64 totalWeight,int128 totalScore,uint128 totalGain,uint128 totalReward,"
        "bytes32 aggregate,bytes32 evidence,bytes32 beacon,uint64 openedAt,uint64 closedAt)"
    );
    bytes32 internal constant ACCEPTANCE_TYPEHASH = keccak256("Acceptance(bytes32 job,uint64 deadline)");
    bytes32 internal constant REGISTRATION_TYPEHASH =
        keccak256("Registration(address node,address operator,address payout,uint64 deadline)");
    bytes32 internal constant BODY_TYPEHASH = keccak256(
        "Body(bytes32 contribution,bytes32 signatures,uint8 verdict,uint64 weight,int128 score,int128 credit,"
        "uint128 peak,uint128 gain,uint128 reward,uint64 previousRound,uint64 runningWeight,int128 runningScore,"
        "uint128 runningGain,uint128 runningReward,bytes32 runningAggregate)"
    );

    /// @notice The id of the job these terms describe; no domain in it.
    function hashTerms(Terms calldata terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(TERMS_TYPEHASH, terms));
    }

    function hashContribution(Contribution calldata contribution) internal pure returns (bytes32) {
        return keccak256(abi.encode(CONTRIBUTION_TYPEHASH, contribution));
    }

    function hashReceipt(Receipt calldata receipt) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, receipt));
    }

    function hashClosing(Closing calldata closing) internal pure returns (bytes32) {
        return keccak256(abi.encode(CLOSING_TYPEHASH, closing));
    }

    function hashHeader(RoundHeader calldata header) internal pure returns (bytes32) {
        return keccak256(abi.encode(HEADER_TYPEHASH, header));
    }

    function hashAcceptance(bytes32 job, uint64 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(ACCEPTANCE_TYPEHASH, job, deadline));
    }

    function hashRegistration(Registration calldata registration) internal pure returns (bytes32) {
        return keccak256(abi.encode(REGISTRATION_TYPEHASH, registration));
    }

    function hashBody(Body calldata body) internal pure returns (bytes32) {
        return keccak256(abi.encode(BODY_TYPEHASH, body));
    }

    function hashAnchor(Anchor memory anchor) internal pure returns (bytes32) {
        return keccak256(abi.encode(anchor));
    }

    /// @notice The accumulator of a round before its first receipt.
    function firstAccumulator(bytes32 job, uint64 round, bytes32 parent) internal pure returns (bytes32) {
        return keccak256(abi.encode(job, round, parent));
    }

    /// @notice The accumulator after one more contribution.
    function nextAccumulator(bytes32 accumulator, bytes32 contribution) internal pure returns (bytes32) {
        return keccak256(abi.encode(accumulator, contribution));
    }
}
