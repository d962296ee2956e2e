"""`python -m bench.verified`: the whole grid, or one data set of it, into one JSON file."""

import argparse
import os
import sys
from pathlib import Path

from bench.verified.cells import DIGITS, DISTRIBUTIONS, MOVIELENS, RESULTS, Section, save
from bench.verified.grid import (
    PERCENTS,
    Extent,
    choose_digits,
    choose_movielens,
    choose_movielens_few,
    measure_extent,
    narrow,
)
from learning.adversaries.groups import KINDS
from ledger.spec import AGGREGATION_RULES


def main() -> int:
    """Plays what was asked for, and saves now and then what is done."""
    options = _parse()
    extents: dict[str, Extent] = {
        DIGITS: choose_digits(3 if options.full else 1),
        MOVIELENS: choose_movielens() if options.full else choose_movielens_few(),
    }
    only = {name: getattr(options, name) for name in ("percent", "distribution", "kind", "rule")}
    for name in options.only or extents:
        extent = narrow(extents[name], only, options.rounds, options.seeds)
        path = options.data if name == MOVIELENS else None

        def keep(section: Section, name: str = name) -> None:
            save({name: section}, options.out)

        keep(measure_extent(extent, _say, options.workers, path, keep))
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.verified", description=__doc__)
    parser.add_argument("--only", action="append", choices=[DIGITS, MOVIELENS], help="one data set; both by default")
    parser.add_argument("--full", action="store_true", help="every combination, three jobs a cell on digits")
    parser.add_argument("--data", type=Path, metavar="FILE", help="MovieLens-100K, prepared (bench.verified.histories)")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE", help="the results, added to if there")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    choices = {"distribution": DISTRIBUTIONS, "kind": KINDS, "rule": AGGREGATION_RULES}
    parser.add_argument("--percent", type=int, action="append", choices=PERCENTS, help="only this share; repeatable")
    for name, values in choices.items():
        parser.add_argument(f"--{name}", action="append", choices=values, help=f"only this {name}; repeatable")
    parser.add_argument("--rounds", type=int, default=0, metavar="N", help="of every job, instead")
    parser.add_argument("--seeds", type=int, default=0, metavar="N", help="jobs a cell, instead")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
