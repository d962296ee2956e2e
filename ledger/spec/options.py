"""What a spec may ask for beyond the plain round: screening thresholds, vouchers, stale contributions, Adam.

Each option has a value that means "off", so that a spec says everything and nothing is silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Self

from ledger.canonical import JsonValue
from ledger.errors import Malformed, MalformedSpec
from ledger.hexadecimal import parse_address, to_address
from ledger.spec.reading import check_address, check_decimal, check_int, parse_decimal, require
from ledger.structs import read_object

MOST_ROUNDS_COMPARED: Final = 32
OLDEST_AGE: Final = 8
FRESH: Final = 1 << 10
"""What weights are multiplied by in jobs that take stale contributions, so that a discount leaves integers."""


@dataclass(frozen=True, slots=True)
class Screening:
    """Thresholds of what may enter the sum.

    `near_copy_cosine`: an update with a greater cosine to another node's update of this round or of the
    `near_copy_rounds` before is refused ("1": none is). `least_kurtosis`: an update whose elements have a smaller
    kurtosis (noise has 3) is refused ("0": none is).
    """

    near_copy_cosine: str = "1"
    near_copy_rounds: int = 0
    least_kurtosis: str = "0"

    def __post_init__(self) -> None:
        check_decimal("screening.nearCopyCosine", self.near_copy_cosine, 1)
        require("screening.nearCopyCosine", self.copy_cosine > 0, "above 0", self.near_copy_cosine)
        check_int("screening.nearCopyRounds", self.near_copy_rounds, 0, MOST_ROUNDS_COMPARED)
        check_decimal("screening.leastKurtosis", self.least_kurtosis, 1_000_000)

    @property
    def copy_cosine(self) -> Fraction:
        """The greatest cosine that passes, exactly."""
        return Fraction(self.near_copy_cosine)

    @property
    def kurtosis(self) -> Fraction:
        """The least kurtosis that passes, exactly."""
        return Fraction(self.least_kurtosis)

    @property
    def window(self) -> int:
        """How many rounds before its own an update is compared with: none where no near copy is refused."""
        return self.near_copy_rounds if self.copy_cosine < 1 else 0

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"nearCopyCosine", "nearCopyRounds", "leastKurtosis"}."""
        return {
            "nearCopyCosine": self.near_copy_cosine,
            "nearCopyRounds": self.near_copy_rounds,
            "leastKurtosis": self.least_kurtosis,
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes. Raises MalformedSpec."""
        keys = ["nearCopyCosine", "nearCopyRounds", "leastKurtosis"]
        fields = read_object(value, "screening", keys, MalformedSpec)
        return cls(*(fields[key] for key in keys))  # type: ignore[arg-type]  # checked there


NOTHING_SCREENED: Final = Screening()


@dataclass(frozen=True, slots=True)
class Vouchers:
    """Whose word weighs: `platform` signs what data each node was given.

    A viewer counts with at most `samples_per_viewer`, so that viewers dealt out to more nodes never weigh more.
    """

    platform: bytes
    samples_per_viewer: int

    def __post_init__(self) -> None:
        check_address("vouchers.platform", self.platform)
        check_int("vouchers.samplesPerViewer", self.samples_per_viewer, 1, 1_000_000)

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"platform", "samplesPerViewer"}."""
        return {"platform": to_address(self.platform), "samplesPerViewer": self.samples_per_viewer}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes. Raises MalformedSpec."""
        fields = read_object(value, "vouchers", ["platform", "samplesPerViewer"], MalformedSpec)
        platform = read_address("vouchers.platform", fields["platform"])
        return cls(platform, fields["samplesPerViewer"])  # type: ignore[arg-type]  # checked there


@dataclass(frozen=True, slots=True)
class Staleness:
    """Contributions trained from a model up to `max_age` rounds older count, at `discount`^age of their weight."""

    max_age: int = 0
    discount: str = "1"

    def __post_init__(self) -> None:
        check_int("staleness.maxAge", self.max_age, 0, OLDEST_AGE)
        check_decimal("staleness.discount", self.discount, 1)
        require("staleness.discount", self.factor > 0, "above 0", self.discount)
        require("staleness.discount", self.max_age > 0 or self.factor == 1, "'1' with maxAge 0", self.discount)
        least = f"enough that the oldest still weighs something: discount^{self.max_age} of at least 1/{FRESH}"
        require("staleness.discount", self.factor**self.max_age * FRESH >= 1, least, self.discount)

    @property
    def factor(self) -> Fraction:
        """What a round of age leaves of the weight, exactly."""
        return Fraction(self.discount)

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"maxAge", "discount"}."""
        return {"maxAge": self.max_age, "discount": self.discount}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes. Raises MalformedSpec."""
        fields = read_object(value, "staleness", ["maxAge", "discount"], MalformedSpec)
        return cls(fields["maxAge"], fields["discount"])  # type: ignore[arg-type]  # checked there


NOTHING_STALE: Final = Staleness()


@dataclass(frozen=True, slots=True)
class Adam:
    """The server's second moment: its decay, and what is added to its root (FedAdam, arXiv 2003.00295)."""

    second_momentum: str
    epsilon: str

    def __post_init__(self) -> None:
        decay = parse_decimal("adam.secondMomentum", self.second_momentum)
        require("adam.secondMomentum", decay < 1, "at least 0 and below 1", self.second_momentum)
        require("adam.epsilon", parse_decimal("adam.epsilon", self.epsilon) > 0, "above 0", self.epsilon)

    def to_json(self) -> dict[str, JsonValue]:
        """Returns {"secondMomentum", "epsilon"}."""
        return {"secondMomentum": self.second_momentum, "epsilon": self.epsilon}

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Reads what `to_json` writes. Raises MalformedSpec."""
        fields = read_object(value, "adam", ["secondMomentum", "epsilon"], MalformedSpec)
        return cls(fields["secondMomentum"], fields["epsilon"])  # type: ignore[arg-type]  # checked there


def read_address(subject: str, value: object) -> bytes:
    """Reads an address with its EIP-55 checksum, the one form a spec writes. Raises MalformedSpec."""
    try:
        address = parse_address(value, subject)
    except Malformed as error:
        raise MalformedSpec(subject, error.expected, error.got) from None
    require(subject, to_address(address) == value, f"the EIP-55 checksum {to_address(address)}", value)
    return address
