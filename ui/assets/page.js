// Runs once, as the `js_on_load` of the element "bridge": `element` is that element, `trigger(name, data)` sends an
// event to the server. All listeners sit on the document, since Gradio replaces what it shows.

const panel = () => document.getElementById("panel");

const open = (exchange, number) => {
  const card = document.getElementById(`s-${exchange}-${number}`);
  if (card) show(card);
  else trigger("source", { exchange, number });
};

let latest = null;

const show = (card) => {
  document.querySelectorAll(".card.focused").forEach((other) => other.classList.toggle("focused", other === card));
  card.classList.add("focused");
  card.dataset.shown = "yes";
  card.closest("details")?.setAttribute("open", "");
  if (panel().contains(card)) {
    latest = card.id;
    panel().classList.add("open");
  }
  settle();
  card.scrollIntoView({ block: "start", behavior: still() ? "auto" : "smooth" });
  card.focus({ preventScroll: true });
};

const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

// A citation looks like #s-<exchange>-<number>; so does a line of the list under the answer.
const target = (link) => {
  const found = link?.getAttribute("href")?.match(/^#s-(\w+)-(r?\d+)$/);
  return found && { exchange: found[1], number: found[2] };
};

let opener = null;

// On a phone the sheet covers most of the page: as long as it is open, nothing else can be reached.

const phone = window.matchMedia("(max-width: 640px)");
const beneath = "#history, #facts, #tabs > .tab-wrapper, #talk";

const settle = () => {
  const sheet = panel();
  const covers = phone.matches && Boolean(sheet?.classList.contains("open") && sheet.querySelector(".panel"));
  if (!sheet || covers === sheet.hasAttribute("aria-modal")) return;
  const described = { role: "dialog", "aria-modal": "true", "aria-label": "About this answer", tabindex: "-1" };
  for (const [name, value] of Object.entries(described))
    if (covers) sheet.setAttribute(name, value);
    else sheet.removeAttribute(name);
  document.querySelectorAll(beneath).forEach((one) => (one.inert = covers));
  if (covers) requestAnimationFrame(enter);
};

const enter = () => panel().contains(document.activeElement) || panel().focus();

phone.addEventListener("change", settle);

const closeSheet = () => {
  panel().classList.remove("open");
  settle();
  opener?.focus();
  opener = null;
};

const copy = async (button, text) => {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser did not allow copying";
  }
  setTimeout(() => (button.textContent = label), 2000);
};

// Buttons by name: some act here, the others are events of the server, which gets the button's value.

const narrowing = ["by_author", "by_period", "all_comments"]; // the new list is read from its top
const events = [...narrowing, "thread", "ask_comment", "ask_author"];

const buttons = {
  copy: (button) => copy(button, button.closest(".answer").querySelector(".copied").textContent),
  "copy-quotation": (button) => copy(button, button.closest(".card").querySelector(".copied").textContent),
  link: (button) => copy(button, `${location.origin}${location.pathname}?q=${encodeURIComponent(button.value)}`),
  why: (button) => {
    opener = button;
    panel().classList.add("open");
    settle();
    trigger("why", { exchange: button.value });
  },
  unfold: (button) => {
    button.previousElementSibling.classList.remove("folded");
    button.remove();
  },
  "close-panel": closeSheet,
  "to-index": () => document.getElementById("index-tab-button").click(),
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const place = target(link);
  if (place) {
    event.preventDefault();
    hide();
    opener = link;
    open(place.exchange, place.number);
    return;
  }
  if (panel().hasAttribute("aria-modal") && !event.target.closest("#panel, .toast-wrap")) closeSheet();
  const button = event.target.closest("button[name]");
  if (!button) return;
  if (narrowing.includes(button.name)) document.getElementById("browse-main").scrollIntoView();
  if (buttons[button.name]) buttons[button.name](button);
  else if (events.includes(button.name)) trigger(button.name, { value: button.value });
});

// Another tab of this visitor has kept a conversation, or deleted one.

window.addEventListener("storage", (event) => event.key === "commentariat-conversations" && trigger("kept", {}));

// A question leaves the box at once, as it was when Enter was pressed, and the next can be typed: Gradio looks into the box
// a moment later. One that was not taken comes back. While an answer is on its way, Enter waits; so it does while the shown
// conversation makes room for another, to which the question belongs.

