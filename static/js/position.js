// Where it is: by the phone's own position, or by an entry of the address book.

/** Offer the phone's position where the browser has one to give, and fill in what is chosen. */
export function startPosition(form, words) {
  const latitude = form.elements.latitude;
  const longitude = form.elements.longitude;
  const address = form.elements.address;
  const holder = address?.closest(".field");
  if (!latitude || !longitude || !holder) return;

  const row = Object.assign(document.createElement("div"), { className: "position-row" });
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-default position-button" });
  const icon = Object.assign(document.createElement("i"), { className: "fa-solid fa-location-crosshairs" });
  icon.setAttribute("aria-hidden", "true");
  button.append(icon, words.locate);
  const said = Object.assign(document.createElement("p"), { className: "position-said" });
  said.setAttribute("role", "status");
  row.append(button, said);
  holder.append(row);

  const put = (lat, lng) => {
    latitude.value = lat;
    longitude.value = lng;
    for (const each of [latitude, longitude]) each.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const where = () => (latitude.value && longitude.value
    ? words.position.replace("{lat}", latitude.value).replace("{lng}", longitude.value) : "");
  said.textContent = where();
  for (const each of [latitude, longitude]) {
    each.addEventListener("change", () => { said.textContent = where(); });
  }
  form.addEventListener("reset", () => setTimeout(() => { said.textContent = where(); }));

  button.addEventListener("click", () => {
    if (!window.isSecureContext || !navigator.geolocation) {
      said.textContent = words.insecure;
      return;
    }
    said.textContent = words.locating;
    button.setAttribute("aria-disabled", "true");
    const finish = (text) => {
      said.textContent = text;
      button.removeAttribute("aria-disabled");
    };
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        put(coords.latitude.toFixed(6), coords.longitude.toFixed(6));
        finish(`${words.located.replace("{n}", Math.round(coords.accuracy))}${where()}`);
      },
      (error) => finish(error.code === error.PERMISSION_DENIED ? words.denied : words.unavailable),
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 },
    );
  });

  // An entry of the address book says its name and, if it has been measured, where it lies.
  form.querySelector("select[name=place]")?.addEventListener("change", (event) => {
    const chosen = event.target.selectedOptions?.[0];
    if (!chosen?.value || !chosen.dataset.address) return;
    address.value = chosen.dataset.address;
    if (chosen.dataset.latitude) put(chosen.dataset.latitude, chosen.dataset.longitude);
  });
}
