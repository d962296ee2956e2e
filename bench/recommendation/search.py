"""What was tried: one setting changed at a time, judged on the validation items alone."""

import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed

from bench.recommendation.ours import Setting, train_federated
from bench.recommendation.ranking import average
from bench.recommendation.views import Views

VARIATIONS: Mapping[str, Setting] = {
    "as it stands": Setting(),
    "12 rounds": Setting(rounds=12),
    "30 rounds": Setting(rounds=30),
    "50 nodes a round": Setting(cohort=50),
    "4 local steps": Setting({"steps": 4}),
    "16 local steps": Setting({"steps": 16}),
    "rate 6, bias 2": Setting({"rate": "6", "biasRate": "2"}),
    "rate 12, bias 4": Setting({"rate": "12", "biasRate": "4"}),
    "server rate 2": Setting(server_rate="2"),
    "server rate 4": Setting(server_rate="4"),
    "no momentum, server rate 7": Setting(server_rate="7", server_momentum="0"),
    "momentum 0.8, server rate 1.5": Setting(server_rate="1.5", server_momentum="0.8"),
    "lasting memory only": Setting({"dimensions": 31, "recentDimensions": 1}),
    "passing memory only": Setting({"dimensions": 1, "recentDimensions": 31}),
    "passing memory of 2 items": Setting({"recentScale": "2"}),
    "passing memory of 5 items": Setting({"recentScale": "5"}),
    "lasting memory of 10 items": Setting({"recencyScale": "10"}),
    "lasting memory of 40 items": Setting({"recencyScale": "40"}),
    "lasting memory without a floor": Setting({"recencyFloor": "0"}),
    "32 + 32 dimensions": Setting({"dimensions": 32, "recentDimensions": 32}),
    "8 + 8 dimensions": Setting({"dimensions": 8, "recentDimensions": 8}),
    "a table that begins wider": Setting({"spread": "0.3"}),
    "a table that begins narrower": Setting({"spread": "0.05"}),
    "single viewers, 200 a round": Setting(single=True, cohort=200),
    "single viewers, 4 steps": Setting({"steps": 4}, single=True, cohort=200),
}


def search(views: Views, seeds: int) -> None:
    """Prints a line a variation, as each is done: means over the seeds, on the validation items."""
    print(f"{'validation, mean of ' + str(seeds) + ' seeds':<40}HR@10 NDCG@10 full HR full NDCG", flush=True)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        for name, setting in VARIATIONS.items():
            runs = [pool.submit(train_federated, views, setting, seed) for seed in range(1, seeds + 1)]
            quality = average([run.result().validation for run in as_completed(runs)])
            print(f"{name:<40}{quality}", flush=True)
