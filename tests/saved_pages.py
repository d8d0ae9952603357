"""Invented pages in the markup of ForumMagnum and GreaterWrong, as a browser saves them."""


def lesswrong_comment(
    id: str,
    author: str,
    body: str,
    *,
    date: str = "2024-03-05T10:20:30.000Z",
    karma: int = 3,
    inside: str = "",
    **more: str,
) -> str:
    """One comment as `CommentsNode` and `CommentsItem` render it, with its replies in `inside`."""
    shown_parent = more.get("shown_parent", "")
    post_title = more.get("post_title", "")
    name = (
        f'<a class="UsersNameDisplay-noColor" href="/users/{author.lower()}">{author}</a>' if author else "[anonymous]"
    )
    return f"""
    <div class="comments-node CommentFrame-commentsNodeRoot comments-node-root comments-node-odd CommentFrame-node" id="{id}">
     <div><div class="CommentsItem-root recent-comments-node">
      {shown_parent}{post_title}
      <div class="CommentsItem-body">
       <div class="CommentsItemMeta-root">
        <a class="CommentsItemMeta-collapse">[<span>-</span>]</a>
        <span class="CommentUserName-author CommentsItemMeta-username">{name}</span>
        <span class="CommentsItemDate-root"><a rel="nofollow" href="/posts/aBcDeFgHiJkLmNoPq/on-knots?commentId={id}">
         <span class="LWTooltip-root"><time datetime="{date}">2y</time></span></a></span>
        <span class="OverallVoteAxis-vote"><button>v</button><span class="OverallVoteAxis-voteScore">{karma}</span></span>
        <span class="AgreementVoteAxis-agreementSection"><span class="AgreementVoteAxis-agreementScore">-7</span></span>
       </div>
       <div class="ContentStyles-base content ContentStyles-commentBody CommentBody-root">
        <div class="CommentBody-commentStyling">{body}</div>
       </div>
       <div class="CommentBottom-bottom"><a class="comments-item-reply-link CommentsItem-replyLink">Reply</a></div>
      </div>
     </div></div>
     <div class="CommentsNode-children"><div class="CommentsNode-parentScroll"></div>{inside}</div>
    </div>"""


DELETED = """
    <div class="comments-node CommentFrame-node" id="deletedDeleted001"><div><div class="CommentsItem-root">
     <div class="CommentsItemMeta-root"><span class="CommentsItemMeta-username">[comment deleted]</span></div>
     <div class="CommentDeletedMetadata-root">Deleted by Ada, 5th Mar 2024</div></div></div></div>"""

COLLAPSED = """
    <div class="comments-node CommentFrame-node CommentFrame-isSingleLine" id="collapsedCollap01"><div>
     <div class="SingleLineComment-root"><div class="CommentsItemMeta-root">
      <span class="CommentsItemMeta-username"><a href="/users/bo">Bo</a></span></div>I think that...</div></div></div>"""

ANSWER = """
    <div class="Answer-root"><div><div class="Answer-answer" id="answerAnswerAns01">
     <div class="Answer-answerHeader"><div class="Answer-author"><a class="UsersNameDisplay-noColor" href="/users/cy">Cy</a></div>
      <div class="Answer-date"><span class="CommentsItemDate-root CommentsItemDate-answerDate">
       <a href="/posts/aBcDeFgHiJkLmNoPq/on-knots?commentId=answerAnswerAns01"><time datetime="2024-03-06T08:00:00.000Z">Mar 06, 2024</time></a>
      </span></div><span class="Answer-vote"><span class="OverallVoteAxis-voteScore">12</span></span></div>
     <div class="content ContentStyles-answerBody CommentBody-root"><div class="CommentBody-answerStyling">
      <p>A knot is a loop.</p></div></div></div></div>"""

FORMULAS = """<style>.mjx-chtml{display:inline-block}</style><p>Let <span class="mjpage"><span class="mjx-chtml">
<span class="mjx-math" aria-label="x^2 \\le y_1"><span class="mjx-mrow"><span class="mjx-mi">x</span><span>2</span></span></span>
</span></span> hold; then <mjx-container role="math" aria-label="a &lt; b"></mjx-container>.</p>
<mjx-container role="math" display="true" aria-label="\\sum_i x_i"></mjx-container>"""

