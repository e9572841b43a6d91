"""Python imports this by its name at its start: every process below the tests is offline too."""

import importlib

importlib.import_module("blocked")
