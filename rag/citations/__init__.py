"""From a model's words to citations that hold: keys, markers, quotes, and whether they support what is said."""
