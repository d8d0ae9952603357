"""Everyday English words, for telling names from words and topics from phrases."""

from __future__ import annotations

GREETING = r"(?:hi|hello|hey|hallo|good\s+(?:morning|afternoon|evening|day))"
"""Pattern of how a message begins that greets."""

FUNCTION_WORDS = frozenset(
    """
    a about above after again against all also always am among an and another any anybody anyone anything are aren't as at
    be because been before being below between both but by can can't cannot could couldn't did didn't do does doesn't doing
    don't done down during each either else ever every everybody everyone everything few for from further get gets got had
    has hasn't have haven't having he he'd he'll he's her here hers herself him himself his how however i i'd i'll i'm i've if in
    instead into is isn't it it's its itself just let like lot made make makes many may me might mine more most much must my
    myself never no nobody none nor not nothing now of off often on once one ones only or other others our ours ourselves out
    over own per perhaps please quite rather really same shall she she'd she'll she's should shouldn't since so some somebody
    someone something still such than that that's the their theirs them themselves then there there's these they they'd
    they'll they're they've thing things this those though through thus to together too toward towards under until up upon us
    very via was wasn't we we'd we'll we're we've were weren't what what's when where where's whether which while who who's
    whoever whom whose why will with within without won't would wouldn't yes yet you you'd you'll you're you've your yours
    yourself vs versus
    """.split()
)
"""Words that carry grammar and not content."""

COMMON_WORDS = frozenset(
    """
    able according actually add air allow answer appear area argue art ask author authors back bad became become
    begin believe best better big body book bring brought build business buy call called came car case certain
    change city claim close come comment commenter commenters comments community company consider create
    currently cut day days decide describe die different discuss door early education end event example examples
    expect explain eye face fact fall far father feel felt find first follow force found friend full game
    general girl give given go good government great grow guy half happen happened happens head health held help
    high history hold home hour house idea important include information issue job keep kept kid kill kind know
    large last law lead learn least leave less level likely line list little live long look looking main mean
    means meant meet member mention minute moment money month morning mother move name near need new next night
    number offer office old open opinion parent part party pass people person place play point possible post
    power prefer president profile program propose provide public pull put question raise reach read real reason
    recommend remain remember report require research result right room round run said say see seem seen sell send
    serve service set several show side single small sort speak spend start state stay stop story study suggest
    sure system take teacher team tell think thought time today took try turn turned type use used user uses
    using various view walk want war water way week well whole word work working works year years young
    """.split()
)
"""Content words that stand in any text: that one is missing says little about the topic."""

NAMES_THAT_ARE_WORDS = frozenset(
    """
    ace amber angel apple april archer art ash august autumn baker bank banks barker bay bean bell berry best bill
    bishop black blake blaze bliss blue bond boss bridge brook brooks brown buck bud burns bush butler buzz case
    cash chance chandler charity chase cherry chip christian church clay cliff cloud cole colt constant cook cooper
    coral cox cross crystal curt daisy dale dash dawn day dean dell destiny dick don dot drake drew duke dusty earl
    east eden ember eve faith fay fern field fields finch fisher flint ford forest foster fox frank free french
    frost fry gale garner gay gene ginger glass glen gold golden good gore grace grant gray green grey grove guy
    hall hand happy harmony harper hart haven hazel heath heather hill hillary holiday holly holmes honest honor
    hood hope house hunt hunter iris island ivory ivy jack jade jasmine jay jean jet jewel joy judge june justice
    kay key king kit knight knox lake lance land lane lark laurel law leaf lee lily link little lock long lord love
    low luck lux mace major march mark marks marsh mason may mercury mercy merit merry miles mill miller mint moon
    moore more moss myrtle nash nice noble norm north nova oak ocean olive opal page paige parker pat patience peace
    pearl penny pepper pierce pike pine piper poe pool pope porter pound price prince prudence rain rainbow randy
    ranger raven ray red reed reef rich river rivers rob robin rock rod root rose ross rowan royal ruby rush rusty
    sage sandy say scout sharp shaw shell short silver skip sky slate small snow sparrow spring star stark steel
    sterling stern stew stone storm stout strong sue summer sun sunny swan sweet swift tab tanner taylor temple
    tiger tiny trace trip true trump tucker turner vale van victor violet wade walker wall ward warden warren waters
    way weaver webb wells west wheeler white wild will willow wills winter wise wolf wood woods worth wren wright
    young zen
    """.split()
)
"""First and last names that are also everyday words: they count as names only where a speaker is expected."""

NAMES_OF_NOBODY = frozenset("anon anonymous deleted guest nameless unknown unnamed".split())
"""What forums call who gives no name."""
