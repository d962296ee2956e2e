// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor, Closing, Contribution, Entry, Receipt, RoundHeader, Terms} from "../Statements.sol";
import {Exhibit} from "./IJobLedger.sol";

/// @notice What can be proven against a coordinator; each value has one function of the court, and each says in its last
/// words what the subject of its fault id is.
enum Fault {
    None,
    ReceiptReplaced,
    ReceiptDropped,
    RoundMissing,
    ReceiptsConflict,
    ReceiptsBroken,
    FirstReceiptBroken,
    LastReceiptBroken,
    ClosingsConflict,
    ClosingExceeded,
    ClosingDiffers,
    HeadersConflict,
    HeaderReplaced,
    ModelBroken,
    ContributionAltered,
    SignaturesFalse,
    CountedTwice,
    FirstTotalsWrong,
    TotalsWrong,
    VerdictUnfit,
    RewardWrong,
    CarryUnfounded,
    CarryWrong,
    EntrySkipped,
    DemandUnanswered
}

/// @notice A receipt with the coordinator's signature: 65 bytes r, s, v; canonical. So are all signatures here.
struct SignedReceipt {
    Receipt receipt;
    bytes signature;
}

struct SignedClosing {
    Closing closing;
    bytes signature;
}

struct SignedHeader {
    RoundHeader header;
    bytes signature;
}

/// @notice A contribution with its node's signature.
struct SignedContribution {
    Contribution contribution;
    bytes signature;
}

/// @notice An entry and its proof in the entries' tree of the round it is shown for, ceil(log2(count)) words.
struct ProvenEntry {
    Entry entry;
    bytes32[] proof;
}

/// @notice A round and, if it is posted, the four words that the ledger keeps the hash of.
struct PostedRound {
    bytes32 job;
    uint64 round;
    Anchor anchor;
}

/// @notice What the court keeps of a demand.
/// @param demander who asked, and gets the bond back if nobody answers in time
/// @param bond native coin in wei for whoever answers; 0 once it was credited
/// @param answerBy until when an answer counts, inclusive; 0 if nothing was demanded
/// @param answered whether the entry was shown
struct Demand {
    address demander;
    uint96 bond;
    uint64 answerBy;
    bool answered;
}

/// @notice A bounty that was cut by a proof whose sender had committed to nothing before.
/// @param challenger who opened the earliest commitment so far; zero if nobody did
/// @param committedAt when that commitment was made
/// @param provenAt when the proof was upheld; 0 if no bounty waits. Only earlier commitments count
struct WaitingBounty {
    address challenger;
    uint48 committedAt;
    uint48 provenAt;
}

/// @title IChallengeCourt
/// @notice Checks proofs of fault and tells the ledger and the registry; it moves no token. Its constructor checks that
/// the ledger and the registry name it.
///
/// Exhibits. Nothing is believed: statements are hashed in the ledger's EIP-712 domain and count by the signature of the
/// job's coordinator or of the node; entries count by their proof under an anchor, and an anchor by the ledger's word
/// for its round. `posted` names the job and the round that every other exhibit must be of. Where the round is not posted
/// (yet), which only challenges of signed statements allow, its anchor is not read: send zeros.
///
/// Upheld. The ledger strikes the round (IJobLedger.reject says what that costs) and cuts the bond. If the sender made a
/// commitment to this very fault earlier (by the blocks' clock), the bounty is credited to the sender's free funds in the
/// ledger at once. Else it waits for the job's `window` seconds: whoever opens the earliest prior commitment to the same
/// fault is credited by `settleBounty`, and if there is none the bounty is burned. A challenge that shows no fault reverts with
/// ChallengeCourt_NotProven and changes nothing.
///
/// Fault ids. A commitment is `hashCommitment(sender, fault id, salt)`; a fault id is `hashFault(fault, job, round,
/// subject)`. `pair(a, b)` below is keccak256 of both words, the smaller first; "leaf" is the hash of an entry's leaf in
/// the tree. A salt that opens no commitment, such as zero, is no error.
interface IChallengeCourt {
    event ChallengeCommitted(bytes32 indexed commitment, address indexed sender);

