"""SDG 15.1.1: forest area as a proportion of total land area.

A satellite sees land cover; the official series (FAO Forest Resources Assessment) counts land use.
Oil palm, orchards, and cocoa or coffee under shade trees look like forest here and are not forest
there; a clear-cut that will be replanted is forest there and bare ground here. The share is of all
ground that was observed and is not water. Ground that was not observed widens the bounds. Errors of
classification are not in them, unless a reference sample is given.

Do not read a trend across a change of the map's algorithm, and do not compare one year's step with
the official series, which is assessed every five years and interpolated between.
"""

import xarray as xr

from geomon import Choice, Indicator, Official, Output, Source, classes, share

COUNTED = {"trees": ("forest",), "trees and shrubs": ("forest", "shrubland")}


def measure(cover: xr.DataArray, *, counted: str) -> dict:
    """Mark the pixels that are forest, and those that are land at all."""
    return {"forest": classes(cover, *COUNTED[counted]), "land": ~classes(cover, "water")}


INDICATOR = Indicator(
    code="15.1.1",
    title="Forest area as a proportion of total land area",
    freq="A",
    sources={"cover": Source("esa-worldcover")},
    grid="cover",
    measure=measure,
    outputs={
        "share": Output(
            share("forest", of="land"),
            "percent",
            title="Tree cover as a share of land",
            desired="up",
            official=Official(
                "AG_LND_FRST",
                tolerance=5.0,
                definition="forest as land use (FAO Forest Resources Assessment)",
                differs=(
                    "the map counts every tree canopy, also of plantations, orchards and cocoa or coffee under "
                    "shade trees, while the official series counts forest as a land use"
                ),
                numerator="AG_LND_FRSTN",
                denominator="AG_LND_TOTL",
                fraction=True,
            ),
        )
    },
    params={"counted": Choice(tuple(COUNTED), "low and young forest looks like shrubs, and is forest by land use")},
    alternatives={"cover": ("cgls-lc100",)},
    map="forest",
    minimum_coverage=0.8,
    unseen=(
        "Not seen: what the trees are grown for and who lives from them, young forest without crowns, and ground under "
        "clouds."
    ),
    objections={
        "Plantations are not forest. Why are they counted?": (
            "The satellite sees tree crowns, not what they are grown for. Where tree crops are common the value "
            "lies above the official one, and the check says so instead of calling one of them wrong."
        ),
        "The official figure hardly moves. Why does yours?": (
            "Official forest areas are assessed every five to ten years and drawn as straight lines between. "
            "A map is made anew for each year and carries that year's errors."
        ),
        "Clouds hide our country most of the year.": (
            "Ground that was not observed enters no total. It widens the bounds, and below the minimum coverage "
            "no value is published."
        ),
    },
)
