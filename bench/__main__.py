"""`python -m bench`: run the benches in order, or those named; save the figures and render the document."""

import argparse
import sys
import time
import traceback

from bench import render
from bench.benches import MINUTES, is_built, load
from bench.machine import describe_machine
from bench.report import Report
from bench.verified import page


def main() -> int:
    """Run what was asked for; 0 when every bench came to its end, whatever its figures, else 1."""
    options = _parse()
    if options.render:
        render.write()
        page.write()
        return 0
    built = [name for name in options.only or MINUTES if _is_there(name)]
    failed = [name for name in built if not _run(name, quick=options.quick)]
    if not options.quick:
        render.write()
        page.write()
    if failed:
        print(f"benches that did not come to their end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Our figures beside the peers'.")
    parser.add_argument("--only", action="append", choices=list(MINUTES), metavar="NAME", help=" | ".join(MINUTES))
    parser.add_argument("--quick", action="store_true", help="measure less, save nothing")
    parser.add_argument("--render", action="store_true", help="only write the documents from the saved figures")
    return parser.parse_args()


def _is_there(name: str) -> bool:
    if not is_built(name):
        print(f"{name}: not built yet, left out", file=sys.stderr)
        return False
    return True


def _run(name: str, *, quick: bool) -> bool:
    report = Report(name, quick=quick, about=describe_machine())
    begun = time.perf_counter()
    print(f"{name}: at most {MINUTES[name]:g} minutes on two quiet cores", file=sys.stderr, flush=True)
    try:
        load(name)(report)
    except Exception:  # noqa: BLE001 -- the edge of the program: the other benches still run
        traceback.print_exc()
        return False
    minutes = (time.perf_counter() - begun) / 60
    over = f", over its {MINUTES[name]:g}" if minutes > MINUTES[name] else ""
    print(f"{name}: took {minutes:.1f} minutes{over}", file=sys.stderr, flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
