import { Problem, ask } from "./api.js";
import { byId, element } from "./dom.js";
import { tell } from "./problem.js";
import { words } from "./words.js";

const form = byId("sign-in");
const button = form.querySelector("button");
const asked = new URLSearchParams(location.search);

const PAGES = ["/", "/packets"];

/** Where to go on: a page of ours, whatever the address says. */
function next() {
  const target = new URL(asked.get("to") ?? "/", location.origin);
  return target.origin === location.origin && PAGES.includes(target.pathname) ? target.pathname + target.search : "/";
}

async function signIn(event) {
  event.preventDefault();
  button.disabled = true;
  button.textContent = words.sign_in.working;
  try {
    await ask("POST", "/v1/session", { json: { email: form.email.value, password: form.password.value }, stay: true });
    location.replace(next());
  } catch (problem) {
    tell(byId("told"), problem);
    button.disabled = false;
    button.textContent = words.sign_in.submit;
    form.password.value = "";
    form.password.focus();
  }
}

/** Why the identity provider led back here without a session: in our own words, and only for codes that have some. */
function tellWhy(code) {
  if (!Object.hasOwn(words.sign_in.failed, code)) return;
  tell(byId("told"), new Problem({ code, title: words.sign_in.failed[code], hint: words.hints[code] }));
  history.replaceState(null, "", location.pathname);
}

form.addEventListener("submit", signIn);
const byProvider = byId("by-provider");
if (byProvider) byProvider.href = `/v1/session/oidc?${new URLSearchParams({ return_to: next() })}`;
tellWhy(asked.get("problem"));
if (asked.has("over")) byId("told").append(element("p", { class: "note" }, words.problems.session_over));
form.email.focus();
