"""Humanitarian desk: water after a storm."""

from typing import Any

from geomon.panels import Dashboard, desk, say


def page(store: Any) -> Any:
    """The desk over the runs of a store."""
    return desk(DASHBOARD, store, {"water-extent": "water"}, first="water-extent/flood")


DASHBOARD = Dashboard(
    slug="humanitarian",
    title=say("desk.humanitarian"),
    desk=say("desk.humanitarian.for"),
    page=page,
    indicators=("water-extent",),
)
