"""Development desk: forest and surface water."""

from typing import Any

from geomon.panels import Dashboard, desk, say


def page(store: Any) -> Any:
    """The desk over the runs of a store."""
    return desk(DASHBOARD, store, {"15.1.1": "land", "6.6.1": "water"})


DASHBOARD = Dashboard(
    slug="development",
    title=say("desk.development"),
    desk=say("desk.development.for"),
    page=page,
    indicators=("15.1.1", "6.6.1"),
)
