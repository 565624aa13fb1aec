// The latest checks of the organisation.
import { read } from "./api.js";
import { badge } from "./card.js";
import { byId, element } from "./dom.js";
import { tell } from "./problem.js";
import { visible, when, words } from "./words.js";

const AT_ONCE = 10;

/** Show them from the newest on; `open` is called with the one that is chosen. */
export function recent(open) {
  const list = byId("recent-list");
  const more = byId("recent-more");
  let cursor = null;

  function row(check) {
    return element(
      "li",
      {},
      element("button", { type: "button", class: "open", onclick: () => open(check) },
        element("bdi", { class: "name" }, visible(check.file)),
        element("span", { class: "soft" }, `${words.verdicts[check.verdict]?.label ?? check.verdict} · ${when(check.checked_at)}`),
        badge(check.conclusion)),
    );
  }

  async function load(isFirst) {
    const query = new URLSearchParams({ limit: AT_ONCE, ...(isFirst || !cursor ? {} : { cursor }) });
    try {
      const page = await read(`/v1/checks?${query}`);
      if (isFirst) list.replaceChildren();
      const rows = page.items.map(row);
      list.append(...rows);
      cursor = page.next_cursor;
      more.hidden = !cursor;
      byId("recent-empty").hidden = list.childElementCount > 0;
      byId("recent-told").replaceChildren();
      if (!isFirst) rows[0]?.querySelector("button").focus();
    } catch (problem) {
      tell(byId("recent-told"), problem);
    }
  }

  more.addEventListener("click", () => load(false));
  return { refresh: () => load(true) };
}
