"""Who is struck: the coordinator, its worker, the nodes, the connection to the chain."""

from tests.e2e.gate import wait_until
from tests.e2e.programs import Program
from tests.e2e.world import World
from tests.faults.trial import Trial


class Coordinator:
    """`tally-coordinator serve`, with the worker in it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.hits = 0

    def strike(self) -> None:
        """Kills it and waits until it serves again."""
        self._world.coordinator.kill_and_start_again()
        self._world.wait_ready()
        self.hits += 1

    def strike_claim(self, claims: list[Program]) -> list[Program]:
        """The same."""
        self.strike()
        return claims


class Worker:
    """`tally-coordinator worker`, a process of its own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.hits = 0

    def strike(self) -> None:
        """Kills it; the API goes on meanwhile."""
        self._world.worker.kill_and_start_again()
        self._world.coordinator.check()
        self.hits += 1

    def strike_claim(self, claims: list[Program]) -> list[Program]:
        """The same."""
        self.strike()
        return claims


class Nodes:
    """Node A and the fleet; while claims are on their way, the commands that claim."""

    def __init__(self, world: World, trial: Trial) -> None:
        self._world, self._trial = world, trial
        self.hits = 0

    def strike(self) -> None:
        """Kills both."""
        for program in (self._trial.node, self._trial.fleet):
            program.kill_and_start_again()
        self.hits += 1

    def strike_claim(self, claims: list[Program]) -> list[Program]:
        """Kills the commands and asks again."""
        for claim in claims:
            claim.kill_and_start_again()
        self.hits += 1
        return claims


class ChainLink:
    """The connection between the coordinator and its provider."""

    def __init__(self, world: World) -> None:
        self._provider = world.provider
        self.hits = 0

    def strike(self) -> None:
        """Cuts it until three requests have failed; one that was cut before stays so."""
        before, was_silent = len(self._provider.requests), self._provider.silent
        self._provider.silent = True
        wait_until("three requests that failed", lambda: len(self._provider.requests) >= before + 3)
        self._provider.silent = was_silent
        self.hits += 1

    def strike_claim(self, claims: list[Program]) -> list[Program]:
        """The same."""
        self.strike()
        return claims
