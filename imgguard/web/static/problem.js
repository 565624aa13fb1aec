// A problem as people read it.
import { element } from "./dom.js";
import { say, visible, words } from "./words.js";

/** Details begin with a small letter, since logs and the command line put something before them. */
function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

export function problemBox(problem) {
  const fields = (problem.errors ?? []).map((one) => element("li", {}, visible(`${one.pointer}: ${one.detail}`)));
  return element(
    "div",
    { class: "problem" },
    element("p", {}, element("strong", {}, problem.title ?? words.problems.unknown)),
    problem.detail ? element("p", {}, sentence(visible(problem.detail))) : null,
    fields.length ? element("ul", {}, ...fields) : null,
    problem.hint ? element("p", {}, problem.hint) : null,
    problem.status >= 500 && problem.requestId
      ? element("p", { class: "soft" }, say(words.problems.request, { id: problem.requestId }))
      : null,
  );
}

/** Show it in `place`, instead of what was there. What is no Problem is a mistake of ours: it goes to the console. */
export function tell(place, problem) {
  if (problem.title === undefined) console.error(problem);
  place.replaceChildren(problemBox(problem));
}
