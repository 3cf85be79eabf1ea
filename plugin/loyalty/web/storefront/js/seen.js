// Tells the engine what became of its recommendations: shown, opened, put into the cart. What was
// bought it finds in the orders. And which products a visit opened, so that a guest is shown more of
// it. Nothing on the page waits for it, and nothing fails with it.

import { CallFailed } from "./api.js";
import { randomName } from "./cart.js";
import { PRODUCT_VIEWS, RECOMMENDATION_EVENTS } from "./documents.js";
import { ask } from "./session.js";
import { get, set } from "./store.js";

const VISIT_KEY = "journey.visit";

// A product counts as shown once half of it is in sight; what comes into sight together is told
// together.
const IN_SIGHT = 0.5;
const PAUSE_MS = 300;
// The engine takes so many in one report.
const EVENTS_MAX = 80;

const unseen = new WeakMap();
const waiting = [];

const watching = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting || !unseen.has(target)) continue;
      watching.unobserve(target);
      if (waiting.length === 0) setTimeout(() => tell(waiting.splice(0)), PAUSE_MS);
      waiting.push(unseen.get(target));
      unseen.delete(target);
    }
  },
  { threshold: IN_SIGHT },
);

async function tell(events) {
  try {
    while (events.length > 0) {
      await ask(RECOMMENDATION_EVENTS, { input: { events: events.splice(0, EVENTS_MAX) } });
    }
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
  }
}

/** The name of this tab's visit: made at random, and of nobody. */
export function visit() {
  const known = sessionStorage.getItem(VISIT_KEY) ?? randomName("visit-");
  sessionStorage.setItem(VISIT_KEY, known);
  return known;
}

/** A product's page was opened. */
export async function opened(product) {
  try {
    await ask(PRODUCT_VIEWS, { input: { session: visit(), products: [product] } });
    set({ looks: get("looks") + 1 });
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
  }
}

/** For one answer, by the id it came with. */
export function reporter(recommendationId) {
  const event = (type, item) => ({ recommendationId, type, product: item.product.externalId, position: item.rank });
  return {
    /** `place` is the element that shows the item. */
    show(place, item) {
      unseen.set(place, event("IMPRESSION", item));
      watching.observe(place);
    },
    of: (item) => ({
      onOpen: () => tell([event("CLICK", item)]),
      onAdd: () => tell([event("CART", item)]),
    }),
  };
}
