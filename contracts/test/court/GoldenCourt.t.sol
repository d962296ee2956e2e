// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/Errors.sol";
import {Anchor, RoundHeader} from "../../src/Statements.sol";
import {Fault, IChallengeCourt, PostedRound, ProvenEntry} from "../../src/interfaces/IChallengeCourt.sol";
import {IJobLedger} from "../../src/interfaces/IJobLedger.sol";
import {GoldenJob} from "../GoldenJob.sol";

/// @notice The court computes as Python does: no entry of the job that Python played can be challenged. See Golden.tree.
contract GoldenCourtTest is GoldenJob {
    IChallengeCourt private tribunal;
    PostedRound[] private posted;

    /// @dev The court is seated where the ledger of the vectors is, whose address is part of every digest.
    function seatCourt() internal override returns (address) {
        golden = vm.readFile("../tests/vectors/golden.json");
        address place = account(".domains.jobLedger", "verifyingContract");
        vm.chainId(u64(".domains.jobLedger", "chainId"));
        vm.etch(place, address(ledger).code);
        ledger = IJobLedger(place);
        tribunal = IChallengeCourt(vm.deployCode("ChallengeCourt.sol", abi.encode(ledger, registry)));
        return address(tribunal);
    }

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < ROUNDS; ++i) {
            Anchor memory anchor = _post(at(".rounds", i));
            posted.push(PostedRound(job, uint64(i + 1), anchor));
        }
    }

    function _prove(uint256 i, uint256 seq) private view returns (ProvenEntry memory) {
        string memory round = at(".rounds", i);
        return ProvenEntry(_entry(round, seq), words(at(string.concat(round, ".proofs"), seq)));
    }

    function _header(uint256 i) private view returns (RoundHeader memory) {
        return readHeader(string.concat(at(".rounds", i), ".header"));
    }

    function _refused(bytes memory call, Fault fault) private {
        (bool done, bytes memory answer) = address(tribunal).call(call);
        vm.assertFalse(done);
        vm.assertEq(answer, abi.encodeWithSelector(Errors.ChallengeCourt_NotProven.selector, uint8(fault)));
    }

    function test_NoEntryOfTheVectorsCanBeChallenged() external {
        uint256 carried = 0;
        for (uint256 i = 0; i < ROUNDS; ++i) {
            RoundHeader memory header = _header(i);
            for (uint256 seq = 0; seq < header.count; ++seq) {
                ProvenEntry memory entry = _prove(i, seq);
                _refused(abi.encodeCall(IChallengeCourt.challengeVerdict, (posted[i], entry, 0)), Fault.VerdictUnfit);
                _refused(
                    abi.encodeCall(IChallengeCourt.challengeReward, (posted[i], header, terms, entry, 0)),
                    Fault.RewardWrong
                );
                _refused(
                    abi.encodeCall(IChallengeCourt.challengeUnfounded, (posted[i], entry, 0)), Fault.CarryUnfounded
                );
                _refused(
                    abi.encodeCall(IChallengeCourt.challengeFirstTotals, (posted[i], entry, 0)), Fault.FirstTotalsWrong
                );
                if (seq > 0) {
                    ProvenEntry memory before = _prove(i, seq - 1);
                    bytes memory call = abi.encodeCall(IChallengeCourt.challengeTotals, (posted[i], before, entry, 0));
                    _refused(call, Fault.TotalsWrong);
                }
                if (_challengeCarry(i, entry)) ++carried;
            }
            if (i > 0) {
                bytes memory call =
                    abi.encodeCall(IChallengeCourt.challengeModel, (posted[i], header, _header(i - 1), 0));
                _refused(call, Fault.ModelBroken);
            }
        }
        vm.assertGe(carried, 1, "no entry stands on another");
    }

    function _challengeCarry(uint256 i, ProvenEntry memory entry) private returns (bool) {
        uint64 previous = entry.entry.body.previousRound;
        if (previous == 0) return false;
        RoundHeader memory header = _header(previous - 1);
        for (uint256 seq = 0; seq < header.count; ++seq) {
            ProvenEntry memory earlier = _prove(previous - 1, seq);
            if (earlier.entry.node != entry.entry.node) continue;
            bytes memory call = abi.encodeCall(
                IChallengeCourt.challengeCarry, (posted[i], entry, posted[previous - 1].anchor, earlier, 0)
            );
            _refused(call, Fault.CarryWrong);
            return true;
        }
        return false;
    }
}