LESSWRONG_POST = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>On knots - LessWrong</title>
<link rel="canonical" href="https://www.lesswrong.com/posts/aBcDeFgHiJkLmNoPq/on-knots">
<script>window.secret = "script text";</script><style>.secret {{ color: red }}</style></head><body>
<header>LESSWRONG Login</header>
<h1 class="Typography-root PostsPageTitle-root"><a class="PostsPageTitle-link" href="/posts/aBcDeFgHiJkLmNoPq/on-knots">On
 <span class="PostsPageTitle-lastWord">knots</span></a></h1>
<div class="LWPostsPageHeader-root"><span class="PostsAuthors-root">by <span><a class="UsersNameDisplay-noColor" href="/users/ada">Ada</a></span></span>
<span class="PostsPageDate-date"><time datetime="2024-03-04T09:00:00.000Z">4th Mar 2024</time></span></div>
<div id="postBody"><div class="content PostsPage-postContent instapaper_body"><div id="postContent">
<p>Every <i>knot</i> has a <a href="/tag/genus">genus</a>.</p></div></div></div>
<div id="comments">
{ANSWER}<div>{lesswrong_comment("replyToTheAnswer1", "Dee", "<p>A closed one.</p>", karma=-2)}</div></div>
{
    lesswrong_comment(
        "firstFirstFirst01",
        "Bo",
        "<blockquote><p>Every knot has a genus.</p></blockquote><p>Also the wild ones? See <a href='/posts/zzz'>this</a>.</p>",
        inside=lesswrong_comment(
            "secondSecondSec01", "Ada", FORMULAS, inside=lesswrong_comment("thirdThirdThird01", "", "<p>Thanks!</p>")
        )
        + DELETED,
    )
}
{COLLAPSED}
{
    lesswrong_comment(
        "fourthFourthFou01", "Eve", '<p>It goes on... <span class="read-more-button">(read more)</span></p>'
    )
}
</div></body></html>"""

LESSWRONG_USER = f"""<html><head><meta charset="utf-8"><meta property="og:url" content="https://www.lesswrong.com/users/bo"></head><body>
<div class="page users-profile UsersProfile-profilePage"><div class="UsersProfile-usernameTitle">Bo</div>
<div class="content"><div class="UsersProfile-bio"><p>Bo ties knots in Bergen.</p></div></div>
{
    lesswrong_comment(
        "fifthFifthFifth01",
        "Bo",
        "<p>Not with a torus.</p>",
        post_title='<div class="CommentsItem-postTitleRow"><a class="CommentsItem-postTitle" href="/posts/x/?commentId=fifthFifthFifth01">On tori</a></div>',
        shown_parent='<div class="CommentsItem-firstParentComment">'
        + lesswrong_comment("sixthSixthSixth01", "Ada", "<p>With a torus?</p>")
        + "</div>",
    )
}</div></body></html>"""

EA_USER = """<html><head><meta charset="utf-8"><link rel="canonical" href="https://forum.effectivealtruism.org/users/bo"></head><body>
<div class="FriendlyUsersProfile-section"><h1 class="Typography-headline FriendlyUsersProfile-username">Bo</h1></div>
<div class="EAUsersProfileTabbedSection-section" id="bio"><div class="ContentStyles-base content ContentStyles-postBody">
<div><p>Bo weighs ropes.</p></div></div></div></body></html>"""

LESSWRONG_2020 = """<html><head><meta charset="utf-8"></head><body>
<div class="comments-node CommentFrame-node-31 comments-node-root" id="oldOldOldOldOld01"><div><div class="CommentsItem-root-17">
<div class="CommentsItem-body-18"><div class="CommentsItem-meta-19"><span class="CommentsItem-username-20">
<a class="UsersNameDisplay-userName-21" href="https://www.lesswrong.com/users/bo">Bo</a></span>
<span class="CommentsItemDate-root-22"><a href="https://www.lesswrong.com/posts/aBcDeFgHiJkLmNoPq/on-knots?commentId=oldOldOldOldOld01">
<span>3mo</span></a></span><span class="CommentsVote-voteScore-23">5</span><span class="CommentsItem-metaRight-24">x</span></div>
<div class="CommentBody-root-25"><div class="CommentBody-commentStyling-26"><p>Rope it is.</p></div></div></div></div></div></div>
</body></html>"""

GREATERWRONG_POST = """<!doctype html><html><head><meta charset="utf-8"><title>On knots - LessWrong 2.0 viewer</title></head><body>
<!-- saved from url=(0063)https://www.greaterwrong.com/posts/aBcDeFgHiJkLmNoPq/on-knots -->
<nav id="primary-bar">Home Featured All</nav>
<main class="post"><h1 class="post-title">On knots</h1>
<div class="post-meta top-post-meta"><a class="author" href="/users/ada" data-userid="u1">Ada</a>
<span class="date" data-js-date="1709542800000">4 Mar 2024 9:00 UTC</span></div>
<div class="body-text post-body"><p>Every <em>knot</em> has a genus.</p></div></main>
<div id="comments" class="comments"><ul class="comment-thread"><li id="comment-firstFirstFirst01" class="comment-item depth-odd">
<div class="comment" data-post-id="aBcDeFgHiJkLmNoPq"><div class="comment-meta"><a class="author" href="/users/bo">Bo</a>
<a class="date" href="/posts/aBcDeFgHiJkLmNoPq/on-knots#comment-firstFirstFirst01" data-js-date="1709634030000">5 Mar 2024 10:20 UTC</a>
<div class="karma voting-controls"><span class="karma-value" title="2 votes">1,024<span> points</span></span></div>
<a class="permalink" href="/posts/aBcDeFgHiJkLmNoPq/on-knots/comment/firstFirstFirst01" title="Permalink"></a>
<a class="lw2-link" href="https://www.lesswrong.com/posts/aBcDeFgHiJkLmNoPq/on-knots?commentId=firstFirstFirst01" title="LW"></a>
<div class="comment-minimize-button" data-child-count="1"></div></div>
<div class="body-text comment-body"><blockquote><p>Every knot has a genus.</p></blockquote><p>Also the wild ones?</p></div></div>
<ul class="comment-thread"><li id="comment-secondSecondSec01" class="comment-item depth-even"><div class="comment">
<div class="comment-meta"><span class="author">[deleted]</span> <span class="comment-in-reply-to">in reply to:
<a class="inline-author" href="/users/bo">Bo</a></span>
<a class="date" href="/posts/aBcDeFgHiJkLmNoPq/on-knots#comment-secondSecondSec01" data-js-date="1709637630000">5 Mar</a></div>
<div class="body-text comment-body"><p>No.</p></div></div></li></ul></li>
<li id="comment-deletedDeleted001" class="comment-item depth-odd"><div class="comment deleted-comment"><div class="comment-meta">
<span class="deleted-meta">[ ]</span></div><div class="body-text comment-body">[deleted]</div></div></li></ul></div></body></html>"""

GREATERWRONG_USER = """<html><body><!-- saved from url=(0038)https://www.greaterwrong.com/users/bo -->
<h1 class="page-main-heading">Bo</h1><ul class="comment-thread"><li id="comment-ninthNinthNinth01" class="comment-item">
<div class="comment" data-post-id="aBcDeFgHiJkLmNoPq"><div class="comment-meta"><a class="author" href="/users/bo">Bo</a>
<a class="date" href="/posts/aBcDeFgHiJkLmNoPq/on-knots#comment-ninthNinthNinth01" data-js-date="1709634030000">5 Mar</a>
<div class="comment-post-title"><span class="comment-in-reply-to">in reply to: <a class="inline-author" href="/users/ada">Ada</a>’s
<a href="/posts/aBcDeFgHiJkLmNoPq/on-knots#comment-tenthTenthTenth01">comment</a> </span>
<span class="comment-post-title2">on: <a href="/posts/aBcDeFgHiJkLmNoPq/on-knots">On knots</a></span></div></div>
<div class="body-text comment-body"><p>Not so.</p></div></div></li></ul></body></html>"""
