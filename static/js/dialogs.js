// Turns the unfolding parts of workflow steps into modal dialogues with their own buttons.

/** Replace every ``details[data-dialog]`` by a button and a native dialogue that holds its panel. */
export function upgradeDialogs() {
  if (typeof HTMLDialogElement !== "function") return;
  for (const details of document.querySelectorAll("details[data-dialog]")) upgrade(details);
}

function upgrade(details) {
  const summary = details.querySelector("summary");
  const panel = details.querySelector(".step-panel");
  const title = panel.querySelector(".step-title");

  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.append(panel);

  const button = document.createElement("button");
  button.type = "button";
  button.className = summary.className;
  button.id = details.id;
  button.dataset.dialog = "";
  button.setAttribute("aria-haspopup", "dialog");
  button.append(...summary.childNodes);
  button.addEventListener("click", () => show(dialog));

  for (const close of dialog.querySelectorAll("[data-close]")) {
    close.hidden = false;
    close.addEventListener("click", () => dialog.close());
  }
  // A click on the shade closes only an untouched form: nobody loses a text by a slip.
  dialog.addEventListener("mousedown", (event) => {
    if (event.target === dialog && !dialog.dataset.touched) dialog.close();
  });
  dialog.addEventListener("input", () => { dialog.dataset.touched = "yes"; });

  // An address that names the step, as the workbench's do, leads straight to its form.
  const wasOpen = details.open || window.location.hash === `#${details.id}`;
  details.replaceWith(button);
  document.body.append(dialog);
  if (wasOpen) show(dialog);
}

function show(dialog) {
  dialog.showModal();
  const first = dialog.querySelector("[data-focus]")
    ?? dialog.querySelector("input:not([type=hidden]):not([hidden]), select:not([hidden]), textarea");
  first?.focus();
}
