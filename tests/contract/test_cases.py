"""Twelve definitions beside the slow way: blocks, orders, restarts and processes change nothing."""

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr
from distributed import Client, LocalCluster

from geomon.pipeline import Run
from geomon.store import keep_block
from geomon.testing import farthest, same_bits
from tests.contract.cases import CASES

EXACT = 1e-12  # of the largest total of a quantity
made: dict[str, Run] = {}


def first(name: str) -> Run:
    """The case's run, made once."""
    if name not in made:
        made[name] = CASES[name].plan().run(workers=2)
    return made[name]


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_totals_equal_the_slow_way(name: str) -> None:
    case, totals = CASES[name], first(name).totals
    for period in case.periods:
        for quantity, (wanted, unseen) in case.slow(period).items():
            found = totals[quantity].sel(period=period)
            keys = [d for d in found.dims if d != "zone"]
            largest = max(map(abs, wanted.values())) or 1.0
            for (zone, labels), number in wanted.items():
                got = float(found.sel(zone=zone, **dict(zip(keys, labels, strict=True))))
                assert got == pytest.approx(number, abs=EXACT * largest), (quantity, zone, labels)
            leaves = [z.code for z in case.zones.leaves]
            counted = math.fsum(abs(found.sel(zone=leaves)).values.ravel())
            assert counted == pytest.approx(math.fsum(map(abs, wanted.values())), rel=1e-11), f"more {quantity}"
            for zone, ground in unseen.items():
                got = float(totals.unseen.sel(quantity=quantity, zone=zone, period=period))
                whole = got + float(totals.seen.sel(quantity=quantity, zone=zone, period=period))
                assert got == pytest.approx(ground, abs=1e-11 * whole), (quantity, zone)


def test_another_order_gives_the_same_bits(name: str) -> None:
    plan = CASES[name].plan()
    shuffled = random.Random(5).sample(plan.tasks, len(plan.tasks))
    assert same_bits(first(name), replace(plan, tasks=tuple(shuffled)).run(workers=2))


def test_resumed_from_half_of_the_blocks_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    plan = CASES[name].plan(store=tmp_path)
    assert plan.store
    folder = plan.store.open_for(plan.indicator.code, plan.id) / "blocks"
    whole = {d.key: d for d in first(name).done}
    half = [t.key for t in plan.tasks][::2]
    for key in half:
        keep_block(folder, whole[key])
    computed: list[tuple[int, int]] = []
    run = plan.run(lambda done, every: computed.append((done, every)), workers=1)
    assert computed[0][0] == min(len(half) + 1, len(plan.tasks))
    assert same_bits(first(name), run)


def test_another_blocking_gives_the_same(name: str) -> None:
    case = CASES[name]
    for block in case.others:
        assert farthest(first(name), case.plan(block=block).run(workers=2)) < EXACT, block


def test_a_zone_alone_gives_what_it_gives_among_all(name: str) -> None:
    case = CASES[name]
    zone = case.zones.leaves[0].code
    alone = case.plan(zones=case.zones.select([zone])).run(workers=2)
    assert farthest(first(name), alone, zone) < EXACT


def test_a_parent_is_the_sum_of_its_children(name: str) -> None:
    case, totals = CASES[name], first(name).totals
    for parent in {z.parent for z in case.zones.zones if z.parent}:
        children = [z.code for z in case.zones.zones if z.parent == parent]
        for variable in totals.values():
            whole, parts = variable.sel(zone=parent), variable.sel(zone=children).sum("zone", min_count=len(children))
            xr.testing.assert_allclose(whole, parts.assign_coords(whole.coords), rtol=EXACT, atol=1e-6)


def test_the_ledger_closes(name: str) -> None:
    book = first(name).ledger.query("not is_parent")
    whole = book.counted + book.excluded + book.unseen
    assert (abs(whole - book.polygon) <= 1e-6 * book.polygon).all()
    assert (book.excluded >= -1e-9 * whole).all()


@pytest.mark.slow
def test_two_processes_give_the_same_bits() -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster) as client,
    ):
        for name, case in CASES.items():
            assert same_bits(first(name), case.plan().run(client=client)), name
