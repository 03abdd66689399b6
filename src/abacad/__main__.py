"""`python -m abacad`: the same as the command `abacad`."""

import sys

from abacad.cli import main

if __name__ == "__main__":
    sys.exit(main())
