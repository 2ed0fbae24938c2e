// Whistles that this device keeps: what is being typed, and what could not be sent. Each belongs to the
// account that wrote it, and carries the key by which the server takes it once, however often it comes.

const AGAIN_AFTER = 60000; // milliseconds between tries while something waits
const GIVE_UP_AFTER = 180000; // a slow network needs its time for ten photos

let opening = null;

function open() {
  opening ??= new Promise((done, fail) => {
    const asked = indexedDB.open("chuishao", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("drafts", { keyPath: "key" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
  return opening;
}

async function inStore(mode, act) {
  const database = await open();
  return new Promise((done, fail) => {
    const transaction = database.transaction("drafts", mode);
    const asked = act(transaction.objectStore("drafts"));
    transaction.oncomplete = () => done(asked.result);
    transaction.onabort = () => fail(transaction.error);
  });
}

/** Keep a draft; tells whether the browser let us. */
export async function keep(draft) {
  try {
    await inStore("readwrite", (store) => store.put(draft));
    return true;
  } catch {
    return false;
  }
}

/** Forget a draft. */
export async function forget(key) {
  try {
    await inStore("readwrite", (store) => store.delete(key));
  } catch {
    // what could not be opened holds nothing
  }
}

async function find(key) {
  return inStore("readonly", (store) => store.get(key));
}

async function draftsOf(account) {
  try {
    const all = await inStore("readonly", (store) => store.getAll());
    return all.filter((each) => each.account === account).sort((one, other) => one.at - other.at);
  } catch {
    return [];
  }
}

/** A draft of the account by its key. */
export async function draftOf(account, key) {
  return (await draftsOf(account)).find((each) => each.key === key);
}

/**
 * Send a draft. Answers {kind, …}: "done" with the ticket's url, "refused" with what is wrong, "offline",
 * "signedout", or "other" if somebody else is logged in by now.
 */
export async function send(draft, urls) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), GIVE_UP_AFTER);
  const ask = { headers: { Accept: "application/json" }, cache: "no-store", signal: stop.signal };
  try {
    const ready = await answered(await fetch(urls.ready, ask));
    if (ready.kind) return ready;
    if (!ready.ok) return { kind: "offline" };
    if (String(ready.said.account) !== draft.account) return { kind: "other" };
    const body = new FormData();
    for (const [name, value, file] of draft.entries) {
      if (name === "csrf_token") continue;
      if (value instanceof Blob) body.append(name, value, file);
      else body.append(name, value);
    }
    // The token of the page may have died with its session.
    body.append("csrf_token", ready.said.csrf_token);
    const answer = await answered(await fetch(urls.add, { ...ask, method: "POST", body }));
    if (answer.kind) return answer;
    if (answer.ok && answer.said.url) return { kind: "done", url: answer.said.url };
    if ([409, 413, 422, 403].includes(answer.status)) return { kind: "refused", ...answer.said };
    return { kind: "offline" };
  } catch {
    return { kind: "offline" };
  } finally {
    clearTimeout(timer);
  }
}

async function answered(response) {
  if (response.redirected && !response.headers.get("Content-Type")?.includes("json")) {
    return { kind: "signedout" };
  }
  let said = {};
  try {
    said = await response.json();
  } catch {
    if (response.ok) return { kind: "offline" }; // a proxy's own page, or half an answer
  }
  return { ok: response.ok, status: response.status, said };
}

/** Show what the device keeps for this account, and send what waits. */
export function startDrafts(panel = document.getElementById("device-drafts")) {
  if (!panel || !("indexedDB" in window)) return null;
  const drafts = new Drafts(panel);
  drafts.start();
  return drafts;
}

class Drafts {
  constructor(panel) {
    this.panel = panel;
    this.words = panel.dataset;
    this.account = this.words.account;
    this.urls = { ready: this.words.ready, add: this.words.add };
    this.list = panel.querySelector(".device-draft-list");
    this.status = panel.querySelector("[role=status]");
    this.states = new Map(); // what this page knows of a draft beyond what is kept
    this.running = null;
    this.current = ""; // the key of the form that is open on this page
    panel.addEventListener("click", (event) => this.clicked(event));
    window.addEventListener("online", () => this.sendWaiting());
  }

  async start() {
    await this.show();
    await this.sendWaiting();
  }

  /** Send what waits, one after the other; a second call while this runs waits for the first. */
  sendWaiting() {
    this.running ??= this.sendEach().finally(() => { this.running = null; });
    return this.running;
  }

  async sendEach() {
    clearTimeout(this.timer);
    for (const draft of await draftsOf(this.account)) {
      if (draft.state !== "waiting") continue;
      this.states.set(draft.key, "sending");
      await this.show();
      const outcome = await send(draft, this.urls);
      this.states.delete(draft.key);
      await this.settle(draft, outcome);
      if (["offline", "signedout", "other"].includes(outcome.kind)) {
        if (outcome.kind === "signedout") this.states.set(draft.key, "signedout");
        this.timer = setTimeout(() => this.sendWaiting(), AGAIN_AFTER);
        break;
      }
    }
    await this.show();
  }

  async settle(draft, outcome) {
    if (outcome.kind === "done") {
      await forget(draft.key);
      this.panel.dispatchEvent(new Event("sent"));
      const link = Object.assign(document.createElement("a"), { href: outcome.url, textContent: this.words.show });
      this.panel.hidden = false;
      this.status.replaceChildren(this.words.sent.replace("{title}", this.titled(draft)), " ", link);
    } else if (outcome.kind === "refused") {
      const why = [outcome.message, ...Object.values(outcome.fields ?? {})].filter(Boolean).join("");
      await keep({ ...draft, state: "refused", why });
    }
  }

  async clicked(event) {
    const button = event.target.closest("[data-act]");
    if (!button) return;
    const draft = await find(button.dataset.key);
    if (button.dataset.act === "send" && draft) {
      await keep({ ...draft, state: "waiting" });
      await this.sendWaiting();
    } else if (button.dataset.act === "drop" && draft) {
      if (!window.confirm(this.words.sure.replace("{title}", this.titled(draft)))) return;
      await forget(draft.key);
      await this.show();
    }
  }

  titled(draft) {
    return draft.title || this.words.untitled;
  }

  /** Draw the list anew; the form that is open on this page is not offered a second time. */
  async show() {
    const mine = (await draftsOf(this.account))
      .filter((each) => each.key !== this.current || each.state === "waiting");
    this.list.replaceChildren(...mine.map((draft) => this.row(draft)));
    this.panel.hidden = !mine.length && !this.status.textContent;
  }

  row(draft) {
    const state = this.states.get(draft.key) ?? draft.state;
    const item = document.createElement("li");
    item.dataset.state = state;
    const title = Object.assign(document.createElement("strong"), { textContent: this.titled(draft) });
    const photos = draft.entries.filter(([, value]) => value instanceof Blob).length;
    const about = Object.assign(document.createElement("span"), {
      className: "device-draft-state",
      textContent: [
        this.words[state].replace("{why}", draft.why ?? ""),
        photos ? this.words.pictures.replace("{n}", photos) : "",
      ].filter(Boolean).join(" · "),
    });
    const buttons = Object.assign(document.createElement("span"), { className: "device-draft-buttons" });
    if (state === "signedout") buttons.append(this.link(this.words.relogin, this.words.login));
    if (state === "waiting") buttons.append(this.button(draft, "send"));
    if (state === "typing" || state === "refused") {
      buttons.append(this.link(this.words.open, `${this.urls.add}#draft=${draft.key}`));
    }
    if (state !== "sending") buttons.append(this.button(draft, "drop"));
    item.append(title, about, buttons);
    return item;
  }

  link(label, href) {
    return Object.assign(document.createElement("a"), { className: "btn btn-default", href, textContent: label });
  }

  button(draft, act) {
    const made = Object.assign(document.createElement("button"), {
      type: "button", className: "btn btn-default", textContent: this.words[act],
    });
    made.dataset.act = act;
    made.dataset.key = draft.key;
    return made;
  }
}
