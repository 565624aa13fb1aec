// The only module that asks /v1: with the session's cookie, and the CSRF token where something changes.
import { words } from "./words.js";

const MOST_TRIES = 6;
const NEVER_AGAIN = "worker_crashed"; // what the same request would meet again, and cost others their workers
let csrf = "";
let isLeaving = false;

/** What went wrong, for people: `title`, `detail`, `hint`. */
export class Problem extends Error {
  constructor({ status = 0, code = "", title, detail = "", hint = "", request_id: requestId = "", errors = [] }, wait = 0) {
    super(title);
    Object.assign(this, { status, code, title, detail, hint, requestId, errors, wait });
  }
}

export const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** A problem for a code without an answer, as the items of jobs have it. */
export function problemOf({ code, detail }) {
  const said = code.replaceAll("_", " ");
  return new Problem({ code, title: said.charAt(0).toUpperCase() + said.slice(1), detail, hint: words.hints[code] ?? "" });
}

async function refused(response) {
  const wait = Number(response.headers.get("Retry-After")) || 0;
  const isProblem = (response.headers.get("Content-Type") ?? "").startsWith("application/problem+json");
  const told = isProblem ? await response.json().catch(() => ({})) : {};
  return new Problem(
    { hint: words.problems.unknown_hint, ...told, title: told.title ?? words.problems.unknown, status: response.status },
    wait,
  );
}

/** The response to a request. Throws Problem. `json` or `form` is the body; `key` makes sending it again harmless. */
export async function ask(method, path, { json, form, key, stay = false } = {}) {
  const headers = {};
  if (json !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  if (key) headers["Idempotency-Key"] = key;
  let response;
  try {
    response = await fetch(path, { method, headers, body: json === undefined ? form : JSON.stringify(json) });
  } catch {
    throw new Problem({ title: words.problems.offline, hint: words.problems.offline_hint });
  }
  if (response.ok) return response;
  if (response.status === 401 && !stay) toSignIn();
  throw await refused(response);
}

/** As `ask`, again after a while where the service has too much to do. `onWait` is told for how many seconds. */
export async function askPatiently(method, path, options = {}, onWait = () => {}) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(method, path, options);
    } catch (problem) {
      const isBusy = [429, 503].includes(problem.status) || (problem.status === 409 && problem.wait > 0);
      if (!isBusy || problem.code === NEVER_AGAIN || tries === MOST_TRIES) throw problem;
      const seconds = Math.min(Math.max(problem.wait, 1), 60);
      onWait(seconds);
      await pause(seconds);
    }
  }
}

export async function read(path) {
  return (await ask("GET", path)).json();
}

/** Who is signed in; remembers the CSRF token. */
export async function session() {
  const who = await read("/v1/session");
  csrf = who.csrf_token ?? "";
  return who;
}

/** A key for one request. Not crypto.randomUUID: that is only there with https. */
export function freshKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Leaves the page, once: of several requests that are refused, each would break off the way of the one before. */
export function toSignIn() {
  if (isLeaving) return;
  isLeaving = true;
  const back = location.pathname + location.search;
  location.assign(`/sign-in?${new URLSearchParams({ to: back, over: "1" })}`);
}

addEventListener("pageshow", () => {
  isLeaving = false; // the browser's way back may show this very page again
});
