"""Departures: how two panels of series differ beyond what honest series differ by, and what would explain it."""
