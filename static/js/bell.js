// The bell: its number is asked for anew every minute while the page is looked at, and when it is again.
const EVERY = 60000;

/** Keep the number beside the bell true without loading the page. */
export function startBell() {
  const bell = document.querySelector("[data-bell]");
  if (!bell) return;
  let asked = Date.now();
  let timer = setInterval(ask, EVERY);
  document.addEventListener("visibilitychange", ask);
  window.addEventListener("focus", ask);

  async function ask() {
    // Focus and visibility come together; a page that nobody looks at asks nothing.
    if (document.hidden || !timer || Date.now() - asked < EVERY / 6) return;
    asked = Date.now();
    try {
      const answer = await fetch(bell.dataset.bell, { headers: { Accept: "application/json" } });
      if (answer.redirected || answer.status === 401 || answer.status === 403) {
        // Logged out meanwhile: the next click says so.
        clearInterval(timer);
        timer = 0;
        return;
      }
      if (answer.ok) show(bell, (await answer.json()).unread);
    } catch {
      // The network hiccups; the next round tells.
    }
  }
}

function show(bell, unread) {
  const count = bell.querySelector(".bell-count");
  count.hidden = !unread;
  count.textContent = unread < 100 ? unread : "99+";
  bell.querySelector(".sr-only").textContent = bell.dataset.says.replace("{n}", unread < 100 ? unread : "99+");
}
