"""python -m ingest PATH... [--rebuild]"""

import sys

from ingest.command import main

if __name__ == "__main__":
    sys.exit(main())
