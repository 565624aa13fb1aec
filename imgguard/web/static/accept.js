// The token is in the fragment, which browsers send to nobody; from there it goes into the body, and out of the address.
import { Problem, ask } from "./api.js";
import { byId } from "./dom.js";
import { tell } from "./problem.js";
import { say, words } from "./words.js";

const form = byId("accept");
const button = form.querySelector("button");
const token = decodeURIComponent(location.hash.slice(1)).replace(/^token=/, "");

async function look() {
  history.replaceState(null, "", location.pathname);
  if (!token) {
    byId("for").textContent = "";
    throw new Problem({ title: words.accept.no_token, hint: words.accept.no_token_hint });
  }
  const response = await ask("POST", "/v1/invitations/lookup", { json: { token }, stay: true });
  const invitee = await response.json();
  byId("for").textContent = say(words.accept.for, invitee);
  form.email.value = invitee.email;
  form.hidden = false;
  form.password.focus();
}

async function accept(event) {
  event.preventDefault();
  if (form.password.value !== form.repeat.value) {
    tell(byId("told"), new Problem({ title: words.accept.different }));
    form.repeat.focus();
    return;
  }
  button.disabled = true;
  button.textContent = words.accept.working;
  try {
    await ask("POST", "/v1/invitations/accept", { json: { token, password: form.password.value }, stay: true });
    byId("told").replaceChildren();
    form.hidden = true;
    byId("for").textContent = say(words.accept.done, { email: form.email.value });
    byId("next").hidden = false;
    byId("next").querySelector("a").focus();
  } catch (problem) {
    tell(byId("told"), problem);
    form.password.focus();
  } finally {
    button.disabled = false;
    button.textContent = words.accept.submit;
  }
}

form.addEventListener("submit", accept);
look().catch((problem) => {
  byId("for").textContent = "";
  tell(byId("told"), problem);
});
