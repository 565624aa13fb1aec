// The evidence pictures of a match: asked for one after the other, since drawing them costs the service something.
import { askPatiently, read } from "./api.js";
import { details, element } from "./dom.js";
import { problemBox } from "./problem.js";
import { slider } from "./slider.js";
import { say, words } from "./words.js";

const FIRST = ["side_by_side", "outline", "thumbnail"];
const OVERLAY = ["overlay_query", "overlay_reference"];
const addresses = new WeakMap();

async function picture(path, description) {
  const blob = await (await askPatiently("GET", path)).blob();
  const address = URL.createObjectURL(blob);
  const image = element("img", { src: address, alt: description });
  addresses.set(image, address);
  await image.decode();
  return image;
}

/** Let go of the pictures in `place`. */
export function release(place) {
  for (const image of place.querySelectorAll("img")) {
    if (addresses.has(image)) URL.revokeObjectURL(addresses.get(image));
  }
}

function figure(name, image) {
  const caption = words.captions[name] ?? { label: name.replaceAll("_", " "), meaning: "" };
  const link = element(
    "a",
    { href: image.src, target: "_blank", rel: "noopener", "aria-label": say(words.pictures.zoom, caption) },
    image,
  );
  return element(
    "figure",
    { class: `picture ${name}` },
    element("div", { class: "scroll" }, link),
    element("figcaption", {}, element("strong", {}, caption.label), " ", element("span", { class: "soft" }, caption.meaning)),
  );
}

/** Fill `place` with the pictures of the match at `path`; further ones when they are asked for. */
export async function showPictures(place, path) {
  const waiting = element("p", { class: "soft busy" }, words.pictures.loading);
  place.replaceChildren(waiting);
  try {
    const { pictures: names } = await read(`${path}/pictures`);
    const get = (name) => picture(`${path}/pictures/${name}`, words.captions[name]?.label ?? name);
    const small = element("div", { class: "pair" });
    for (const name of FIRST.filter((one) => names.includes(one))) {
      (name === "side_by_side" ? place : small).append(figure(name, await get(name)));
    }
    if (small.childElementCount) place.append(small);
    if (OVERLAY.every((name) => names.includes(name))) {
      const [listing, original] = [await get(OVERLAY[0]), await get(OVERLAY[1])];
      listing.alt = words.slider.listing;
      original.alt = words.slider.original;
      place.append(slider(listing, original));
    }
    const rest = names.filter((name) => !FIRST.includes(name) && !OVERLAY.includes(name));
    if (rest.length) place.append(further(rest, get));
  } catch (problem) {
    place.append(problemBox(problem));
  } finally {
    waiting.remove();
  }
}

function further(names, get) {
  const inside = element("div");
  const box = details(words.match.more_pictures, inside);
  async function fill() {
    if (!box.open) return;
    box.removeEventListener("toggle", fill);
    const waiting = element("p", { class: "soft busy" }, words.pictures.loading);
    inside.append(waiting);
    try {
      for (const name of names) waiting.before(figure(name, await get(name)));
    } catch (problem) {
      inside.append(problemBox(problem));
    } finally {
      waiting.remove();
    }
  }
  box.addEventListener("toggle", fill);
  return box;
}
