// Keeps "剩 3 小时" true while the page stays open. The words follow rules/wording.py.
const MINUTE = 60_000;
const UNITS = [[24 * 60 * MINUTE, "day"], [60 * MINUTE, "hour"], [MINUTE, "minute"]];

/** The time left or overdue in its largest unit, rounded down. */
export function remaining(due, now, texts) {
  const left = due - now;
  const span = Math.abs(left);
  const unit = UNITS.find(([length]) => span >= length);
  if (!unit) return left > 0 ? texts.soon : texts.due;
  const time = texts[unit[1]].replace("{n}", Math.floor(span / unit[0]));
  return (left > 0 ? texts.left : texts.late).replace("{time}", time);
}

/** Refresh every element that carries a deadline (``data-due``, ISO 8601) once a minute. */
export function startClocks(texts) {
  const clocks = [...document.querySelectorAll("[data-due]")];
  if (!clocks.length) return;
  const tick = () => {
    for (const clock of clocks) {
      const due = Date.parse(clock.dataset.due);
      if (Number.isNaN(due)) continue;
      clock.textContent = remaining(due, Date.now(), texts);
      clock.toggleAttribute("data-late", due <= Date.now());
    }
  };
  setInterval(tick, MINUTE);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
}
