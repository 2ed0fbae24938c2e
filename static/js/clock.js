// Keeps "剩 3 小时" true while the page stays open. The words follow rules/wording.py.
const MINUTE = 60_000;
const UNITS = [[24 * 60 * MINUTE, "day"], [60 * MINUTE, "hour"], [MINUTE, "minute"]];
const EVERY = 10_000; // minutes do not turn over for all deadlines at once
const TONES = ["clock-info", "clock-warning", "clock-danger"];

/** The time left or overdue in its largest unit, rounded down. */
export function remaining(due, now, texts) {
  const left = due - now;
  const span = Math.abs(left);
  const unit = UNITS.find(([length]) => span >= length);
  if (!unit) return left > 0 ? texts.soon : texts.due;
  const time = texts[unit[1]].replace("{n}", Math.floor(span / unit[0]));
  return (left > 0 ? texts.left : texts.late).replace("{time}", time);
}

/** Red from the deadline on, yellow from its warning on: views/ticket_clocks.py says the same. */
export function tone(due, warn, now) {
  if (due <= now) return "clock-danger";
  return warn <= now ? "clock-warning" : "clock-info";
}

/** Keep every element true that carries a deadline (``data-due``, ISO 8601, maybe ``data-warn``). */
export function startClocks(texts) {
  const clocks = [...document.querySelectorAll("[data-due]")];
  if (!clocks.length) return;
  // Told by the server's clock where the page says what it was: a phone's own may be wrong.
  const then = Date.parse(document.querySelector("[data-now]")?.dataset.now);
  const ahead = Number.isNaN(then) ? 0 : Date.now() - then;
  const tick = () => {
    const now = Date.now() - ahead;
    for (const clock of clocks) {
      const due = Date.parse(clock.dataset.due);
      if (Number.isNaN(due)) continue;
      const text = remaining(due, now, texts);
      if (clock.textContent !== text) clock.textContent = text;
      const shade = tone(due, Date.parse(clock.dataset.warn), now);
      clock.classList.remove(...TONES);
      clock.classList.add(shade);
      const tile = clock.closest(".tile");
      if (tile) tile.className = `tile ${shade.replace("clock", "tile")}`;
    }
  };
  setInterval(tick, EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
}
