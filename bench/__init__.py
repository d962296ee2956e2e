"""Our figures beside the peers', measured in one run: `make bench`, or `python -m bench --only receipts --quick`.

How to write a bench
    A bench is a module `bench/<name>.py` with `run(report: Report) -> None`, and a line in `bench/benches.py`, which
    also holds the order and the minutes that each may take on two quiet cores.

    1. Build what both sides work on, from a fixed seed. `report.say("…")` before anything that takes over a second.
    2. Peers live in environments of their own, below `bench/peers/` (ignored by git), built by the bench itself:
       `python_environment("ethereum")` from the pins in `bench/constraints/ethereum.txt` (all of them: what `pip
       freeze` says), `node_environment("openzeppelin")` from `bench/constraints/openzeppelin/package.json` and its
       lock. Code that runs there is a script in `bench/against/`, which imports the peer, the standard library and
       `bench.against.serving`, nothing else of ours; it answers calls, so that the two sides can take turns:

           with started(python_environment, "ethereum", "ethereum.py", report) as peer:
               digest = ask(peer, "digest", times=100)          # any JSON in, a number out

       A peer that cannot be installed, started or asked raises `PeerMissing`; `started`, `ask` and `compare` put
       `Missing(reason)` in its place, and the figure's line says so. A figure is measured or absent.
    3. Measure by turns: `compare(ours, {"eth-account": digest}, turns=9)` calls ours, theirs, ours, … each of which
       returns seconds (or whatever the figure counts), and gives the medians. `clocked(function, times=1000)` makes
       such a callable from a function of ours.
    4. `report.add(name, unit, ours, peers=…, bar=…, bound=…, how=…)` as soon as it is measured: it prints the line and
       saves it. A bar needs a `bound`: what limits the figure, printed where the bar is missed.
    5. Look at `report.quick`: with it, do the same with less (seconds, not minutes). Quick figures are never saved.

What it writes
    `bench/results.json` keeps the last full run of each bench, with the machine, the versions and the time;
    `docs/benchmarks.md` is rendered from it (`python -m bench --render` only renders). `adversaries` also writes
    `bench/verified.json`, from which, with the bars of `scores`, comes `docs/verified-work.md`.
"""
