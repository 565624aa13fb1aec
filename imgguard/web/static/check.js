import { account, mayBuild } from "./account.js";
import { Problem, read } from "./api.js";
import { Card } from "./card.js";
import { byId } from "./dom.js";
import { ending } from "./ending.js";
import { tell } from "./problem.js";
import { recent } from "./recent.js";
import { check, enqueue } from "./submit.js";
import { say, words } from "./words.js";

const USE = ["platform", "territory", "shop", "kind"];
const told = byId("told");
const drop = byId("drop");
const files = byId("files");
const byUrl = byId("by-url");
let mayBuildPackets = false;
const latest = recent((made) => show(made));

function put(card) {
  byId("results").hidden = false;
  byId("cards").prepend(card.element);
}

function announce(text) {
  byId("progress").textContent = text;
}

function useNow() {
  const said = USE.map((name) => [name, byId(name).value.trim()]);
  return Object.fromEntries(said.filter(([, value]) => value));
}

function submit(source, name, shown) {
  const card = new Card(name, shown);
  const use = useNow();
  put(card);
  announce(`${card.name}: ${words.progress.waiting}`);
  enqueue(async () => {
    try {
      const made = await check(source, name, use, (text) => {
        card.progress(text);
        announce(`${card.name}: ${text}`);
      });
      card.done(made, mayBuildPackets);
      announce(say(words.progress.done, { file: card.name, conclusion: words.conclusions[made.conclusion]?.label ?? "" }));
    } catch (problem) {
      card.failed(problem);
      announce(say(words.progress.failed, { file: card.name, title: problem.title ?? words.problems.unknown }));
    }
    latest.refresh();
  });
}

function submitFiles(given, isPasted = false) {
  told.replaceChildren();
  const chosen = [...given];
  if (!chosen.length) {
    tell(told, new Problem({ title: words.check.none_in_it, hint: words.check.formats }));
  }
  for (const file of chosen) {
    const name = isPasted && !file.name ? words.check.pasted : file.name;
    submit(file, name, file.type.startsWith("image/") ? URL.createObjectURL(file) : null);
  }
}

function show(made) {
  const card = new Card(made.file, `/v1/checks/${encodeURIComponent(made.finding_id)}/picture`);
  put(card);
  card.done(made, mayBuildPackets);
  card.element.focus();
}

function submitUrl(event) {
  event.preventDefault();
  told.replaceChildren();
  const text = byUrl.url.value.trim();
  const address = URL.canParse(text) ? new URL(text) : null;
  if (!address || !["http:", "https:"].includes(address.protocol)) {
    byUrl.url.setAttribute("aria-invalid", "true");
    tell(told, new Problem({ title: words.check.url_wrong, hint: words.check.url_wrong_hint }));
    byUrl.url.focus();
    return;
  }
  byUrl.url.removeAttribute("aria-invalid");
  byUrl.url.value = "";
  submit(address.href, address.href, null);
}

function pasted(event) {
  const given = [...(event.clipboardData?.files ?? [])];
  if (!given.length) return; // a text, for a field
  event.preventDefault();
  submitFiles(given, true);
}

function listen() {
  files.addEventListener("change", () => {
    submitFiles(files.files);
    files.value = "";
  });
  byUrl.addEventListener("submit", submitUrl);
  document.addEventListener("paste", pasted);
  // Anywhere on the page: a picture that misses the field would otherwise replace the page.
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
    submitFiles(event.dataTransfer.files);
  });
}

async function start() {
  const who = await account(told);
  // Of an own original, which only those get a packet of who may read it.
  mayBuildPackets = mayBuild(who) && who.scopes.includes("references:read");
  if (who.scopes.includes("checks:write")) listen();
  else {
    byId("hand-in").hidden = true;
    tell(told, new Problem({ title: words.check.may_not_check }));
  }
  if (who.scopes.includes("licences:read")) ending(who.organisation_id).catch((problem) => tell(told, problem));
  if (!who.scopes.includes("checks:read")) {
    byId("recent").hidden = true;
    return;
  }
  await latest.refresh();
  const asked = new URLSearchParams(location.search).get("check");
  if (asked) show(await read(`/v1/checks/${encodeURIComponent(asked)}`));
}

start().catch((problem) => tell(told, problem)).finally(() => document.documentElement.classList.add("started"));
