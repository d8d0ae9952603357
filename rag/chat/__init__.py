"""Chat models: which one answers, what it is sent, and what it sends back."""
