"""Words of questions about what people say: verbs of saying, auxiliaries, question words."""

from __future__ import annotations

import re

WH = r"(?:who(?:se|m)?|what|which|when|where|why|how|whether)"
_HELPING = "do does did can could will would shall should may might must".split()
_BE_OR_HAVE = "is are was were am has have had".split()
HELPING_VERB = rf"(?:{'|'.join(_HELPING)})(?:n['’]?t)?"
AUXILIARY_VERB = rf"(?:{'|'.join(_HELPING + _BE_OR_HAVE)})(?:n['’]?t)?"
AUXILIARIES = frozenset(_HELPING + _BE_OR_HAVE).union(
    *({f"{verb}nt"} for verb in _HELPING + _BE_OR_HAVE), {"cant", "wont"}
)
"""As `names.fold` writes them: "doesnt"."""
BEING = frozenset("is are was were be been being".split())
PREPOSITIONS = frozenset(
    "about on onto of to with against regarding concerning re for at like than toward towards in into over around behind"
    " after before".split()
)
"""What stands before somebody or something that is talked about."""
ONLY_PEOPLE = frozenset(
    "think say write believe argue claim feel recommend advise agree disagree comment respond reply object prefer propose".split()
)
"""What nothing but people do: a small collection lacks many words, and most verbs may follow words for things."""
SAYING_INFINITIVES = frozenset(
    """
    accept acknowledge add address admit advise advocate affirm agree allege allow answer appreciate argue ask assert assess
    assume attribute back believe bet blame call care challenge characterise characterize cite claim comment compare
    complain conclude condemn confirm consider contend contrast count criticise criticize critique debate declare defend
    define deny describe differ disagree discuss dismiss dispute doubt elaborate emphasise emphasize endorse estimate
    evaluate expect explain express favor favour fear find forecast frame give guess highlight hope hypothesise
    hypothesize imagine imply insist interpret intend justify judge know like list maintain make mention name note object
    observe offer oppose outline plan point post praise predict prefer present proclaim propose push question quote rate
    reason recall recommend refer reject remark repeat reply report respond say see show speculate stand state stress
    suggest summarise summarize support suspect talk tell think toy treat trust understand urge use value view voice want
    warn worry write
""".split()
)
_PAST = {
    "bet": "bet",
    "find": "found",
    "give": "gave given",
    "know": "knew known",
    "make": "made",
    "say": "said",
    "see": "saw seen",
    "tell": "told",
    "think": "thought",
    "understand": "understood",
    "write": "wrote written",
}
_DOUBLING = frozenset({"admit", "bet", "plan", "refer"})
"""Verbs that double their last letter: "admitted"."""
_OTHER_FORMS = frozenset(
    """
    bring feel feels felt gets got held hold holds mean means meant put puts raise raised raises speak speaks spoke
    spoken stood up
    """.split()
)
"""Forms of verbs of which the others say too little."""


def _forms(verb: str) -> set[str]:
    stem = verb + verb[-1] if verb in _DOUBLING else verb
    third, past, ing = f"{verb}s", f"{stem}ed", f"{stem}ing"
    if re.search(r"[^aeiou]y$", verb):
        third, past = f"{verb[:-1]}ies", f"{verb[:-1]}ied"
    elif re.search(r"(?:s|sh|ch|x)$", verb):
        third = f"{verb}es"
    elif verb.endswith("e"):
        past, ing = f"{verb}d", ing if verb.endswith("ee") else f"{verb[:-1]}ing"
    return {verb, third, *_PAST.get(verb, past).split(), ing}


SAYING = frozenset(form for verb in SAYING_INFINITIVES for form in _forms(verb)) | _OTHER_FORMS
"""Verbs of saying and thinking, in all their forms."""

UTTERANCE = r"(?:comment|post|repl(?:y|ies)|message|remark|statement|view|opinion|position|stance|take|thought|word|answer|response)s?"
"""What somebody wrote: "the latest post"."""
STANCE = r"(?:mind|view|opinion|position|stance|thinking|thought)s?"
"""What changes over time."""
OPINION = re.compile(
    r"(?:own|main|overall|general|personal|current|earlier|later|latest|recent|first|last|central|stated|actual|short|long"
    r"|original|key|biggest|favou?rite|preferred|\w+ed|\w+ing)?\s*"
    r"(?:view|opinion|take|position|argument|thought|comment|profile|bio|answer|objection|proposal|stance|claim|idea|advice"
    r"|suggestion|reason|belief|plan|post|repl(?:y|ies)|response|critique|criticism|point|perspective|attitude|theory|case"
    r"|explanation|concern|worr(?:y|ies)|hope|prediction|estimate|recommendation|summary|analysis|experience|preference"
    r"|account|assessment|definition|description|example|intuition|judge?ment|mind|model|rationale|reaction|reasoning"
    r"|remark|statement|story|verdict|words|work|writing|job|background|side|disagreement|complaint|thinking|approach|solution|question)s?\b",
    re.I,
)
"""What somebody has who is asked for: "Ann's main objection"."""
