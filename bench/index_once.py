"""Imports and indexes one app in a fresh interpreter, as a worker's cold start does: ``python -m bench.index_once DIR``.

The clock starts when the worker library is loaded, because Azure keeps workers that far started, and stops when the
functions are known.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from local.host.app import index


def main(directory: str) -> int:
    """Print the seconds and how many functions there are."""
    began = time.perf_counter()
    app = index(Path(directory))
    print(json.dumps({"seconds": time.perf_counter() - began, "functions": len(app.functions)}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
