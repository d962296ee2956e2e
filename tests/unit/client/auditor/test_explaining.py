"""Explanations are made of verified data: a reply that contradicts signature, proof or chain explains nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from client.auditor.evidence.sources import Sources
from client.auditor.explaining import NoSuchEntry, explain
from ledger.errors import VerificationError
from tests.simulated.job import SimulatedJob
from tests.simulated.sources import SimulatedChain, SimulatedEvidence, make_evidence, make_facts


@cache
def play() -> SimulatedJob:
    job = SimulatedJob(nodes=4, rounds=3)
    job.play()
    job.play(absent=[2], hidden=[1])
    job.play()
    return job


def make_sources(change: Callable[[dict[str, Any]], object] | None = None, number: int = 3) -> Sources:
    job, source = play(), make_evidence(play())
    for played in job.rounds:
        for entry in played.tally.entries:
            reply = json.loads(job.hand_out(played.tally.round, entry.seq))
            if change is not None and played.tally.round == number and entry.node == job.nodes[0].address:
                change(reply)
            source.replies[(played.tally.round, entry.node)] = json.dumps(reply).encode()
    return Sources(source, SimulatedChain(make_facts(job)))


def explain_node(node: int, number: int, sources: Sources | None = None) -> str:
    return "\n".join(explain(play().id, number, play().nodes[node].address, sources or make_sources()).lines)


def test_reward_is_explained_with_its_formula_and_when_it_can_be_claimed() -> None:
    text = explain_node(0, 1)
    entry, header = play().rounds[0].tally.entries[0], play().rounds[0].header.statement
    assert "Contribution 1 of 4 in round 1: accepted" in text
    assert f"· {entry.body.gain} / {header.total_gain}) = {entry.body.reward} base units" in text
    assert "from no round before" in text
    assert "claimable from 2027-01-15" in text


def test_credit_comes_from_the_last_round_the_node_took_part_in() -> None:
    assert "(from round 1)" in explain_node(2, 3)
    assert "unrevealed" in explain_node(1, 2)
    assert "Reward 0" in explain_node(1, 2)


def test_round_that_is_not_on_chain_is_not_claimable() -> None:
    sources = make_sources()
    assert isinstance(sources.chain, SimulatedChain)
    sources.chain.facts = replace(sources.chain.facts, rounds=sources.chain.facts.rounds[:2])
    assert "not on chain yet" in explain_node(0, 3, sources)


def test_node_without_an_entry_is_wrong_use() -> None:
    with pytest.raises(NoSuchEntry):
        explain_node(2, 2)


def flip_text(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda reply: reply["entry"].update(earned="1"), "tree-root"),
        (lambda reply: reply["entry"]["body"].update(score="1"), "tree-root"),
        (lambda reply: reply["proof"].pop(), "proof-length"),
        (lambda reply: reply["proof"].__setitem__(0, flip_text(reply["proof"][0])), "tree-root"),
        (lambda reply: reply["header"]["statement"].update(totalGain="1"), "signature"),
        (lambda reply: reply["header"]["statement"].update(round=2), "signature"),
    ],
    ids=["earned", "score", "proof length", "proof", "header", "round"],
)
def test_reply_that_lies_explains_nothing(change: Callable[[dict[str, Any]], object], check: str) -> None:
    with pytest.raises(VerificationError) as raised:
        explain_node(0, 3, make_sources(change))
    assert raised.value.check == check


def test_entry_before_that_lies_explains_nothing() -> None:
    with pytest.raises(VerificationError) as raised:
        explain_node(0, 3, make_sources(lambda reply: reply["entry"].update(earned="7"), number=2))
    assert raised.value.check == "tree-root"


def test_header_that_the_chain_does_not_hold_explains_nothing() -> None:
    sources = make_sources()
    assert isinstance(sources.chain, SimulatedChain)
    posted = list(sources.chain.facts.rounds)
    posted[2] = replace(posted[2], anchored=replace(posted[2].anchored, word=bytes(32)))
    sources.chain.facts = replace(sources.chain.facts, rounds=tuple(posted))
    with pytest.raises(VerificationError) as raised:
        explain_node(0, 3, sources)
    assert raised.value.check == "anchor"


def test_reply_about_another_node_explains_nothing() -> None:
    sources = make_sources()
    assert isinstance(sources.evidence, SimulatedEvidence)
    nodes = [node.address for node in play().nodes]
    sources.evidence.replies[(3, nodes[0])] = sources.evidence.replies[(3, nodes[1])]
    with pytest.raises(VerificationError) as raised:
        explain_node(0, 3, sources)
    assert raised.value.check == "entry-contribution"
