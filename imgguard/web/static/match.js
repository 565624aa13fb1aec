// One match, as far as its owner's policy lets it be seen.
import { details, element, terms } from "./dom.js";
import { showPictures } from "./pictures.js";
import { percent, say, visible, when, words } from "./words.js";

function title(match) {
  if (match.file) return say(words.match.title, { number: match.number, file: visible(match.file) });
  if (match.owner) return say(words.match.title_owner, { number: match.number, owner: visible(match.owner) });
  return say(words.match.title_plain, { number: match.number });
}

/** A code that there are no words for yet. */
function plain(code) {
  return code.replaceAll("_", " ");
}

function licence(view) {
  if (!view) return null;
  const because = view.because.map((code) => words.because[code] ?? code);
  const until = view.ends_at ? [say(words.licences.until, { when: when(view.ends_at) })] : [];
  return [words.licences[view.status] ?? view.status, ...until, ...because].join(" ");
}

function decision(view) {
  if (!view) return null;
  const by = words.decisions[`by_${view.by}`] ?? view.by;
  return `${words.decisions[view.kind] ?? view.kind}, ${by}, ${when(view.decided_at)}`;
}

function listOf(items, className) {
  return element("ul", { class: className }, ...items.map((item) => element("li", {}, item)));
}

function edits(codes) {
  if (!codes) return null;
  if (!codes.length) return words.match.no_edits;
  return listOf(codes.map((code) => element("span", { title: words.edits[code]?.meaning }, words.edits[code]?.label ?? plain(code))), "chips");
}

function measurements(match) {
  const rows = words.measurements.filter((one) => typeof match[one.key] === "number");
  if (!rows.some((one) => one.key === "agreement" || one.key === "log10_likelihood_ratio")) return null;
  const body = element("tbody");
  for (const { key, label, meaning } of rows) {
    const value = key.endsWith("_coverage") ? percent(match[key]) : Number(match[key].toFixed(2));
    body.append(element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, String(value)), element("td", { class: "soft" }, meaning)));
  }
  return details(words.match.measurements, element("table", { class: "values" }, body));
}

/** The element for `match` of the check `findingId`; `isOnly`: what it says of itself, the check has said already. */
export function matchView(match, findingId, isOnly) {
  const verdict = words.verdicts[match.verdict];
  const strength = words.strengths[match.strength];
  const relation = words.relations[match.relation];
  const view = element(
    "section",
    { class: "match" },
    element("h4", {}, element("bdi", {}, title(match))),
    verdict && !isOnly ? element("p", { class: `verdict ${match.verdict}` }, element("strong", {}, verdict.label), ". ", verdict.meaning) : null,
    words.disclosures[match.disclosure] ? element("p", { class: "note" }, words.disclosures[match.disclosure]) : null,
    match.standing ? element("p", {}, words.standings[match.standing]) : null,
    terms([
      [words.match.strength, strength ? `${strength.label}. ${strength.meaning}` : null],
      [words.match.reasons, match.reasons?.length ? listOf(match.reasons.map((code) => words.reasons[code] ?? plain(code)), "plain") : null],
      [words.match.relation, relation ? `${relation.label}. ${relation.meaning}` : null],
      [words.match.edits, edits(match.edits)],
      [words.match.part_of_listing, typeof match.query_coverage === "number" ? percent(match.query_coverage) : null],
      [words.match.part_of_original, typeof match.reference_coverage === "number" ? percent(match.reference_coverage) : null],
      [words.match.owner, match.owner ? element("bdi", {}, visible(match.owner)) : null],
      [words.match.licence, licence(match.licence)],
      [words.match.decision, decision(match.decision)],
    ]),
  );
  if (!["contact", "erased"].includes(match.disclosure)) {
    const place = element("div", { class: "pictures" });
    view.append(place);
    showPictures(place, `/v1/checks/${encodeURIComponent(findingId)}/matches/${match.number}`);
  }
  const values = measurements(match);
  if (values) view.append(values);
  return view;
}
