"""The keyless evaluation: questions with gold, measures, reports."""
