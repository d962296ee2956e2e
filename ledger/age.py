"""How old the model was that a contribution was trained from: what its signed report says, held against the history.

The statement names the round's own parent and base model, as every contribution does. The report, whose digest the
node signs, says what was really trained from: "trainedFrom", a model of this job, and "age", how many rounds back this
was last a round's base model. Void rounds keep their base model, so a model may belong to several rounds; the newest of
them counts, and the age of a model is one number for everyone.

What a signed age is worth: an honest node is weighed as the job wants. A node that trained from an old model can say
that it is fresh. Nobody sees that; its update is scored by what it does all the same, and what it gains by the lie is
the weight that was not discounted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.errors import VerificationError
from ledger.hexadecimal import to_hex
from ledger.spec import JobSpec

CHECK: Final = "age"
AGE: Final = "age"
TRAINED_FROM: Final = "trainedFrom"


def state_age(spec: JobSpec, age: int, model: bytes) -> dict[str, str]:
    """The members of a report that say it: none in jobs that take no stale contributions."""
    return {AGE: str(age), TRAINED_FROM: to_hex(model)} if spec.staleness.max_age else {}


def find_age(model: bytes, bases: Sequence[bytes | None]) -> int | None:
    """The age of a model, in rounds: its first place among `bases`, the base models of this round and those before.

    None where it is not among them.
    """
    return next((age for age, base in enumerate(bases) if base == model), None)


def read_age(spec: JobSpec, report: Mapping[str, str]) -> int:
    """What a report says its age is, in rounds.

    Raises:
        VerificationError: `age`: it says nothing in a job that asks, or no age that the job takes.
    """
    most = spec.staleness.max_age
    if AGE not in report and most == 0:
        return 0
    said = report.get(AGE, "nothing")
    for age in range(most + 1):
        if said == str(age):
            return age
    raise VerificationError(CHECK, "the report's age", "0" if most == 0 else f"0 to {most}", said)


def verify_age(spec: JobSpec, report: Mapping[str, str], bases: Sequence[bytes | None]) -> None:
    """Verifies what a report says against the base models of this round and those before it, newest first.

    Only as many as the job's greatest age count; None stands for one that could not be read.

    Raises:
        VerificationError: `age`: the model named is not one that the job takes, or it has another age.
    """
    stated = read_age(spec, report)
    taken = bases[: spec.staleness.max_age + 1]
    if TRAINED_FROM not in report and spec.staleness.max_age == 0:
        return
    said = report.get(TRAINED_FROM, "nothing")
    for age, base in enumerate(taken):
        if base is not None and said == to_hex(base):
            if age != stated:
                raise VerificationError(CHECK, f"the age of the model {said}", str(age), str(stated))
            return
    expected = f"the base model of one of the last {len(taken)} rounds"
    raise VerificationError(CHECK, "the model that the report says was trained from", expected, said)
