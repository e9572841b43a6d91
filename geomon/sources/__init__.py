"""Where pixels come from: collections, the items they find, and blocks read on native grids."""
