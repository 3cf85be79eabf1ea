// Puts the page together: who shops, what is shown where, and what happens when it fails.

import { CallFailed } from "./api.js";
import { restore } from "./cart.js";
import { GUEST_HOME, HOME } from "./documents.js";
import { byId, fill, h } from "./dom.js";
import { setTimeZone } from "./format.js";
import { icon } from "./icons.js";
import * as live from "./live.js";
import * as quote from "./quote.js";
import * as session from "./session.js";
import { get, isGuest, set, viewer, watch } from "./store.js";
import { showCard } from "./views/card.js";
import { showCart } from "./views/cart.js";
import { showFrame } from "./views/frame.js";
import { showHistory } from "./views/history.js";
import { showOffers } from "./views/offers.js";
import { showOrders } from "./views/orders.js";
import { offerUnfinished } from "./views/payment.js";
import { showProduct } from "./views/product.js";
import { recommendations } from "./views/recommendations.js";
import { showShop } from "./views/shop.js";

const PAGES = ["club", "shop", "product", "cart", "orders"];

/** What a link's last part names; a mangled link names nothing that exists. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function route() {
  const [, page, product] = location.hash.match(/^#\/(\w+)(?:\/(.+))?$/) ?? [];
  // Other fragments name places within the page that is shown.
  if (location.hash && !PAGES.includes(page)) return;
  const before = get("route").page;
  set({ route: { page: page ?? "club", product: product ? decoded(product) : null } });
  if (before !== get("route").page || product) scrollTo(0, 0);
}

async function loadHome() {
  try {
    const { program, member = null } = await session.ask(isGuest() ? GUEST_HOME : HOME);
    setTimeZone(program.timeZone);
    set({ program, member, memberFailed: null });
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    set({ memberFailed: error });
  }
}

function problem(text, retry) {
  const box = byId("problem");
  box.hidden = !text;
  fill(box, text ? [h("p", {}, text), h("button", { onclick: retry }, "Try again")] : null);
}

async function changeMember(externalId) {
  set({ member: null });
  try {
    await session.switchTo(externalId);
    problem(null);
    restore();
    offerUnfinished();
    await loadHome();
    set({ ordersAt: get("ordersAt") + 1 });
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    problem(error.message, () => changeMember(externalId));
  }
}

async function boot() {
  try {
    await session.start();
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    problem(error.message, boot);
    set({ connection: "offline" });
    return;
  }
  problem(null);
  restore();
  offerUnfinished();
  await loadHome();
  live.follow();
  quote.follow();
  set({ connection: get("connection") === "starting" ? "polling" : get("connection") });
}

for (const place of document.querySelectorAll("[data-icon]")) place.append(icon(place.dataset.icon));
addEventListener("hashchange", route);
route();
showFrame({ onMember: changeMember });
showCard({ onRetry: loadHome });
showOffers();
showHistory();
recommendations(byId("club-recommendations"), "Picked for you", ["NEXT_VISIT", "BUY_AGAIN", "FOR_YOU", "TRENDING"], {
  ready: () => get("member") !== null,
  watches: ["member"],
  // Whatever happens to a member may change what is next, and what it costs.
  key: () => `${get("member").externalId}/${get("member").version}`,
});
recommendations(byId("guest-recommendations"), "Picked for this visit", ["FOR_YOU", "TRENDING"], {
  ready: () => isGuest() && get("program") !== null,
  watches: ["session", "program", "looks"],
  key: () => `${viewer()}/${get("looks")}`,
});
showShop();
showProduct();
showCart();
showOrders();
watch(["route"], () => {
  document.body.dataset.route = get("route").page;
});
watch(["session"], () => {
  document.body.toggleAttribute("data-guest", isGuest());
});
boot();
