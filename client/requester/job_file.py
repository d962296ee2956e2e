"""A job as a requester writes it down: TOML or JSON, amounts in whole tokens, good defaults for the rest."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from client.errors import ClientError
from contracts.amounts import MalformedAmount, parse_amount
from contracts.chain import MOST_DECIMALS


class MalformedJobFile(ClientError):
    """The job file, or an option, is not what a job can be made of; every problem is named."""

    exit_code = 2

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source, self.problems = source, problems
        super().__init__(f"{source}: " + "; ".join(problems))


def _check_amount(text: str) -> str:
    try:
        # How many decimals the token has is known later.
        parse_amount(text, MOST_DECIMALS)
    except MalformedAmount as error:
        raise ValueError(str(error)) from None
    return text


Tokens = Annotated[str, AfterValidator(_check_amount)]
Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class TaskPart(_Part):
    """The task by its installed name, and its configuration."""

    name: str
    config: dict[str, Any] = Field(default_factory=dict)


class CohortPart(_Part):
    """How many nodes a round needs and admits."""

    minimum: Count = 8
    maximum: Count = 1_000
    closes_at: Annotated[int, Field(ge=0)] = 0


class ScreeningPart(_Part):
    """What may enter the sum; a threshold that is left out is the task's."""

    near_copy_cosine: str | None = None
    near_copy_rounds: Annotated[int, Field(ge=0)] | None = None
    least_kurtosis: str | None = None


class VouchersPart(_Part):
    """The platform whose word weighs, and how many samples of a viewer count at most."""

    platform: str
    samples_per_viewer: Count = 100


class StalenessPart(_Part):
    """How old a model may be that a contribution was trained from, and what a round of age leaves of its weight."""

    max_age: Annotated[int, Field(ge=0)] = 0
    discount: str = "1"


class AdamPart(_Part):
    """The server's second moment; with it the server rate is the size of a step, 0.01 if left out."""

    second_momentum: str = "0.99"
    epsilon: str = "0.001"


class JobFile(_Part):
    """Everything of a job. Rules that are left out are those the task suggests; paths count from the file's folder.

    Amounts are decimal strings in whole tokens. `bond` and `price_per_nat` left out are ten budgets and one budget.
    """

    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: str = ""
    task: TaskPart
    initial_model: Path | None = None
    model_seed: int = 1
    validation: Path | None = None
    holdout: Path | None = None
    validation_positions: Count | None = None
    cohort: CohortPart = CohortPart()
    commit_seconds: Count = 600
    reveal_seconds: Count = 600
    clip_norm: str | None = None
    fraction_bits: int | None = None
    server_rate: str | None = None
    server_momentum: str | None = None
    aggregation_rule: Literal[
        "mean", "norm-clipped-mean", "centred-clipping", "median", "trimmed-mean", "multi-krum", "trust-weighted"
    ] = "mean"
    aggregation_tolerance: str = "0"
    adam: AdamPart | None = None
    screening: ScreeningPart = ScreeningPart()
    vouchers: VouchersPart | None = None
    staleness: StalenessPart = StalenessPart()
    validation_holders: tuple[str, ...] | None = None
    scoring_rule: Literal["aumann-shapley", "by-weight"] | None = None
    evidence_readers: Literal["auditors", "public"] = "auditors"
    retention_seconds: Annotated[int, Field(ge=0)] = 30 * 86_400
    rounds: Count
    budget_per_round: Tokens
    price_per_nat: Tokens | None = None
    window: Count = 3_600
    anchor_seconds: Count = 86_400
    bond: Tokens | None = None
    min_stake: Tokens = "0"
    nonce: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


_PARTS: dict[str, type[_Part]] = {
    "task": TaskPart,
    "cohort": CohortPart,
    "screening": ScreeningPart,
    "vouchers": VouchersPart,
    "staleness": StalenessPart,
    "adam": AdamPart,
}


def load_job_file(path: Path | None, options: dict[str, Any]) -> JobFile:
    """Reads a job file and puts options, by the file's names, over it; options that are None say nothing.

    Raises:
        MalformedJobFile: no such file, not TOML or JSON, or wrong fields, all of them named.
    """
    source = "options" if path is None else str(path)
    values = {} if path is None else _read(path)
    given = {name: value for name, value in options.items() if value is not None}
    try:
        job = JobFile.model_validate({**values, **given})
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, item['loc']))}: {_describe(item['type'], item['msg'], item['loc'][:-1])}"
            for item in error.errors()
        ]
        raise MalformedJobFile(source, problems) from None
    return job if path is None else _place(job, path.parent, given)


def _describe(kind: str, message: str, parents: tuple[int | str, ...]) -> str:
    """What is wrong with a member of the part at `parents` and what to do, in words of a job file."""
    if kind == "missing":
        return "missing: give it in the file or as an option"
    if kind == "extra_forbidden":
        part = _PARTS[str(parents[0])] if parents else JobFile
        where = f"[{parents[0]}] has" if parents else "a job has"
        return f"no such member; {where} {', '.join(to_camel(name) for name in part.model_fields)}"
    if kind == "string_type":
        return 'expected text in quotes, such as "100"'
    return message


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise MalformedJobFile(str(path), [f"cannot be read: {error.strerror}"]) from None
    except ValueError as error:
        kind = "TOML" if path.suffix == ".toml" else "JSON"
        raise MalformedJobFile(str(path), [f"not {kind}: {error}"]) from None
    if not isinstance(values, dict):
        raise MalformedJobFile(str(path), ["expected an object"])
    return values


def _place(job: JobFile, folder: Path, given: dict[str, Any]) -> JobFile:
    """Paths in a file count from its folder; those given as options from where the person stands."""
    named = {"initial_model": "initialModel", "validation": "validation", "holdout": "holdout"}
    paths = {
        name: folder / path
        for name, key in named.items()
        if key not in given and (path := getattr(job, name)) is not None
    }
    return job.model_copy(update=paths)
