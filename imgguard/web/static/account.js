// Who is signed in: their name, signing out, and linking their account.
import { ask, session, toSignIn } from "./api.js";
import { byId } from "./dom.js";
import { tell } from "./problem.js";
import { say, visible, words } from "./words.js";

async function signOut(told) {
  try {
    await ask("DELETE", "/v1/session");
    location.assign("/sign-in");
  } catch (problem) {
    if (problem.status !== 401) tell(told, problem);
  }
}

/** For who signed in by a password, where there is an identity provider: link the account to the person there. */
function offerLink(who, told) {
  const button = byId("link");
  if (!button || who.is_linked !== false) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      location.assign((await (await ask("POST", "/v1/session/oidc")).json()).url);
    } catch (problem) {
      tell(told, problem);
    }
  });
}

/** Who is signed in, once the page says so. What goes wrong later is shown in `told`. Throws Problem. */
export async function account(told) {
  const who = await session();
  offerLink(who, told);
  byId("who").textContent = say(words.signed_in_as, { name: visible(who.name ?? ""), organisation: visible(who.organisation) });
  byId("sign-out").addEventListener("click", () => signOut(told));
  return who;
}

/** Whether they may have packets built: who does sees the packet, too. */
export function mayBuild(who) {
  return ["packets:read", "packets:write"].every((scope) => who.scopes.includes(scope));
}

// A page that the browser kept after signing out is not to be looked at again.
addEventListener("pageshow", (event) => {
  if (event.persisted) session().catch(() => toSignIn());
});
