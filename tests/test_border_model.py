"""The network that reads lines in order: its arithmetic, its inputs, and that it needs nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from ingest import border_model
from ingest.border_evidence import evidence, network_inputs
from ingest.border_model import PhraseWeights, closing_phrases, load, opening_phrases
from ingest.generated_dumps import generated_dumps
from ingest.lines import lines_of

LINES = lines_of(generated_dumps(1)[0].text)
WEIGHTS = PhraseWeights(
    {"^thanks": 1.5, "s:thanks for": 0.25, "s?": 0.5}, {"you .$": 2.0, "p^thanks": 0.125}, (-1.0, -2.0)
)


def test_phrases_are_words_at_the_edges_of_a_paragraph() -> None:
    assert opening_phrases("Isn’t it 12 degrees?") == {
        "^isn't", "^isn't it", "^isn't it 0", "^isn't it 0 degrees", "s:isn't", "s:it", "s:0", "s:degrees", "s:?",
        "s:isn't it", "s:it 0", "s:0 degrees", "s:degrees ?", "s?",
    }  # fmt: skip
    assert closing_phrases("No. I agree.") == {
        ".$", "agree .$", "i agree .$", "e:i", "e:agree", "e:.", "p^no", "p^no .",
    }  # fmt: skip


def test_scores_add_up_and_look_at_the_neighbours() -> None:
    lines = lines_of("Thanks for it?\nI see you.\nWell.")
    assert WEIGHTS.scores(lines) == pytest.approx(
        np.array(
            [
                [1.25, 0.0, -1.0, 0.0],
                [-1.0, -1.875, -1.0, 0.0],
                [-1.0, 0.0, 0.0, -1.875],
            ]
        )
    )


def test_input_has_the_width_that_was_fitted_and_says_whether_topics_are_known() -> None:
    network = load()
    vectors = np.eye(len(LINES), 8, dtype=np.float32) + 0.1
    without = network_inputs(LINES, None, network.phrases)
    with_topics = network_inputs(LINES, lambda texts: vectors, network.phrases)
    assert without.shape == with_topics.shape == (len(LINES), len(network.mean))
    (changed,) = np.nonzero((without != with_topics).any(axis=0))
    assert len(changed) <= 1 + 4 * border_model.REACH
    known = changed[0]
    assert set(without[:, known]) == {0.0}
    assert set(with_topics[:, known]) == {1.0}


def test_the_far_end_of_a_dump_is_heard() -> None:
    """Both directions are read: another last line changes what is thought of the first."""
    text = "\n".join(line.text for line in LINES)
    one, other = (evidence(lines_of(f"{text}\n{last}")).at_line[:, -1] for last in ("Thanks for this!", "and so on"))
    assert one[-1] > other[-1]
    assert not np.array_equal(one[:5], other[:5])


@pytest.mark.slow
def test_the_arithmetic_is_that_of_torch() -> None:
    import torch

    network = load()
    seen = np.random.default_rng(1).normal(size=(9, network.enter.shape[-1]))
    units = seen.shape[1]
    reader = torch.nn.GRU(units, units, bidirectional=True, batch_first=True).double()
    state = {}
    for way, suffix in enumerate(("", "_reverse")):
        for kind, weights in (("ih", network.from_input), ("hh", network.from_state)):
            state[f"weight_{kind}_l0{suffix}"] = torch.tensor(weights[0, way, :-1].T)
            state[f"bias_{kind}_l0{suffix}"] = torch.tensor(weights[0, way, -1])
    reader.load_state_dict(state)
    with torch.no_grad():
        expected = reader(torch.tensor(seen)[None])[0][0].numpy()
    assert network.read(seen[None])[0] == pytest.approx(expected[None][0])
