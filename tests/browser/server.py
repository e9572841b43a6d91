"""Serves three stores for the browser tests in one process: the sample country's, an empty one, an invented one."""

import json
import sys
from pathlib import Path

from geomon.sample import build

SPANS = {"15.1.1": "2015/2024", "6.6.1": "2015/2024", "night-lights": "2014/2024", "water-extent": ["2023-08-14"]}


def computed(folder: Path) -> Path:
    """A store with the runs of a small sample country."""
    sample = build(folder / "sample", size=120)
    from geomon import Zones, plan, workspace

    workspace.use(sample.workspace)
    zones = Zones.read(sample.zones)
    for code, span in SPANS.items():
        plan(code, zones, span, store=folder / "store", official=sample.official).run()
    return folder / "store"


def main(folder: Path) -> None:
    """Print the three addresses as JSON when all answer, then serve until killed."""
    from geomon.panels.serve import start
    from geomon.store import Store
    from tests.browser import fixture

    stores = {"sample": Store(computed(folder)), "empty": Store(folder / "none"), "invented": fixture.store(folder)}
    servers = {name: start(store, port=0) for name, store in stores.items()}
    print(json.dumps({name: f"http://127.0.0.1:{server.port}" for name, server in servers.items()}), flush=True)
    servers["sample"].io_loop.start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
