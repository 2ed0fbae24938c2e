// A chooser for records that are too many for a select box: it asks the server while one types.
// WAI-ARIA combobox with a list; the select stays in the form and holds what is chosen.

const WAIT = 220; // milliseconds without a key before asking

let counter = 0;

function element(tag, className, attributes = {}) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export class RecordSelect {
  constructor(select, texts) {
    this.select = select;
    this.texts = texts;
    this.required = select.required;
    this.items = [];
    this.active = -1;
    this.asked = null;
    this.build();
    this.listen();
    this.showChosen();
  }

  build() {
    const { select, texts } = this;
    const id = select.id || `record-select-${(counter += 1)}`;
    this.wrap = element("div", "combo");
    this.box = element("div", "combo-box");
    this.input = element("input", "", {
      type: "text", role: "combobox", autocomplete: "off", "aria-autocomplete": "list",
      "aria-expanded": "false", "aria-controls": `${id}-list`,
      placeholder: select.dataset.placeholder || texts.search,
    });
    for (const name of ["aria-describedby", "aria-invalid", "aria-label"]) {
      if (select.hasAttribute(name)) this.input.setAttribute(name, select.getAttribute(name));
    }
    if (this.required) this.input.setAttribute("aria-required", "true");
    this.clearButton = this.makeButton("fa-xmark", texts.clear, () => { this.clear(); this.open(); });
    this.openButton = this.makeButton("fa-chevron-down", texts.show, () => this.toggle());
    this.popup = element("div", "combo-popup");
    this.popup.hidden = true;
    this.list = element("ul", "", { id: `${id}-list`, role: "listbox", "aria-label": texts.options });
    if (select.multiple) this.list.setAttribute("aria-multiselectable", "true");
    this.hint = element("p", "combo-hint");
    this.status = element("span", "sr-only", { role: "status" });
    this.popup.append(this.list, this.hint);
    this.values = element("div", "combo-values");
    this.values.append(this.input);
    this.box.append(this.values, this.clearButton, this.openButton);
    // The input takes over the select's id, so that its label and the error summary lead here.
    select.id = `${id}-value`;
    this.input.id = id;
    select.before(this.wrap);
    this.wrap.append(this.box, this.popup, this.status, select);
    select.hidden = true;
    select.required = false; // a hidden control cannot ask to be filled in; the input does
    this.input.disabled = select.disabled;
  }

  makeButton(icon, label, act) {
    const button = element("button", "combo-button", { type: "button", tabindex: "-1", "aria-label": label });
    button.append(element("i", `fa-solid ${icon}`, { "aria-hidden": "true" }));
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => { this.input.focus(); act(); });
    return button;
  }

  listen() {
    const { input } = this;
    input.addEventListener("input", (event) => { if (!event.isComposing) this.askSoon(); });
    input.addEventListener("compositionend", () => this.askSoon());
    input.addEventListener("click", () => this.open());
    input.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(this.items[Number(option.dataset.index)]);
    });
    this.wrap.addEventListener("focusout", (event) => {
      if (!this.wrap.contains(event.relatedTarget)) this.leave();
    });
    this.select.form?.addEventListener("reset", () => setTimeout(() => this.showChosen()));
    this.select.addEventListener("restored", () => this.showChosen());
  }

  onKey(event) {
    if (event.isComposing || event.keyCode === 229) return; // the input method has this key
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      if (this.popup.hidden) this.open();
      else this.activate((this.active + move + this.items.length) % (this.items.length || 1));
    } else if (event.key === "Enter" && !this.popup.hidden) {
      event.preventDefault();
      if (this.items[this.active]) this.choose(this.items[this.active]);
    } else if (event.key === "Escape" && !this.popup.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.leave();
    } else if (event.key === "Backspace" && this.select.multiple && !this.input.value) {
      const last = this.chosen().pop();
      if (last) this.drop(last);
    }
  }

  chosen() {
    return [...this.select.selectedOptions].filter((option) => option.value !== "");
  }

  /** Make the visible part say what the select holds. */
  showChosen() {
    const chosen = this.chosen();
    if (this.select.multiple) {
      this.box.querySelectorAll(".combo-chip").forEach((chip) => chip.remove());
      for (const option of chosen) this.input.before(this.makeChip(option));
      this.input.value = "";
    } else {
      this.input.value = chosen[0]?.text ?? "";
    }
    this.clearButton.hidden = this.select.multiple || !chosen.length;
    this.input.setCustomValidity(this.required && !chosen.length ? this.texts.choose : "");
  }

  makeChip(option) {
    const chip = element("span", "combo-chip");
    const label = this.texts.remove.replace("{name}", option.text);
    const button = element("button", "", { type: "button", "aria-label": label });
    button.append(element("i", "fa-solid fa-xmark", { "aria-hidden": "true" }));
    button.addEventListener("click", () => { this.input.focus(); this.drop(option); });
    chip.append(option.text, button);
    return chip;
  }

  changed() {
    this.showChosen();
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  choose(item) {
    const id = String(item.id);
    const known = [...this.select.options].find((option) => option.value === id);
    if (this.select.multiple) {
      if (known?.selected) known.remove();
      else if (known) known.selected = true;
      else this.select.add(new Option(item.text, id, true, true));
    } else {
      const option = known ?? new Option(item.text, id);
      if (!known) this.select.add(option);
      Object.assign(option.dataset, item.data ?? {});
      option.selected = true;
    }
    this.close();
    this.changed();
  }

  drop(option) {
    option.remove();
    this.changed();
  }

  clear() {
    if (![...this.select.options].some((option) => option.value === "")) this.select.add(new Option("", ""), 0);
    this.select.value = "";
    this.changed();
  }

  toggle() {
    if (this.popup.hidden) this.open();
    else this.leave();
  }

  open() {
    if (this.popup.hidden && !this.input.disabled) this.ask("");
  }

  close() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.popup.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.status.textContent = "";
  }

  /** Leave without a choice: an emptied single chooser is cleared, half a word is put back. */
  leave() {
    this.close();
    if (!this.select.multiple && this.input.value === "" && this.chosen().length) {
      this.clear();
    } else {
      this.showChosen();
    }
  }

  askSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(this.input.value.trim()), WAIT);
  }

  async ask(q) {
    this.asked?.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    this.popup.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.show([], this.texts.searching);
    const url = new URL(this.select.dataset.source, window.location.href);
    url.searchParams.set("q", q);
    try {
      const answer = await fetch(url, { signal, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const { results, more } = await answer.json();
      this.show(results, more ? this.texts.more : results.length ? "" : this.texts.nothing);
      this.status.textContent = results.length
        ? this.texts.found.replace("{n}", results.length) : this.texts.nothing;
      if (q && results.length) this.activate(0);
    } catch (error) {
      if (error.name !== "AbortError") this.show([], this.texts.failed);
    }
  }

  show(items, hint) {
    this.items = items;
    this.active = -1;
    this.input.removeAttribute("aria-activedescendant");
    const chosen = new Set(this.chosen().map((option) => option.value));
    this.list.replaceChildren(...items.map((item, index) => {
      const option = element("li", "", {
        role: "option", id: `${this.list.id}-${index}`, "data-index": index,
        "aria-selected": String(chosen.has(String(item.id))),
      });
      option.textContent = item.text;
      return option;
    }));
    this.hint.textContent = hint;
    this.hint.hidden = !hint;
  }

  activate(index) {
    const option = this.list.children[index];
    if (!option) return;
    this.list.children[this.active]?.classList.remove("combo-active");
    this.active = index;
    option.classList.add("combo-active");
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }
}
