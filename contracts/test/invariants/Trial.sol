// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor} from "../../src/Statements.sol";
import {Demand, Fault, IChallengeCourt, PostedRound, ProvenEntry} from "../../src/interfaces/IChallengeCourt.sol";
import {Exhibit, Job} from "../../src/interfaces/IJobLedger.sol";
import {FreezingToken} from "../HostileTokens.sol";
import {Tallies, Tally} from "../Tallies.sol";
import {Carried, CourtStand, RoundFile} from "../court/CourtStand.sol";

/// @title Trial
/// @notice People around one real court, in any order: a coordinator that is honest in one job, lies in another, pays in a
/// token that freezes in a third; challengers who are right, wrong, or friends of the coordinator and its requester, as
/// one purse; nodes that claim. It keeps accounts of its own and knows what must succeed.
contract Trial is CourtStand {
    using Tallies for Tally;

    uint256 internal constant JOBS = 3;
    uint256 internal constant POOL = 5;
    uint64 internal constant ROUNDS = 4;
    bytes32 internal constant SALT = keccak256("salt");

    /// @dev What the trial knows of a round. `lie` is 0 if there is none, `at` its entry.
    struct Memo {
        uint256 lie;
        uint256 at;
        uint256 windowEnd;
        uint256 reward;
        bool struck;
    }

    bytes32[] public jobs;
    uint256 public broken;
    uint256 public upheld;
    uint256 public refused;
    FreezingToken public freezing;
    mapping(bytes32 job => bytes) private _carried;
    mapping(bytes32 job => mapping(uint64 round => bytes)) private _files;
    mapping(bytes32 job => mapping(uint64 round => Memo)) private _memos;
    mapping(bytes32 job => mapping(uint64 round => uint64[])) private _demanded;
    mapping(bytes32 job => mapping(address node => uint256)) private _due;
    uint256 private _clock;

    modifier timed() {
        vm.warp(_clock);
        _;
        _clock = block.timestamp;
    }

    function setUp() public override {
        super.setUp();
        _clock = START;
        for (uint256 i = 0; i < POOL; ++i) {
            registerNode(i);
        }
        jobs.push(job);
        (terms.rounds, terms.nonce) = (ROUNDS, 2);
        jobs.push(openJob(terms));
        freezing = new FreezingToken(requester);
        (terms.token, terms.nonce) = (address(freezing), 3);
        vm.prank(requester);
        freezing.transfer(coordinator, BOND);
        vm.prank(coordinator);
        ledger.depositBond(address(freezing), BOND);
        jobs.push(openJob(terms));
        Carried[] memory none = new Carried[](POOL);
        for (uint256 i = 0; i < JOBS; ++i) {
            _carried[jobs[i]] = abi.encode(none);
        }
    }

    // What people do

    /// @dev Time passes; whoever is honest has answered what was demanded before.
    function pass(uint256 time) external timed {
        answerAll(0);
        vm.warp(block.timestamp + time % 15 minutes);
    }

    function freeze(bool frozen) external timed {
        freezing.freeze(frozen);
    }

    function postNext(uint256 pick, uint256 seed, uint256 lie) external timed {
        _pick(pick);
        uint64 next = uint64(ledger.jobOf(job).posted) + 1;
        seed = random(seed, block.timestamp) / 2;
        RoundFile memory before;
        if (next > 1) before = fileOf(job, next - 1);
        Carried[] memory carried = abi.decode(_carried[job], (Carried[]));
        RoundFile memory file = makeRound(before, carried, seed % KINDS, seed, 1 + seed % 4);
        Memo memory memo;
        if (job != jobs[0] && lie % 3 != 0) (memo.lie, memo.at) = (1 + lie % 5, seed % file.nodes.length);
        _tell(file, memo.lie, memo.at);
        vm.prank(coordinator);
        try ledger.postRound(file.tally.header, file.tally.last(), file.tally.lastProof()) {
            memo.windowEnd = block.timestamp + 1 hours;
            memo.reward = file.tally.header.totalReward;
            finalAtOf[digestOf(file.tally)] = uint64(memo.windowEnd);
            (_files[job][next], _memos[job][next]) = (abi.encode(file), memo);
            _carried[job] = abi.encode(carried);
        } catch {}
    }

    function _tell(RoundFile memory file, uint256 lie, uint256 at) private pure {
        if (lie == 1) file.tally.entries[at].body.verdict = 10;
        if (lie == 2) file.tally.entries[at].body.contribution = keccak256("nobody's");
        if (lie == 3) file.tally.entries[at].body.signatures = keccak256("no signatures");
        if (lie == 4) file.tally.entries[at].body.credit = type(int128).max;
        if (lie == 5) file.tally.header.nextModel = bytes32(uint256(1));
        if (lie != 0) file.tally.seal();
    }

    /// @dev A challenger who is right.
    function challengeTruly(uint256 pick, uint256 round, bool committed) external timed {
        _pick(1 + pick % 2);
        uint64 number = _some(round);
        if (number == 0) return;
        Memo memory memo = _memos[job][number];
        RoundFile memory file = fileOf(job, number);
        if (memo.lie == 0 || memo.lie == 5) return;
        (bytes memory call, Fault fault, bytes32 subject) = _show(file, memo);
        if (call.length == 0) return;
        if (committed) _commit(tribunal.hashFault(fault, job, number, subject));
        _punish(call, number, memo);
    }

    /// @dev The proof of a lie. Contributions that nobody sent and signatures that nobody knows are for demands.
    function _show(RoundFile memory file, Memo memory memo) private view returns (bytes memory, Fault, bytes32) {
        PostedRound memory posted = pointTo(file);
        ProvenEntry memory entry = prove(file, memo.at);
        bytes32 leaf = Tallies.hashLeaf(file.tally.leafOf(memo.at));
        if (memo.lie == 1) {
            return (abi.encodeCall(IChallengeCourt.challengeVerdict, (posted, entry, SALT)), Fault.VerdictUnfit, leaf);
        }
        if (memo.lie == 2) {
            bytes memory call =
                abi.encodeCall(IChallengeCourt.challengeReplaced, (posted, signedReceipt(file, memo.at), entry, SALT));
            return (call, Fault.ReceiptReplaced, Tallies.digestReceipt(domain, file.receipts[memo.at]));
        }
        if (memo.lie != 4) return ("", Fault.None, 0);
        return (abi.encodeCall(IChallengeCourt.challengeUnfounded, (posted, entry, SALT)), Fault.CarryUnfounded, leaf);
    }

    function _commit(bytes32 fault) private {
        bytes32 commitment = tribunal.hashCommitment(challenger, fault, SALT);
        if (tribunal.committedAt(commitment) != 0) return;
        tribunal.commitChallenge(commitment);
        vm.warp(block.timestamp + 1);
    }

    /// @dev What is proven must be upheld while there is anything left to punish, and refused after that.
    function _punish(bytes memory call, uint64 number, Memo memory memo) private {
        Job memory state = ledger.jobOf(job);
        bool standing = !memo.struck && !state.closed && block.timestamp < memo.windowEnd;
        vm.prank(challenger);
        (bool done,) = address(tribunal).call(call);
        _expect(done == (standing || state.bond != 0));
        if (!done) return;
        ++upheld;
        _expect(job != jobs[0]);
        for (uint64 i = number; standing && i <= state.posted; ++i) {
            _memos[job][i].struck = true;
        }
    }

    /// @dev A challenger who is wrong: true exhibits of rounds without a lie, for any fault.
    function challengeFalsely(uint256 pick, uint256 round, uint256 at, uint256 which) external timed {
        _pick(pick);
        uint64 number = _some(round);
        if (number == 0 || _memos[job][number].lie != 0) return;
        RoundFile memory file = fileOf(job, number);
        uint256 seq = at % file.nodes.length;
        bytes memory call = _accuse(file, seq, which % 12);
        vm.prank(challenger);
        (bool done,) = address(tribunal).call(call);
        _expect(!done);
        ++refused;
    }

    function _accuse(RoundFile memory file, uint256 seq, uint256 which) private view returns (bytes memory) {
        PostedRound memory posted = pointTo(file);
        ProvenEntry memory entry = prove(file, seq);
        if (which == 0) return abi.encodeCall(IChallengeCourt.challengeVerdict, (posted, entry, SALT));
        if (which == 1) return abi.encodeCall(IChallengeCourt.challengeUnfounded, (posted, entry, SALT));
        if (which == 2) return abi.encodeCall(IChallengeCourt.challengeFirstTotals, (posted, entry, SALT));
        if (which == 3) {
            return
                abi.encodeCall(
                    IChallengeCourt.challengeTotals, (posted, prove(file, seq == 0 ? 0 : seq - 1), entry, SALT)
                );
        }
        if (which == 4) return abi.encodeCall(IChallengeCourt.challengeTwice, (posted, entry, prove(file, 0), SALT));
        if (which == 5) {
            return
                abi.encodeCall(
                    IChallengeCourt.challengeReplaced, (posted, signedReceipt(file, seq), prove(file, 0), SALT)
                );
        }
        if (which == 6) {
            return abi.encodeCall(IChallengeCourt.challengeMissing, (posted, signedReceipt(file, seq), SALT));
        }
        if (which == 7) {
            return abi.encodeCall(IChallengeCourt.challengeDropped, (posted, signedReceipt(file, seq), SALT));
        }
        if (which == 8) {
            return abi.encodeCall(IChallengeCourt.challengeClosing, (posted, file.tally.header, file.closing, SALT));
        }
        if (which == 9) {
            return abi.encodeCall(IChallengeCourt.challengePosted, (posted, signedHeader(file.tally), SALT));
        }
        if (which == 10) return abi.encodeCall(IChallengeCourt.challengeUnanswered, (posted, uint64(seq), SALT));
        return abi.encodeCall(IChallengeCourt.challengeSignatures, (posted, entry, signaturesOf(file, seq), SALT));
    }

    function demand(uint256 pick, uint256 round, uint256 at) external timed {
        _pick(pick);
        uint64 number = _some(round);
        if (number == 0) return;
        RoundFile memory file = fileOf(job, number);
        uint64 seq = uint64(at % (file.tally.hashes.length / 2));
        vm.deal(address(this), 1 ether);
        try tribunal.demand{value: 1000}(pointTo(file), seq) {
            _demanded[job][number].push(seq);
        } catch {}
    }

    /// @dev The coordinator answers all it can; in a job without lies that is everything.
    function answerAll(uint256 pick) public {
        _pick(pick);
        for (uint64 number = 1; number <= ledger.jobOf(job).posted; ++number) {
            for (uint256 i = 0; i < _demanded[job][number].length; ++i) {
                uint64 seq = _demanded[job][number][i];
                Demand memory state = tribunal.demandOf(job, number, seq);
                if (state.answered || block.timestamp > state.answerBy) continue;
                RoundFile memory file = fileOf(job, number);
                (bool done,) =
                    address(tribunal).call(seq < file.nodes.length ? _answer(file, seq) : _padding(file, seq));
                _expect(done || job != jobs[0]);
            }
        }
    }

    function challengeSilence(uint256 pick, uint256 round, uint256 at) external timed {
        _pick(pick);
        uint64 number = _some(round);
        if (number == 0 || _demanded[job][number].length == 0) return;
        uint64 seq = _demanded[job][number][at % _demanded[job][number].length];
        Demand memory state = tribunal.demandOf(job, number, seq);
        if (state.answered || block.timestamp <= state.answerBy) return;
        RoundFile memory file = fileOf(job, number);
        bytes memory call = abi.encodeCall(IChallengeCourt.challengeUnanswered, (pointTo(file), seq, SALT));
        _punish(call, number, _memos[job][number]);
    }

    function _answer(RoundFile memory file, uint64 seq) private view returns (bytes memory) {
        Exhibit memory exhibit;
        exhibit.anchor = anchorOf(file.tally);
        (exhibit.entry, exhibit.proof) = (file.tally.entries[seq], file.tally.proof(seq));
        (exhibit.contribution, exhibit.receipt) = (file.contributions[seq], file.receipts[seq]);
        exhibit.nodeSignature = signDigest(NODE_KEYS + file.nodes[seq], file.receipts[seq].contribution);
        exhibit.receiptSignature = sign(COORDINATOR_KEY, hashOf(file.receipts[seq]));
        Anchor memory anchor;
        ProvenEntry memory previous;
        uint64 before = exhibit.entry.body.previousRound;
        if (before != 0) {
            RoundFile memory earlier = fileOf(job, before);
            anchor = anchorOf(earlier.tally);
            for (uint256 i = 0; i < earlier.nodes.length; ++i) {
                if (earlier.nodes[i] == file.nodes[seq]) previous = prove(earlier, i);
            }
        }
        return abi.encodeCall(IChallengeCourt.answer, (exhibit, anchor, previous));
    }

    function _padding(RoundFile memory file, uint64 seq) private view returns (bytes memory) {
        return abi.encodeCall(IChallengeCourt.answerPadding, (pointTo(file), seq, file.tally.proof(seq)));
    }

    /// @dev Claims of one round, in the order the seed gives; in the honest job each pays exactly what is due.
    function claimAll(uint256 pick, uint256 round, uint256 from) external timed {
        _pick(pick);
        uint64 number = _some(round);
        if (number == 0) return;
        RoundFile memory file = fileOf(job, number);
        for (uint256 i = 0; i < file.nodes.length; ++i) {
            uint256 seq = (i + from % file.nodes.length) % file.nodes.length;
            uint256 drawn = ledger.claimedOf(job, file.tally.entries[seq].node);
            bool isDue = block.timestamp >= _memos[job][number].windowEnd && !_memos[job][number].struck
                && file.tally.entries[seq].earned > drawn;
            try ledger.claim(job, number, anchorOf(file.tally), file.tally.leafOf(seq), file.tally.proof(seq)) {
                _expect(isDue);
            } catch {
                _expect(!isDue || job != jobs[0]);
            }
        }
    }

    function settle(uint256 pick, uint256 round) external timed {
        _pick(pick);
        uint64 number = _some(round);
        if (number == 0) return;
        RoundFile memory file = fileOf(job, number);
        Memo memory memo = _memos[job][number];
        if (memo.lie == 0 || memo.lie == 5) return;
        (, Fault fault, bytes32 subject) = _show(file, memo);
        bytes32 id = tribunal.hashFault(fault, job, number, subject);
        if (subject == 0) return;
        if (round % 2 == 0) {
            vm.prank(challenger);
            try tribunal.openCommitment(job, id, SALT) {} catch {}
        }
        try tribunal.settleBounty(job, id) {} catch {}
    }

    function close(uint256 pick, bool late) external timed {
        _pick(pick);
        vm.prank(requester);
        try ledger.requestClose(job) {} catch {}
        if (late) {
            answerAll(0);
            vm.warp(block.timestamp + 1 days);
        }
        try ledger.closeJob(job) {} catch {}
        try ledger.releaseBond(job) {} catch {}
    }

    /// @notice Everybody takes what is theirs: time passes, jobs end, bonds of demands go back, nodes claim.
    function end() external timed {
        answerAll(0);
        for (uint256 i = 0; i < JOBS; ++i) {
            job = jobs[i];
            vm.prank(requester);
            try ledger.requestClose(job) {} catch {}
        }
        freezing.freeze(false);
        vm.warp(block.timestamp + 20 days);
        for (uint256 i = 0; i < JOBS; ++i) {
            job = jobs[i];
            if (!ledger.jobOf(job).closed) ledger.closeJob(job);
            try ledger.releaseBond(job) {} catch {}
            for (uint64 round = 1; round <= ledger.jobOf(job).posted; ++round) {
                _takeBack(round);
            }
        }
        if (tribunal.coinOf(address(this)) != 0) tribunal.withdrawCoin(address(1));
    }

    function _takeBack(uint64 round) private {
        for (uint256 i = 0; i < _demanded[job][round].length; ++i) {
            try tribunal.reclaimDemand(job, round, _demanded[job][round][i]) {} catch {}
        }
        RoundFile memory file = fileOf(job, round);
        for (uint256 seq = 0; seq < file.nodes.length; ++seq) {
            try ledger.claim(job, round, anchorOf(file.tally), file.tally.leafOf(seq), file.tally.proof(seq)) {}
                catch {}
        }
    }

    // What the trial knows

    /// @notice What posted rounds of a job have cost its requester and coordinator: rewards, or whole budgets.
    function costOf(uint256 pick) external view returns (uint256 cost) {
        bytes32 id = jobs[pick];
        for (uint64 i = 1; i <= ledger.jobOf(id).posted; ++i) {
            cost += _memos[id][i].struck ? BUDGET : _memos[id][i].reward;
        }
    }

    function fileOf(bytes32 id, uint64 round) public view returns (RoundFile memory) {
        return abi.decode(_files[id][round], (RoundFile));
    }

    function contracts() external view returns (address, address, address, address) {
        return (address(ledger), address(tribunal), address(token), address(freezing));
    }

    /// @notice Native coin that the court owes: bonds of open demands, and what was credited.
    function coinOwed() external view returns (uint256 owed) {
        owed = tribunal.coinOf(address(this));
        for (uint256 i = 0; i < JOBS; ++i) {
            for (uint64 round = 1; round <= ROUNDS * 2; ++round) {
                uint64[] storage asked = _demanded[jobs[i]][round];
                for (uint256 j = 0; j < asked.length; ++j) {
                    owed += tribunal.demandOf(jobs[i], round, asked[j]).bond;
                }
            }
        }
    }

    function people() external view returns (address, address, address) {
        return (requester, coordinator, challenger);
    }

    function _pick(uint256 pick) private {
        job = jobs[pick % JOBS];
    }

    /// @dev Some posted round, 0 if there is none.
    function _some(uint256 round) private view returns (uint64) {
        uint256 posted = ledger.jobOf(job).posted;
        return posted == 0 ? 0 : uint64(1 + round % posted);
    }

    function _expect(bool held) private {
        if (!held) ++broken;
    }
}
