// A packet that somebody brings along, and what holds of it. Its file is sent, and stored nowhere.
import { Problem, askPatiently } from "./api.js";
import { byId, element, terms } from "./dom.js";
import { tell } from "./problem.js";
import { say, visible, words } from "./words.js";

const SIGNS = { passed: "✓", failed: "✗", insufficient: "!", "not checked": "–" };

function sentences(title, found) {
  if (!found.length) return [];
  return [element("h4", {}, title), element("ul", {}, ...found.map((one) => element("li", {}, visible(one))))];
}

function stepView(step) {
  const said = [step.file, step.detail].filter(Boolean).map(visible).join(": ");
  return element(
    "li",
    { class: step.result.replaceAll(" ", "-") },
    element("span", { class: "sign", "aria-hidden": "true" }, SIGNS[step.result] ?? ""),
    element(
      "div",
      {},
      element("strong", {}, words.step_results[step.result] ?? step.result),
      `: ${step.name}`,
      said || step.reason ? element("div", { class: "soft" }, said, step.reason ? element("code", {}, ` [${step.reason}]`) : null) : null,
    ),
  );
}

function verdictOf(report) {
  const level = words.levels[report.level_asked]?.label ?? report.level_asked;
  return say(report.holds ? words.verify.holds : words.verify.fails, { level });
}

function reportView(report, name) {
  const reached = words.levels[report.level_reached]?.label;
  return element(
    "article",
    { class: "card", tabindex: -1, "aria-labelledby": "report-title" },
    element("h3", { id: "report-title" }, element("bdi", {}, visible(name))),
    element(
      "p",
      { class: "conclusion" },
      element("span", { class: `badge ${report.holds ? "own" : "unlicensed"}` }, element("span", { "aria-hidden": "true" }, report.holds ? "✓ " : "✗ "), verdictOf(report)),
      " ",
      reached ? say(words.verify.reached, { level: reached }) : words.verify.reached_none,
    ),
    report.origin_verified ? null : element("p", { class: "problem" }, element("strong", {}, words.verify.origin)),
    ...sentences(words.verify.proven, report.proven),
    ...sentences(words.verify.not_proven, report.not_proven),
    element("h4", {}, words.verify.steps),
    element("ol", { class: "steps" }, ...report.steps.map(stepView)),
    terms([
      [words.verify.packet, report.packet_id ? element("code", {}, visible(report.packet_id)) : words.verify.not_read],
      [words.verify.digest, element("code", {}, report.packet_sha256)],
    ]),
  );
}

/** Listen to the form. `announce` is told how far it is. */
export function verifier(announce) {
  const form = byId("verify-form");
  const drop = byId("drop");
  const told = byId("verify-told");
  const submit = byId("verify-submit");
  const place = byId("report");
  let chosen = null;

  function choose(file) {
    chosen = file ?? null;
    byId("packet-chosen").textContent = chosen ? say(words.verify.chosen, { file: visible(chosen.name) }) : words.verify.none_chosen;
  }

  function asked() {
    const given = new FormData();
    given.append("packet", chosen, chosen.name);
    const [trust] = byId("trust").files;
    if (trust) given.append("trust", trust, trust.name);
    given.append("level", new FormData(form).get("level"));
    return given;
  }

  async function verify(event) {
    event.preventDefault();
    told.replaceChildren();
    place.replaceChildren();
    if (!chosen) {
      tell(told, new Problem({ title: words.verify.nothing, hint: words.verify.nothing_hint }));
      byId("packet").focus();
      return;
    }
    const { name } = chosen;
    const progress = (text) => {
      submit.textContent = text;
      announce(text);
    };
    submit.disabled = true;
    progress(words.verify.working);
    try {
      const busy = (seconds) => progress(say(words.verify.later, { seconds }));
      const report = await (await askPatiently("POST", "/v1/packets/verify", { form: asked() }, busy)).json();
      const view = reportView(report, name);
      place.replaceChildren(view);
      announce(verdictOf(report));
      view.focus();
    } catch (problem) {
      announce("");
      tell(told, problem);
    } finally {
      submit.disabled = false;
      submit.textContent = words.verify.submit;
    }
  }

  byId("packet").addEventListener("change", (event) => choose(event.target.files[0]));
  form.addEventListener("submit", verify);
  // Anywhere on the page: a packet that misses the field would otherwise replace the page.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("ready");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("ready");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("ready");
    if (!event.dataTransfer.files.length) return;
    choose(event.dataTransfer.files[0]);
    drop.scrollIntoView({ block: "nearest" });
    submit.focus();
  });
}
