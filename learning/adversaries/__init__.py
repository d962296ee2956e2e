"""Dishonest nodes in the box: what each sends, as a function of what it sees. For tests, benches and trying out."""

from learning.adversaries.lazy import work_honestly
from learning.adversaries.sight import Behaviour, Sight
from learning.adversaries.strategies import ADVERSARIES

__all__ = ["ADVERSARIES", "Behaviour", "Sight", "work_honestly"]
