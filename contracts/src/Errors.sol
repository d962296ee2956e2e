// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Errors
/// @notice Every reason for which a Tallystick contract refuses, with the value it met and the one it expected.
library Errors {
    // Any contract

    /// @dev An address that must not be zero is.
    error Tallystick_ZeroAddress();
    /// @dev A contract named at construction does not name the new contract in return.
    error Tallystick_Counterpart(address actual, address expected);
    /// @dev A deposit did not arrive to the base unit (the contract's balance after it): tokens that take a fee or
    /// rebase are not supported.
    error Tallystick_InexactTransfer(uint256 actual, uint256 expected);
    /// @dev An address that must hold a contract holds no code.
    error Tallystick_NoCode(address actual);

    // JobLedger: opening a job and the money of accounts

    error JobLedger_InsufficientFunds(uint256 actual, uint256 needed);
    error JobLedger_NotRequester(address actual, address expected);
    error JobLedger_AcceptanceExpired(uint256 actual, uint256 deadline);
    error JobLedger_AcceptanceSigner(address actual, address expected);
    error JobLedger_JobExists(bytes32 job);
    error JobLedger_UnknownJob(bytes32 job);
    error JobLedger_RoundsOutOfRange(uint256 actual, uint256 limit);
    error JobLedger_WindowOutOfRange(uint256 actual, uint256 limit);
    error JobLedger_AnchorSecondsOutOfRange(uint256 actual, uint256 limit);
    error JobLedger_EscrowTooLarge(uint256 actual, uint256 limit);
    error JobLedger_NoQuorum(uint256 threshold);

    // JobLedger: posting a round

    error JobLedger_NotCoordinator(address actual, address expected);
    error JobLedger_WrongRound(uint256 actual, uint256 expected);
    error JobLedger_WrongParent(bytes32 actual, bytes32 expected);
    error JobLedger_NoRoundsLeft(uint256 actual, uint256 limit);
    error JobLedger_JobHalted(uint256 round);
    error JobLedger_CloseInEffect(uint256 actual, uint256 limit);
    error JobLedger_AttestationMissing(uint256 round);
    error JobLedger_TimesOutOfOrder(uint256 openedAt, uint256 closedAt);
    error JobLedger_ClosedInFuture(uint256 actual, uint256 limit);
    error JobLedger_OverBudget(uint256 actual, uint256 limit);
    error JobLedger_EmptyRound();
    error JobLedger_NotLastEntry(uint256 actual, uint256 expected);
    /// @dev `total` is "weight", "score", "gain", "reward" or "aggregate"; the words are sign-extended.
    error JobLedger_TotalDiffers(bytes32 total, bytes32 running, bytes32 header);

    // JobLedger: proofs and claims

    error JobLedger_WrongAnchor(bytes32 actual, bytes32 expected);
    error JobLedger_RoundStruck(uint256 round, uint256 haltedFrom);
    error JobLedger_NotFinal(uint256 actual, uint256 finalAt);
    error JobLedger_SeqOutOfRange(uint256 actual, uint256 limit);
    error JobLedger_ProofLength(uint256 actual, uint256 expected);
    error JobLedger_NotInTree(bytes32 leaf, bytes32 root);
    error JobLedger_NothingToClaim(uint256 earned, uint256 claimed);
    error JobLedger_OverClaimed(uint256 actual, uint256 limit);
    error JobLedger_NoPayout(address node);
    error JobLedger_TransferFailed(address payout, uint256 amount);
    error JobLedger_TooLittleGas(uint256 actual, uint256 needed);
    error JobLedger_StatementMismatch(bytes32 actual, bytes32 expected);
    error JobLedger_WrongSigner(address actual, address expected);

    // JobLedger: court, quorum and the end of a job

    error JobLedger_NotCourt(address actual, address expected);
    error JobLedger_NotQuorum(address actual, address expected);
    error JobLedger_NothingToReject(bytes32 job, uint256 round);
    error JobLedger_NoBounty(bytes32 job);
    error JobLedger_NoAttestationNeeded(bytes32 job);
    error JobLedger_Lapsed(uint256 actual, uint256 deadline);
    error JobLedger_NothingLapsed(bytes32 job);
    error JobLedger_NotParty(address actual);
    error JobLedger_CloseRequested(uint256 effectiveAt);
    error JobLedger_JobClosed(bytes32 job);
    error JobLedger_CloseNotInEffect(uint256 actual, uint256 limit);
    error JobLedger_BondLocked(uint256 actual, uint256 freeAt);
    error JobLedger_NoBond(bytes32 job);

    // NodeRegistry

    error NodeRegistry_RegistrationExpired(uint256 actual, uint256 deadline);
    error NodeRegistry_RegistrationSigner(address actual, address expected);
    error NodeRegistry_NodeExists(address node);
    error NodeRegistry_UnknownNode(address node);
    error NodeRegistry_NotOperator(address actual, address expected);
    error NodeRegistry_NodeRetired(address node);
    error NodeRegistry_SameNode(address node);
    error NodeRegistry_NoRotation(address node);
    error NodeRegistry_TooEarly(uint256 actual, uint256 readyAt);
    error NodeRegistry_InsufficientStake(uint256 actual, uint256 needed);
    error NodeRegistry_StakeTooLarge(uint256 actual, uint256 limit);
    error NodeRegistry_NothingToWithdraw(address node);
    error NodeRegistry_NotCourt(address actual, address expected);
    error NodeRegistry_AlreadySlashed(bytes32 job, address node);

    // ChallengeCourt

    /// @dev The exhibits are in order and show no fault of this kind.
    error ChallengeCourt_NotProven(uint8 fault);
    error ChallengeCourt_OtherRound(bytes32 job, uint256 round, bytes32 expectedJob, uint256 expectedRound);
    error ChallengeCourt_StatementMismatch(bytes32 actual, bytes32 expected);
    error ChallengeCourt_WrongSigner(address actual, address expected);
    /// @dev The proof has another length than the tree's depth, or leads to another root.
    error ChallengeCourt_NotInTree(bytes32 leaf, bytes32 root);
    error ChallengeCourt_NotPosted(bytes32 job, uint256 round);
    error ChallengeCourt_SameContribution(bytes32 digest);
    error ChallengeCourt_CommitmentExists(bytes32 commitment);
    error ChallengeCourt_CommitmentTooLate(uint256 actual, uint256 limit);
    error ChallengeCourt_NoBounty(bytes32 job, bytes32 faultId);
    error ChallengeCourt_BountyWaits(uint256 actual, uint256 until);
    error ChallengeCourt_DemandTooLate(uint256 actual, uint256 limit);
    error ChallengeCourt_SeqOutOfRange(uint256 actual, uint256 limit);
    error ChallengeCourt_AlreadyDemanded(bytes32 job, uint256 round, uint256 seq);
    error ChallengeCourt_BondTooSmall(uint256 actual, uint256 needed);
    error ChallengeCourt_BondTooLarge(uint256 actual, uint256 limit);
    error ChallengeCourt_NothingDemanded(bytes32 job, uint256 round, uint256 seq);
    error ChallengeCourt_AnswerTooLate(uint256 actual, uint256 limit);
    error ChallengeCourt_NotPadding(uint256 seq, uint256 count);
    error ChallengeCourt_NothingToReclaim(bytes32 job, uint256 round, uint256 seq);
    error ChallengeCourt_NothingToWithdraw(address account);
    error ChallengeCourt_CoinRefused(address to, uint256 amount);
}
