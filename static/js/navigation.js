// The drawer of narrow screens, the menus of the top bar, and parts that fold.

/** Open and close the side navigation where it is a drawer; the page behind it keeps still. */
export function startDrawer() {
  const sidebar = document.getElementById("sidebar");
  const opener = document.querySelector("[data-drawer]");
  if (!sidebar || !opener) return;
  const root = document.documentElement;
  const others = [document.getElementById("main"), document.querySelector(".topbar")];
  const isOpen = () => root.classList.contains("drawer-open");
  const set = (open) => {
    if (open === isOpen()) return;
    root.classList.add("drawer-used");
    root.classList.toggle("drawer-open", open);
    opener.setAttribute("aria-expanded", String(open));
    others.forEach((part) => { part.inert = open; });
    (open ? sidebar.querySelector("[aria-current], a, button") : opener).focus();
  };
  opener.addEventListener("click", () => set(true));
  document.querySelectorAll("[data-drawer-close]").forEach((part) => {
    part.addEventListener("click", () => set(false));
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && set(false));
  // Turned to landscape the sidebar may stand beside the page again: nothing must stay shut off.
  window.matchMedia("(min-width: 900px)").addEventListener("change", (event) => {
    if (event.matches) set(false);
  });
}

/** Close an open menu on Escape and on a click elsewhere. */
export function startMenus() {
  const menus = [...document.querySelectorAll("details.menu")];
  document.addEventListener("click", (event) => {
    menus.forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus.filter((each) => each.open)) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

/** Fold and unfold the part that a ``data-toggle`` button names. */
export function startToggles() {
  for (const button of document.querySelectorAll("[data-toggle]")) {
    const part = document.getElementById(button.dataset.toggle);
    button.addEventListener("click", () => {
      const open = part.classList.toggle("unfolded");
      button.setAttribute("aria-expanded", String(open));
    });
  }
}
