// Turns a screenshot into at most `limit` colours: the commonest stay, the others take the nearest.
async ({ source, limit }) => {
  const bitmap = await createImageBitmap(await (await fetch(source)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const bytes = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  const counts = new Map();
  const pixels = new Uint32Array(bytes.length / 4);
  for (let at = 0; at < pixels.length; at++) {
    const colour = (bytes[4 * at] << 16) | (bytes[4 * at + 1] << 8) | bytes[4 * at + 2];
    pixels[at] = colour;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const common = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, limit);
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const nearest = (colour) => {
    const [r, g, b] = parts(colour);
    let best = 0;
    let least = Infinity;
    common.forEach((other, index) => {
      const [r2, g2, b2] = parts(other);
      const distance = (r - r2) ** 2 + (g - g2) ** 2 + (b - b2) ** 2;
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  };
  const index = new Map([...counts.keys()].map((colour) => [colour, nearest(colour)]));
  let text = "";
  for (const colour of pixels) text += String.fromCharCode(index.get(colour));
  return { width: bitmap.width, height: bitmap.height, palette: common.map(parts), pixels: btoa(text) };
};
