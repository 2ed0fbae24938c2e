// What the pages gain where scripts run. Without them every page still works: see the templates.
import { startBell } from "./js/bell.js";
import { startClocks } from "./js/clock.js";
import { upgradeDialogs } from "./js/dialogs.js";
import { followProgress, takeDrops } from "./js/imports.js";
import { countTabs, shortenQueries, startTicks } from "./js/lists.js";
import { startDrawer, startMenus, startToggles } from "./js/navigation.js";
import { startPhotos } from "./js/photos.js";
import { startRaise } from "./js/raise.js";
import { RecordSelect } from "./js/record-select.js";
import { guardDoubleSubmits, keepScrollersReachable, startAside, startPrinting } from "./js/pages.js";
import { startTicketHelp } from "./js/ticket-help.js";
import { startViewer } from "./js/viewer.js";

const texts = document.getElementById("texts").dataset;

startBell();
startDrawer();
startMenus();
startToggles();
document.querySelectorAll("select.record-select").forEach((select) => new RecordSelect(select, texts));
upgradeDialogs();
startPhotos();
startRaise();
startTicketHelp();
startClocks(texts);
startViewer(texts);
startAside();
guardDoubleSubmits();
keepScrollersReachable();
startPrinting();
takeDrops();
followProgress();
countTabs();
startTicks();
shortenQueries();

// After a refused save the reader hears and sees first what is wrong.
document.querySelector("[data-focus]:not(dialog [data-focus])")?.focus();
