"""What a question asks: who, when and what; and what a follow-up takes over from the conversation."""
