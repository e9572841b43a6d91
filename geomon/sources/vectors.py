"""Vector collections: the features of their items in longitude and latitude."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pystac
import shapely

from geomon.errors import CatalogError, ReadError, listing
from geomon.grid import both_sides
from geomon.sources.origins import WHOLE, Search
from geomon.sources.records import Origin

DEGREES = "EPSG:4326"


def nothing() -> gpd.GeoDataFrame:
    """No features."""
    return gpd.GeoDataFrame({"geometry": []}, geometry="geometry", crs=DEGREES)


def features(items: Sequence[pystac.Item], origin: Origin, search: Search) -> gpd.GeoDataFrame:
    """The features of all items that touch the box, with their fields and the `item` they are from."""
    parts = [part for item in items if not (part := read(item, origin, search)).empty]
    if not parts:
        return nothing()
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=DEGREES)


def read(item: pystac.Item, origin: Origin, search: Search) -> gpd.GeoDataFrame:
    """The features of one item."""
    name = WHOLE if origin.type == "folder" else origin.assets.get("features", search.band.asset)
    if name not in item.assets:
        raise CatalogError(
            f"The item {item.id} of {search.collection.id} has no asset {name!r}; it has "
            f"{listing(item.assets)}. "
            "Name it as 'geomon:main' of the collection."
        )
    href = item.assets[name].get_absolute_href() or item.assets[name].href
    try:
        frame = gpd.read_parquet(href) if href.endswith(".parquet") else gpd.read_file(href)
    except (OSError, ValueError, pyogrio.errors.DataSourceError) as error:
        raise ReadError(f"The features of {item.id} cannot be read from {href}: {error}.") from error
    if frame.crs is None:
        raise CatalogError(f"The features of {item.id} in {href} have no CRS. Write it into the file.")
    if frame.geometry.name != "geometry":
        frame = frame.rename_geometry("geometry")
    frame = frame.to_crs(DEGREES)
    if search.bbox is not None:
        frame = frame[frame.intersects(shapely.union_all([shapely.box(*b) for b in both_sides(search.bbox)]))]
    fields: dict[str, Any] = {"item": item.id}
    return frame.assign(**fields)
