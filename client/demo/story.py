"""The demo, told in order: services, nodes, a job, its rounds, claims, an audit, and the check that everything agrees.

1. the data is split and the services start; 2. the nodes register; 3. a requester opens a job; 4. rounds run;
5. they become final and the nodes claim; 6. an independent audit runs; 7. balances on chain are compared with the
tallies, to the base unit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from client import calls
from client.api import Api
from client.demo.closing import Books, audit_job, claim_everything
from client.demo.job import create_job
from client.demo.material import Material
from client.demo.movielens import locate_files
from client.demo.processes import Stage
from client.demo.screen import Screen, Step
from client.demo.services import SINGLE_NODES, Services
from client.demo.taste import show_taste
from ledger.wire import RoundView

BOND_TOKENS = "100000"
_LOOK_SECONDS = 0.2
_FINAL_SECONDS = 180
_START_SECONDS = 240


class DemoFailed(Exception):
    """The demo did not come out as it must; says what differed."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: `nodes` in all, the dishonest ones included; `folder` holds everything."""

    nodes: int
    rounds: int
    seed: int
    folder: Path
    cache: Path
    data: Path | None


@dataclass
class Story:
    """One run of the demo on one stage."""

    plan: Plan
    stage: Stage
    screen: Screen

    def tell(self) -> Services:
        """Runs everything and returns the services, still running.

        Raises:
            ProgramFailed: a program ended or did not start; says where its log is.
            DemoFailed: the audit did not pass, or a balance differs.
        """
        # 1
        with self.screen.step("data and services"):
            material = self._prepare()
            services = Services(self.stage, self.plan.folder, material)
            services.start(BOND_TOKENS)
            with services.connect() as gateway:
                self.screen.token_decimals = gateway.fetch_decimals(gateway.deployment.tally_token)
        with Api(services.coordinator_url) as api:
            # 2
            self._start_nodes(services, api)
            # 3
            with self.screen.step("requester opens the job"):
                job = create_job(services, self.plan.rounds, self.plan.nodes)
            # 4
            self._follow_rounds(api, job)
            # 5
            self._wait_until_final(api, job)
            books = self._settle(services, api, job)
        # 6
        with self.screen.step("independent audit"):
            checks = audit_job(services, job)
        self.screen.show_rounds(books.rounds)
        self.screen.show_nodes(books.rows)
        self.screen.show_pretences(books.pretences, books.honest)
        self.screen.show_checks(checks)
        show_taste(self.screen, material, books.final_model)
        self.screen.show_times()
        # 7
        self._conclude(books, checks)
        return services

    def _prepare(self) -> Material:
        data = locate_files(self.plan.cache, self.plan.data)
        material = Material.prepare(self.plan.folder / "material", data, self.plan.nodes, self.plan.seed)
        material.write_tokens(SINGLE_NODES)
        return material

    def _start_nodes(self, services: Services, api: Api) -> None:
        with self.screen.step("nodes register", total=self.plan.nodes) as step:
            services.start_fleet(self.plan.nodes - SINGLE_NODES)
            for number in range(SINGLE_NODES):
                services.start_node(number)

            def all_present() -> bool:
                present = sum(node.present for node in api.fetch(calls.nodes()))
                step.advance_to(present, self.plan.nodes, f"{present} of {self.plan.nodes} present")
                return present == self.plan.nodes

            self._wait(all_present, _START_SECONDS, "not all nodes were registered in time")

    def _follow_rounds(self, api: Api, job: bytes) -> None:
        with self.screen.step("rounds", total=self.plan.rounds) as step:

            def all_sealed() -> bool:
                rounds = api.fetch(calls.rounds(job))
                sealed = sum(view.header is not None for view in rounds)
                step.advance_to(sealed, self.plan.rounds, _describe(rounds, self.screen))
                return sealed == self.plan.rounds

            self._wait(all_sealed, 120.0 * self.plan.rounds, "the rounds did not end in time")

    def _wait_until_final(self, api: Api, job: bytes) -> None:
        with self.screen.step("windows pass", total=self.plan.rounds) as step:

            def all_final() -> bool:
                rounds = api.fetch(calls.rounds(job))
                final = sum(view.state == "final" for view in rounds)
                step.advance_to(final, self.plan.rounds, f"{final} of {self.plan.rounds} rounds final on chain")
                return final == self.plan.rounds and all(view.metrics for view in rounds)

            self._wait(all_final, _FINAL_SECONDS, "the rounds did not become final in time")

    def _settle(self, services: Services, api: Api, job: bytes) -> Books:
        homes = services.list_homes()
        with self.screen.step("nodes claim", total=len(homes)) as step:
            claim_everything(services, lambda done: step.advance_to(done, len(homes)))
            return Books.read(services, api, job)

    def _conclude(self, books: Books, checks: list[dict[str, str]]) -> None:
        problems = books.list_differences()
        problems += [f"audit check {check['id']}: {check['outcome']}" for check in checks if check["outcome"] != "pass"]
        if problems:
            raise DemoFailed("; ".join(problems))
        self.screen.say(
            f"[bold green]{len(books.rows)} balances on chain equal the tallies to the base unit; the audit passed; "
            "the node that sent zeros and the node that copied earned exactly 0.[/]"
        )

    def _wait(self, done: Callable[[], bool], seconds: float, problem: str) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            self.stage.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"{problem}; the logs are in {self.stage.logs}")
            time.sleep(_LOOK_SECONDS)


def _describe(rounds: list[RoundView], screen: Screen) -> str:
    """The newest round's phase, who has answered, and the newest metrics."""
    if not rounds:
        return "waiting for the first round"
    view = rounds[-1]
    words = [f"round {view.round} {view.state}", f"{view.committed}/{view.cohort} committed, {view.revealed} revealed"]
    measured = next((earlier.metrics for earlier in reversed(rounds) if earlier.metrics), None)
    if measured:
        words.append(f"HR@10 {measured['hitRate10']:.3f} NDCG@10 {measured['ndcg10']:.3f}")
    paid = sum(earlier.total_reward or 0 for earlier in rounds)
    return ", ".join([*words, f"pot {screen.amount(paid)} so far"])


def show_ways_on(screen: Screen, services: Services) -> None:
    """What a visitor can do while everything keeps running."""
    screen.say("\nEverything keeps running until Ctrl-C:")
    places = {
        "coordinator": services.coordinator_url,
        "platform": services.platform_url,
        "chain": services.rpc_url,
        "logs": str(services.stage.logs),
    }
    for name, place in places.items():
        screen.say(f"  {name:<12} {place}")
    for name, pid in services.stage.describe():
        screen.say(f"  {name:<12} process {pid}")
    screen.say(f"\n  curl -s {services.coordinator_url}/v1/jobs\n")


__all__ = ["DemoFailed", "Plan", "Step", "Story", "show_ways_on"]
