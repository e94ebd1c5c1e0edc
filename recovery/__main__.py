"""`python -m recovery` is the `recovery` command."""

from __future__ import annotations

import sys

from recovery.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