    /// @param fault kind of the fault, not its id
    /// @param faultId hashFault of kind, job, round and subject
    /// @param challenger who sent the proof
    /// @param waitsUntil when the waiting of the bounty ends; 0 if it was credited at once or there is none
    event ChallengeUpheld(
        bytes32 indexed job,
        uint64 indexed round,
        Fault indexed fault,
        bytes32 faultId,
        address challenger,
        uint64 waitsUntil
    );

    /// @param committedAt when the commitment was made
    event CommitmentOpened(
        bytes32 indexed job, bytes32 indexed faultId, address indexed challenger, uint64 committedAt
    );

    /// @param answerBy until when an answer counts, inclusive
    /// @param windowEnd until when a challenge strikes the round
    event EntryDemanded(
        bytes32 indexed job,
        uint64 indexed round,
        uint64 indexed seq,
        address demander,
        uint256 bond,
        uint64 answerBy,
        uint64 windowEnd
    );

    /// @notice An entry was shown in full. `previous` is empty if the entry has no previous round.
    event DemandAnswered(
        bytes32 indexed job,
        uint64 indexed round,
        uint64 indexed seq,
        address answerer,
        Exhibit exhibit,
        ProvenEntry previous
    );

    /// @notice A leaf was shown to be padding.
    event PaddingShown(bytes32 indexed job, uint64 indexed round, uint64 indexed seq, address answerer);

    /// @param burned base units of the registry's stake token
    event NodeEquivocated(bytes32 indexed job, uint64 indexed round, address indexed node, uint256 burned);

    event CoinCredited(address indexed account, uint256 amount);
    event CoinWithdrawn(address indexed account, address indexed to, uint256 amount);

    // Commitments and bounties

    /// @notice Commits the sender to a fault that will be shown later, so that whoever copies the proof gains nothing.
    /// Reverts if this commitment was made before.
    /// @param commitment hashCommitment(sender, fault id, salt)
    function commitChallenge(bytes32 commitment) external;

    /// @notice Opens the sender's commitment to a fault whose bounty waits. Reverts unless it was made before the proof
    /// was sent, and before any that was opened so far.
    function openCommitment(bytes32 job, bytes32 faultId, bytes32 salt) external;

    /// @notice Credits a waiting bounty to whoever opened the earliest commitment, or burns it if nobody did. Sent by
    /// anyone, from `window` seconds after the proof on.
    function settleBounty(bytes32 job, bytes32 faultId) external;

    // Receipts

    /// @notice ReceiptReplaced: a receipt's seq holds another contribution or node in the posted tree. Subject: digest
    /// of the receipt.
    function challengeReplaced(
        PostedRound calldata posted,
        SignedReceipt calldata receipt,
        ProvenEntry calldata entry,
        bytes32 salt
    ) external;

    /// @notice ReceiptDropped: the posted round has no such seq. Subject: digest of the receipt.
    function challengeDropped(PostedRound calldata posted, SignedReceipt calldata receipt, bytes32 salt) external;

    /// @notice RoundMissing: the receipt's round is not posted, `anchorBy` is over, and the job was not halted before
    /// that round by a rejection or by missing attestations. That the job was closed is no excuse. The anchor is not read. Subject: digest of
    /// the receipt.
    function challengeMissing(PostedRound calldata posted, SignedReceipt calldata receipt, bytes32 salt) external;

    /// @notice ReceiptsConflict: two different receipts of one round share their seq, their contribution or their node.
    /// Subject: pair(digests).
    function challengeReceipts(
        PostedRound calldata posted,
        SignedReceipt calldata one,
        SignedReceipt calldata other,
        bytes32 salt
    ) external;

    /// @notice ReceiptsBroken: the accumulator of the receipt at seq i + 1 does not follow from that at i. Subject:
    /// digest of the later receipt.
    function challengeReceiptLink(
        PostedRound calldata posted,
        SignedReceipt calldata before,
        SignedReceipt calldata later,
        bytes32 salt
    ) external;

    /// @notice FirstReceiptBroken: the accumulator of the receipt with seq 0 does not follow from the start of its round.
    /// Subject: digest of the receipt.
    /// @param contribution the receipt's: it names the parent that the round starts from
    function challengeFirstReceipt(
        PostedRound calldata posted,
        SignedReceipt calldata receipt,
        Contribution calldata contribution,
        bytes32 salt
    ) external;

