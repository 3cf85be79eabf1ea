// Points history, a page at a time.

import { CallFailed } from "../api.js";
import { HISTORY } from "../documents.js";
import { byId, h } from "../dom.js";
import { dayAndTime, points, signedPoints } from "../format.js";
import { ask } from "../session.js";
import { get } from "../store.js";
import { entryName } from "../words.js";
import { pagedList } from "./paged_list.js";

export function showHistory() {
  const list = pagedList({
    empty: "No points have moved yet.",
    async load(after) {
      const { member } = await ask(HISTORY, { after });
      if (!member) throw new CallFailed("REFUSED", "This member has no history.");
      return member.history;
    },
    item: entry,
    watches: ["member", "ordersAt"],
    key: () => get("member") && `${get("member").externalId}/${get("ordersAt")}`,
  });
  byId("history").append(
    h("section", { class: "panel", "aria-labelledby": "history-title" }, h("h2", { id: "history-title" }, "Points history"), list),
  );
}

function entry(node) {
  const type = get("program")?.pointTypes.find((one) => one.code === node.pointType);
  const name = entryName(node);
  const order = node.orderExternalId;
  const facts = [
    dayAndTime(node.effectiveAt),
    type && get("program").pointTypes.length > 1 && type.name,
    order && !name.includes(order) && `order ${order}`,
    heldText(node),
  ];
  return h(
    "li",
    { class: "entry" },
    h("div", {}, h("b", {}, name), h("span", { class: "muted" }, facts.filter(Boolean).join(" · "))),
    h("span", { class: DIRECTIONS[Math.sign(node.points)] }, signedPoints(node.points)),
  );
}

const DIRECTIONS = { [-1]: "out", 0: "still", 1: "in" };

/** What the entry did to the points that are held; they were out of the balance already. */
function heldText({ points: moved, held }) {
  if (held === 0) return "";
  if (held > 0) return `${points(held)} held`;
  return moved === 0 ? `${points(-held)} that were held` : `${points(-held)} no longer held`;
}
