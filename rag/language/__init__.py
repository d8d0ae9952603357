"""Words: sentences, everyday English, the language of a question, and the phrases of answers in it."""
