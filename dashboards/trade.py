"""Trade desk: light at night."""

from typing import Any

from geomon.panels import Dashboard, desk, say


def page(store: Any) -> Any:
    """The desk over the runs of a store."""
    return desk(DASHBOARD, store, {"night-lights": "light"}, first="night-lights/mean")


DASHBOARD = Dashboard(
    slug="trade",
    title=say("desk.trade"),
    desk=say("desk.trade.for"),
    page=page,
    indicators=("night-lights",),
)
