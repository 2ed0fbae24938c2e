// Small helps for forms and tables.

const AGAIN_AFTER = 8000; // a POST may answer with a download, which leaves the page standing

/** Let a form be sent only once: two taps must not raise two tickets. */
export function guardDoubleSubmits() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    const buttons = form.querySelectorAll("[type=submit]");
    const mark = (sent) => {
      if (sent) form.dataset.sent = "yes";
      else delete form.dataset.sent;
      buttons.forEach((button) => button.setAttribute("aria-disabled", String(sent)));
    };
    mark(true);
    setTimeout(() => mark(false), AGAIN_AFTER);
    window.addEventListener("pageshow", (shown) => shown.persisted && mark(false), { once: true });
  });
}

/** Ask the server anew for the advice beside a form (``data-aside``) whenever a choice changes. */
export function startAside() {
  const form = document.querySelector("form[data-aside]");
  const aside = document.getElementById("form-aside");
  if (!form || !aside) return;
  let running = null;
  const ask = async () => {
    running?.abort();
    running = new AbortController();
    const url = new URL(form.dataset.aside, window.location.href);
    const wanted = (form.dataset.asideFields || "").split(" ");
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && value && wanted.includes(name)) url.searchParams.append(name, value);
    }
    try {
      const answer = await fetch(url, { signal: running.signal });
      // Whoever has been logged out is led to the log-in, whose fields are none of this form's.
      if (answer.ok && !answer.redirected) aside.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") aside.replaceChildren();
    }
  };
  form.addEventListener("change", ask);
  ask();
  placeAside(form, aside);
}

/** Where there is no room beside the form, the advice follows the questions that it answers. */
function placeAside(form, aside) {
  const column = aside.parentElement;
  const [first] = (form.dataset.asideFields || "").split(" ");
  const group = form.querySelector(`[name="${first}"]`)?.closest(".field-group");
  if (!group) return;
  const narrow = window.matchMedia("(max-width: 1100px)");
  const place = () => (narrow.matches ? group : column).append(aside);
  narrow.addEventListener("change", place);
  place();
}

/** Buttons that print the page: shown only where they work. */
export function startPrinting() {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

/** A table that scrolls sideways must be reachable by keyboard. */
export function keepScrollersReachable() {
  for (const wrap of document.querySelectorAll(".table-wrap")) {
    if (wrap.scrollWidth > wrap.clientWidth) wrap.tabIndex = 0;
  }
}
