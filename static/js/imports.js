// Uploads: files dropped on the form, and how far the server is with one.
const EVERY = 1000;

/** Let files be dropped anywhere on an upload form. */
export function takeDrops() {
  const form = document.querySelector("form[data-drop]");
  const input = form?.querySelector("input[type=file]");
  if (!input) return;
  const over = (on) => form.classList.toggle("drop-over", on);
  form.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  form.addEventListener("dragleave", (event) => form.contains(event.relatedTarget) || over(false));
  form.addEventListener("drop", (event) => {
    over(false);
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    form.querySelector("[type=submit]").focus();
  });
}

/** Ask how far the work is, and load the page anew when it has ended. */
export function followProgress() {
  const card = document.querySelector("[data-progress]");
  if (card) poll(card);
  else if (document.querySelector("[data-refresh]")) setTimeout(() => window.location.reload(), 3 * EVERY);
}

async function poll(card) {
  const says = card.querySelector("[data-progress-says]");
  const bar = card.querySelector("[data-progress-bar]");
  try {
    const answer = await fetch(card.dataset.progress);
    // Logged out meanwhile, or the upload is gone: the page itself says so.
    if (answer.redirected || answer.status === 404) {
      window.location.reload();
      return;
    }
    if (!answer.ok) throw new Error(answer.status);
    const { busy, phase, done, total } = await answer.json();
    if (!busy) {
      window.location.reload();
      return;
    }
    says.textContent = total ? `${phase}（${done} / ${total}）` : `${phase}…`;
    if (total) {
      bar.max = total;
      bar.value = done;
    } else {
      bar.removeAttribute("value");
    }
  } catch {
    // The network hiccups; the work goes on, and the next answer tells.
  }
  setTimeout(() => poll(card), EVERY);
}
