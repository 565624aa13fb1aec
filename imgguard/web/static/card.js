// One picture that is checked: how far it is, and then what was found.
import { details, element, freshId } from "./dom.js";
import { matchView } from "./match.js";
import { release } from "./pictures.js";
import { problemBox } from "./problem.js";
import { say, visible, when, words } from "./words.js";

const SIGNS = { clear: "○", own: "✓", licensed: "✓", unlicensed: "!", undecided: "?" };

export function badge(conclusion) {
  const said = words.conclusions[conclusion];
  return element("span", { class: `badge ${conclusion}` }, element("span", { "aria-hidden": "true" }, `${SIGNS[conclusion] ?? ""} `), said?.label ?? conclusion);
}

export class Card {
  /** `shown`: an address of the picture, or null. */
  constructor(name, shown) {
    const id = freshId("card");
    this.name = visible(name);
    this.state = element("p", { class: "state busy" }, words.progress.waiting);
    this.body = element("div", { class: "body" });
    this.image = element("img", { class: "thumb", alt: "", src: shown, hidden: !shown });
    this.image.addEventListener("error", () => { this.image.hidden = true; });
    const remove = element("button", { type: "button", class: "remove", "aria-label": `${words.check.remove}: ${this.name}`, onclick: () => this.remove() }, "×");
    this.element = element(
      "article",
      { class: "card", "aria-labelledby": id, tabindex: -1 },
      element("header", {}, this.image, element("div", {}, element("h3", { id }, element("bdi", {}, this.name)), this.state), remove),
      this.body,
    );
    this.shown = shown;
  }

  remove() {
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    if (this.shown?.startsWith("blob:")) URL.revokeObjectURL(this.shown);
    release(this.element);
    this.element.remove();
    (next ?? document.getElementById("content")).focus();
  }

  progress(text) {
    this.state.textContent = text;
  }

  failed(problem) {
    if (problem.title === undefined) console.error(problem);
    this.state.remove();
    this.body.replaceChildren(problemBox(problem));
  }

  /** `mayBuild`: whether who looks may have evidence packets built. */
  done(check, mayBuild) {
    this.state.remove();
    this.body.replaceChildren(...result(check), ...(mayBuild ? packetLink(check) : []));
  }
}

/** A packet is of own originals only. */
function packetLink(check) {
  if (!check.matches.some((match) => match.is_own)) return [];
  const address = `/packets?${new URLSearchParams({ id: check.finding_id })}`;
  return [element("p", {}, element("a", { class: "button", href: address }, words.card.packet))];
}

function result(check) {
  const verdict = words.verdicts[check.verdict];
  const conclusion = words.conclusions[check.conclusion];
  const reasons = check.matches.length ? [] : check.reasons.map((code) => words.reasons[code] ?? code.replaceAll("_", " "));
  return [
    element("p", { class: "conclusion" }, badge(check.conclusion), " ", element("span", {}, conclusion?.meaning ?? "")),
    element("p", { class: `verdict ${check.verdict}` }, element("span", { class: "soft" }, `${words.card.verdict}: `), element("strong", {}, verdict?.label ?? check.verdict), ". ", verdict?.meaning ?? ""),
    ...(check.captured ? [element("p", { class: "soft" }, say(words.card.captured, { when: when(check.captured.fetched_at) }), " ", element("bdi", {}, visible(check.captured.url)))] : []),
    ...reasons.map((text) => element("p", {}, text)),
    ...check.matches.map((match) => matchView(match, check.finding_id, check.matches.length === 1)),
    details(words.card.not_proven, element("ul", {}, ...words.not_proven.map((text) => element("li", {}, text)))),
    element("p", { class: "soft when" }, say(words.card.checked_at, { when: when(check.checked_at) }), " · ", element("code", {}, check.finding_id)),
  ];
}
