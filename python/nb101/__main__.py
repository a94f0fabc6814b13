"""``python -m nb101``: the same as the command ``nb101``."""

import sys

from nb101.cli import main

if __name__ == "__main__":
    sys.exit(main())
