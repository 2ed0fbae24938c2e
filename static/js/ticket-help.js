// While the title is typed: duty items that it may mean, and open tickets that may be the same.
// The server makes the lists (parts/duty_matches.html, parts/similar_tickets.html); choosing an item
// fills the form. Without scripts the form asks for the same things by its own fields.

const WAIT = 350; // milliseconds without a key before asking

/** One list below the title, asked for anew when what it depends on changes. */
class Help {
  constructor(form, url, fields, after) {
    this.form = form;
    this.url = url;
    this.fields = fields;
    this.asked = null;
    this.last = null;
    this.box = document.createElement("div");
    this.box.className = "help-box";
    this.box.hidden = true;
    this.status = document.createElement("p");
    this.status.className = "sr-only";
    this.status.setAttribute("role", "status");
    after.after(this.box, this.status);
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  /** The question as the form stands; the same one is not asked twice. */
  question() {
    const url = new URL(this.url, window.location.href);
    url.searchParams.set("format", "html");
    const values = new FormData(this.form);
    for (const [name, asked] of Object.entries(this.fields)) {
      const value = values.get(name);
      if (typeof value === "string" && value.trim()) url.searchParams.set(asked, value.trim());
    }
    return url;
  }

  async ask() {
    const url = this.question();
    if (url.href === this.last) return;
    this.last = url.href;
    this.asked?.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    try {
      const answer = await fetch(url, { signal });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const html = await answer.text();
      if (!signal.aborted) this.show(html);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.last = null; // no network is no answer: ask again with the next key
      this.show("");
    }
  }

  show(html) {
    this.box.innerHTML = html;
    this.box.hidden = !this.box.querySelector("ul, .help-urgent");
    const said = this.box.firstElementChild?.dataset.said ?? "";
    if (this.status.textContent !== said) this.status.textContent = said;
  }

  forget() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.last = null;
    this.show("");
  }
}

/** A chooser's select: by its name alone, for its visible part bears the same word as an id. */
const chooserOf = (form, name) => form.querySelector(`select[name="${name}"]`);

/** Put a record into a chooser as if it had been chosen there. */
function choose(select, id, text) {
  if (!select || !id) return;
  let option = [...select.options].find((each) => each.value === id);
  if (!option) {
    option = new Option(text, id);
    select.add(option);
  }
  option.selected = true;
  select.dispatchEvent(new CustomEvent("restored"));
}

function fill(form, chosen) {
  const { dutyItem, dutyText, lead, leadText } = chosen.dataset;
  choose(chooserOf(form, "duty_item"), dutyItem, dutyText);
  choose(chooserOf(form, "lead"), lead, leadText);
  const classes = form.elements.whistle_class;
  const radios = classes instanceof RadioNodeList ? [...classes] : [classes];
  const fit = radios.find((each) => each?.value === chosen.dataset.class);
  if (fit) fit.checked = true;
  if ("emergency" in chosen.dataset && form.elements.emergency) form.elements.emergency.checked = true;
  // The advice beside the form, the draft on the device and the like follow as after any choice.
  chooserOf(form, "duty_item")?.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Show what is chosen; the other items fold away until they are asked for (``open``). */
function mark(box, form, open) {
  const chosen = chooserOf(form, "duty_item")?.value;
  const buttons = [...box.querySelectorAll(".help-match")];
  for (const each of buttons) each.setAttribute("aria-pressed", String(each.dataset.dutyItem === chosen));
  const settled = !open && buttons.some((each) => each.dataset.dutyItem === chosen);
  box.classList.toggle("help-settled", settled);
  const other = box.querySelector(".help-other");
  if (other) other.hidden = !settled || buttons.length < 2;
}

/** Start the help of a whistle's form, where there is one. */
export function startTicketHelp() {
  const form = document.querySelector("form[data-matches]");
  const title = form?.elements.title;
  if (!form || !title) return;
  const field = title.closest(".field") ?? title;
  const common = { title: "text", organization: "organization" };
  const matches = new Help(form, form.dataset.matches,
    { ...common, emergency: "emergency", local_tried: "local_tried" }, field);
  const helps = [matches];
  if (form.dataset.similar) {
    helps.push(new Help(form, form.dataset.similar,
      { ...common, latitude: "latitude", longitude: "longitude", address: "address" }, matches.status));
  }
  const soon = () => helps.forEach((each) => each.soon());
  let open = false;
  const marked = () => mark(matches.box, form, open);
  const show = matches.show.bind(matches);
  matches.show = (html) => {
    const held = matches.box.contains(document.activeElement) && document.activeElement.dataset.dutyItem;
    show(html);
    marked();
    // Whoever has just chosen by keyboard stays where he was.
    if (held) matches.box.querySelector(`[data-duty-item="${held}"]`)?.focus();
  };
  title.addEventListener("input", (event) => { if (!event.isComposing) soon(); });
  title.addEventListener("compositionend", soon);
  form.addEventListener("change", () => { marked(); soon(); });
  form.addEventListener("reset", () => helps.forEach((each) => each.forget()));
  matches.box.addEventListener("click", (event) => {
    const chosen = event.target.closest(".help-match");
    open = Boolean(event.target.closest(".help-other"));
    if (chosen) fill(form, chosen);
    else marked();
    if (open) matches.box.querySelector("[aria-pressed=true]")?.focus();
  });
  if (title.value.trim()) soon();
}
