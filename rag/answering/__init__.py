"""From passages to an answer: the order of the steps, answers of quotes, answers of a model."""
