"""Everything this project raises on purpose.

RagError
├── SettingsError        a setting is unknown, wrong or contradicts another
├── QuestionError        the question is empty or too long
│   └── FilterError      a filter is no date or no name
├── StoreError
│   ├── StoreMissing     nothing has been ingested yet
│   ├── StoreMismatch    the index was made with another embedding model or a newer version
│   └── StoreUnavailable the database is locked, unreadable or its server is down
├── SourceError          a source cannot be read or is not in the index
│   └── ForumError       a forum refuses, is not reached, or no longer answers as it did
├── EmbeddingError       the embedding model is missing, damaged or failed
└── ModelError           the chat model cannot be used
    ├── ModelMissing     its package or file is not installed
    ├── ModelRefused     wrong key, unknown model, no permission, quota used up
    │   └── PromptTooLong the prompt does not fit the model's window
    ├── ModelUnavailable the server is down, timed out or broke off; trying again may help
    └── ModelReplyError  the reply was empty, refused or cut short
"""


class RagError(Exception):
    """Base of all errors raised on purpose: the message says what was wrong and what to do."""


class SettingsError(RagError):
    """A setting is unknown, wrong or contradicts another."""


class QuestionError(RagError):
    """The question cannot be asked: empty, or longer than the limit."""


class FilterError(QuestionError, ValueError):
    """What a filter was given is no date or no name."""


class StoreError(RagError):
    """Something about the index."""


class StoreMissing(StoreError):
    """Nothing has been ingested yet."""


class StoreMismatch(StoreError):
    """The index was made with another embedding model, or by a newer version."""


class StoreUnavailable(StoreError):
    """The database is locked, unreadable, or its server does not answer."""


class SourceError(RagError):
    """A source cannot be read, or is not in the index."""


class ForumError(SourceError):
    """A forum refuses or slows us down, is not reached, or no longer answers as it did."""


class EmbeddingError(RagError):
    """The embedding model is missing, damaged, or failed."""


class ModelError(RagError):
    """The chat model cannot be used."""


class ModelMissing(ModelError):
    """The package or file it needs is not there; the message names the install line."""


class ModelRefused(ModelError):
    """Wrong key, unknown model, no permission or quota used up: asking again will not help."""


class PromptTooLong(ModelRefused):
    """The prompt is larger than the model's context window: a smaller one may pass."""


class ModelUnavailable(ModelError):
    """The server is down, timed out, or broke off: asking again may help."""


class ModelReplyError(ModelError):
    """The model replied, but with nothing usable: empty, refused, or cut short."""
