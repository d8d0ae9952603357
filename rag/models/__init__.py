"""The models that run here: embeddings, the reader that says whether a text answers, reranking, entailment."""
