// The token is in the fragment, which browsers send to nobody; from there it goes into the body, and out of the address.
import { Problem, ask } from "./api.js";
import { byId, element, terms } from "./dom.js";
import { tell } from "./problem.js";
import { say, visible, words } from "./words.js";

const form = byId("accept");
const button = form.querySelector("button");
const byProvider = byId("by-provider"); // where there is a provider
const token = decodeURIComponent(location.hash.slice(1)).replace(/^token=/, "");

async function look() {
  history.replaceState(null, "", location.pathname);
  if (!token) {
    byId("for").textContent = "";
    throw new Problem({ title: words.accept.no_token, hint: words.accept.no_token_hint });
  }
  const response = await ask("POST", "/v1/invitations/lookup", { json: { token }, stay: true });
  const invitee = await response.json();
  byId("for").textContent = say(words.accept.for, { name: visible(invitee.name), email: visible(invitee.email) });
  const facts = terms([
    [words.accept.organisation, element("strong", {}, visible(invitee.organisation))],
    [words.accept.invited_by, visible(invitee.invited_by)],
  ]);
  byId("facts").replaceChildren(facts, element("p", { class: "soft" }, words.accept.known));
  form.email.value = invitee.email;
  offer(true);
  form.password.focus();
}

/** Show what there is to do about the invitation, or that it is done. */
function offer(isOpen) {
  byId("facts").hidden = !isOpen;
  form.hidden = !isOpen;
  if (byProvider) byId("or").hidden = !isOpen;
}

/** The token goes to our own service only; the address it answers with has nothing of it. */
async function goToProvider() {
  byProvider.disabled = true;
  try {
    const response = await ask("POST", "/v1/invitations/oidc", { json: { token }, stay: true });
    location.assign((await response.json()).url);
  } catch (problem) {
    tell(byId("told"), problem);
    byProvider.disabled = false;
  }
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
    offer(false);
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
byProvider?.addEventListener("click", goToProvider);
addEventListener("pageshow", () => {
  if (byProvider) byProvider.disabled = false; // the browser's way back may show this very page again
});
look().catch((problem) => {
  byId("for").textContent = "";
  tell(byId("told"), problem);
});
