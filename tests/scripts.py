"""The scripts of `bench/`, which belong to the checkout and to no package, as modules that a test can ask."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

BENCH = Path(__file__).parents[1] / "bench"


def load_script(name: str) -> ModuleType:
    """Load `bench/NAME.py` under a name that no package has."""
    called = f"bench_{name}"
    spec = importlib.util.spec_from_file_location(called, BENCH / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[called] = module
    spec.loader.exec_module(module)
    return module
