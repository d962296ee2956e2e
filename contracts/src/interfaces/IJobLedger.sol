// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor, Contribution, Entry, Leaf, Receipt, RoundHeader, Terms} from "../Statements.sol";

/// @notice How the rounds of a job become final.
enum Finality {
    Unknown,
    ByWindow,
    ByWitnesses
}

/// @notice What the ledger keeps of a job, in seven slots: a claim touches the first, a header the first five.
/// @param paid base units claimed so far
/// @param claimable sum of `totalReward` up to the newest final round that was claimed from: the cap of `paid`
/// @param halted rounds from this one on are struck and none is posted any more; 0 while the job runs
/// @param finality by the end of the window, or by attestation; Unknown where there is no such job
/// @param coordinator posts the job's rounds
/// @param posted the last posted round, 0 if none
/// @param attested the last round the quorum attested
/// @param windowEnd until when the last posted round can be challenged
/// @param token of escrow, bond and rewards
/// @param closesAt when the requested close takes effect; 0 if none was requested
/// @param window seconds in which a posted round can be challenged; also the grace after the last finality
/// @param rounds how many rounds the escrow covers
/// @param lastHeader digest of the last posted header; the job id before the first
/// @param budgetPerRound the most one round can pay
/// @param minStake the most a node can lose by equivocating in this job, in base units of the registry's stake token
/// @param requester gets back what is not earned
/// @param anchorSeconds seconds after its reveal phase by which a round must be on chain
/// @param burnedRounds budgets burned by rejection
/// @param closed whether what was left has been returned
/// @param bond what is locked of the coordinator's; 0 once cut or released
/// @param bounty the challenger's part of a cut bond that nobody has been awarded yet
struct Job {
    uint96 paid;
    uint96 claimable;
    uint32 halted;
    Finality finality;
    address coordinator;
    uint24 posted;
    uint24 attested;
    uint40 windowEnd;
    address token;
    uint40 closesAt;
    uint32 window;
    uint24 rounds;
    bytes32 lastHeader;
    uint128 budgetPerRound;
    uint128 minStake;
    address requester;
    uint32 anchorSeconds;
    uint24 burnedRounds;
    bool closed;
    uint128 bond;
    uint128 bounty;
}

/// @notice What the ledger keeps of a posted round: two slots, three in a job with witnesses.
/// @param anchor hash of the round's four Anchor words
/// @param token the job's, so that a claim finds it beside `rewards`
/// @param rewards sum of `totalReward` of this and all earlier rounds
/// @param attestBy until when the quorum can attest the round, the end of its window; 0 in a job without witnesses
struct Round {
    bytes32 anchor;
    address token;
    uint96 rewards;
    uint64 attestBy;
}

/// @notice Where a job's escrow is: `funded = paid + payable_ + free + refunded + burned`, always.
struct Account {
    uint256 funded;
    uint256 paid;
    uint256 payable_;
    uint256 free;
    uint256 refunded;
    uint256 burned;
}

/// @notice One item of `claimMany`.
struct Claim {
    Leaf leaf;
    bytes32[] proof;
}

/// @notice All that proves one contribution.
struct Exhibit {
    Anchor anchor;
    Entry entry;
    bytes32[] proof;
    Contribution contribution;
    bytes nodeSignature;
    Receipt receipt;
    bytes receiptSignature;
}

