// Keeps what has changed in this visitor's browser: one conversation put in or one taken out at a time, so that another
// tab's are left alone. Of two versions of one conversation the newer stays, with what either tab has asked and not dropped
// since; without room the oldest go.
(change) => {
  if (!change) return;
  const { key, put, drop, most } = JSON.parse(change);
  let kept = [];
  try {
    kept = JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {}
  const before = kept.find((one) => one.id === put?.id);
  if (put && !(before?.updated_at > put.updated_at)) {
    const asked = new Map((before?.exchanges ?? []).map((one) => [one.id, one]));
    for (const one of put.exchanges) if (!one.growing || !asked.has(one.id)) asked.set(one.id, one);
    const own = put.exchanges.length;
    put.dropped = [...new Set([...(before?.dropped ?? []), ...(put.dropped ?? [])])];
    put.exchanges = [...asked.values()].filter((one) => !put.dropped.includes(one.id));
    put.exchanges.sort((one, other) => (one.asked_at > other.asked_at) - (one.asked_at < other.asked_at));
    kept = [put, ...kept.filter((one) => one.id !== put.id)];
    // What another tab has asked shows here too: see the listener in page.js.
    if (put.exchanges.length > own) setTimeout(() => dispatchEvent(new StorageEvent("storage", { key })));
  }
  kept = kept.filter((one) => one.id !== drop);
  // Times are to the second: of equal ones the last that was put stays first.
  kept.sort((one, other) => (one.updated_at < other.updated_at) - (one.updated_at > other.updated_at));
  for (kept = kept.slice(0, most); kept.length; kept.pop()) {
    try {
      return localStorage.setItem(key, JSON.stringify(kept));
    } catch {}
  }
  localStorage.removeItem(key);
}
