// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {Errors} from "../src/Errors.sol";
import {Anchor, Terms} from "../src/Statements.sol";
import {IJobLedger} from "../src/interfaces/IJobLedger.sol";
import {ITallyToken} from "../src/interfaces/ITallyToken.sol";
import {Stand} from "./Stand.sol";
import {Tallies} from "./Tallies.sol";

contract DeploymentTest is Stand {
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function deploy(string memory name, bytes memory arguments) public returns (address) {
        return vm.deployCode(name, arguments);
    }

    function _next(uint256 ahead) private view returns (address) {
        return vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + ahead);
    }

    function test_TallyTokenMintsOnce() external {
        ITallyToken tally = ITallyToken(deploy("TallyToken.sol", abi.encode(stranger, 123)));
        vm.assertEq(tally.totalSupply(), 123);
        vm.assertEq(tally.balanceOf(stranger), 123);
        vm.assertEq(tally.symbol(), "TALLY");
        vm.assertEq(tally.decimals(), 18);
    }

    function testFuzz_TallyTokenTakesPermits(uint256 value) external {
        address owner = vm.addr(0xF00);
        bytes32 hash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, stranger, value, 0, block.timestamp));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(0xF00, Tallies.digest(token.DOMAIN_SEPARATOR(), hash));
        token.permit(owner, stranger, value, block.timestamp, v, r, s);
        vm.assertEq(token.allowance(owner, stranger), value);
        vm.assertEq(token.nonces(owner), 1);
    }

    function test_RevertWhen_RegistryHasNoTokenOrLedger() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Tallystick_NoCode.selector, stranger));
        this.deploy("NodeRegistry.sol", abi.encode(stranger, stranger, stranger));
        vm.expectRevert(Errors.Tallystick_ZeroAddress.selector);
        this.deploy("NodeRegistry.sol", abi.encode(token, address(0), stranger));
    }

    function test_RevertWhen_LedgerIsNotTheOneNamed() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Tallystick_NoCode.selector, stranger));
        this.deploy("JobLedger.sol", abi.encode(stranger, court, quorum));
        vm.expectRevert(abi.encodeWithSelector(Errors.Tallystick_Counterpart.selector, address(ledger), _next(0)));
        this.deploy("JobLedger.sol", abi.encode(registry, court, quorum));
    }

    function test_RevertWhen_LedgerAndRegistryNameTwoCourts() external {
        address named = deploy("NodeRegistry.sol", abi.encode(token, _next(1), court));
        vm.expectRevert(abi.encodeWithSelector(Errors.Tallystick_Counterpart.selector, address(court), stranger));
        this.deploy("JobLedger.sol", abi.encode(named, stranger, quorum));
    }

    function test_CourtAndQuorumMayBeNobody() external {
        address plain = deploy("NodeRegistry.sol", abi.encode(token, _next(1), address(0)));
        ledger = IJobLedger(deploy("JobLedger.sol", abi.encode(plain, address(0), address(0))));
        fund(requester, 1e6 ether);
        Terms memory terms = makeTerms(1);
        (terms.bond, terms.threshold) = (0, 1);
        (uint64 deadline, bytes memory signature) = accept(terms);
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NoQuorum.selector, 1));
        vm.prank(requester);
        ledger.openJob(terms, deadline, signature);
        terms.threshold = 0;
        bytes32 job = openJob(terms);
        Anchor memory none;
        vm.expectRevert(abi.encodeWithSelector(Errors.JobLedger_NotCourt.selector, address(court), address(0)));
        vm.prank(address(court));
        ledger.reject(job, 1, none, stranger);
    }

    function test_DomainsAreServed() external view {
        _assertDomain(address(ledger), ledger.domainSeparator());
        _assertDomain(address(registry), registry.domainSeparator());
    }

    function _assertDomain(address place, bytes32 separator) private view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address at,,) =
            IERC5267(place).eip712Domain();
        vm.assertEq(bytes32(fields), bytes32(bytes1(0x0f)));
        vm.assertEq(name, "Tallystick");
        vm.assertEq(version, "1");
        vm.assertEq(at, place);
        bytes32 typeHash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        vm.assertEq(separator, keccak256(abi.encode(typeHash, keccak256("Tallystick"), keccak256("1"), chainId, place)));
    }

    function test_CounterpartsNameEachOther() external view {
        vm.assertEq(ledger.registry(), address(registry));
        vm.assertEq(registry.ledger(), address(ledger));
        vm.assertEq(ledger.court(), registry.court());
        vm.assertEq(court.ledger(), address(ledger));
        vm.assertEq(ledger.quorum(), address(quorum));
        vm.assertEq(registry.stakeToken(), address(token));
    }
}
