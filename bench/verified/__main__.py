"""`python -m bench.verified`: the whole grid, or one data set of it, into one JSON file."""

import argparse
import os
import sys
from pathlib import Path

from bench.verified.cells import DIGITS, DISTRIBUTIONS, MOVIELENS, RESULTS, save
from bench.verified.grid import (
    PERCENTS,
    Extent,
    choose_digits,
    choose_movielens,
    choose_movielens_few,
    measure_extent,
    narrow,
)


def main() -> int:
    """Plays what was asked for and saves each data set as soon as it is done."""
    options = _parse()
    extents: dict[str, Extent] = {
        DIGITS: choose_digits(3 if options.full else 1),
        MOVIELENS: choose_movielens() if options.full else choose_movielens_few(),
    }
    for name in options.only or extents:
        extent = narrow(extents[name], options.percent, options.distribution, options.seeds)
        path = options.data if name == MOVIELENS else None
        section = measure_extent(extent, _say, options.workers, path)
        save({name: section}, options.out)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.verified", description=__doc__)
    parser.add_argument("--only", action="append", choices=[DIGITS, MOVIELENS], help="one data set; both by default")
    parser.add_argument("--full", action="store_true", help="every combination, three jobs a cell on digits")
    parser.add_argument("--percent", type=int, action="append", default=[], choices=PERCENTS, help="only this share")
    parser.add_argument("--distribution", action="append", default=[], choices=DISTRIBUTIONS, help="only this one")
    parser.add_argument("--seeds", type=int, default=0, metavar="N", help="jobs a cell, instead")
    parser.add_argument("--data", type=Path, metavar="FILE", help="MovieLens-100K, prepared (bench.verified.histories)")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE", help="the results, added to if there")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
