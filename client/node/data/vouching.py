"""Vouchers for a node: asked of its platform, and checked before anything is trained or signed on them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from client.call import Answer, Call
from client.calls import JSON
from client.errors import ClientError
from client.node.jobs.book import Job
from client.pins import Pin
from ledger.errors import MalformedSignature, VerificationError
from ledger.hexadecimal import to_address, to_hex
from ledger.signatures import WrongSigner
from ledger.spec import JobSpec
from ledger.statements import Signed, Voucher
from ledger.vouching import compute_most_weight, weigh


class NoVoucher(ClientError):
    """The job weighs by vouched samples, and there is no voucher to be had now; says what is in the way."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"this job weighs by what a platform vouches for: {problem}")


@dataclass(frozen=True, slots=True)
class VoucherWish:
    """What is asked for: this node's voucher for a round of a job, under the domain of the job's ledger."""

    job: bytes
    round: int
    node: bytes
    pin: Pin

    def call(self) -> Call[Signed[Voucher]]:
        """The request; a platform answers the same whenever it is asked."""
        body = {
            "job": to_hex(self.job),
            "round": self.round,
            "node": to_address(self.node),
            "chainId": self.pin.chain_id,
            "ledger": to_address(self.pin.job_ledger),
        }
        return Call("POST", "/v1/vouchers", _read_voucher, body=json.dumps(body).encode(), headers=JSON)


async def obtain_voucher(
    fetch: Callable[[VoucherWish], Awaitable[Signed[Voucher]]], job: Job, round_number: int, node: bytes, pin: Pin
) -> Signed[Voucher] | None:
    """A round's voucher, checked, in jobs that weigh by it: before the training, which would else be for nothing.

    Raises:
        NoVoucher: there is none to be had now.
        VerificationError: voucher; what came is none for this.
    """
    if job.spec.vouchers is None:
        return None
    wish = VoucherWish(job.job, round_number, node, pin)
    voucher = await fetch(wish)
    verify_voucher(voucher, wish, job.spec)
    return voucher


def verify_voucher(voucher: Signed[Voucher], wish: VoucherWish, spec: JobSpec) -> None:
    """Checks that the spec's platform vouches for this node in this round, and for something.

    Raises:
        VerificationError: voucher.
    """
    said = voucher.statement
    for name in ("job", "round", "node"):
        if getattr(said, name) != getattr(wish, name):
            detail = f"the platform vouches for another {name}"
            raise VerificationError("voucher", detail, getattr(wish, name), getattr(said, name))
    if spec.vouchers is None:
        raise VerificationError("voucher", f"the job's weight rule is {spec.weight_rule!r}: it needs no voucher")
    try:
        voucher.verify(wish.pin.domain, spec.vouchers.platform)
    except (WrongSigner, MalformedSignature) as error:
        detail = f"the job's platform, {to_address(spec.vouchers.platform)}, did not sign the voucher: {error}"
        raise VerificationError("voucher", detail) from None
    weight, most = weigh(spec, voucher), compute_most_weight(spec)
    if not 1 <= weight <= most:
        raise VerificationError("voucher", "the voucher weighs nothing, or too much", f"1 to {most}", weight)


def _read_voucher(answer: Answer) -> Signed[Voucher]:
    return Signed.from_json(Voucher, json.loads(answer.content))
