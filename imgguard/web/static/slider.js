// Two pictures of the same size laid over each other, and how much of the second one is seen.
import { element, freshId } from "./dom.js";
import { say, words } from "./words.js";

export function slider(listing, original) {
  const id = freshId("slider");
  const range = element("input", { id, type: "range", min: 0, max: 100, step: 1, value: 50, "aria-describedby": `${id}-help` });
  original.classList.add("over");
  const line = element("span", { class: "line", "aria-hidden": "true" });
  const stack = element("div", { class: "stack" }, listing, original, line);

  function show() {
    const shown = Number(range.value);
    original.style.clipPath = `inset(0 ${100 - shown}% 0 0)`;
    line.style.left = `${shown}%`;
    range.setAttribute("aria-valuetext", say(words.slider.value, { percent: shown }));
  }

  function follow(event) {
    const box = stack.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    range.value = Math.round(100 * Math.min(Math.max(share, 0), 1));
    show();
  }

  stack.addEventListener("pointerdown", (event) => {
    stack.setPointerCapture(event.pointerId);
    follow(event);
  });
  stack.addEventListener("pointermove", (event) => {
    if (stack.hasPointerCapture(event.pointerId)) follow(event);
  });
  range.addEventListener("input", show);
  show();
  return element(
    "figure",
    { class: "slider" },
    stack,
    element("div", { class: "ends", "aria-hidden": "true" }, element("span", {}, words.slider.original), element("span", {}, words.slider.listing)),
    element("label", { for: id }, words.slider.label),
    range,
    element("figcaption", { id: `${id}-help`, class: "soft" }, words.slider.help),
  );
}
