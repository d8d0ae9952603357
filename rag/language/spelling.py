"""Forms of one word: British and American spelling, so that "behaviour" finds "behavior", too; singular and plural."""

from __future__ import annotations

import re

_NEVER_IZE = re.compile(
    r"(?:un|im|re|non)?(?:adv|advert|ar|br|chast|circumc|compr|comprom|conc|cr|dem|desp|dev|enterpr|exc|exerc|expert|franch|improv|inc|ir"
    r"|merchand|mort|parad|pract|prec|prem|pr|prom|rev|r|sunr|superv|surm|surpr|telev|treat|trell|upr)is"
)
"""Words in "-ise" that are spelled like this everywhere, beside those in "-aise", "-oise", "-uise" and "-wise"."""
_IZE = re.compile(r"(?<=[a-z]{2})(?<![aeouw])is(?=(?:e[drs]?|ers?|ing|ations?|ational|able)$)")
_RULES = (
    # "Analyses" is a plural, too.
    (re.compile(r"(?<=al)ys(?=(?:e[dr]?|ers?|ing)$)"), "yz"),
    (re.compile(r"(?<=[a-z]{3})our(?=(?:s|ed|ing|able|al|ally|ful|ites?|less|ly|ers?|ists?|hoods?)?$)"), "or"),
    (re.compile(r"^(cent|theat|fib|calib|lit|met|kilomet|millimet|centimet|micromet|millilit)re(?=s?$)"), r"\1er"),
    (re.compile(r"(?<=[a-z]{2}l)ogue(?=s?$)"), "og"),
    (re.compile(r"^(def|off|pret)ence(?=s?$)"), r"\1ense"),
    (re.compile(r"(?<=[a-z]{2}dg)ement"), "ment"),
    (re.compile(r"^practis(?=e[drs]?$|ing$)"), "practic"),
    (re.compile(r"^sceptic"), "skeptic"),
    (re.compile(r"^artefact"), "artifact"),
    (re.compile(r"^programme(?=s?$)"), "program"),
    (re.compile(r"^grey"), "gray"),
)
_PLURAL = re.compile(r"(?:['’]s|ies|es|s|y|e)$")


def american(word: str) -> str:
    """A word in lower case as it is spelled in America, as far as rules can tell; else as it is."""
    if not _NEVER_IZE.match(word):
        word = _IZE.sub("iz", word)
    for pattern, by in _RULES:
        word = pattern.sub(by, word)
    return word


def singular(word: str) -> str:
    """What singular and plural of a word in lower case have in common, however it is spelled: no word itself."""
    return _PLURAL.sub("", american(word))
