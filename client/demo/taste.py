"""What the model learned, as a person sees it: ten titles for one viewer, before and after."""

from __future__ import annotations

from client.demo.material import Material
from client.demo.screen import Screen
from learning.tasks import get_task
from learning.tensors import read_model

TITLES = 10
LAST_WATCHED = 5


def show_taste(screen: Screen, material: Material, final_model: bytes) -> None:
    """Recommendations for the first hold-out viewer by the initial and by the final model."""
    titles = material.catalogue.titles
    task = get_task("recommender", {"items": len(titles)})
    history = material.history(material.split.holdout[0])
    lists = []
    for content in (material.initial_model.read_bytes(), final_model):
        answer = task.predict(read_model(task.layout, content), {"history": history, "count": TITLES})
        lists.append([titles[item] for item in answer["items"]])
    screen.show_recommendations([titles[item] for item in history[-LAST_WATCHED:]], *lists)
