"""python -m ui: the chat page, as `commentariat chat`."""

import sys

from ui.cli import main

if __name__ == "__main__":
    sys.exit(main(["chat", *sys.argv[1:]]))
