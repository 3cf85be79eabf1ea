// The shop's checkout as a dialog: hold, pay, done.

import * as checkout from "../checkout.js";
import { byId, fill, h } from "../dom.js";
import { count, isZero, money, points, time } from "../format.js";
import { icon } from "../icons.js";
import { get, set, watch } from "../store.js";
import { refetch } from "../live.js";
import { closeDialog, onDialogClose, openDialog } from "./dialog.js";
import { earnings } from "./earnings.js";

let isOpen = false;

export function startPayment() {
  open();
  checkout.begin();
}

function open() {
  isOpen = true;
  onDialogClose(() => {
    isOpen = false;
    leave();
  });
}

/** Leaving gives back what is held, except while paying: then only the shop knows the outcome. */
function leave() {
  const attempt = get("attempt");
  if (!attempt) return;
  if (attempt.phase === "paying" && !attempt.error) {
    // The answer is seconds away: wait for it.
    open();
    show(attempt);
  } else if (attempt.phase === "paying") {
    set({ attempt: null });
    offerUnfinished();
  } else if (attempt.phase === "paid") {
    checkout.drop();
    location.hash = "#/orders";
  } else checkout.cancel();
}

/** A payment that was begun in this tab and whose end is not known can be gone on with. */
export function offerUnfinished() {
  const attempt = checkout.unfinished();
  const box = byId("unfinished");
  box.hidden = !attempt;
  if (!attempt) return;
  const finish = () => {
    box.hidden = true;
    open();
    checkout.resume(attempt);
  };
  const giveUp = () => {
    box.hidden = true;
    set({ attempt });
    checkout.cancel();
  };
  // Once paying began, only asking again with the same key tells whether it is done.
  const mayGiveUp = attempt.phase !== "paying";
  fill(
    box,
    h("p", {}, "A payment was not finished. Nothing is booked twice when you go on."),
    h("button", { class: "primary", onclick: finish }, "Finish it"),
    mayGiveUp && h("button", { onclick: giveUp }, "Give it up"),
  );
}

watch(["attempt"], () => {
  const attempt = get("attempt");
  if (!attempt || !isOpen) return;
  show(attempt);
  if (attempt.phase === "paid") refetch();
});

function show(attempt) {
  openDialog(h("div", { class: "payment", "data-phase": attempt.phase }, steps(attempt), body(attempt)));
}

const STEPS = [
  ["pricing", "Price and hold"],
  ["held", "Pay"],
  ["paid", "Done"],
];

const TITLES = { pricing: "Asking the shop…", held: "Ready to pay", paying: "Booking your order…", failed: "That did not work" };

function steps({ phase }) {
  const at = { pricing: 0, failed: 0, held: 1, paying: 1, paid: 2 }[phase];
  return h(
    "ol",
    { class: "steps" },
    STEPS.map(([, name], index) => h("li", { class: index < at ? "done" : "", "aria-current": index === at ? "step" : null }, name)),
  );
}

function body(attempt) {
  if (attempt.phase === "paid") return paid(attempt);
  return [
    h("h2", { id: "dialog-title" }, attempt.error?.canRetry ? "No answer yet" : TITLES[attempt.phase]),
    h("p", { class: "part" }, h("span", { class: "tag tag-shop" }, "Shop"), " The shop’s checkout service does this with its own key."),
    attempt.error && h("div", { class: "failure", role: "alert" }, h("p", {}, attempt.error.text), attempt.error.canRetry && h("p", {}, "Trying again is safe: it is the same request, and counts once.")),
    attempt.quote && attempt.phase !== "failed" && held(attempt),
    h("div", { class: "actions" }, buttons(attempt)),
  ];
}

function held({ quote, reservation, changed }) {
  return [
    changed && h("p", { class: "notice" }, `The shop’s price is ${money(quote.payable)}; the estimate was ${money(changed)}.`),
    h(
      "dl",
      { class: "rows" },
      !isZero(quote.shipping) && line("Shipping", money(quote.shipping)),
      !isZero(quote.discount) && line("Rewards", `−${money(quote.discount)}`),
      quote.tender?.points > 0 && line("Paid with points", `${count(quote.tender.points)} (−${money(quote.tender.value)})`),
      quote.giftCards.map((card) => line(`Gift card ${card.label}`, `−${money(card.amount)}`)),
      quote.credit && line("Store credit", `−${money(quote.credit)}`),
      line("To pay", money(quote.payable), "payable"),
      reservation && reservation.points > 0 && line("Points held for you", count(reservation.points)),
      reservation?.uses.map((use) => use.kind === "COUPON" && line("Coupon held for you", use.code)),
    ),
    reservation && h("p", { class: "muted" }, icon("clock"), `Held until ${time(reservation.expiresAt)}. Leave, and everything is given back.`),
  ];
}

function line(name, value, className = "") {
  return h("div", { class: className }, h("dt", {}, name), h("dd", {}, value));
}

function buttons(attempt) {
  const { phase, error } = attempt;
  const stay = h("button", { "data-focus": "leave", onclick: closeDialog, disabled: phase === "paying" && !error }, phase === "failed" ? "Back to the cart" : "Cancel");
  if (error?.canRetry) return [h("button", { class: "primary", "data-focus": "go", onclick: checkout.again }, "Try again"), phase !== "paying" && stay];
  if (phase === "failed" || error) return stay;
  const waits = phase !== "held";
  return [
    h("button", { class: "primary", "data-focus": "go", autofocus: true, "aria-disabled": waits ? "true" : null, onclick: () => !waits && checkout.pay() }, waits ? "One moment…" : `Pay ${money(attempt.quote.payable)}`),
    stay,
    h("p", { class: "muted small" }, "No real money is taken."),
  ];
}

function paid({ order, quote, purse }) {
  return [
    h("div", { class: "tick" }, icon("check")),
    h("h2", { id: "dialog-title" }, "Thank you, it is booked"),
    h("p", { class: "muted" }, `Order ${order.externalId}`),
    h(
      "dl",
      { class: "rows" },
      line("Paid", money(quote.payable), "payable"),
      order.pointsRedeemed > 0 && line("Points used", points(order.pointsRedeemed)),
      line("Points earned", points(order.pointsEarned)),
      purse && line("Now to spend", points(purse.balance.available)),
      purse && purse.balance.pending > 0 && line("Pending", points(purse.balance.pending)),
    ),
    earnings(quote),
    order.mismatch && h("p", { class: "notice" }, "The amount paid differs from the quote; the shop has been told."),
    h("div", { class: "actions" }, h("button", { class: "primary", "data-focus": "go", autofocus: true, onclick: closeDialog }, "See my orders")),
  ];
}
