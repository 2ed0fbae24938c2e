// Shows a photo over the page instead of on a page of its own. Without scripts its link does.

/** Let the photos of every ``[data-viewer]`` open in a dialogue; arrows leaf through that list. */
export function startViewer(texts) {
  if (typeof HTMLDialogElement !== "function") return;
  const lists = [...document.querySelectorAll("[data-viewer]")];
  if (!lists.length) return;
  const viewer = build(texts);
  for (const list of lists) {
    const links = [...list.querySelectorAll("a")];
    links.forEach((link, at) => link.addEventListener("click", (event) => {
      // A new tab or window is what was asked for.
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      viewer.open(links, at);
    }));
  }
}

function build(texts) {
  const dialog = document.createElement("dialog");
  dialog.className = "viewer";
  dialog.setAttribute("aria-label", texts.photo);
  const picture = document.createElement("img");
  const caption = document.createElement("p");
  caption.className = "viewer-caption";
  caption.setAttribute("aria-live", "polite");
  const buttons = document.createElement("div");
  buttons.className = "viewer-buttons";
  const [before, after, close] = [texts.before, texts.after, texts.close].map((text) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-default";
    button.textContent = text;
    buttons.append(button);
    return button;
  });
  dialog.append(picture, caption, buttons);
  document.body.append(dialog);

  let links = [];
  let at = 0;
  const show = (where) => {
    at = (where + links.length) % links.length;
    const thumb = links[at].querySelector("img");
    picture.src = links[at].href;
    picture.alt = thumb.alt;
    caption.textContent = links.length > 1 ? `${at + 1}/${links.length} ${thumb.alt}` : thumb.alt;
  };
  before.addEventListener("click", () => show(at - 1));
  after.addEventListener("click", () => show(at + 1));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (links.length < 2) return;
    if (event.key === "ArrowLeft") show(at - 1);
    if (event.key === "ArrowRight") show(at + 1);
  });
  // The browser gives the focus back to the thumbnail that it came from.
  return {
    open(some, where) {
      links = some;
      before.hidden = after.hidden = links.length < 2;
      show(where);
      dialog.showModal();
      close.focus();
    },
  };
}
