"""Where one comment ends and the next begins: the best split of a dump, by the evidence at each line start.

The lines of a dump are read in order, and at each one the question is: does a new comment begin here, given where the
current one began? The answer is a log-odds, the weighted sum of the features of border_evidence.py. The product of these
probabilities scores a whole split. Dynamic programming over the start of the current comment (forward-backward)
gives the probability of a border over all splits: a semi-Markov model with a hazard in place of a table of lengths.

Weights are fitted by tests/benchmarks/borders.py. Does not know what a profile page is (see segmentation.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ingest.border_evidence import FEATURES, OLDEST, Embed, Evidence, evidence
from ingest.lines import Line

_COMPLETE = 6.0
"""Log-odds against any further border where the page marks each comment."""
THRESHOLD = 0.5
"""Posterior from which on a border is set."""

WEIGHTS: dict[str, tuple[float, float]] = {
    "bias": (0.14, 0.11),
    "thanks": (0.68, 0.58),
    "verdict": (0.65, 0.55),
    "asks": (0.56, 0.57),
    "stance": (0.04, 0.08),
    "greets": (0.18, 0.22),
    "points": (0.81, 0.83),
    "joins": (-0.33, -0.3),
    "supposes": (-0.31, -0.25),
    "refers": (0.02, 0.04),
    "counts": (-0.85, -0.77),
    "adds": (-0.23, 0.01),
    "you_early": (-0.08, -0.01),
    "post_early": (0.07, 0.24),
    "lower": (0.17, 0.11),
    "parenthesis": (-0.2, -0.11),
    "quotation": (0.79, 0.58),
    "bullet": (-0.67, -0.36),
    "short": (0.01, 0.01),
    "length": (0.12, 0.1),
    "after_colon": (-0.25, -0.15),
    "after_unfinished": (-0.31, -0.35),
    "after_question": (0.09, -0.04),
    "after_closing": (0.34, 0.35),
    "after_bullet": (-2.71, -2.59),
    "after_parenthesis": (-0.06, -0.18),
    "after_short": (0.1, 0.12),
    "answers_itself": (0.36, 0.53),
    "second_item": (-0.05, -0.12),
    "in_list": (0.09, -0.01),
    "same_start": (-0.39, -0.39),
    "labels_shared": (0.31, -0.18),
    "next_shared": (0.06, 1.41),
    "gap_wider": (3.47, 3.29),
    "gap_missing": (-2.95, -2.8),
    "next_similar": (0.63, 0.0),
    "context": (0.83, 0.89),
    "age_1": (-0.16, -0.23),
    "age_2": (0.14, 0.06),
    "age_3": (0.28, 0.24),
    "age": (-0.12, -0.03),
    "words": (0.18, 0.2),
    "answers": (-0.2, -0.1),
    "answers_question": (-1.55, -1.96),
    "greeted": (0.44, 0.55),
    "shared": (-1.26, -3.94),
    "shared_short": (0.77, 0.47),
    "similar": (-0.57, 0.0),
    "similar_short": (-1.24, 0.0),
    "similar_first": (-0.63, 0.0),
    "reply_shared": (-0.32, -0.37),
    "stance_shared": (0.19, 0.24),
}
"""Of each feature: with an embedding model, and without. Fitted by tests/benchmarks/borders.py, like border_model.npz, on
1,171 dumps made from 16,272 comments of 774 people (a forum, two subreddits, the issues of five drafts, a chat) and on
125 made from the invented comments in gold/; no dump whose borders a person has read was used."""

WINDOW, OVERLAP = 4_000, 60
"""Lines that are looked at together, and how many of those before and after them come along."""


def find_starts(
    lines: Sequence[Line],
    embed: Embed | None = None,
    certain: Collection[int] = (),
    *,
    barred: Collection[int] = (),
    complete: bool = False,
) -> tuple[list[int], np.ndarray]:
    """Gather the evidence and split; long dumps window by window, in bounded memory.

    Args:
        lines: Paragraphs of comments, in order.
        certain: Indices of lines that begin a comment whatever the evidence says.
        barred: Indices of lines that do not.
        complete: Whether `certain` are very likely all.

    Returns:
        Indices of the lines at which a comment begins, the first line among them, and (lines,) how probable a border
        is at each.
    """
    probability = np.ones(len(lines))
    for first in range(0, len(lines), WINDOW):
        low, high = max(0, first - OVERLAP), min(len(lines), first + WINDOW + OVERLAP)
        inside = {0} | {index - low for index in certain if low <= index < high}
        outside = {index - low for index in barred if low <= index < high} - inside
        window = best_split(evidence(lines[low:high], embed), inside, outside, complete=complete)
        probability[first : first + WINDOW] = window[first - low : first - low + WINDOW]
    return [index for index, value in enumerate(probability) if index == 0 or value > THRESHOLD], probability


def best_split(
    found: Evidence, certain: Collection[int] = (), barred: Collection[int] = (), *, complete: bool = False
) -> np.ndarray:
    """How probable a border is at each line, over all splits: shape (lines,).

    Setting a border wherever this is high agrees best with all splits, each weighed by its probability. The single most
    probable split does worse: where two places compete for one border, it may give up both.
    """
    weights = np.array([WEIGHTS[name][0 if found.has_topics else 1] for name in FEATURES])
    log_odds = found.log_odds(weights) - (_COMPLETE if complete else 0.0)
    log_odds[:, sorted(certain)] = 30.0
    log_odds[:, sorted(barred)] = -30.0
    return posterior(log_odds)


def posterior(log_odds: np.ndarray) -> np.ndarray:
    """Probability of a border at each line, over all splits: forward-backward with the comment's age as state.

    Args:
        log_odds: (OLDEST + 1, lines), by how many lines earlier the current comment began, as from `Evidence.log_odds`.
    """
    count = log_odds.shape[1]
    probability = np.ones(count)
    yes, no = -np.logaddexp(0, -log_odds), -np.logaddexp(0, log_odds)
    forward = np.full((count + 1, OLDEST + 1), -np.inf)
    forward[1:2, 1] = 0.0
    for index in range(1, count):
        stays = forward[index] + no[:, index]
        forward[index + 1, 2:] = stays[1:-1]
        forward[index + 1, -1] = np.logaddexp(stays[-2], stays[-1])
        forward[index + 1, 1] = np.logaddexp.reduce(forward[index] + yes[:, index])
    backward = np.zeros(OLDEST + 1)
    total = np.logaddexp.reduce(forward[count])
    for index in range(count - 1, 0, -1):
        ends = yes[:, index] + backward[1]
        probability[index] = np.exp(min(0.0, np.logaddexp.reduce(forward[index] + ends) - total))
        backward = np.logaddexp(ends, no[:, index] + np.append(backward[1:], backward[-1]))
    return probability