const box = () => document.querySelector("#question textarea");
const rows = () => document.querySelectorAll("#messages .user-row").length;
let pressed = "";
let sent = null;

const leavers = '#new-conversation, #delete-conversation, #conversations input, #messages button[aria-label="Clear"]';
let left = 0; // when, in milliseconds
let waiting = false;

document.addEventListener("click", (event) => event.target.closest?.(leavers) && (left = Date.now()), true);

document.addEventListener("arrived", () => {
  left = 0;
  if (waiting) requestAnimationFrame(() => document.querySelector("#question .submit-button")?.click());
  waiting = false;
});

const write = (text) => {
  box().value = text;
  box().dispatchEvent(new Event("input", { bubbles: true }));
};

const unasked = () => [sent?.question, box()?.value].filter(Boolean).join("\n");

const takeBack = () => {
  if (sent) write(unasked());
  sent = null;
};

document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || event.shiftKey || !event.target.closest?.("#question")) return;
    const leaving = Date.now() - left < 3000; // should the server never answer
    waiting ||= leaving;
    if (leaving || document.querySelector("#question .stop-button")) {
      event.preventDefault();
      event.stopPropagation();
    } else pressed = box().value;
  },
  true,
);

document.addEventListener("asked", ({ detail }) => {
  if (pressed && detail.question.startsWith(pressed)) detail.question = pressed;
  pressed = "";
  if (!detail.question.trim()) return;
  sent = { question: detail.question, after: rows() };
  if (box().value.startsWith(detail.question)) write(box().value.slice(detail.question.length));
  const address = new URL(location); // a question that came with a link is not to be there again after a reload
  address.searchParams.delete("q");
  history.replaceState(history.state, "", address);
});

document.addEventListener("refused", takeBack);

// What was typed and which conversation was open outlive a reload: Gradio reloads the page by itself when the server is back
// after a restart or a break of the connection. Until then it sends nothing, and says so in a toast only.

const DRAFT = "commentariat-draft";
const OPEN = "commentariat-open";
const LOST = "Connection to the server was lost";
let draft = sessionStorage.getItem(DRAFT);

window.addEventListener("pagehide", () => {
  sessionStorage.setItem(DRAFT, unasked());
  sessionStorage.setItem(OPEN, document.querySelector("#conversations input:checked")?.value ?? "");
});

const mind = () => {
  if (sent && rows() !== sent.after) sent = null;
  if (sent && document.querySelector(".toast-wrap")?.textContent.includes(LOST)) takeBack();
  if (!draft || !box()) return;
  if (!box().value) write(draft);
  draft = null;
};

// Arrows lead from tab to tab.

document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const tab = event.target.closest?.('[role="tab"]');
  if (!step || !tab) return;
  const all = [...tab.parentElement.querySelectorAll('[role="tab"]')];
  const next = all[(all.indexOf(tab) + step + all.length) % all.length];
  next.focus();
  next.click();
});

// The quote behind [n], on hover and on focus.

const tip = document.createElement("div");
tip.id = "quote-tip";
tip.setAttribute("role", "tooltip");
tip.hidden = true;
element.closest(".gradio-container").append(tip);
let described = null;

const hide = () => {
  tip.hidden = true;
  described?.removeAttribute("aria-describedby");
  described = null;
};

