"""python -m rag "question" """

from __future__ import annotations

import argparse
import sys

from rag.terminal import exit_status


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rag", description="Answer one question from the index.")
    parser.add_argument("question")
    args = parser.parse_args()
    return exit_status("rag", lambda: _answer(args.question))


def _answer(question: str) -> int:
    from rag import answer
    from rag.plain_text import format_answer

    print(format_answer(answer(question)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