/// @title IJobLedger
/// @notice Escrow, bond and rounds of every job. No owner, no proxy; the registry, the court and the quorum are fixed at
/// deployment, and either of the last two may be the zero address. Its EIP-712 domain (ERC-5267) is that of every
/// statement but Registration. A round is final when its window is over, or, in a job with witnesses, when the quorum
/// attested it; a final round is never struck. Burned tokens stay in the contract, in nobody's balance.
interface IJobLedger {
    event BondDeposited(address indexed token, address indexed account, uint256 amount);
    event FundsWithdrawn(address indexed token, address indexed account, address indexed to, uint256 amount);
    event JobOpened(bytes32 indexed job, address indexed requester, address indexed coordinator, Terms terms);
    /// @param finalAt 2^64 - 1 in a job with witnesses
    /// @param windowEnd until when the round can be challenged
    event RoundPosted(
        bytes32 indexed job,
        uint64 indexed round,
        bytes32 indexed headerDigest,
        RoundHeader header,
        uint64 finalAt,
        uint64 windowEnd
    );
    event RoundAttested(bytes32 indexed job, uint64 indexed round, bytes32 indexed headerDigest, uint64 finalAt);
    /// @param earned what the node has now drawn in this job
    event Claimed(
        bytes32 indexed job, address indexed node, address indexed payout, uint64 round, uint256 amount, uint256 earned
    );
    /// @param reason the error with which `claim` would have refused this item
    event ClaimFailed(bytes32 indexed job, address indexed node, uint64 round, uint64 seq, bytes reason);
    /// @param burned base units of escrow burned by this rejection
    event RoundRejected(bytes32 indexed job, uint64 indexed round, uint256 burned);
    event RoundLapsed(bytes32 indexed job, uint64 indexed round);
    /// @param challenger zero while the bounty waits
    event BondCut(bytes32 indexed job, address indexed challenger, uint256 bounty, uint256 burned);
    /// @param challenger zero if the bounty was burned
    event BountySettled(bytes32 indexed job, address indexed challenger, uint256 amount);
    event CloseRequested(bytes32 indexed job, address indexed by, uint64 closesAt);
    event JobClosed(bytes32 indexed job, address indexed requester, uint256 refunded);
    event BondReleased(bytes32 indexed job, address indexed coordinator, uint256 amount);

    // Money of accounts

    /// @notice Takes `amount` of `token` from the sender into the sender's free funds, from which `openJob` locks bonds.
    /// Reverts unless exactly `amount` arrives.
    function depositBond(address token, uint256 amount) external;

    /// @notice Sends `amount` of the sender's free funds (deposits, released bonds, refunds, bounties) to `to`.
    function withdraw(address token, address to, uint256 amount) external;

    // Life of a job

    /// @notice Opens a job: locks the coordinator's bond and pulls `rounds * budgetPerRound` from the sender.
    /// @param terms the sender must be `terms.requester`
    /// @param deadline of the coordinator's Acceptance, in seconds since the epoch, inclusive
    /// @param signature of the Acceptance by `terms.coordinator`: 65 bytes r, s, v; canonical
    /// @return job struct hash of the terms
    function openJob(Terms calldata terms, uint64 deadline, bytes calldata signature) external returns (bytes32 job);

    /// @notice Anchors the next round. Sent by the coordinator.
    /// @dev Not checked here, provable in court: `baseModel`, every entry but the last, `totalReward` against the pot.
    /// @param header the round's totals must equal the running totals of `lastEntry`
    /// @param lastEntry the entry with `seq = count - 1`
    /// @param proof of `lastEntry` in `header.entriesRoot`, ceil(log2(count)) words
    /// @return headerDigest EIP-712 digest of the header, the parent of the next round
    function postRound(RoundHeader calldata header, Entry calldata lastEntry, bytes32[] calldata proof)
        external
        returns (bytes32 headerDigest);

    /// @notice Announces that the job shall end, `2 * anchorSeconds + window` from now: until then every receipt that
    /// was given can be honoured or shown to be broken. Sent by the requester or the coordinator, once.
    function requestClose(bytes32 job) external;

    /// @notice Ends a job and credits what is left to the requester's free funds. Sent by anyone, once every standing
    /// round is final and the job is halted, has posted its last round, or has a close request in effect.
    /// What nodes earned stays claimable for ever.
    function closeJob(bytes32 job) external;

    /// @notice Moves the bond of a closed job to the coordinator's free funds, after the grace period. Sent by anyone.
    function releaseBond(bytes32 job) external;

