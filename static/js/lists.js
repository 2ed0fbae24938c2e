// Lists: how many records stand behind each tab, and ticking all rows of the page.

/** Fill in the tabs' numbers after the page is shown. Without scripts the tabs work as they are. */
export async function countTabs() {
  const tabs = document.querySelector("nav.tabs[data-counts]");
  if (!tabs) return;
  showCurrent(tabs);
  try {
    const answer = await fetch(tabs.dataset.counts);
    if (!answer.ok || answer.redirected) return;
    const counts = await answer.json();
    for (const tab of tabs.querySelectorAll("[data-tab]")) {
      const count = counts[tab.dataset.tab];
      if (count === undefined || count === "0") continue;
      const mark = document.createElement("span");
      mark.className = "tab-count";
      mark.textContent = count;
      tab.append(mark);
    }
    showCurrent(tabs);
  } catch {
    // Numbers are an extra: the lists themselves are there.
  }
}

/** Bring the tab that is open into the strip's middle: sideways only, the page stays where it is. */
function showCurrent(tabs) {
  const current = tabs.querySelector("[aria-current]");
  if (!current) return;
  const strip = tabs.getBoundingClientRect();
  const place = current.getBoundingClientRect();
  tabs.scrollLeft += place.left + place.width / 2 - strip.left - strip.width / 2;
}

/** Let the box above the rows tick them all, so that the reader sees what he has chosen. */
export function startTicks() {
  const all = document.querySelector("[data-tick-all]");
  if (!all) return;
  const boxes = [...all.form.querySelectorAll("input[name=ids]")];
  all.addEventListener("change", () => boxes.forEach((box) => (box.checked = all.checked)));
  all.form.addEventListener("change", (event) => {
    if (event.target.name === "ids") all.checked = boxes.every((box) => box.checked);
  });
}

/** Leave out of a list's address what was not filled in: what is passed on stays readable. */
export function shortenQueries() {
  for (const form of document.querySelectorAll("form.filters, form.board-filters")) {
    form.addEventListener("formdata", ({ formData }) => {
      const filled = [...formData].filter(([, value]) => value !== "");
      for (const name of [...formData.keys()]) formData.delete(name);
      for (const [name, value] of filled) formData.append(name, value);
    });
  }
}
