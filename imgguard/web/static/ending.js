// Licences that were given or are held, and end within the time of the operator's reminders.
import { read } from "./api.js";
import { byId, element } from "./dom.js";
import { say, visible, when, words } from "./words.js";

const AT_ONCE = 5;

function line(licence, own) {
  const isGiven = licence.licensor.organisation_id === own;
  const licensee = licence.licensee?.organisation ?? licence.shop;
  const who = isGiven ? licensee ?? words.ending.link : licence.licensor.organisation;
  const text = isGiven ? words.ending.given : words.ending.received;
  return element("li", {}, say(text, { who: visible(who), when: when(licence.ends_at) }));
}

/** Say so, if there are any. `own` is the organisation of who looks. */
export async function ending(own) {
  const query = new URLSearchParams({ ends_soon: "true", limit: AT_ONCE });
  const page = await read(`/v1/licences?${query}`);
  byId("ending-list").replaceChildren(...page.items.map((licence) => line(licence, own)));
  byId("ending-more").hidden = !page.next_cursor;
  byId("ending").hidden = page.items.length === 0;
}
