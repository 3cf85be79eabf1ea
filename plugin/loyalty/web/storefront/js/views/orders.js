// Orders, and sending one back.

import { CallFailed } from "../api.js";
import * as checkout from "../checkout.js";
import { ORDERS } from "../documents.js";
import { announce, byId, h } from "../dom.js";
import { count, dayAndTime, isZero, money, points } from "../format.js";
import { refetch } from "../live.js";
import { ask } from "../session.js";
import { get } from "../store.js";
import { ORDER_STATES, refusalText } from "../words.js";
import { closeDialog, openDialog } from "./dialog.js";
import { pagedList } from "./paged_list.js";

export function showOrders() {
  let visited = false;
  const list = pagedList({
    empty: "No orders yet.",
    listClass: "list orders",
    async load(after) {
      const { member } = await ask(ORDERS, { after });
      if (!member) throw new CallFailed("REFUSED", "This member has no orders.");
      return member.orders;
    },
    item: orderItem,
    watches: ["member", "ordersAt", "route"],
    key: () => {
      visited ||= get("route").page === "orders";
      return visited && get("member") ? `${get("member").externalId}/${get("ordersAt")}` : null;
    },
  });
  byId("page-orders").append(h("h1", {}, "Orders"), h("p", { class: "muted guest-note" }, "Nobody is signed in."), list);
}

function orderItem(order) {
  const pieces = order.lines.reduce((sum, line) => sum + line.quantity, 0);
  const moved = [
    order.pointsEarned > 0 && `earned ${points(order.pointsEarned)}`,
    order.pointsRedeemed > 0 && `used ${points(order.pointsRedeemed)}`,
    !isZero(order.discount) && `saved ${money(order.discount)}`,
  ].filter(Boolean);
  return h(
    "li",
    { class: "panel order" },
    h("div", { class: "order-head" }, h("b", {}, dayAndTime(order.occurredAt)), h("span", { class: "state", "data-state": order.state }, ORDER_STATES[order.state])),
    h("p", { class: "order-total" }, money(order.total), h("span", { class: "muted" }, ` · ${count(pieces)} ${pieces === 1 ? "piece" : "pieces"}`)),
    moved.length > 0 && h("p", {}, moved.join(", ")),
    order.mismatch && h("p", { class: "notice" }, "Paid differently from its quote; flagged for the shop."),
    h("p", { class: "muted small number" }, `No. ${order.externalId}`),
    order.state === "PAID" &&
      h("button", { "data-focus": `refund-${order.externalId}`, "aria-label": `Refund the order of ${dayAndTime(order.occurredAt)}`, onclick: () => confirmRefund(order) }, "Refund"),
  );
}

function confirmRefund(order, problem = null) {
  openDialog(
    h("h2", { id: "dialog-title" }, "Send this order back?"),
    h("p", { class: "part" }, h("span", { class: "tag tag-shop" }, "Shop"), " The shop refunds the whole order with its own key."),
    h(
      "p",
      {},
      order.pointsRedeemed > 0 && `The ${points(order.pointsRedeemed)} you used come back to the lots they were taken from. `,
      order.pointsEarned > 0 && `The ${points(order.pointsEarned)} it earned are taken back.`,
    ),
    problem && h("div", { class: "failure", role: "alert" }, h("p", {}, problem.text), problem.canRetry && h("p", {}, "Trying again is safe: it is the same request, and counts once.")),
    h(
      "div",
      { class: "actions" },
      h("button", { class: "primary", "data-focus": "go", autofocus: true, onclick: () => send(order) }, problem?.canRetry ? "Try again" : "Refund this order"),
      h("button", { "data-focus": "leave", onclick: closeDialog }, "Keep it"),
    ),
  );
}

async function send(order) {
  openDialog(h("h2", { id: "dialog-title" }, "Refunding…"), h("p", { class: "muted" }, "The shop books it."), h("button", { class: "primary", "data-focus": "go", "aria-disabled": "true", autofocus: true }, "One moment…"));
  try {
    const { refund, userErrors } = await checkout.refund(order);
    if (refund) done(refund);
    else confirmRefund(order, { text: userErrors.map(refusalText).join(" "), canRetry: userErrors[0].code === "UNAVAILABLE" });
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    confirmRefund(order, { text: error.message, canRetry: error.canRetry });
  }
}

function done(refund) {
  const row = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  refetch();
  announce("The order is refunded.");
  openDialog(
    h("h2", { id: "dialog-title" }, "Refunded"),
    h(
      "dl",
      { class: "rows" },
      row("Money back", money(refund.money)),
      refund.pointsReturned > 0 && row("Points returned", points(refund.pointsReturned)),
      refund.pointsReversed > 0 && row("Points taken back", points(refund.pointsReversed)),
      refund.shortfall > 0 && row("Already spent, still owed", points(refund.shortfall)),
    ),
    h("p", { class: "muted small" }, "No real money moved."),
    h("div", { class: "actions" }, h("button", { class: "primary", "data-focus": "go", autofocus: true, onclick: closeDialog }, "Close")),
  );
}
