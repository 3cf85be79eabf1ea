// The member's personal offers: what each gives, why, until when; and making one active.

import { CallFailed } from "../api.js";
import { OFFER_ACTIVATE, OFFERS } from "../documents.js";
import { announce, byId, fill, h } from "../dom.js";
import { lastDay, money } from "../format.js";
import { icon } from "../icons.js";
import { requote } from "../quote.js";
import { ask } from "../session.js";
import { get, watch } from "../store.js";
import { refusalText } from "../words.js";

const STATES = {
  ACTIVE: "Active",
  HELD: "In a checkout",
  USED: "Used",
  RESTORED: "Active again",
  EXPIRED: "Over",
  WITHDRAWN: "Taken back",
};

let shown = null;
let failed = null;

/** Which answer is wanted: an offer changes with whatever changes the member. */
function wanted() {
  const member = get("member");
  return member && `${member.externalId}/${get("ordersAt")}`;
}

async function load() {
  const key = wanted();
  if (!key) return;
  try {
    const { offers } = await ask(OFFERS);
    // An answer that was overtaken is dropped.
    if (wanted() === key) draw(offers);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    if (wanted() === key) draw(null);
  }
}

function draw(offers) {
  shown = offers;
  const place = byId("offers");
  if (!offers || offers.length === 0) return fill(place);
  fill(
    place,
    h(
      "section",
      { class: "panel", "aria-labelledby": "offers-title" },
      h("h2", { id: "offers-title" }, "Your offers"),
      failed && h("p", { class: "why", role: "alert" }, failed),
      h("ul", { class: "rewards offers" }, offers.map(row)),
    ),
  );
}

function row(offer) {
  const facts = [offer.reason?.message, condition(offer), `Until ${lastDay(offer.endsAt)}.`];
  return h(
    "li",
    { "data-state": offer.state },
    icon("gift"),
    h("div", {}, h("b", {}, offer.name), h("span", { class: "muted" }, facts.filter(Boolean).join(" "))),
    offer.state === "OFFERED"
      ? h("button", { "data-focus": `activate-${offer.id}`, "aria-label": `Activate: ${offer.name}`, onclick: () => activate(offer) }, "Activate")
      : h("span", { class: "price-tag", "data-focus": `activate-${offer.id}` }, STATES[offer.state]),
  );
}

function condition({ gives }) {
  return gives?.minimumPurchase && `On purchases of ${money(gives.minimumPurchase)} and more.`;
}

async function activate(offer) {
  failed = null;
  try {
    const { offerActivate } = await ask(OFFER_ACTIVATE, { input: { idempotencyKey: crypto.randomUUID(), offerId: offer.id } });
    const [error] = offerActivate.userErrors;
    if (error) failed = refusalText(error);
    else announce(`Active: ${offer.name}`);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    failed = error.message;
  }
  // Whatever became of it, the engine says where the offer stands now.
  draw(shown);
  await load();
  requote();
}

export function showOffers() {
  let key = null;
  watch(["member", "ordersAt"], () => {
    if (wanted() === key) return;
    if (wanted()?.split("/")[0] !== key?.split("/")[0]) draw(null);
    key = wanted();
    failed = null;
    load();
  });
}