    /// @notice LastReceiptBroken: the accumulator of the receipt with seq = count - 1 is not that of the posted header.
    /// Subject: digest of the receipt.
    function challengeLastReceipt(
        PostedRound calldata posted,
        RoundHeader calldata header,
        SignedReceipt calldata receipt,
        bytes32 salt
    ) external;

    // Closings and headers

    /// @notice ClosingsConflict: two different closings of one round. Subject: pair(digests).
    function challengeClosings(
        PostedRound calldata posted,
        SignedClosing calldata one,
        SignedClosing calldata other,
        bytes32 salt
    ) external;

    /// @notice ClosingExceeded: a receipt of the closing's round has a seq that the closing does not count, or the last
    /// one it counts has another accumulator. Subject: digest of the receipt.
    function challengeExceeded(
        PostedRound calldata posted,
        SignedClosing calldata closing,
        SignedReceipt calldata receipt,
        bytes32 salt
    ) external;

    /// @notice ClosingDiffers: the posted header has another count, accumulator or closing time than the closing.
    /// Subject: digest of the closing.
    function challengeClosing(
        PostedRound calldata posted,
        RoundHeader calldata header,
        SignedClosing calldata closing,
        bytes32 salt
    ) external;

    /// @notice HeadersConflict: two different headers of one round. Subject: pair(digests).
    function challengeHeaders(
        PostedRound calldata posted,
        SignedHeader calldata one,
        SignedHeader calldata other,
        bytes32 salt
    ) external;

    /// @notice HeaderReplaced: the round was posted with another header than the one that was signed. Subject: digest of
    /// the signed header.
    function challengePosted(PostedRound calldata posted, SignedHeader calldata header, bytes32 salt) external;

    /// @notice ModelBroken: the posted header's base model is not the next model of its parent, or nothing in it has
    /// weight and yet its next model is not its base model. Subject: digest of the posted header.
    /// @dev Round 1 has no parent header: its base model is held against the spec off chain, by nodes and audits.
    /// @param parent the header whose digest is `header.parent`; not read where the second is shown
    function challengeModel(
        PostedRound calldata posted,
        RoundHeader calldata header,
        RoundHeader calldata parent,
        bytes32 salt
    ) external;

    // Entries of one round

    /// @notice ContributionAltered: the contribution that an entry names is one for another job, round, node, parent or
    /// base model than the posted header's. Subject: leaf.
    function challengeContribution(
        PostedRound calldata posted,
        RoundHeader calldata header,
        ProvenEntry calldata entry,
        Contribution calldata contribution,
        bytes32 salt
    ) external;

    /// @notice SignaturesFalse: the bytes whose hash an entry names as `signatures` are not 130, or the first 65 are not
    /// the node's signature of the entry's contribution. Subject: leaf.
    /// @dev Of the receipt's signature nothing can be shown without the receipt: `demand` it.
    function challengeSignatures(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        bytes calldata signatures,
        bytes32 salt
    ) external;

    /// @notice CountedTwice: two different entries of one round share their seq, their node or their contribution.
    /// Subject: pair(leaves).
    function challengeTwice(
        PostedRound calldata posted,
        ProvenEntry calldata one,
        ProvenEntry calldata other,
        bytes32 salt
    ) external;

