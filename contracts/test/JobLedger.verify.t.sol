// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../src/Errors.sol";
import {Contribution, Receipt} from "../src/Statements.sol";
import {Exhibit} from "../src/interfaces/IJobLedger.sol";
import {Stand} from "./Stand.sol";
import {Tallies, Tally} from "./Tallies.sol";

contract JobLedgerVerifyTest is Stand {
    using Tallies for Tally;

    bytes32 private job;
    Exhibit private kept;

    function setUp() public override {
        super.setUp();
        job = openJob();
        Tally memory tally = makeTally(job, list(10, 20, 30));
        Exhibit memory exhibit = _sign(tally, 1);
        tally.seal();
        post(tally);
        exhibit.anchor = anchorOf(tally);
        exhibit.entry = tally.entries[1];
        exhibit.proof = tally.proof(1);
        (kept.anchor, kept.entry, kept.proof) = (exhibit.anchor, exhibit.entry, exhibit.proof);
        (kept.contribution, kept.receipt) = (exhibit.contribution, exhibit.receipt);
        (kept.nodeSignature, kept.receiptSignature) = (exhibit.nodeSignature, exhibit.receiptSignature);
    }

    /// @dev Statements and signatures of one contribution, written into its entry.
    function _sign(Tally memory tally, uint256 seq) private view returns (Exhibit memory exhibit) {
        bytes32 domain = ledger.domainSeparator();
        Contribution memory contribution = exhibit.contribution;
        (contribution.job, contribution.round, contribution.node) = (job, 1, nodeAt(seq));
        (contribution.parent, contribution.commitment) = (job, keccak256("commitment"));
        contribution.samples = 123;
        bytes32 digest = Tallies.digestContribution(domain, contribution);
        exhibit.nodeSignature = signDigest(NODE_KEYS + seq, digest);

        Receipt memory receipt = exhibit.receipt;
        (receipt.job, receipt.round, receipt.seq, receipt.node) = (job, 1, uint64(seq), nodeAt(seq));
        (receipt.contribution, receipt.accumulator) = (digest, keccak256("accumulator"));
        exhibit.receiptSignature = signDigest(COORDINATOR_KEY, Tallies.digestReceipt(domain, receipt));

        tally.entries[seq].body.contribution = digest;
        tally.entries[seq].body.signatures =
            keccak256(abi.encodePacked(exhibit.nodeSignature, exhibit.receiptSignature));
    }

    function _resignReceipt(Exhibit memory exhibit) private view {
        bytes32 digest = Tallies.digestReceipt(ledger.domainSeparator(), exhibit.receipt);
        exhibit.receiptSignature = signDigest(COORDINATOR_KEY, digest);
    }

    function test_Verifies() external view {
        ledger.verifyContribution(kept);
    }

    function test_RevertWhen_RoundIsStruckOrUnknown() external {
        Exhibit memory exhibit = kept;
        court.reject(job, 1, exhibit.anchor, address(0));
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_RoundStruck.selector, 1, 1));
        ledger.verifyContribution(exhibit);
        exhibit.contribution.round = 2;
        vm.expectPartialRevert(Errors.JobLedger_WrongAnchor.selector);
        ledger.verifyContribution(exhibit);
        exhibit.contribution.job = 0;
        vm.expectPartialRevert(Errors.JobLedger_UnknownJob.selector);
        ledger.verifyContribution(exhibit);
    }

    function test_RevertWhen_EntryIsNotInTree() external {
        Exhibit memory exhibit = kept;
        exhibit.entry.seq = 3;
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_SeqOutOfRange.selector, 3, 3));
        ledger.verifyContribution(exhibit);
        exhibit.entry.seq = 1;
        ++exhibit.entry.body.score;
        vm.expectPartialRevert(Errors.JobLedger_NotInTree.selector);
        ledger.verifyContribution(exhibit);
        --exhibit.entry.body.score;
        exhibit.proof = new bytes32[](3);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_ProofLength.selector, 3, 2));
        ledger.verifyContribution(exhibit);
    }

    function testFuzz_RevertWhen_ContributionIsChanged(uint8 which, uint256 word) external {
        Exhibit memory exhibit = kept;
        Contribution memory contribution = exhibit.contribution;
        bytes32 before = keccak256(abi.encode(contribution));
        if (which % 6 == 0) contribution.node = address(uint160(word));
        if (which % 6 == 1) contribution.parent = bytes32(word);
        if (which % 6 == 2) contribution.baseModel = bytes32(word);
        if (which % 6 == 3) contribution.commitment = bytes32(word);
        if (which % 6 == 4) contribution.samples = uint64(word);
        if (which % 6 == 5) contribution.report = bytes32(word);
        vm.assume(before != keccak256(abi.encode(contribution)));
        bytes32 digest = Tallies.digestContribution(ledger.domainSeparator(), contribution);
        vm.expectRevert(
            abi.encodeWithSelector(Errors.JobLedger_StatementMismatch.selector, digest, exhibit.entry.body.contribution)
        );
        ledger.verifyContribution(exhibit);
    }

    /// @notice A signed receipt for anything else proves nothing about this entry.
    function testFuzz_RevertWhen_ReceiptIsOfAnother(uint8 which, uint256 word) external {
        Exhibit memory exhibit = kept;
        Receipt memory receipt = exhibit.receipt;
        bytes32 before = keccak256(abi.encode(receipt));
        if (which % 5 == 0) receipt.job = bytes32(word);
        if (which % 5 == 1) receipt.round = uint64(word);
        if (which % 5 == 2) receipt.seq = uint64(word);
        if (which % 5 == 3) receipt.node = address(uint160(word));
        if (which % 5 == 4) receipt.contribution = bytes32(word);
        vm.assume(before != keccak256(abi.encode(receipt)));
        _resignReceipt(exhibit);
        vm.expectPartialRevert(Errors.JobLedger_StatementMismatch.selector);
        ledger.verifyContribution(exhibit);
    }

    function test_RevertWhen_ReceiptSignatureIsNotTheEntrys() external {
        Exhibit memory exhibit = kept;
        ++exhibit.receipt.receivedAt;
        _resignReceipt(exhibit);
        bytes32 actual = keccak256(abi.encodePacked(exhibit.nodeSignature, exhibit.receiptSignature));
        vm.expectRevert(
            abi.encodeWithSelector(Errors.JobLedger_StatementMismatch.selector, actual, exhibit.entry.body.signatures)
        );
        ledger.verifyContribution(exhibit);
    }

    function testFuzz_RevertWhen_SignatureIsChanged(uint8 place, uint8 flip, bool receipt) external {
        Exhibit memory exhibit = kept;
        vm.assume(flip != 0);
        bytes memory signature = receipt ? exhibit.receiptSignature : exhibit.nodeSignature;
        signature[place % 65] ^= bytes1(flip);
        vm.expectRevert();
        ledger.verifyContribution(exhibit);
    }

    function test_RevertWhen_AnotherKeySigned() external {
        Exhibit memory exhibit = kept;
        bytes32 digest = exhibit.entry.body.contribution;
        exhibit.nodeSignature = signDigest(NODE_KEYS + 2, digest);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_WrongSigner.selector, nodeAt(2), nodeAt(1)));
        ledger.verifyContribution(exhibit);
    }
}
