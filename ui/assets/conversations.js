// Keeps what has changed in this visitor's browser: one conversation put in or one taken out at a time, so that another
// tab's are left alone. Of two versions of one conversation the newer stays; without room the oldest go.
(change) => {
  if (!change) return;
  const { key, put, drop, most } = JSON.parse(change);
  let kept = [];
  try {
    kept = JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {}
  const newer = kept.some((one) => one.id === put?.id && one.updated_at > put.updated_at);
  if (put && !newer) kept = [put, ...kept.filter((one) => one.id !== put.id)];
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
