// The page of evidence packets: build one, look at those there are, verify one.
import { account, mayBuild } from "./account.js";
import { read } from "./api.js";
import { byId } from "./dom.js";
import { builder } from "./packet-build.js";
import { packetList } from "./packet-list.js";
import { packetView } from "./packet-view.js";
import { tell } from "./problem.js";
import { verifier } from "./verify.js";

const told = byId("told");
const made = byId("made");

function announce(text) {
  byId("progress").textContent = text;
}

function show(packet) {
  made.replaceChildren(...packetView(packet));
  made.hidden = false;
  history.replaceState(null, "", `/packets?${new URLSearchParams({ packet: packet.packet_id })}`);
  made.focus();
  made.scrollIntoView({ block: "start" });
}

/** What was shown of it is true no more. */
function forget(packet) {
  if (new URLSearchParams(location.search).get("packet") === packet.packet_id) made.hidden = true;
}

async function start() {
  const who = await account(told);
  verifier(announce);
  const may = { build: mayBuild(who), list: who.scopes.includes("packets:read") };
  for (const part of document.querySelectorAll("[data-needs]")) part.hidden = !may[part.dataset.needs];
  const asked = new URLSearchParams(location.search);
  const list = packetList({ open: show, gone: forget, mayDelete: may.build, announce });
  if (may.build) {
    builder(asked.getAll("id"), announce, (packet) => {
      show(packet);
      list.refresh();
    });
  }
  if (!may.list) return;
  await list.refresh();
  if (asked.has("packet")) show(await read(`/v1/packets/${encodeURIComponent(asked.get("packet"))}`));
}

start().catch((problem) => tell(told, problem)).finally(() => document.documentElement.classList.add("started"));
