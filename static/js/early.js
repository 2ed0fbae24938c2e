// Tells the styles that scripts run, before anything is painted: without them nothing is folded away.
document.documentElement.classList.add("js");
