"""Whether what was found answers the question, and what to say where nothing does."""