    /// @notice FirstTotalsWrong: the running totals of the entry with seq 0 are not its own values. Subject: leaf.
    function challengeFirstTotals(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external;

    /// @notice TotalsWrong: the running totals of the entry with seq i + 1 are not those of the entry with seq i and its
    /// own values, or one of the two is void (verdict 9) and the other is not. Subject: leaf of the later entry.
    /// @dev That the last entry's totals are the header's was checked when the round was posted.
    function challengeTotals(
        PostedRound calldata posted,
        ProvenEntry calldata before,
        ProvenEntry calldata later,
        bytes32 salt
    ) external;

    /// @notice VerdictUnfit: an entry has a verdict that does not exist, or one other than 0 and yet weight or score.
    /// Subject: leaf.
    function challengeVerdict(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external;

    /// @notice RewardWrong: the reward is not floor(pot * gain / totalGain), where pot = min(budgetPerRound,
    /// floor(pricePerNat * min(totalScore, totalGain) / 2^40)), and 0 where there is no pot or no gain. Subject: leaf.
    /// @param terms of the job; their hash is its id
    function challengeReward(
        PostedRound calldata posted,
        RoundHeader calldata header,
        Terms calldata terms,
        ProvenEntry calldata entry,
        bytes32 salt
    ) external;

    // Entries of one node in several rounds

    /// @notice CarryUnfounded: an entry stands on no earlier one (`previousRound = 0`) and credit, peak, gain and earned
    /// are not this round's own; or on one of this or a later round; or, whatever it stands on, credit exceeds peak,
    /// gain exceeds peak or reward exceeds earned. Subject: leaf.
    function challengeUnfounded(PostedRound calldata posted, ProvenEntry calldata entry, bytes32 salt) external;

    /// @notice CarryWrong: credit, peak, gain or earned do not follow from the node's entry in `previousRound`. Subject:
    /// leaf of the later entry.
    /// @dev That the node has no entry in `previousRound` at all is for `demand`: it cannot be answered.
    /// @param previous anchor of the round that the entry names as its previous one
    function challengeCarry(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        Anchor calldata previous,
        ProvenEntry calldata previousEntry,
        bytes32 salt
    ) external;

    /// @notice EntrySkipped: the node has an entry in a round strictly between `previousRound` (0 included) and this one.
    /// Subject: leaf of the later entry.
    /// @param between a posted round of the same job
    /// @param skipped the node's entry in it
    function challengeSkipped(
        PostedRound calldata posted,
        ProvenEntry calldata entry,
        PostedRound calldata between,
        ProvenEntry calldata skipped,
        bytes32 salt
    ) external;

    // Demands

    /// @notice Asks for the entry at a seq of a posted, standing round, within the first third of its window; padding can
    /// be asked for too. Once per seq. The value must be at least `demandGas() * tx.gasprice`; it is credited to whoever
    /// answers, and back to the sender if nobody does in time.
    function demand(PostedRound calldata posted, uint64 seq) external payable;

    /// @notice Shows a demanded entry, within the second third of the window: everything that proves it (as
    /// IJobLedger.verifyContribution checks it) and the node's entry in `previousRound`. Sent by anyone; credits the
    /// demand bond to the sender.
    /// @param previousAnchor and
    /// @param previous of the round that the entry names; not read where it names none
    function answer(Exhibit calldata exhibit, Anchor calldata previousAnchor, ProvenEntry calldata previous) external;

    /// @notice Shows that a demanded seq is padding: seq >= count and every other field of the leaf is zero. Sent by
    /// anyone; credits the demand bond to the sender.
    function answerPadding(PostedRound calldata posted, uint64 seq, bytes32[] calldata proof) external;

    /// @notice DemandUnanswered: a demand was not answered in time, and its round was neither struck nor lapsed. Credits
    /// the demand bond back to the demander. Subject: the seq.
    function challengeUnanswered(PostedRound calldata posted, uint64 seq, bytes32 salt) external;

    /// @notice Credits the bond of a demand that nobody answered in time back to the demander. Sent by anyone.
    function reclaimDemand(bytes32 job, uint64 round, uint64 seq) external;

    /// @notice Sends the sender's credited native coin to `to`.
    function withdrawCoin(address to) external;

    // Nodes

    /// @notice A node signed two different contributions for one job and round: at most the job's minimum stake is
    /// burned, once per job; nothing goes to the sender.
    function challengeNode(SignedContribution calldata one, SignedContribution calldata other) external;

    // Views

    /// @notice When a commitment was made; 0 if it never was.
    function committedAt(bytes32 commitment) external view returns (uint64);

    function demandOf(bytes32 job, uint64 round, uint64 seq) external view returns (Demand memory);

    function waitingBountyOf(bytes32 job, bytes32 faultId) external view returns (WaitingBounty memory);

    /// @notice Gas that an answer takes at most: a demand brings so many times its own gas price.
    function demandGas() external view returns (uint256);

    /// @notice Credited native coin of an account, in wei.
    function coinOf(address account) external view returns (uint256);

    /// @notice keccak256(abi.encode(fault, job, round, subject)).
    function hashFault(Fault fault, bytes32 job, uint64 round, bytes32 subject) external pure returns (bytes32);

    /// @notice keccak256(abi.encode(challenger, faultId, salt)).
    function hashCommitment(address challenger, bytes32 faultId, bytes32 salt) external pure returns (bytes32);

    function ledger() external view returns (address);

    function registry() external view returns (address);
}
