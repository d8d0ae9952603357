"""python -m rag "question" """

from __future__ import annotations

import argparse
import sys


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m rag", description="Answer one question from the index.")
    parser.add_argument("question")
    args = parser.parse_args()

    from rag import RagError, answer
    from rag.plain_text import format_answer

    try:
        print(format_answer(answer(args.question)))
    except RagError as exc:
        print(f"rag: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
