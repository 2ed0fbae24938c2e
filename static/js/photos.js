// Photos in a form: shrunk on the device, shown, taken out again before anything is sent.
// Without scripts the same field is two plain file inputs.

const SIDE = 1920; // pixels of the longest side that the server keeps
const QUALITY = 0.82;

const fields = new WeakMap();

/** Take over every photo field; its files then lie in the album's input, so that a plain post sends them. */
export function startPhotos() {
  try {
    new DataTransfer().items.add(new File([], "probe"));
  } catch {
    return; // an old browser: the plain inputs work as they are
  }
  document.querySelectorAll("[data-photos]").forEach((part) => fields.set(part, new Photos(part)));
  // A form is not sent while its photos are being shrunk; it goes by itself as soon as they are.
  document.addEventListener("submit", (event) => {
    const busy = [...event.target.querySelectorAll("[data-photos]")]
      .map((part) => fields.get(part)).filter((field) => field?.pending);
    if (!busy.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target, submitter } = event;
    Promise.all(busy.map((field) => field.pending)).then(() => target.requestSubmit(submitter));
  }, true);
}

/** The photo field of a form, if it has one that scripts have taken over. */
export function photosOf(form) {
  const part = form.querySelector("[data-photos]");
  return part ? fields.get(part) : undefined;
}

class Photos {
  constructor(part) {
    this.part = part;
    this.words = part.dataset;
    this.list = part.querySelector(".photo-previews");
    this.note = part.querySelector(".photo-note");
    this.album = part.querySelector(".photo-album input");
    this.items = [];
    this.pending = null;
    for (const input of part.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => this.add([...input.files], input));
    }
    part.addEventListener("click", (event) => {
      const button = event.target.closest("[data-drop]");
      if (button) this.drop(Number(button.dataset.drop));
    });
    this.addedBefore();
  }

  /** What a browser kept in the input over a reload is taken in like a new choice. */
  addedBefore() {
    if (this.album.files.length) this.add([...this.album.files], this.album);
  }

  get kept() {
    return this.list.querySelectorAll("input[type=checkbox]:checked").length;
  }

  /** Take files in: at most as many as there is room for, each shrunk if the browser can read it. */
  add(files, input) {
    if (input && input !== this.album) input.value = "";
    const room = Math.max(0, Number(this.words.most) - this.kept - this.items.length);
    const over = files.length - room;
    this.tooMany = over > 0 ? this.words.toomany.replace("{n}", over) : "";
    this.pending = Promise.resolve(this.pending).then(() => this.shrinkAll(files.slice(0, room)));
    return this.pending;
  }

  async shrinkAll(files) {
    this.note.textContent = this.words.shrinking;
    for (const file of files) this.items.push(await shrunk(file));
    this.pending = null;
    this.show();
  }

  drop(index) {
    this.items.splice(index, 1);
    this.show();
    const left = this.list.querySelectorAll("[data-drop]");
    (left[Math.min(index, left.length - 1)] ?? this.album).focus();
  }

  clear() {
    this.items = [];
    this.list.replaceChildren();
    this.tooMany = "";
    this.show();
  }

  /** The server has these already: they are named from now on, and not sent again. */
  keep(pictures) {
    this.items = [];
    this.list.replaceChildren(...pictures.map(({ token, url }) => {
      const box = Object.assign(document.createElement("input"), {
        type: "checkbox", name: this.album.name, value: token, checked: true,
      });
      const label = Object.assign(document.createElement("label"), { className: "photo-keep" });
      label.append(box, this.words.keep);
      return preview(url, "", label);
    }));
    this.show();
  }

  show() {
    const carrier = new DataTransfer();
    this.items.forEach((file) => carrier.items.add(file));
    this.album.files = carrier.files;
    this.list.querySelectorAll("[data-drop]").forEach((button) => {
      URL.revokeObjectURL(button.previousElementSibling.src);
      button.parentElement.remove();
    });
    this.items.forEach((file, index) => {
      const number = this.kept + index + 1;
      const button = Object.assign(document.createElement("button"), { type: "button", className: "photo-drop" });
      button.dataset.drop = index;
      button.setAttribute("aria-label", this.words.remove.replace("{n}", number));
      const icon = Object.assign(document.createElement("i"), { className: "fa-solid fa-xmark" });
      icon.setAttribute("aria-hidden", "true");
      button.append(icon);
      this.list.append(preview(URL.createObjectURL(file), this.words.photo.replace("{n}", number), button));
    });
    const size = this.items.reduce((sum, file) => sum + file.size, 0);
    const count = this.items.length
      ? this.words.count.replace("{n}", this.items.length + this.kept).replace("{size}", sized(size)) : "";
    this.note.textContent = `${this.tooMany ?? ""}${count}`;
    this.part.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function preview(url, alt, control) {
  const item = Object.assign(document.createElement("li"), { className: "photo-preview" });
  item.append(Object.assign(document.createElement("img"), { src: url, alt }), control);
  return item;
}

function sized(bytes) {
  return bytes < 1 << 20 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`;
}

/** A smaller JPEG of a photo, upright; the file itself if the browser cannot read it. */
async function shrunk(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff"; // what is clear in a PNG becomes white, as on the server
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const blob = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", QUALITY); });
    if (!blob || (scale === 1 && blob.size >= file.size)) return file;
    return new File([blob], file.name.replace(/\.[^.]*$/, "") + ".jpg", { type: "image/jpeg" });
  } catch {
    return file; // the server says what is wrong with it
  }
}