    // Claims

    /// @notice Pays what the node has earned up to this round and not yet drawn, to its payout address. Sent by anyone.
    /// @return amount base units paid
    function claim(bytes32 job, uint64 round, Anchor calldata anchor, Leaf calldata leaf, bytes32[] calldata proof)
        external
        returns (uint256 amount);

    /// @notice Claims for many nodes of one round. An item that fails is reported by `ClaimFailed` and changes nothing;
    /// a transfer gets at most TRANSFER_GAS. Reverts as a whole if the round itself cannot be claimed from, or if too
    /// little gas is left to give an item its share.
    /// @return amount base units paid in all
    function claimMany(bytes32 job, uint64 round, Anchor calldata anchor, Claim[] calldata claims)
        external
        returns (uint256 amount);

    // Entries of the court and the quorum

    /// @notice Punishes a proven fault of `round`. Sent by the court only.
    /// @dev A posted round that is not final is struck with all after it, and a budget is burned for each. A round
    /// that is not posted halts the job at the first missing round and burns one budget; its anchor must have no count. The
    /// bond, if not cut before, is cut whole: `bond / BOUNTY_DIVISOR` to the challenger, the rest burned. A final or already struck round, or a
    /// closed job, loses the bond only. Reverts if there is nothing left to punish.
    /// @param anchor the words of the round, verified where the round is posted or they have a count
    /// @param challenger credited with the bounty at once; zero lets it wait for `settleBounty`
    /// @return waiting base units that now wait, 0 if none
    /// @return window the job's, in seconds
    function reject(bytes32 job, uint64 round, Anchor calldata anchor, address challenger)
        external
        returns (uint256 waiting, uint256 window);

    /// @notice Credits a waiting bounty to the challenger, or burns it if that is zero. Sent by the court only.
    function settleBounty(bytes32 job, address challenger) external;

    /// @notice Makes the next round of a job with witnesses final at once, within its window. Sent by the quorum only.
    /// @param anchor the words as posted; their `finalAt` becomes the present
    function attest(bytes32 job, uint64 round, Anchor calldata anchor) external;

    /// @notice Halts a job with witnesses at its first round that was not attested within its window. Nothing is burned
    /// and the bond is untouched. Sent by anyone.
    function lapse(bytes32 job) external;

    // Views

    /// @notice Reverts unless the exhibit proves one contribution: entry in the anchored tree of a standing round,
    /// contribution signed by the node, receipt signed by the coordinator, both signatures those the entry names.
    function verifyContribution(Exhibit calldata exhibit) external view;

    /// @notice Reverts unless these are the words of a posted round, struck or not.
    function verifyAnchor(bytes32 job, uint64 round, Anchor calldata anchor) external view;

    /// @notice Whether these are the words of a posted round that was not struck and can no longer be.
    function isFinal(bytes32 job, uint64 round, Anchor calldata anchor) external view returns (bool);

    function jobOf(bytes32 job) external view returns (Job memory);

    /// @notice Zero if there is no such job.
    function coordinatorOf(bytes32 job) external view returns (address);

    function roundOf(bytes32 job, uint64 round) external view returns (Round memory);

    function accountOf(bytes32 job) external view returns (Account memory);

    /// @notice Base units the node has drawn in this job.
    function claimedOf(bytes32 job, address node) external view returns (uint256);

    /// @notice Free funds of an account.
    function fundsOf(address token, address account) external view returns (uint256);

    /// @notice When the bond of a closed job is released.
    function bondFreeAt(bytes32 job) external view returns (uint256);

    function minStakeOf(bytes32 job) external view returns (uint256);

    function hashTerms(Terms calldata terms) external pure returns (bytes32);

    function domainSeparator() external view returns (bytes32);

    function registry() external view returns (address);

    function court() external view returns (address);

    function quorum() external view returns (address);
}
