// Pictures on their way through /v1/checks: a few at a time, in the order in which they came.
import { askPatiently, freshKey, pause, problemOf, read } from "./api.js";
import { say, words } from "./words.js";

const AT_ONCE = 2;
const waiting = [];
let running = 0;

/** Run `work` when it is its turn. */
export function enqueue(work) {
  waiting.push(work);
  next();
}

async function next() {
  if (running >= AT_ONCE || !waiting.length) return;
  running += 1;
  try {
    await waiting.shift()();
  } finally {
    running -= 1;
    next();
  }
}

function formOf(file, name, use) {
  const form = new FormData();
  form.append("file", file, name);
  for (const [key, value] of Object.entries(use)) form.append(key, value);
  return form;
}

/** The check of a file or, if `source` is a text, of an address. `tell` is told how far it is. Throws Problem. */
export async function check(source, name, use, tell) {
  const key = freshKey();
  const busy = (seconds) => tell(say(words.progress.later, { seconds }));
  tell(words.progress.checking);
  const response =
    typeof source === "string"
      ? await askPatiently("POST", "/v1/checks/by-url", { json: { url: source, ...use }, key }, busy)
      : await askPatiently("POST", "/v1/checks", { form: formOf(source, name, use), key }, busy);
  const answer = await response.json();
  return response.status === 202 ? whenOver(answer, tell) : answer;
}

async function whenOver(job, tell) {
  for (let now = job; !now.is_over; ) {
    tell(words.progress[now.state === "queued" ? "queued" : "checking"]);
    await pause(1);
    now = await (await askPatiently("GET", `/v1/jobs/${encodeURIComponent(job.job_id)}`)).json();
  }
  const { items } = await read(`/v1/jobs/${encodeURIComponent(job.job_id)}/items`);
  const item = items[0];
  if (item?.error) throw problemOf(item.error);
  if (!item?.result) throw problemOf({ code: "cancelled", detail: words.problems.cancelled });
  return read(`/v1/checks/${encodeURIComponent(item.result.finding_id)}`);
}