const hint = (link) => {
  const place = target(link);
  const line = place && document.getElementById(`l-${place.exchange}-${place.number}`);
  if (!line) return;
  tip.replaceChildren(line.querySelector(".byline").cloneNode(true), line.querySelector(".quote").cloneNode(true));
  tip.hidden = false;
  described = link;
  link.setAttribute("aria-describedby", tip.id);
  const at = link.getBoundingClientRect();
  const left = Math.max(12, Math.min(at.left - 24, window.innerWidth - tip.offsetWidth - 12));
  const above = at.top - tip.offsetHeight - 8;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 8 ? above : at.bottom + 8}px`;
};

for (const [enter, leave] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
  document.addEventListener(enter, (event) => event.target.closest?.("a.cite") && hint(event.target.closest("a.cite")));
  document.addEventListener(leave, (event) => event.target.closest?.("a.cite") && hide());
}
document.addEventListener("scroll", hide, true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  hide();
  if (panel().classList.contains("open")) closeSheet();
});

// The page says itself when an answer is complete (#status); announcing each piece of it would talk over that.
// Gradio labels its examples a list without items, and moves the page aside for the side bar even for readers who asked
// for less motion. The head of a toast, which says only "Error", is a button around another button, and the place for files has
// a name without the words that stand in it.

const repair = () => {
  document.querySelectorAll(".toast-header[role]").forEach((one) => {
    one.removeAttribute("role");
    one.removeAttribute("tabindex");
  });
  document.querySelector(".upload-container[aria-label]")?.removeAttribute("aria-label");
  document.querySelector(".sidebar-parent")?.classList.toggle("reduce-motion", still());
  document.querySelector('#messages [role="log"][aria-live="polite"]')?.setAttribute("aria-live", "off");
  document.querySelector('#messages .examples[role="list"]')?.removeAttribute("role");
  document.querySelectorAll("#messages [data-testid][aria-label]").forEach((one) => one.removeAttribute("aria-label"));
  document.querySelector("#question .submit-button:not([aria-label])")?.setAttribute("aria-label", "Ask");
  document.querySelector("#question .stop-button:not([aria-label])")?.setAttribute("aria-label", "Stop");
  document.querySelectorAll("#messages .user-row .md:not([role])").forEach((one) => {
    one.setAttribute("role", "heading"); // from question to question
    one.setAttribute("aria-level", "2");
  });
};

// What scrolls sideways, such as a wide formula on a phone, is scrolled with the keyboard, too.

const wide = new ResizeObserver((seen) =>
  seen.forEach(({ target: one }) => {
    const scrolls = one.scrollWidth > one.clientWidth;
    const described = { tabindex: "0", role: "group", "aria-label": one.matches("pre") ? "Code" : "Formula" };
    for (const [name, value] of Object.entries(described))
      if (scrolls) one.setAttribute(name, value);
      else one.removeAttribute(name);
  })
);

const measure = (one) => {
  one.dataset.watched = "yes";
  wide.observe(one);
};

// A new question goes to the top of the chat, and its answer is read from there. While there is too little below it, it is as
// high as it can be, and rises as the answer grows, until the reader moves.

let questions = 0;
let newest = null;
let frame = 0;

const rise = () => {
  frame = 0;
  const rows = document.querySelectorAll("#messages .user-row");
  if (rows.length !== questions) newest = rows.length > Math.max(questions, 1) ? rows[rows.length - 1] : null;
  questions = rows.length;
  newest?.scrollIntoView({ block: "start" });
};

// Scrolling works out the whole layout: once for each frame, not for each change.
const follow = () => {
  frame ||= requestAnimationFrame(rise);
};

const moved = (event) => {
  if (event.type !== "keydown" || !event.target.closest("textarea, input")) newest = null;
};

["wheel", "touchmove", "pointerdown", "keydown"].forEach((type) =>
  document.addEventListener(type, moved, { capture: true, passive: true })
);

// What the server just rendered: every comment is scrolled to its mark, and the card that was asked for into view.

const place = (body) => {
  body.dataset.placed = "yes";
  const mark = [...body.querySelectorAll("mark")].find((one) => !one.closest(".origin"));
  if (mark) body.scrollTop = mark.offsetTop - body.clientHeight / 3;
};

// The sources of an answer are rendered anew when the index changes: the card that was being read stays the one.

const resume = () => {
  const card = latest && document.getElementById(latest);
  if (!card || card.dataset.shown || panel().querySelector(".card.focused")) return;
  card.classList.add("focused");
  card.dataset.shown = "yes";
  card.scrollIntoView({ block: "start" });
};

new MutationObserver(() => {
  repair();
  follow();
  mind();
  settle();
  document.querySelectorAll(":is(.katex-display, .answer .text pre):not([data-watched])").forEach(measure);
  document.querySelectorAll("#panel .card > .comment:not([data-placed])").forEach(place);
  const card = document.querySelector("#panel .card.focused:not([data-shown]), .thread .card.chosen:not([data-shown])");
  if (card) requestAnimationFrame(() => show(card));
  else resume();
}).observe(document.body, { childList: true, subtree: true });
