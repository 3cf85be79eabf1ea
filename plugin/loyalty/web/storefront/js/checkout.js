// Paying and refunding: the shop's part. Each step can be repeated after a lost answer.
//
// An attempt is {phase, quote, reservation, order, member, changed, error}, with phase one of
// pricing | held | paying | paid | failed. What must survive a reload is in the tab's storage.

import { CallFailed } from "./api.js";
import { once } from "./attempts.js";
import { empty, quoteInput, randomName } from "./cart.js";
import { requote } from "./quote.js";
import { askShop } from "./session.js";
import { get, set } from "./store.js";
import { refusalText, STALE_QUOTE } from "./words.js";

const KEPT = "journey.attempt";
const KEPT_PHASES = ["pricing", "held", "paying"];

function update(changes) {
  const attempt = { ...get("attempt"), error: null, ...changes };
  set({ attempt });
  const keep = KEPT_PHASES.includes(attempt.phase) && attempt.quote;
  if (keep) sessionStorage.setItem(KEPT, JSON.stringify(attempt));
  else sessionStorage.removeItem(KEPT);
}

export function drop() {
  set({ attempt: null });
  sessionStorage.removeItem(KEPT);
}

/** A payment that was under way for this member when the page was left. */
export function unfinished() {
  const text = sessionStorage.getItem(KEPT);
  const attempt = text && JSON.parse(text);
  return attempt && attempt.shopper === get("session").member?.externalId ? attempt : null;
}

function stop(error) {
  if (!(error instanceof CallFailed)) throw error;
  update({ error: { text: error.message, canRetry: error.canRetry } });
}

/** Refused by the rules: nothing moved. Afterwards the cart gets a new price. */
function refused(userErrors) {
  const [first] = userErrors;
  const canRetry = first.code === "UNAVAILABLE";
  update({
    phase: canRetry ? get("attempt").phase : "failed",
    error: { text: userErrors.map(refusalText).join(" "), canRetry, code: first.code },
  });
  if (STALE_QUOTE.includes(first.code)) requote(0);
}

/** The shop prices the cart itself and holds what the quote uses. */
export async function begin() {
  const shown = get("quote").value;
  const orderExternalId = randomName("web-", 6);
  update({
    phase: "pricing",
    shopper: get("session").member.externalId,
    orderExternalId,
    quote: null,
    reservation: null,
  });
  try {
    const input = { ...quoteInput(), member: get("session").member.externalId };
    const { quote, userErrors } = await askShop("CheckoutQuote", input);
    if (!isCurrent(orderExternalId)) return undefined;
    if (!quote) return refused(userErrors);
    update({ quote, changed: quote.payable.amount !== shown.payable.amount ? shown.payable : null });
  } catch (error) {
    return isCurrent(orderExternalId) ? stop(error) : undefined;
  }
  return reserve();
}

/** Whether the shopper is still where the call was sent from. */
function isCurrent(orderExternalId) {
  return get("attempt")?.orderExternalId === orderExternalId;
}

async function reserve() {
  const { quote, orderExternalId } = get("attempt");
  try {
    const payload = await once(`reserve.${orderExternalId}`, (idempotencyKey) =>
      askShop("CheckoutReserve", { idempotencyKey, quoteToken: quote.token }),
    );
    if (!isCurrent(orderExternalId)) return payload.reservation && giveBack(payload.reservation);
    if (!payload.reservation) return refused(payload.userErrors);
    return update({ phase: "held", reservation: payload.reservation });
  } catch (error) {
    return isCurrent(orderExternalId) ? stop(error) : undefined;
  }
}

/** The shop has taken the money (here: it has not) and books the order. */
export async function pay() {
  const { reservation, orderExternalId, quote } = get("attempt");
  update({ phase: "paying" });
  try {
    const { amount, currencyCode } = quote.payable;
    const payload = await once(`commit.${orderExternalId}`, (idempotencyKey) =>
      askShop("CheckoutCommit", {
        idempotencyKey,
        reservationId: reservation.id,
        orderExternalId,
        paid: { amount, currencyCode },
      }),
    );
    if (!payload.order) return refused(payload.userErrors);
    update({ phase: "paid", order: payload.order, purse: payload.member });
    empty();
    return changed();
  } catch (error) {
    return stop(error);
  }
}

/** Do again what was not answered, with the same key. */
export async function again() {
  const attempt = get("attempt");
  if (attempt.phase === "paying") return pay();
  if (attempt.phase === "pricing" && attempt.quote) return reserve();
  return begin();
}

export function resume(attempt) {
  set({ attempt: { ...attempt, error: null } });
  return attempt.phase === "held" ? undefined : again();
}

/** Leave without paying. */
export function cancel() {
  const { reservation, phase } = get("attempt");
  drop();
  return reservation && phase !== "paid" ? giveBack(reservation) : undefined;
}

/** Give back what is held. Should that get lost, time gives it back. */
async function giveBack(reservation) {
  try {
    await once(`release.${reservation.id}`, (idempotencyKey) =>
      askShop("CheckoutRelease", { idempotencyKey, reservationId: reservation.id }),
    );
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
  }
  changed();
}

/** The whole order back. The refund's own name comes from the order's, so it exists once. */
export async function refund(order) {
  const payload = await once(`refund.${order.externalId}`, (idempotencyKey) =>
    askShop("OrderRefund", {
      idempotencyKey,
      orderExternalId: order.externalId,
      refundExternalId: `refund-${order.externalId}`,
      reason: "Sent back in the demo",
    }),
  );
  if (payload.refund) changed();
  return payload;
}

function changed() {
  set({ ordersAt: get("ordersAt") + 1 });
}
