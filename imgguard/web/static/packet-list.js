// The packets of the organisation, latest first.
import { ask, read } from "./api.js";
import { byId, element } from "./dom.js";
import { addressOf, countsOf, purposeOf, stateOf } from "./packet-view.js";
import { tell } from "./problem.js";
import { say, visible, when, words } from "./words.js";

const AT_ONCE = 10;

/** `open` and `gone` are called with a packet that is to be shown, or whose file was deleted. */
export function packetList({ open, gone, mayDelete, announce }) {
  const list = byId("packet-list");
  const more = byId("list-more");
  const told = byId("list-told");
  let cursor = null;

  function named(text, packet) {
    return say(text, { when: when(packet.created_at) });
  }

  function row(packet) {
    const item = element("li", {});
    const isKept = packet.state === "kept";
    const whose = packet.on_behalf_of ? element("bdi", {}, visible(packet.on_behalf_of)) : "";
    const what = element(
      "div",
      { class: "what" },
      element("strong", {}, when(packet.created_at)),
      element("span", {}, packet.purpose ? ` · ${purposeOf(packet)} · ` : " ", whose),
      element("div", { class: "soft" }, `${countsOf(packet)} ${stateOf(packet)}.`),
    );
    const show = element("button", { type: "button", "aria-label": named(words.packets.show_name, packet), onclick: () => open(packet) }, words.packets.show);
    const download = element(
      "a",
      { class: "button", href: addressOf(packet), download: `${packet.packet_id}.asice`, "aria-label": named(words.packets.download_name, packet) },
      words.packets.download,
    );
    const remove = element("button", { type: "button", "aria-label": named(words.packets.delete_name, packet), onclick: () => really(item, packet) }, words.packets.delete);
    item.append(what, element("div", { class: "actions" }, show, isKept ? download : null, isKept && mayDelete ? remove : null));
    return item;
  }

  function replace(item, packet) {
    const fresh = row(packet);
    item.replaceWith(fresh);
    fresh.querySelector("button").focus();
  }

  /** It is asked for in its place: nobody deletes by one slip. */
  function really(item, packet) {
    const yes = element("button", { type: "button", class: "danger", onclick: () => remove(item, packet) }, words.packets.yes);
    const no = element("button", { type: "button", onclick: () => replace(item, packet) }, words.packets.no);
    item.querySelector(".actions").replaceWith(element("div", { class: "actions", role: "alert" }, element("span", {}, words.packets.really), yes, no));
    no.focus();
  }

  async function remove(item, packet) {
    try {
      const left = await (await ask("DELETE", `/v1/packets/${encodeURIComponent(packet.packet_id)}`)).json();
      replace(item, left);
      gone(left);
      announce(words.packets.deleted);
    } catch (problem) {
      replace(item, packet);
      tell(told, problem);
    }
  }

  async function load(isFirst) {
    const query = new URLSearchParams({ limit: AT_ONCE, ...(isFirst || !cursor ? {} : { cursor }) });
    try {
      const page = await read(`/v1/packets?${query}`);
      if (isFirst) list.replaceChildren();
      const rows = page.items.map(row);
      list.append(...rows);
      cursor = page.next_cursor;
      more.hidden = !cursor;
      byId("list-empty").hidden = list.childElementCount > 0;
      told.replaceChildren();
      if (!isFirst) rows[0]?.querySelector("button").focus();
    } catch (problem) {
      tell(told, problem);
    }
  }

  more.addEventListener("click", () => load(false));
  return { refresh: () => load(true) };
}
