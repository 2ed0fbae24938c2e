// The raise form: sent without leaving the page, so that nothing is lost where the network is poor.
import { draftOf, forget, keep, send, startDrafts } from "./drafts.js";
import { photosOf } from "./photos.js";
import { startPosition } from "./position.js";

const SAVE_AFTER = 800; // milliseconds without a key before what is typed is kept

/** A version 4 UUID; crypto.randomUUID is missing where a county serves plain HTTP. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The controls of a name; ``form.elements`` would also give those that have it for an id. */
function controls(form, name) {
  return [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
}

/** Start what the raise page needs; other pages that show the device's drafts get just these. */
export function startRaise() {
  const drafts = startDrafts();
  const form = document.querySelector("form[data-raise]");
  if (!form) return;
  const words = document.getElementById("raise-texts").dataset;
  startPosition(form, words);
  showLead(form);
  // What is folded away cannot be pointed at by the browser.
  form.addEventListener("invalid", () => unfold(), true);
  // A draft that the server has already is edited there; only a new whistle is kept on the device.
  if (form.elements.client_key && drafts) new Raise(form, words, drafts).start();
}

function unfold() {
  document.getElementById("raise-more").classList.add("unfolded");
  document.querySelector("[data-toggle=raise-more]").setAttribute("aria-expanded", "true");
}

/** On a phone the department is asked for only where the class goes to one directly. */
function showLead(form) {
  const direct = form.dataset.direct.split(" ");
  const show = () => {
    form.classList.toggle("raise-direct", direct.includes(form.elements.whistle_class?.value));
  };
  form.addEventListener("change", show);
  form.addEventListener("reset", () => setTimeout(show));
  show();
}

class Raise {
  constructor(form, words, drafts) {
    this.form = form;
    this.words = words;
    this.drafts = drafts;
    this.sending = false;
    this.summary = document.createElement("div");
    this.summary.className = "error-summary";
    this.summary.setAttribute("role", "alert");
    this.summary.tabIndex = -1;
    this.summary.hidden = true;
    form.before(this.summary);
  }

  start() {
    // A page that was kept for a time without network must not use its key a second time.
    if (!document.querySelector(".error-summary:not([hidden])")) this.renew();
    this.drafts.current = this.key;
    this.form.addEventListener("input", () => this.saveSoon());
    this.form.addEventListener("change", () => this.save());
    document.addEventListener("visibilitychange", () => document.hidden && this.save());
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.form.querySelector(".raise-cancel")?.addEventListener("click", (event) => this.giveUp(event));
    window.addEventListener("hashchange", () => this.restoreNamed());
    window.addEventListener("pagehide", () => this.save());
    this.drafts.panel.addEventListener("sent", () => { this.summary.hidden = true; });
    this.restoreNamed();
  }

  get key() {
    return this.form.elements.client_key.value;
  }

  renew() {
    this.form.elements.client_key.value = newKey();
    this.drafts.current = this.key;
  }

  /** The form as it stands: [name, value], files with their names, chosen records with their words. */
  entries(submitter) {
    const found = [];
    for (const [name, value] of new FormData(this.form)) {
      if (value instanceof File) {
        if (value.size) found.push([name, value, value.name]);
      } else {
        const [control] = controls(this.form, name);
        const text = control?.selectedOptions?.[0]?.text;
        found.push(text ? [name, value, text] : [name, value]);
      }
    }
    if (submitter?.name) found.push([submitter.name, submitter.value]);
    return found;
  }

  draft(state, submitter) {
    return {
      key: this.key, account: this.form.dataset.account, title: this.form.elements.title.value.trim(),
      entries: this.entries(submitter), state, at: Date.now(),
    };
  }

  saveSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_AFTER);
  }

  /** Keep what is typed, for a phone may close the page while its camera is open. */
  save() {
    clearTimeout(this.timer);
    if (this.sending) return;
    const { title, detail } = this.form.elements;
    const photos = photosOf(this.form)?.items.length;
    if (title.value.trim() || detail.value.trim() || photos) keep(this.draft("typing"));
  }

  /** Who cancels wants nothing of it kept: the page is left when that is certain. */
  async giveUp(event) {
    event.preventDefault();
    const { href } = event.currentTarget;
    clearTimeout(this.timer);
    this.sending = true; // nothing is kept any more
    await forget(this.key);
    window.location.assign(href);
  }

  async submit(event) {
    event.preventDefault();
    if (this.sending) return;
    clearTimeout(this.timer);
    this.mark(true);
    this.clearProblems();
    const draft = this.draft("waiting", event.submitter);
    const kept = await keep(draft);
    const outcome = await send(draft, this.drafts.urls);
    if (outcome.kind === "done") {
      await forget(draft.key);
      window.location.assign(outcome.url);
      return;
    }
    this.mark(false);
    if (outcome.kind === "refused") {
      if (kept) await keep({ ...draft, state: "typing" });
      this.showProblems(outcome);
    } else if (!kept) {
      this.say(this.words.unkept);
    } else {
      this.say(outcome.kind === "signedout" ? this.words.signedout : this.words.waiting, "waiting");
      this.blank();
      await this.drafts.show();
      if (outcome.kind === "signedout") this.drafts.sendWaiting();
      this.drafts.panel.scrollIntoView({ block: "nearest" });
    }
  }

  mark(sending) {
    this.sending = sending;
    for (const button of this.form.querySelectorAll("[type=submit]")) {
      button.setAttribute("aria-disabled", String(sending));
    }
    this.drafts.status.textContent = "";
    if (sending) this.say(this.words.sending, "sending");
    else this.summary.hidden = true;
  }

  /** Say something above the form: ``tone`` is "sending", "waiting" or "wrong". */
  say(text, tone = "wrong") {
    this.summary.className = tone === "wrong" ? "error-summary" : `raise-said raise-${tone}`;
    this.summary.replaceChildren(Object.assign(document.createElement("p"), { textContent: text }));
    this.summary.hidden = false;
    if (tone !== "sending") this.summary.focus();
  }

  /** The form is empty again, for the next whistle; the one that waits is shown above it. */
  blank() {
    this.form.reset();
    photosOf(this.form)?.clear();
    this.renew();
    clearTimeout(this.timer);
  }

  showProblems({ message, fields = {}, pictures = [], client_key: key }) {
    if (key && key !== this.key) {
      forget(this.key);
      this.form.elements.client_key.value = key;
      this.drafts.current = key;
    }
    if (pictures.length) photosOf(this.form)?.keep(pictures);
    const lines = [];
    for (const [name, sentence] of Object.entries(fields)) lines.push(this.problem(name, sentence));
    const list = document.createElement("ul");
    list.append(...lines);
    const head = document.createElement("p");
    head.append(Object.assign(document.createElement("strong"), { textContent: message ?? this.words.summary }));
    this.say("");
    this.summary.replaceChildren(head, list);
    this.summary.focus();
    this.saveSoon();
  }

  /** Say at a field what is wrong with it, as the server's own page does; the line for the summary. */
  problem(name, sentence) {
    const line = document.createElement("li");
    const [control] = controls(this.form, name);
    const field = control?.closest(".field");
    if (!field) {
      line.textContent = sentence;
      return line;
    }
    const seen = field.matches("fieldset") ? field
      : field.querySelector("[role=combobox], input:not([type=hidden]), select, textarea") ?? control;
    const id = seen.id || name;
    const note = Object.assign(document.createElement("p"), {
      className: "field-error", id: `${id}-error`, textContent: sentence,
    });
    field.classList.add("field-wrong");
    field.append(note);
    seen.setAttribute("aria-invalid", "true");
    seen.dataset.described = seen.getAttribute("aria-describedby") ?? "";
    seen.setAttribute("aria-describedby", `${seen.dataset.described} ${note.id}`.trim());
    if (field.closest("#raise-more")) unfold();
    const label = field.querySelector("label, legend")?.firstChild?.textContent ?? "";
    line.append(Object.assign(document.createElement("a"), { href: `#${id}`, textContent: label }),
      this.words.colon, sentence);
    return line;
  }

  clearProblems() {
    for (const old of document.querySelectorAll(".error-summary")) if (old !== this.summary) old.remove();
    for (const field of this.form.querySelectorAll(".field-wrong")) {
      field.classList.remove("field-wrong");
      field.querySelectorAll(".field-error").forEach((note) => note.remove());
      for (const seen of field.querySelectorAll("[aria-invalid]")) {
        seen.removeAttribute("aria-invalid");
        if (seen.dataset.described) seen.setAttribute("aria-describedby", seen.dataset.described);
        else seen.removeAttribute("aria-describedby");
      }
      field.removeAttribute("aria-invalid");
    }
  }

  /** Put a draft that the address names (``#draft=KEY``) back into the form. */
  async restoreNamed() {
    const key = new URLSearchParams(window.location.hash.slice(1)).get("draft");
    const draft = key && await draftOf(this.form.dataset.account, key);
    if (!draft || draft.state === "waiting") return;
    this.save();
    this.form.reset();
    photosOf(this.form)?.clear();
    const files = [];
    const tokens = photosOf(this.form)?.album.name;
    for (const box of this.form.querySelectorAll("input[type=checkbox]")) box.checked = false;
    for (const [name, value, text] of draft.entries) {
      if (value instanceof Blob) files.push(new File([value], text, { type: value.type }));
      else if (name !== "csrf_token" && name !== tokens) this.fill(name, value, text);
    }
    this.form.elements.client_key.value = draft.key;
    this.drafts.current = draft.key;
    await photosOf(this.form)?.add(files);
    // The choosers and what hangs from the choices show themselves anew.
    this.form.dispatchEvent(new Event("change"));
    for (const select of this.form.querySelectorAll("select.record-select")) {
      select.dispatchEvent(new CustomEvent("restored"));
    }
    window.history.replaceState(null, "", window.location.pathname);
    await this.drafts.show();
  }

  fill(name, value, text) {
    const named = controls(this.form, name);
    const [control] = named;
    if (!control) return;
    if (control.type === "radio") {
      for (const each of named) each.checked = each.value === value;
    } else if (control.type === "checkbox") {
      control.checked = true;
    } else if (control instanceof HTMLSelectElement) {
      if (value && ![...control.options].some((each) => each.value === value)) control.add(new Option(text ?? value, value));
      control.value = value;
    } else {
      control.value = value;
    }
  }
}
