"""The parts of a desk: pages that show stored results, and never compute one."""

from geomon.panels.dashboard import Dashboard
from geomon.panels.desk import desk
from geomon.texts import say

__all__ = ["Dashboard", "desk", "say"]
