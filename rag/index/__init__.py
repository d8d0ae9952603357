"""The index on disk: vectors in Chroma, words in BM25, comments and sources in SQLite."""
