// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Anchor, Terms} from "../../src/Statements.sol";
import {Claim} from "../../src/interfaces/IJobLedger.sol";
import {Stand} from "../Stand.sol";
import {Tallies, Tally} from "../Tallies.sol";

/// @title Play
/// @notice People who use one ledger in any order: requesters, coordinators who may lie, nodes and whoever claims for
/// them, a court that rejects and a quorum that attests. It keeps accounts of its own and knows what must succeed.
contract Play is Stand {
    using Tallies for Tally;

    /// @dev What the play itself knows of a job; `struckFrom` is 0 while nothing is struck.
    struct Book {
        bool lying;
        bool witnessed;
        bool closed;
        uint64 posted;
        uint64 attested;
        uint64 struckFrom;
        uint256 paid;
        uint256 refunded;
        uint256 burned;
    }

    uint256 internal constant NODES = 4;
    uint256 internal constant MAX_JOBS = 5;

    bytes32[] public jobs;
    uint256 public burned;
    uint256 public broken;
    mapping(bytes32 job => Book) private _books;
    mapping(bytes32 job => mapping(uint64 round => bytes)) private _tallies;
    mapping(bytes32 job => mapping(uint64 round => uint256)) private _windowEnds;
    mapping(bytes32 job => mapping(address node => uint128)) private _earned;
    uint256 private _clock;

    modifier timed() {
        vm.warp(_clock);
        _;
        _clock = block.timestamp;
    }

    function setUp() public override {
        super.setUp();
        _clock = START;
        for (uint256 i = 0; i < NODES; ++i) {
            registerNode(i);
        }
        for (uint256 i = 0; i < 3; ++i) {
            open(i);
        }
    }

    // What people do

    function open(uint256 kind) public timed {
        if (jobs.length == MAX_JOBS || ledger.fundsOf(address(token), coordinator) < BOND) return;
        Terms memory terms = makeTerms(uint64(100 + jobs.length));
        if (kind % 3 == 1) (terms.threshold, terms.witnesses) = (1, keccak256("witness"));
        bytes32 job = openJob(terms);
        jobs.push(job);
        (_books[job].witnessed, _books[job].lying) = (kind % 3 == 1, kind % 3 == 2);
    }

    function pass(uint256 time) external timed {
        vm.warp(block.timestamp + time % 40 minutes);
    }

    function postNext(uint256 pick, uint96[4] calldata rewards, uint256 lie) external timed {
        (bytes32 job, Book storage book) = _pick(pick);
        uint128[] memory shares = new uint128[](1 + lie % NODES);
        for (uint256 i = 0; i < shares.length; ++i) {
            shares[i] = uint128(rewards[i] % (BUDGET / NODES));
        }
        Tally memory tally = _next(job, book.posted, shares);
        if (book.lying && lie % 2 == 0) {
            tally.entries[0].earned = uint128(lie % (10 * BUDGET));
            tally.seal();
        }
        vm.prank(coordinator);
        try ledger.postRound(tally.header, tally.last(), tally.lastProof()) {
            book.posted = tally.header.round;
            _tallies[job][book.posted] = abi.encode(tally);
            _windowEnds[job][book.posted] = block.timestamp + 1 hours;
            for (uint256 i = 0; i < shares.length; ++i) {
                _earned[job][nodeAt(i)] += shares[i];
            }
            finalAtOf[digestOf(tally)] = book.witnessed ? type(uint64).max : uint64(block.timestamp) + 1 hours;
        } catch {}
    }

    function claimOne(uint256 pick, uint256 round, uint256 seq, address sender) external timed {
        (bytes32 job, Book storage book) = _pick(pick);
        if (book.posted == 0) return;
        Tally memory tally = _load(job, uint64(1 + round % book.posted));
        seq %= tally.entries.length;
        uint256 drawn = ledger.claimedOf(job, nodeAt(seq));
        uint256 earned = tally.entries[seq].earned;
        bool due = isFinal(job, tally.header.round) && earned > drawn;
        Anchor memory anchor = anchorOf(tally);
        vm.prank(sender);
        try ledger.claim(job, tally.header.round, anchor, tally.leafOf(seq), tally.proof(seq)) returns (
            uint256 amount
        ) {
            _expect(due && amount == earned - drawn);
            book.paid += amount;
        } catch {
            _expect(!due || book.lying);
        }
    }

    function claimAll(uint256 pick, uint256 round) external timed {
        (bytes32 job, Book storage book) = _pick(pick);
        if (book.posted == 0) return;
        Tally memory tally = _load(job, uint64(1 + round % book.posted));
        Claim[] memory claims = new Claim[](tally.entries.length);
        uint256 due = 0;
        for (uint256 i = 0; i < claims.length; ++i) {
            claims[i] = Claim(tally.leafOf(i), tally.proof(i));
            uint256 drawn = ledger.claimedOf(job, nodeAt(i));
            if (tally.entries[i].earned > drawn) due += tally.entries[i].earned - drawn;
        }
        Anchor memory anchor = anchorOf(tally);
        try ledger.claimMany(job, tally.header.round, anchor, claims) returns (uint256 amount) {
            _expect(isFinal(job, tally.header.round) && (book.lying || amount == due));
            book.paid += amount;
        } catch {
            _expect(!isFinal(job, tally.header.round));
        }
    }

    function rejectRound(uint256 pick, uint256 round, bool known) external timed {
        // A third of the proofs concern the first job, so that some jobs live to their end.
        (bytes32 job, Book storage book) = _pick(pick % 3 == 0 ? 0 : pick);
        uint64 number = uint64(round % (uint256(book.posted) + 2));
        Anchor memory anchor;
        if (number != 0 && number <= book.posted) anchor = anchorOf(_load(job, number));
        (uint256 cutBefore, uint256 bond) = (ledger.accountOf(job).burned, ledger.jobOf(job).bond);
        try court.reject(job, number, anchor, known ? stranger : address(0)) {
            uint256 more = ledger.accountOf(job).burned - cutBefore;
            book.burned += more;
            burned += more + bond - bond / 10;
            _expect(more == 0 || number > book.posted || !_wasFinal(job, number));
            uint64 halted = ledger.jobOf(job).halted;
            if (!book.closed) book.struckFrom = halted;
        } catch {}
    }

    function settleBounty(uint256 pick, bool known) external timed {
        (bytes32 job,) = _pick(pick);
        uint256 bounty = ledger.jobOf(job).bounty;
        try court.settleBounty(job, known ? stranger : address(0)) {
            if (!known) burned += bounty;
        } catch {}
    }

    function attestNext(uint256 pick) external timed {
        (bytes32 job, Book storage book) = _pick(pick);
        if (book.attested == book.posted) return;
        Tally memory tally = _load(job, book.attested + 1);
        try quorum.attest(job, book.attested + 1, anchorOf(tally)) {
            ++book.attested;
            finalAtOf[digestOf(tally)] = uint64(block.timestamp);
        } catch {}
    }

    function lapse(uint256 pick) external timed {
        (bytes32 job, Book storage book) = _pick(pick);
        try ledger.lapse(job) {
            book.struckFrom = ledger.jobOf(job).halted;
            _expect(book.witnessed && book.struckFrom == book.attested + 1);
        } catch {}
    }

    function requestClose(uint256 pick, bool byCoordinator) external timed {
        (bytes32 job,) = _pick(pick);
        vm.prank(byCoordinator ? coordinator : requester);
        try ledger.requestClose(job) {} catch {}
    }

    function closeJob(uint256 pick, uint256 time) external timed {
        if (time % 8 == 0) vm.warp(block.timestamp + 3 days);
        (bytes32 job, Book storage book) = _pick(pick);
        uint256 before = ledger.fundsOf(address(token), requester);
        try ledger.closeJob(job) {
            book.refunded += ledger.fundsOf(address(token), requester) - before;
            book.closed = true;
            uint64 halted = ledger.jobOf(job).halted;
            if (halted <= book.posted) book.struckFrom = halted;
        } catch {}
    }

    function releaseBond(uint256 pick) external timed {
        (bytes32 job,) = _pick(pick);
        try ledger.releaseBond(job) {} catch {}
    }

    function withdrawAll(uint256 who) external timed {
        address[3] memory holders = [requester, coordinator, stranger];
        address account = holders[who % 3];
        uint256 free = ledger.fundsOf(address(token), account);
        vm.prank(account);
        ledger.withdraw(address(token), account, account == coordinator ? free / 2 : free);
    }

    // What the play knows

    function count() external view returns (uint256) {
        return jobs.length;
    }

    function bookOf(bytes32 job) external view returns (Book memory) {
        return _books[job];
    }

    /// @notice Finality by the play's own books.
    function isFinal(bytes32 job, uint64 round) public view returns (bool) {
        uint64 struckFrom = _books[job].struckFrom;
        return (struckFrom == 0 || round < struckFrom) && _wasFinal(job, round);
    }

    /// @notice What final, standing rounds pay in all.
    function finalRewards(bytes32 job) external view returns (uint256 total) {
        for (uint64 round = 1; round <= _books[job].posted; ++round) {
            if (isFinal(job, round)) total += _load(job, round).header.totalReward;
        }
    }

    function people() external view returns (address, address, address) {
        return (requester, coordinator, stranger);
    }

    function contracts() external view returns (address, address) {
        return (address(ledger), address(token));
    }

    function payoutOf(uint256 index) external pure returns (address) {
        return payoutAt(index);
    }

    function _next(bytes32 job, uint64 posted, uint128[] memory shares) private view returns (Tally memory) {
        address[] memory nodes = new address[](shares.length);
        uint128[] memory earned = new uint128[](shares.length);
        for (uint256 i = 0; i < shares.length; ++i) {
            nodes[i] = nodeAt(i);
            earned[i] = _earned[job][nodes[i]];
        }
        bytes32 parent = posted == 0 ? job : digestOf(_load(job, posted));
        return Tallies.make(job, posted + 1, parent, nodes, shares, earned);
    }

    function _wasFinal(bytes32 job, uint64 round) private view returns (bool) {
        Book storage book = _books[job];
        return book.witnessed ? round <= book.attested : _clock >= _windowEnds[job][round];
    }

    function _expect(bool held) private {
        if (!held) ++broken;
    }

    function _pick(uint256 pick) private view returns (bytes32 job, Book storage book) {
        job = jobs[pick % jobs.length];
        book = _books[job];
    }

    function _load(bytes32 job, uint64 round) private view returns (Tally memory tally) {
        if (round != 0) tally = abi.decode(_tallies[job][round], (Tally));
    }
}
