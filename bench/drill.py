"""The long drill: the tests of the log with sixteen writers for a minute.

python -m bench.drill
"""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> int:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "tests/ledger/test_drill.py", "-n", "0", "-s", "-q"],
        env={**os.environ, "ZHENGWU_DRILL": "1"},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
