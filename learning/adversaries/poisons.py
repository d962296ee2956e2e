"""Work that harms or overstates: false examples, the opposite of honest work, honest work made longer."""

from __future__ import annotations

from learning.adversaries import examples
from learning.adversaries.lazy import work_honestly
from learning.adversaries.sight import Sight
from learning.quantise import Update


def flip_labels(sight: Sight) -> Update:
    """Trains on false labels: 9 for 0, the catalogue's last item for its first."""
    return sight.train(examples.flip_labels(sight.task, sight.examples))


def shuffle_examples(sight: Sight) -> Update:
    """Trains on its labels or items in a random order: each is true, what belongs to it is not."""
    return sight.train(examples.shuffle(sight.task, sight.examples, sight.generator()))


def flip_sign(sight: Sight) -> Update:
    """The opposite of honest work."""
    return -work_honestly(sight)


def scale_up(sight: Sight) -> Update:
    """Honest work at the largest norm that passes screening."""
    return sight.scale(sight.dequantise(work_honestly(sight)))
