// Points history, a page at a time.

import { CallFailed } from "../api.js";
import { HISTORY } from "../documents.js";
import { byId, h } from "../dom.js";
import { dayAndTime, signedPoints } from "../format.js";
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
  const where = [type && get("program").pointTypes.length > 1 && type.name, node.orderExternalId && `order ${node.orderExternalId}`];
  return h(
    "li",
    { class: "entry" },
    h("div", {}, h("b", {}, entryName(node)), h("span", { class: "muted" }, [dayAndTime(node.effectiveAt), ...where].filter(Boolean).join(" · "))),
    h("span", { class: node.points < 0 ? "out" : "in" }, signedPoints(node.points)),
  );
}
